"""However a process ends, its run says so, and the history has what was logged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from experiment_store import ExperimentStore, History, Run, RunState
from experiment_store.registry import open_backend
from experiment_store.summaries import summary
from tests.processes.databases import Database, Sqlite
from tests.processes.ending import FORKS, POINTS, REASON
from tests.processes.processes import PATIENCE, ROOT

_INTERVAL = 0.2
_FOR_ONE_WRITE = 1.3  # seconds, since machines of tests are slow
_LONG = 3_000.0  # seconds, so that nothing but the end writes
_SOON = timedelta(seconds=1)


class Program:
    """A process of tests/processes/ending.py."""

    def __init__(self, url: str, end: str, interval: float) -> None:
        """Start it, and wait until it executes a run."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.processes.ending", url, str(interval), end],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # what is read here of a line, `communicate` would not see
            cwd=ROOT,
            start_new_session=True,
        )
        self.said = ""
        """What it told of errors."""
        self.times: list[float] = []
        """When each point was about to be logged, or perhaps not even that for the last."""
        self.run_id = self._line()

    def log_for(self, seconds: float) -> None:
        """Wait until it has logged for so long."""
        self._read_point()
        while self.times[-1] - self.times[0] < seconds:
            self._read_point()

    def end(self, signalled: signal.Signals | None = None) -> int:
        """Send a signal, if any, and return the code of the exit."""
        if signalled is not None:
            self._process.send_signal(signalled)
        rest, errors = self._process.communicate(timeout=PATIENCE)
        self.said = errors.decode()
        for line in rest.decode().splitlines():
            self._note(line)
        return self._process.returncode

    def close(self) -> None:
        """Let nothing of it stay, nor of what it has forked."""
        with suppress(ProcessLookupError, PermissionError):  # on macOS, of those that have ended
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def _read_point(self) -> None:
        self._note(self._line())

    def _note(self, line: str) -> None:
        step, time = line.split()
        assert int(step) == len(self.times)
        self.times.append(float(time))

    def _line(self) -> str:
        assert self._process.stdout is not None
        line: bytes = self._process.stdout.readline()
        assert line.endswith(b"\n"), f"it ended: {self._process.communicate()[1].decode()}"
        return line.decode().rstrip()


@contextmanager
def executing(url: str, end: str, interval: float = _LONG) -> Iterator[Program]:
    """Start a program; it does not outlive the block."""
    program = Program(url, end, interval)
    try:
        yield program
    finally:
        program.close()


def _read(store: ExperimentStore, program: Program) -> tuple[Run, History]:
    """Return the run and its history, whose points are the first of those logged, in order."""
    run = store.runs.get(program.run_id)
    history = store.runs.history(run.id, "loss")
    steps = list(range(len(history)))
    assert len(steps) <= len(program.times)
    assert history.steps.tolist() == steps
    assert history.values.tolist() == [1 / (step + 1) for step in steps]
    assert dict(run.metrics) == {"loss": summary(history)}
    return run, history


def _assert_ended(
    database: Database, program: Program, state: RunState, error: str, lost: int = 0
) -> None:
    with ExperimentStore(open_backend(database.impatient_url)) as store:
        run, history = _read(store, program)
        assert (run.state, run.error) == (state, error)
        assert run.finished_at is not None
        assert len(program.times) - len(history) in range(lost + 1)


@pytest.fixture
def file(tmp_path: Path) -> Database:
    """A place where no store is yet, on SQLite."""
    return Sqlite(tmp_path / "store.db")


def test_a_killed_process_loses_what_it_logged_in_the_last_interval_and_its_run_is_reaped(
    database: Database, seed: str
) -> None:
    with executing(database.url(Random(seed)), "go on", _INTERVAL) as program:
        program.log_for(_INTERVAL + _FOR_ONE_WRITE + 0.3)
        assert program.end(signal.SIGKILL) == -signal.SIGKILL

    database.settle()
    now = datetime.now(UTC)
    backend = open_backend(database.impatient_url)
    with ExperimentStore(backend, clock=lambda: now) as store:
        run, history = _read(store, program)
        times = program.times
        assert history
        assert times[-1] - times[len(history) - 1] <= _INTERVAL + _FOR_ONE_WRITE
        assert (run.state, run.finished_at) == (RunState.RUNNING, None)
        assert run.heartbeat_at is not None
        assert run.heartbeat_at >= history[-1].time

        now = run.heartbeat_at + _SOON
        assert store.runs.reap(age=_SOON) == []
        now += timedelta(microseconds=1)
        [reaped] = store.runs.reap(age=_SOON)
        assert store.runs.get(run.id) == reaped
        assert (reaped.state, reaped.finished_at) == (RunState.FAILED, run.heartbeat_at)
        assert _read(store, program)[1] == history


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_the_process_fails_its_run_which_keeps_all(
    database: Database, seed: str, number: signal.Signals
) -> None:
    with executing(database.url(Random(seed)), "go on") as program:
        program.log_for(0.05)

        assert program.end(number) == 128 + number, program.said

    _assert_ended(database, program, RunState.FAILED, f"terminated by {number.name}", lost=1)


def test_a_signal_fails_a_run_that_was_forgotten(file: Database) -> None:
    with executing(file.impatient_url, "go on, forgotten") as program:
        program.log_for(0.05)

        assert program.end(signal.SIGTERM) == 128 + signal.SIGTERM, program.said

    _assert_ended(file, program, RunState.FAILED, "terminated by SIGTERM", lost=1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_handles_a_signal_goes_on(file: Database, number: signal.Signals) -> None:
    with executing(file.impatient_url, "until heard") as program:
        program.log_for(0.05)

        assert program.end(number) == 0, program.said

    _assert_ended(file, program, RunState.SUCCEEDED, "")


@pytest.mark.parametrize("end", ["go on", "go on, forgotten"])
def test_ctrl_c_cancels_the_run_which_keeps_all(file: Database, end: str) -> None:
    with executing(file.impatient_url, end) as program:
        program.log_for(0.05)

        assert program.end(signal.SIGINT) == -signal.SIGINT, program.said

    _assert_ended(file, program, RunState.CANCELED, "KeyboardInterrupt", lost=1)


@pytest.mark.parametrize(
    ("end", "code", "state", "error"),
    [
        ("return", 0, RunState.SUCCEEDED, ""),
        ("return, forgotten", 0, RunState.SUCCEEDED, ""),
        ("exit", 3, RunState.FAILED, "SystemExit: 3"),
        ("fail", 1, RunState.FAILED, f"ValueError: {REASON}"),
        ("fail, forgotten", 1, RunState.FAILED, f"ValueError: {REASON}"),
        ("fail in the store", 1, RunState.FAILED, f"ValueError: {REASON}"),
        ("close early", 0, RunState.SUCCEEDED, ""),
        ("close early, forgotten", 0, RunState.SUCCEEDED, ""),
    ],
)
def test_the_end_of_a_process_is_that_of_its_run_which_keeps_all(
    file: Database, end: str, code: int, state: RunState, error: str
) -> None:
    with executing(file.impatient_url, end) as program:
        assert program.end() == code, program.said

    assert len(program.times) == POINTS
    _assert_ended(file, program, state, error)


def test_however_forked_processes_end_they_lose_and_double_nothing(
    database: Database, seed: str
) -> None:
    with executing(database.url(Random(seed)), "fork", 0.001) as program:
        assert program.end() == 0, program.said

    assert len(program.times) == POINTS * (2 * FORKS + 1)
    _assert_ended(database, program, RunState.SUCCEEDED, "")
