"""The writers of a process wait for each other, but not for ever."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from types import FrameType

import pytest

from experiment_store import ExperimentStore, UnavailableError
from experiment_store_sql import Work
from experiment_store_sqlite import SqliteBackend
from experiment_store_sqlite.turns import Turns

PATIENCE = 30


@pytest.fixture
def other() -> Iterator[ThreadPoolExecutor]:
    """Another thread."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("place", ["file", "memory"])
def test_a_writer_waits_for_another_thread_for_as_long_as_the_url_says(
    place: str, tmp_path: Path, other: ThreadPoolExecutor
) -> None:
    path = ":memory:" if place == "memory" else f"{tmp_path}/s.db"
    backend = SqliteBackend(path, timeout=0.1)
    with ExperimentStore(backend) as store:
        held, enough = Event(), Event()
        holding = other.submit(hold, backend, held, enough)
        assert held.wait(PATIENCE)
        start = time.monotonic()

        with pytest.raises(UnavailableError, match=r"waited over 0.1 seconds for other threads"):
            store.create("a")

        assert 0.1 <= time.monotonic() - start < PATIENCE
        enough.set()
        holding.result()
        store.create("a")


def hold(backend: SqliteBackend, held: Event, enough: Event) -> None:
    """Be in the middle of a write until told that it is enough."""

    def step(_: Work) -> None:
        held.set()
        assert enough.wait(PATIENCE)

    backend._steps.write("test", step, atomic=True)


def test_readers_of_a_file_do_not_wait_for_a_writer(
    tmp_path: Path, other: ThreadPoolExecutor
) -> None:
    backend = SqliteBackend(str(tmp_path / "s.db"), timeout=0.1)
    with ExperimentStore(backend) as store:
        made = store.create("a")
        held, enough = Event(), Event()
        holding = other.submit(hold, backend, held, enough)
        assert held.wait(PATIENCE)

        assert store.get(made.id) == made

        enough.set()
        holding.result()


def test_a_call_in_the_middle_of_another_fails_at_once_and_harms_neither() -> None:
    backend = SqliteBackend()
    with ExperimentStore(backend) as store:

        def step(work: Work) -> None:
            work.execute("DELETE FROM settings")
            with pytest.raises(UnavailableError, match="made in the middle of another one"):
                store.create("a")
            assert work.execute("SELECT count(*) FROM settings") == [(0,)]

        backend._steps.write("test", step, atomic=True)
        store.create("a")


class Interrupted(Turns):
    """Interrupted just when the lock has been had."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 (as it was)
        super().acquire(blocking, timeout)
        raise KeyboardInterrupt


def test_an_interrupt_when_the_lock_has_just_been_had_gives_it_back() -> None:
    turns = Interrupted(1)

    with pytest.raises(KeyboardInterrupt), turns:
        pass

    assert not turns._is_owned()


@pytest.mark.parametrize("name", ["take_turns_interrupted", "wait_interrupted"])
def test_an_interrupt_at_any_moment_leaves_the_lock_free(name: str, *, soaking: bool) -> None:
    # Not in this process: whatever measures coverage here has locks of its own.
    process = get_context("spawn").Process(
        target=globals()[name], args=(100_000 if soaking else 1_000,)
    )
    process.start()
    process.join(3_600 if soaking else 60)
    process.kill()  # if it waits for a lock that nobody has

    process.join()
    assert process.exitcode == 0


def interrupt(_: int, __: FrameType | None) -> None:
    """Do as Ctrl-C does."""
    raise KeyboardInterrupt


def take_turns_interrupted(rounds: int) -> None:
    """Have and give back a lock, interrupted at every moment; expect it to be free then."""
    signal.signal(signal.SIGALRM, interrupt)
    turns = Turns(0)
    with ThreadPoolExecutor(1) as other:
        for round_ in range(rounds):
            with suppress(KeyboardInterrupt):
                use(turns, until=1e-6 * (20 + round_ % 50))
            assert other.submit(take_and_give_back, turns).result()


def wait_interrupted(rounds: int) -> None:
    """Wait for a lock that another thread has, interrupted; expect to have it when free."""
    signal.signal(signal.SIGALRM, interrupt)
    turns = Turns(0.02)
    with ThreadPoolExecutor(1) as other:
        for round_ in range(rounds // 10):
            other.submit(turns.acquire).result()
            # Who comes just before the thread sleeps does not wake it: that waits to its end.
            with suppress(KeyboardInterrupt, UnavailableError):
                use(turns, until=1e-6 * (20 + round_ % 50))
            other.submit(turns.release).result()
            assert take_and_give_back(turns)


def use(turns: Turns, until: float) -> None:
    """Take turn after turn until interrupted, after so many seconds."""
    signal.setitimer(signal.ITIMER_REAL, until)
    while True:
        with turns:
            pass


def take_and_give_back(turns: Turns) -> bool:
    """Tell whether a lock is free."""
    with turns:
        return True
