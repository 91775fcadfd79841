"""The end of a process ends its runs, and exceptions out of signal handlers harm nothing."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from random import Random
from threading import Event, Thread
from types import FrameType
from typing import Any

import pytest

from experiment_store import (
    ExperimentStore,
    FailedPreconditionError,
    RunState,
    UnavailableError,
)
from experiment_store.summaries import summary
from experiment_store.tracking import active, endings
from experiment_store.tracking.buffer import Buffer
from tests.tracking.wired import WiredBackend, cut

LONG = 3_000.0
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _signals_are_left_to_the_system() -> Iterator[None]:
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    yield
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_the_program_fails_its_run(
    store: ExperimentStore, number: signal.Signals
) -> None:
    with pytest.raises(SystemExit) as caught, store.runs.start("mnist") as run:
        run.log(loss=1.0)
        signal.raise_signal(number)

    assert caught.value.code == 128 + number
    found = store.runs.get(run.id)
    assert (found.state, found.error) == (RunState.FAILED, f"terminated by {number.name}")
    assert found.metrics["loss"].count == 1


def test_signals_are_left_to_the_system_after_the_last_run(wired: ExperimentStore) -> None:
    with wired.runs.start("mnist"):
        with wired.runs.start("mnist"):
            pass
        assert signal.getsignal(signal.SIGTERM) == endings._raise
        assert signal.getsignal(signal.SIGHUP) == endings._raise

    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_a_handler_of_the_program_is_left_alone(wired: ExperimentStore) -> None:
    heard: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with wired.runs.start("mnist") as run:
            signal.raise_signal(signal.SIGTERM)
            run.log(loss=1.0)
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    assert heard == [signal.SIGTERM] * 2


def test_another_thread_leaves_signals_alone(wired: ExperimentStore) -> None:
    seen: list[Any] = []

    def execute() -> None:
        with wired.runs.start("mnist"):
            seen.append(signal.getsignal(signal.SIGTERM))

    _on_thread(execute)

    assert seen == [signal.SIG_DFL]


def test_a_signal_after_a_run_that_another_thread_has_finished_does_what_it_always_did(
    wired: ExperimentStore,
) -> None:
    run = wired.runs.start("mnist")
    _on_thread(run.finish)
    heard: list[int] = []
    assert signal.getsignal(signal.SIGTERM) == endings._raise
    assert signal.getsignal(signal.SIGHUP) == endings._raise

    # In the place of the system, which would end this process, the program has a say.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with _instead_of_the_system(heard):
        endings._raise(signal.SIGTERM, None)

    assert heard == [signal.SIGTERM]
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _instead_of_the_system(heard: list[int]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signal, "raise_signal", heard.append)
        yield


def test_what_is_forgotten_is_finished_at_exit(store: ExperimentStore) -> None:
    run = store.runs.start("mnist", interval=LONG)
    run.log(loss=1.0)

    endings._end_at_exit()

    assert store.runs.get(run.id).state == RunState.SUCCEEDED
    assert len(store.runs.history(run.id, "loss")) == 1


@pytest.mark.parametrize(
    ("error", "state"), [(ValueError("x"), "FAILED"), (KeyboardInterrupt(), "CANCELED")]
)
def test_what_a_program_died_of_is_known_at_exit(
    wired: ExperimentStore, monkeypatch: pytest.MonkeyPatch, error: BaseException, state: str
) -> None:
    run = wired.runs.start("mnist", interval=LONG)
    monkeypatch.setattr(sys, "last_value", error, raising=False)

    endings._end_at_exit()

    assert wired.runs.get(run.id).state == state


def test_the_signal_a_program_died_of_is_known_at_exit_unless_it_survived_it(
    wired: ExperimentStore,
) -> None:
    first = wired.runs.start("mnist", interval=LONG)
    with suppress(SystemExit):
        signal.raise_signal(signal.SIGTERM)
    endings._end_at_exit()
    second = wired.runs.start("mnist", interval=LONG)
    endings._end_at_exit()

    assert wired.runs.get(first.id).error == "terminated by SIGTERM"
    assert wired.runs.get(second.id).state == RunState.SUCCEEDED


def test_a_signal_at_exit_waits_until_what_is_forgotten_is_finished(
    wired: ExperimentStore, backend: WiredBackend
) -> None:
    run = wired.runs.start("mnist", interval=LONG)
    run.log(loss=1.0)
    heard: list[int] = []

    def signalled(work: Any) -> Any:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        return work()

    backend.fates = [signalled]
    with _instead_of_the_system(heard):
        endings._end_at_exit()

    assert heard == [signal.SIGTERM]
    assert wired.runs.get(run.id).state == RunState.SUCCEEDED
    assert len(wired.runs.history(run.id, "loss")) == 1


def test_that_one_run_cannot_be_finished_does_not_keep_others_from_it(
    wired: ExperimentStore, backend: WiredBackend
) -> None:
    runs = [wired.runs.start("mnist", interval=LONG) for _ in range(3)]
    for run in runs:
        run.log(loss=1.0)
    backend.fates = [cut]

    with pytest.raises(UnavailableError):
        endings._end_at_exit()

    states = sorted(wired.runs.get(run.id).state for run in runs)
    assert states == ["RUNNING", "SUCCEEDED", "SUCCEEDED"]


def test_a_forked_process_leaves_the_run_to_the_other_one(wired: ExperimentStore) -> None:
    with wired.runs.start("mnist", interval=LONG) as run:
        run.log(loss=1.0)
        parent, copied = os.pipe()
        said, status = b"", -1
        if child := os.fork():
            os.close(copied)
            with os.fdopen(parent, "rb") as file:
                said = file.read()
            _, status = os.waitpid(child, 0)
        else:
            _report_from_a_child(run, wired, copied)

    assert (said, status) == (b"refused,default,RUNNING", 0)
    assert wired.runs.get(run.id).state == RunState.SUCCEEDED
    assert len(wired.runs.history(run.id, "loss")) == 1


def _report_from_a_child(run: Any, store: ExperimentStore, pipe: int) -> None:
    try:
        run.flush()
        done = run.finish()
        said = "logged"
        try:
            run.log(loss=2.0)
        except FailedPreconditionError:
            said = "refused"
        handler = signal.getsignal(signal.SIGTERM)
        said += ",default" if handler == signal.SIG_DFL else f",{handler}"
        assert not store._backend.select(_chunks()).items  # a copy, since this one is in memory
        os.write(pipe, f"{said},{done.state}".encode())
        os._exit(0)
    finally:
        os._exit(1)


class _InterruptionError(BaseException):
    pass


class _Alarm:
    """Raises an exception wherever the main thread is, once and only while it is set."""

    is_set = False

    def set(self, seconds: float) -> None:
        self.is_set = True
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def ring(self, _: int, __: FrameType | None) -> None:
        if self.is_set:
            self.is_set = False
            raise _InterruptionError


@pytest.fixture
def alarm() -> Iterator[_Alarm]:
    made = _Alarm()
    before = signal.signal(signal.SIGALRM, made.ring)
    tracing = sys.gettrace()
    sys.settrace(None)  # what measures coverage would keep its own lock
    yield made
    sys.settrace(tracing)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_exceptions_from_signal_handlers_lose_nothing_double_nothing_and_leave_no_lock(
    store: ExperimentStore, alarm: _Alarm, *, soaking: bool
) -> None:
    random = Random(0)
    hits = 0
    for number in range(2_000 if soaking else 60):
        run = store.runs.start("mnist", id=f"r-{number}", interval=LONG)
        logged, tried = 0, 0
        try:
            alarm.set(random.uniform(1e-6, 0.006))
            while tried < 300:
                tried += 1
                run.log(loss=tried, step=tried)
                logged = tried
                if tried % 50 == 0:
                    run.flush()
            run.finish()
        except _InterruptionError:
            hits += 1
        alarm.is_set = False
        _on_thread(run.flush)  # which would hang if a lock were held
        done = run.finish()

        history = store.runs.history(run.id, "loss")
        assert history.steps.tolist() in (
            list(range(1, logged + 1)),
            list(range(1, tried + 1)),
        )
        assert done.state == RunState.SUCCEEDED
        if history:
            assert store.runs.get(run.id).metrics["loss"] == summary(history)
    assert hits > 5


def test_a_handler_of_the_program_may_finish_what_it_has_interrupted(
    wired: ExperimentStore, backend: WiredBackend
) -> None:
    run = wired.runs.start("mnist", interval=LONG)

    def finishing(work: Any) -> Any:
        refusal = work()
        signal.raise_signal(signal.SIGUSR1)
        return refusal

    run.log(loss=1.0)
    backend.fates = [finishing]
    before = signal.signal(signal.SIGUSR1, lambda *_: run.finish(RunState.CANCELED))
    try:
        run.flush()
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert wired.runs.get(run.id).state == RunState.CANCELED
    assert len(wired.runs.history(run.id, "loss")) == 1


def _on_thread(work: Any) -> None:
    thread = Thread(target=work, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def _chunks() -> Any:
    from experiment_store.filters.predicates import ALWAYS  # noqa: PLC0415 (of one test)
    from experiment_store.plan import Plan  # noqa: PLC0415 (as above)
    from experiment_store.schema import CHUNK  # noqa: PLC0415 (as above)

    return Plan(CHUNK, ALWAYS, limit=10)


def test_a_copy_that_is_forgotten_does_nothing_any_more(wired: ExperimentStore) -> None:
    run = wired.runs.start("mnist", interval=LONG)
    run.log(loss=1.0)

    endings._forget_all()

    run.flush()
    with pytest.raises(FailedPreconditionError):
        run.log(loss=2.0)
    assert run.finish().state == RunState.RUNNING
    run.abandon()
    assert not wired.runs.history(run.id, "loss")


def test_who_finishes_while_another_does_gets_the_same(
    wired: ExperimentStore, backend: WiredBackend
) -> None:
    run = wired.runs.start("mnist", interval=LONG)
    run.log(loss=1.0)
    second = Thread(target=run.finish, args=[RunState.FAILED])

    def finishing(work: Any) -> Any:
        second.start()
        second.join(0.05)
        with pytest.raises(FailedPreconditionError):
            run.log(loss=2.0)
        return work()

    backend.fates = [finishing]
    done = run.finish()
    second.join(30)

    assert wired.runs.get(run.id) == done
    assert done.state == RunState.SUCCEEDED


def test_who_waits_for_a_write_sees_when_nobody_does_it(
    wired: ExperimentStore, backend: WiredBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "_ASKING_AGAIN", 0.001)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def slow(work: Any) -> Any:
        Event().wait(0.05)
        return work()

    def ended(_: Any) -> Any:
        raise SystemExit

    with wired.runs.start("mnist", interval=LONG) as run:
        run.log(loss=1.0)
        backend.fates = [slow]
        run.flush()
        run.log(loss=2.0)
        backend.fates = [ended]
        run.flush()
        assert wired.runs.history(run.id, "loss").values.tolist() == [1.0, 2.0]


def test_what_was_taken_comes_again_until_it_is_safe() -> None:
    buffer = Buffer(lambda: NOON, {})
    assert buffer.add({"loss": 1.0}, None, None)

    first = buffer.take()
    assert buffer.add({"loss": 2.0}, None, None)

    assert buffer.take() == first
    buffer.release()
    assert buffer.take()["loss"].values.tolist() == [2.0]
