"""Eight processes on one new store: each gets its turn, and none an error."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from random import Random
from statistics import median

from attrs import frozen

from experiment_store import ExperimentStore
from experiment_store.registry import open_backend
from tests.processes.databases import Database, examine, opening_at_once

PROCESSES = 8
EXPERIMENTS = 200

_meeting: Barrier


@frozen
class Visit:
    """When a process began, and when each of its calls had returned, on one clock."""

    began: float
    returned: Sequence[float]

    @property
    def duration(self) -> float:
        """How many seconds it took."""
        return self.returned[-1] - self.began

    @property
    def longest_wait(self) -> float:
        """How many seconds the slowest call took."""
        starts = (self.began, *self.returned)
        return max(after - before for before, after in zip(starts, self.returned, strict=False))


def meet_at(barrier: Barrier) -> None:
    """Remember, in a new process, what all wait for."""
    global _meeting  # noqa: PLW0603 (a pool hands its processes nothing else)
    _meeting = barrier


def visit(url: str, number: int) -> Visit:
    """Open the store when all do, and fill it."""
    _meeting.wait(60)
    began, returned = time.monotonic(), []
    with ExperimentStore(open_backend(url)) as store:
        for count in range(EXPERIMENTS):
            made = store.create(f"{number}-{count}", labels={"process": str(number)})
            returned.append(time.monotonic())
            store.runs.create(made.id, "run", labels={"process": str(number)})
            returned.append(time.monotonic())
    return Visit(began, returned)


def visit_together(url: str) -> Sequence[Visit]:
    """Let processes come at once; the error of one is raised here."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    with context.Pool(PROCESSES, meet_at, (barrier,)) as pool:
        visits = pool.starmap(visit, [(url, number) for number in range(PROCESSES)], chunksize=1)
        pool.close()
        pool.join()
    return visits


def test_eight_processes_fill_one_new_store_and_none_waits_for_long(
    database: Database, seed: str, *, soaking: bool
) -> None:
    visits = visit_together(database.url(Random(seed)))

    with opening_at_once(database) as store:
        found = examine(database, store)
    kinds = [kind for records in found.values() for kind, _ in records]
    assert kinds.count("experiment") == kinds.count("run") == PROCESSES * EXPERIMENTS
    durations = sorted(visit.duration for visit in visits)
    waits = sorted(visit.longest_wait for visit in visits)
    print(f"durations {_shown(durations)}, longest waits {_shown(waits)}")  # noqa: T201 (with -s)
    if soaking:  # a matter of time, which a test in CI must not depend on
        assert durations[-1] < 10 * median(durations)
        assert waits[-1] < 10 * median(waits)


def _shown(seconds: Sequence[float]) -> str:
    return " ".join(f"{number:.3f}" for number in seconds)
