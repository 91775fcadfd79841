"""The contract between threads: every step is seen entirely or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier, Event
from typing import Any, TypeVar

import pytest

from experiment_store.backend import Backend, Cascade, Change, Max, Parent, Refusal
from experiment_store.filters.predicates import ALWAYS, Compare, Op
from experiment_store.plan import Plan
from experiment_store.records import Labels, StorageState
from experiment_store.schema import CHUNK, EXPERIMENT, JOB, RUN, Kind
from experiment_store.testing.inserting import AVAILABLE, below
from experiment_store.testing.owning import CHUNKS, LOGGED, TAKES_RUNS, fill, flush
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.samples import (
    BY_ID,
    NOON,
    NOTHING,
    TICK,
    chunk,
    dump,
    everything,
    experiment,
    found,
    ids,
    job,
    keep,
    refill,
    run,
)

THREADS = 8
ROUNDS = 5
T = TypeVar("T")

ARCHIVE = Change(
    {"storage_state": StorageState.ARCHIVED},
    AVAILABLE,
    cascades=(
        Cascade(RUN, {"storage_state": StorageState.ARCHIVED}, AVAILABLE),
        Cascade(JOB, {"enabled": False}, Compare("enabled", Op.EQ, value=True)),
    ),
)


def at_once(calls: Sequence[Callable[[], T]], *, rotated: int = 0) -> list[T]:
    """Make all *calls*, each in a thread of its own, as simultaneously as can be.

    The first *rotated* calls are started last; the outcomes stand in the order of *calls*.
    """
    together = Barrier(len(calls))

    def wait_and(call: Callable[[], T]) -> T:
        together.wait()
        return call()

    places = range(len(calls))
    with ThreadPoolExecutor(len(calls)) as threads:
        started = {
            n: threads.submit(wait_and, calls[n]) for n in (*places[rotated:], *places[:rotated])
        }
        return [started[n].result() for n in places]


class Racing(Fixtures):
    """What a backend owes to threads that call at the same time."""

    def test_a_write_that_has_returned_is_seen_by_every_thread(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, record := experiment())

        read = at_once([lambda: ready.get(EXPERIMENT, "e")] * THREADS)
        plan = Plan(EXPERIMENT, ALWAYS, BY_ID, limit=2)
        selected = at_once([lambda: list(ready.select(plan).items)] * THREADS)

        assert read == [record] * THREADS
        assert selected == [[record]] * THREADS

    def test_a_record_is_there_while_it_is_changed(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment())
        changed = Event()
        change = Change({"description": "changed"})

        def change_often() -> None:
            try:
                for _ in range(5_000):
                    ready.update(EXPERIMENT, "e", change)
            finally:
                changed.set()

        def miss() -> int:
            misses = 0
            while not changed.is_set():
                misses += ready.get(EXPERIMENT, "e") is None
            return misses

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)  # so that threads of one process do meet
        try:
            assert at_once([change_often, miss])[1] == 0
        finally:
            sys.setswitchinterval(interval)

    def test_of_many_who_take_a_name_one_gets_it(self, ready: Backend) -> None:
        for number in range(ROUNDS):

            def take(id: str, name: str = f"name {number}") -> Refusal | None:
                new = experiment(f"{name} {id}", name=name, labels=Labels(k=id))
                return ready.insert(EXPERIMENT, [new])

            outcomes = at_once([partial(take, f"{n}") for n in range(THREADS)])

            assert outcomes.count(None) == 1
            assert outcomes.count(Refusal.DUPLICATE) == THREADS - 1
        assert len(dump(ready)[EXPERIMENT.name]) == ROUNDS

    def test_of_many_who_rename_to_a_name_one_gets_it(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, *(experiment(f"{n}") for n in range(THREADS)))

        def rename(id: str) -> Any:
            return ready.update(EXPERIMENT, id, Change({"name": "taken"}))

        outcomes = at_once([partial(rename, f"{n}") for n in range(THREADS)])

        assert outcomes.count(Refusal.DUPLICATE) == THREADS - 1
        assert [e.name for e in dump(ready)[EXPERIMENT.name]].count("taken") == 1

    def test_of_many_who_change_the_same_state_one_succeeds(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment(etag="0"))

        for number in range(ROUNDS):
            current = Compare("etag", Op.EQ, f"{number}")
            change = Change({"etag": f"{number + 1}"}, current)
            update: Any = partial(ready.update, EXPERIMENT, "e", change)
            outcomes = at_once([update] * THREADS)

            assert outcomes.count(Refusal.BLOCKED) == THREADS - 1
            assert outcomes.count(experiment(etag=f"{number + 1}")) == 1

    def test_no_active_child_slips_past_an_archive(self, ready: Backend) -> None:
        for number in range(ROUNDS):
            refill(ready, {EXPERIMENT.name: [experiment()]})

            def add_run(id: str) -> Any:
                return ready.insert(RUN, [run(id)], below("e"))

            def add_job(id: str) -> Any:
                return ready.insert(JOB, [job(id)], below("e", touching=False))

            adders = [
                partial(add, f"{n}") for n in range(THREADS // 2) for add in (add_run, add_job)
            ]
            archive: Any = partial(ready.update, EXPERIMENT, "e", ARCHIVE)
            # Who comes to the barrier last tends to go first, so that is varied.
            *added, archived = at_once([*adders, archive], rotated=number)

            assert archived.storage_state is StorageState.ARCHIVED
            assert set(added) <= {None, Refusal.BLOCKED}
            after = dump(ready)
            assert {r.storage_state for r in after[RUN.name]} <= {StorageState.ARCHIVED}
            assert {j.enabled for j in after[JOB.name]} <= {False}
            children = len(after[RUN.name]) + len(after[JOB.name])
            assert children == added.count(None)

    def test_no_child_slips_past_a_delete_that_takes_or_refuses_children(
        self, ready: Backend
    ) -> None:
        takes = Change(cascades=(Cascade(RUN, None), Cascade(JOB, None)))
        refuses = Change(childless=(RUN, JOB))
        for number, change in enumerate((takes, refuses) * 3):
            refill(ready, {EXPERIMENT.name: [experiment()]})

            def add(id: str) -> Any:
                return ready.insert(RUN, [run(id)], below("e"))

            adders = [partial(add, f"{n}") for n in range(THREADS - 1)]
            delete = partial(ready.delete, EXPERIMENT, "e", change)
            *added, deleted = at_once([*adders, delete], rotated=number)

            after = dump(ready)
            assert set(added) <= {None, Refusal.MISSING}
            if deleted is None:
                assert after == NOTHING
            else:
                assert deleted is Refusal.BLOCKED
                assert change is refuses
                assert len(after[RUN.name]) == added.count(None) > 0

    def test_the_latest_of_simultaneous_times_stays(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("a"), experiment("b"))
        parents = frozenset({"a", "b"})

        def add(number: int) -> Refusal | None:
            assign = {"last_run_created_at": Max(NOON + number * TICK)}
            records = [run(f"{number} {id}", of=id) for id in sorted(parents)]
            return ready.insert(RUN, records, Parent(EXPERIMENT, parents, assign=assign))

        outcomes = at_once([partial(add, n) for n in range(THREADS)])

        assert outcomes == [None] * THREADS
        latest = NOON + (THREADS - 1) * TICK
        assert [e.last_run_created_at for e in dump(ready)[EXPERIMENT.name]] == [latest] * 2

    def test_of_many_who_append_on_one_condition_one_does(self, ready: Backend) -> None:
        keep(ready, RUN, run(etag="0"))

        for number in range(ROUNDS):

            def append(thread: int, number: int = number) -> Refusal | None:
                current = Compare("etag", Op.EQ, f"{number}")
                parent = flush("r", where=current, etag=f"{number + 1}")
                return ready.insert(CHUNK, [chunk(f"{number} {thread}")], parent)

            outcomes = at_once([partial(append, n) for n in range(THREADS)])

            assert outcomes.count(Refusal.BLOCKED) == THREADS - 1
            kept = f"{number} {outcomes.index(None)}"
            assert kept in ids(everything(ready, CHUNK))
        assert len(everything(ready, CHUNK)) == ROUNDS
        assert ready.get(RUN, "r") == run(etag=f"{ROUNDS}", metrics=LOGGED, heartbeat_at=NOON)

    @pytest.mark.parametrize("kind", [RUN, EXPERIMENT], ids=lambda kind: kind.name)
    def test_no_chunk_slips_past_the_delete_of_its_run(
        self, ready: Backend, kind: Kind[Any]
    ) -> None:
        id, change = ("1", Change()) if kind is RUN else ("e", TAKES_RUNS)
        for number in range(ROUNDS):
            fill(ready, {"e": ("1", "2")})

            def append(thread: int) -> Refusal | None:
                parent = flush("1", where=ALWAYS)
                return ready.insert(CHUNK, [chunk(f"new {thread}", of="1")], parent)

            appends = [partial(append, n) for n in range(THREADS - 1)]
            delete: Any = partial(ready.delete, kind, id, change)
            *appended, deleted = at_once([*appends, delete], rotated=number)

            assert deleted is None
            assert set(appended) <= {None, Refusal.MISSING}
            assert {kept.run_id for kept in everything(ready, CHUNK)} == {
                kept.id for kept in everything(ready, RUN)
            }

    def test_a_run_and_its_chunks_go_in_one_step(self, ready: Backend) -> None:
        where = Compare("run_id", Op.EQ, "1")
        for _ in range(ROUNDS):
            fill(ready, {"e": ("1", "2")})
            gone = Event()

            def delete(gone: Event = gone) -> Refusal | None:
                try:
                    return ready.delete(EXPERIMENT, "e", TAKES_RUNS)
                finally:
                    gone.set()

            def look(gone: Event = gone) -> int:
                """Count how often a run was there without its chunks, or those without it."""
                torn = 0
                while not gone.is_set():
                    torn += ready.get(RUN, "1") is None and len(found(ready, CHUNK, where)) > 0
                    bare = len(found(ready, CHUNK, where)) < CHUNKS
                    torn += bare and ready.get(RUN, "1") is not None
                return torn

            deleted, *torn = at_once([delete, look, look])

            assert deleted is None
            assert torn == [0, 0]
