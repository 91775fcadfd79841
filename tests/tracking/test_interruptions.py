"""Handlers of signals that log and flush, in the middle of what the program logs and flushes."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import experiment_store
from experiment_store import aio
from experiment_store.records import RunState
from experiment_store.tracking import active, buffer, endings

_LONG = 3_600.0


@contextmanager
def _interrupted(code: Any, handle: Callable[[], None]) -> Iterator[list[int]]:
    """Interrupt the main thread once at every line of *code*, as if by a signal."""
    seen: list[int] = []

    def trace_line(frame: Any, event: str, _: Any) -> Any:
        if event == "line" and frame.f_lineno not in seen:
            seen.append(frame.f_lineno)
            signal.raise_signal(signal.SIGUSR1)
        return trace_line

    def trace(frame: Any, _: str, __: Any) -> Any:
        return trace_line if frame.f_code is code else None

    before, tracing = signal.signal(signal.SIGUSR1, lambda *_: handle()), sys.gettrace()
    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(tracing)
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize(
    "code",
    [
        buffer.Buffer.add.__code__,
        buffer.Buffer._add.__code__,
        active.ActiveRun.log.__code__,
        active.ActiveRun.flush.__code__,
        active.ActiveRun._have_written.__code__,
    ],
    ids=lambda code: code.co_name,
)
@pytest.mark.parametrize("flushes", [False, True], ids=["logs", "flushes"])
def test_a_handler_of_signals_neither_loses_nor_doubles_a_point(
    code: Any, *, flushes: bool
) -> None:
    with experiment_store.connect("memory://") as store:
        run = store.runs.start("mnist", interval=_LONG)
        logged = 0

        def handle() -> None:
            nonlocal logged
            if flushes:
                run.flush()
            else:
                run.log(loss=0.5)
                logged += 1

        with _interrupted(code, handle) as interrupted:
            for step in range(3):
                run.log(step=step, loss=1.0, accuracy=0.5)
                run.flush()
        run.finish()

        assert interrupted
        assert len(store.runs.history(run.id, "loss")) == 3 + logged
        assert store.runs.history(run.id, "accuracy").steps.tolist() == [0, 1, 2]
        assert store.runs.get(run.id).metrics["loss"].count == 3 + logged


def test_a_run_is_not_blamed_for_an_error_before_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lab.db"
    lines = [
        "1 / 0",
        "import experiment_store",
        f"store = experiment_store.connect({url!r})",
        "run = store.runs.start('mnist')",
        "run.log(loss=1.0)",
        "",
    ]

    subprocess.run(
        [sys.executable, "-i", "-q"], input="\n".join(lines), text=True, check=True,
        capture_output=True, timeout=60,
    )  # fmt: skip

    with experiment_store.connect(url) as store:
        [run] = store.runs.list().items
        assert (run.state, run.error) == (RunState.SUCCEEDED, "")
        assert len(store.runs.history(run.id, "loss")) == 1


def test_a_flush_in_the_middle_of_a_log_is_only_asked_for() -> None:
    # As of a handler of signals: whoever asks for the time holds what a write needs.
    active_runs: list[experiment_store.ActiveRun] = []

    def clock() -> datetime:
        for run in active_runs:
            run.flush()
        return datetime(2026, 1, 1, tzinfo=UTC)

    with experiment_store.connect("memory://", clock=clock) as store:
        run = store.runs.start("mnist", interval=_LONG)
        active_runs.append(run)
        run.log(loss=1.0)
        active_runs.clear()
        run.finish()

        assert store.runs.history(run.id, "loss").values.tolist() == [1.0]


def test_without_an_active_run_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)

    endings.catch_signals()

    assert signal.getsignal(signal.SIGTERM) is before


def test_a_run_that_was_awaited_may_be_entered() -> None:
    async def main() -> tuple[int, RunState]:
        async with await aio.connect("memory://") as store:
            run = await store.runs.start("mnist")
            async with run as entered:
                await entered.log(loss=1.0)
            history = await store.runs.history(run.id, "loss")
            return len(history), (await store.runs.get(run.id)).state

    assert asyncio.run(main()) == (1, RunState.SUCCEEDED)
