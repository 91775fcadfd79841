"""The contract of chunks: added with what they do to their run, and gone when it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from math import nan
from typing import Any

import pytest
from hypothesis import strategies as st

from experiment_store.backend import Assignments, Backend, Cascade, Change, Max, Parent, Refusal
from experiment_store.filters.predicates import Compare, Op, Predicate, all_of
from experiment_store.mappings import Metric, Metrics
from experiment_store.ordering import Order, SortKey
from experiment_store.points import MAX_PACKED
from experiment_store.records import Chunk, Labels
from experiment_store.schema import CHUNK, EXPERIMENT, JOB, RUN
from experiment_store.testing.inserting import ARCHIVED, AVAILABLE, below
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.samples import (
    NOON,
    NOTHING,
    TICK,
    assert_same,
    chunk,
    dump,
    everything,
    experiment,
    for_all,
    found,
    ids,
    job,
    keep,
    pages,
    refill,
    run,
    select,
)
from experiment_store.testing.strategies import several
from experiment_store.testing.updating import CURRENT, STALE

LOGGED = Metrics(loss=Metric(nan, -0.0, 0.5, 3, 4))
CHUNKS = 2  # of every run
TAKES_RUNS = Change(cascades=(Cascade(RUN, None), Cascade(JOB, None)))
IN_ORDER: Order = (SortKey("created_at"), SortKey("id"))


def flush(*ids: str, where: Predicate = CURRENT, etag: str = "2") -> Parent:
    """Demand that these runs have not changed, and say what is logged."""
    assign: Assignments = {"metrics": LOGGED, "etag": etag, "heartbeat_at": Max(NOON)}
    return Parent(RUN, frozenset(ids), where, assign)


def of_metric(run_id: str, metric: str) -> Predicate:
    """Ask for the chunks of one history."""
    return all_of((Compare("run_id", Op.EQ, run_id), Compare("metric", Op.EQ, metric)))


def fill(backend: Backend, runs: Mapping[str, Sequence[str]]) -> None:
    """Have experiments with runs, the runs with chunks, and a job each."""
    kept = [run(id, of=of) for of, ids in runs.items() for id in ids]
    refill(
        backend,
        {
            EXPERIMENT.name: [experiment(id) for id in runs],
            RUN.name: kept,
            JOB.name: [job(id, of=id) for id in runs],
            CHUNK.name: [chunk(f"{r.id} {n}", of=r.id) for r in kept for n in range(CHUNKS)],
        },
    )


class Owning(Fixtures):
    """What a backend owes to records that belong to others."""

    def test_chunks_are_added_and_their_run_is_updated_at_once(self, ready: Backend) -> None:
        keep(ready, RUN, run("r"), run("beside"))
        chunks = [chunk("1"), chunk("2", metric="accuracy")]

        assert ready.insert(CHUNK, chunks, flush("r")) is None

        logged = run("r", metrics=LOGGED, etag="2", heartbeat_at=NOON)
        assert dump(ready) == {**NOTHING, RUN.name: [run("beside"), logged], CHUNK.name: chunks}
        assert_same(ready.get(RUN, "r"), logged)

    @pytest.mark.parametrize(
        ("ids", "batch", "parent", "refusal"),
        [
            (("r", "s"), ("new",), flush("gone"), Refusal.MISSING),
            (("r", "s"), ("new",), flush("r", "gone"), Refusal.MISSING),
            (("r", "s"), ("new",), flush("r", where=STALE), Refusal.BLOCKED),
            (("r", "s"), ("new", "newer"), flush("r", "s", where=STALE), Refusal.BLOCKED),
            (("r", "s"), ("taken",), flush("r"), Refusal.DUPLICATE),
            (("r", "s"), ("new", "taken"), flush("r"), Refusal.DUPLICATE),
            (("r", "s"), ("taken", "new"), flush("r", "s"), Refusal.DUPLICATE),
            (("r", "s"), ("new", "newer", "new"), flush("r"), Refusal.DUPLICATE),
        ],
    )
    def test_a_refused_flush_leaves_runs_and_chunks_as_they_were(
        self,
        ready: Backend,
        ids: Sequence[str],
        batch: Sequence[str],
        parent: Parent,
        refusal: Refusal,
    ) -> None:
        keep(ready, RUN, *map(run, ids))
        keep(ready, CHUNK, chunk("taken", points="old"))
        before = dump(ready)

        assert ready.insert(CHUNK, [*map(chunk, batch)], parent) is refusal

        assert dump(ready) == before

    def test_missing_comes_before_blocked_before_duplicate_in_flushes(self, ready: Backend) -> None:
        keep(ready, RUN, run("r"))
        keep(ready, CHUNK, taken := chunk())

        for parent, refusal in (
            (flush("gone", where=STALE), Refusal.MISSING),
            (flush("r", where=STALE), Refusal.BLOCKED),
            (flush("r"), Refusal.DUPLICATE),
        ):
            assert ready.insert(CHUNK, [taken], parent) is refusal

    def test_chunks_may_be_many_and_large(self, ready: Backend) -> None:
        keep(ready, RUN, run())
        chunks = [chunk(f"{n:03}", points=f"{n:04}" * (MAX_PACKED // 4)) for n in range(100)]

        assert ready.insert(CHUNK, chunks, flush("r")) is None

        assert everything(ready, CHUNK) == chunks

    @for_all(
        chunks=several(CHUNK, min_size=2, max_size=8),
        runs=st.lists(st.sampled_from("ab"), min_size=8, max_size=8),
        metrics=st.lists(st.sampled_from(("loss", "Loss", "loss ")), min_size=8, max_size=8),
        size=st.integers(1, 3),
    )
    def test_the_chunks_of_a_metric_are_read_in_order_and_page_by_page(
        self,
        ready: Backend,
        chunks: Sequence[Chunk],
        runs: Sequence[str],
        metrics: Sequence[str],
        size: int,
    ) -> None:
        kept = [
            chunk(c.id, of=of, metric=metric, created_at=c.created_at, points=c.points)
            for c, of, metric in zip(chunks, runs, metrics, strict=False)
        ]
        refill(ready, {CHUNK.name: kept})

        for of, metric in {(c.run_id, c.metric) for c in kept}:
            read = list(pages(ready, CHUNK, IN_ORDER, size, of_metric(of, metric)))
            wanted = [c for c in kept if (c.run_id, c.metric) == (of, metric)]
            assert list(chain(*read)) == sorted(wanted, key=lambda c: (c.created_at, c.id))
            assert [len(page) for page in read[:-1]] == [size] * (len(read) - 1)

    def test_chunks_are_read_by_time_and_then_by_id(self, ready: Backend) -> None:
        times = {"b": NOON, "A": NOON, "a": NOON, "0": NOON + TICK, "~": NOON - TICK}
        keep(ready, RUN, run())
        keep(ready, CHUNK, *(chunk(id, created_at=time) for id, time in times.items()))
        keep(ready, CHUNK, chunk("other", metric="Loss"), chunk("none", of="R"))

        where = of_metric("r", "loss")

        assert ids(select(ready, CHUNK, where, IN_ORDER)) == ["~", "A", "a", "b", "0"]
        assert ids(chain(*pages(ready, CHUNK, IN_ORDER, 1, where))) == ["~", "A", "a", "b", "0"]
        assert found(ready, CHUNK, of_metric("r", "los")) == []

    def test_a_deleted_run_takes_its_chunks_and_no_others(self, ready: Backend) -> None:
        fill(ready, {"e": ("r", "R", "rr"), "r": ("e",)})
        keep(ready, CHUNK, chunk("r", of="gone"), chunk("gone", of="r", metric="other"))
        others = [kept for kept in everything(ready, CHUNK) if kept.run_id != "r"]

        assert ready.delete(RUN, "r", Change()) is None

        assert everything(ready, CHUNK) == others
        assert found(ready, CHUNK, Compare("run_id", Op.EQ, "r")) == []
        assert [ready.get(CHUNK, id) for id in ("r 0", "gone")] == [None, None]

    def test_a_run_without_chunks_takes_none(self, ready: Backend) -> None:
        keep(ready, RUN, run("r"), run("s"))
        keep(ready, CHUNK, kept := chunk("r", of="s"))

        assert ready.delete(RUN, "r", Change()) is None

        assert everything(ready, CHUNK) == [kept]

    def test_an_experiment_alone_takes_no_chunks(self, ready: Backend) -> None:
        fill(ready, {"e": ("1", "2"), "1": ("e",)})
        before = dump(ready)

        assert ready.delete(EXPERIMENT, "e", Change()) is None

        assert dump(ready) == {**before, EXPERIMENT.name: [experiment("1")]}

    @pytest.mark.parametrize("deleting", [False, True])
    def test_the_chunks_of_all_runs_go_with_the_runs_of_an_experiment(
        self, ready: Backend, *, deleting: bool
    ) -> None:
        fill(ready, {"e": ("1", "2", "f"), "f": ("3", "e"), "none": ()})

        if deleting:
            assert ready.delete(EXPERIMENT, "e", TAKES_RUNS) is None
        else:
            assert ready.update(EXPERIMENT, "e", TAKES_RUNS) == experiment()

        after = dump(ready)
        assert ids(after[RUN.name]) == ["3", "e"]
        assert ids(after[CHUNK.name]) == ["3 0", "3 1", "e 0", "e 1"]

    @pytest.mark.parametrize(
        "where",
        [
            Compare("storage_state", Op.EQ, ARCHIVED),
            Compare("created_at", Op.GT, NOON),
            Compare("name", Op.EQ, "gone"),
        ],
    )
    def test_a_cascade_takes_the_chunks_of_the_runs_that_fit(
        self, ready: Backend, where: Predicate
    ) -> None:
        fits: dict[str, Any] = {
            "storage_state": ARCHIVED,
            "created_at": NOON + TICK,
            "name": "gone",
        }
        keep(ready, EXPERIMENT, experiment())
        keep(ready, RUN, run("1", **fits), run("2"), run("3", **fits), run("4", "f", **fits))
        keep(ready, CHUNK, *(chunk(f"{id}{n}", of=id) for id in "1234" for n in "ab"))

        cascade = Cascade(RUN, None, where)

        assert ready.update(EXPERIMENT, "e", Change(cascades=(cascade,))) == experiment()
        after = dump(ready)
        assert ids(after[RUN.name]) == ["2", "4"]
        assert ids(after[CHUNK.name]) == ["2a", "2b", "4a", "4b"]

    def test_a_cascade_that_fits_no_run_takes_no_chunks(self, ready: Backend) -> None:
        fill(ready, {"e": ("1", "2")})
        before = dump(ready)
        cascade = Cascade(RUN, None, Compare("storage_state", Op.EQ, ARCHIVED))

        ready.update(EXPERIMENT, "e", Change(cascades=(cascade,)))

        assert dump(ready) == before

    def test_a_refused_delete_leaves_the_chunks(self, ready: Backend) -> None:
        fill(ready, {"e": ("1", "2")})
        before = dump(ready)

        for change in (Change(where=STALE), Change(parent=below("gone"))):
            assert ready.delete(RUN, "1", change) is Refusal.BLOCKED
            assert ready.delete(RUN, "gone", change) is Refusal.MISSING
        refused = Change(where=STALE, cascades=TAKES_RUNS.cascades)
        assert ready.delete(EXPERIMENT, "e", refused) is Refusal.BLOCKED
        assert ready.update(EXPERIMENT, "e", refused) is Refusal.BLOCKED

        assert dump(ready) == before

    def test_a_refused_name_leaves_the_chunks_of_a_cascade(self, ready: Backend) -> None:
        fill(ready, {"e": ("1", "2"), "taken": ()})
        before = dump(ready)

        change = Change({"name": "taken"}, cascades=TAKES_RUNS.cascades)

        assert ready.update(EXPERIMENT, "e", change) is Refusal.DUPLICATE
        assert dump(ready) == before

    def test_a_run_that_is_changed_keeps_its_chunks(self, ready: Backend) -> None:
        fill(ready, {"e": ("1", "2")})
        before = everything(ready, CHUNK)
        archive = Cascade(RUN, {"storage_state": ARCHIVED}, AVAILABLE)

        ready.update(RUN, "1", Change({"name": "new", "labels": Labels(k="v")}))
        ready.update(EXPERIMENT, "e", Change({"storage_state": ARCHIVED}, cascades=(archive,)))

        assert everything(ready, CHUNK) == before

    def test_the_chunks_of_a_deleted_run_do_not_come_back(self, ready: Backend) -> None:
        fill(ready, {"e": ("1",)})
        assert ready.delete(EXPERIMENT, "e", TAKES_RUNS) is None

        keep(ready, RUN, run("1"))
        assert ready.insert(CHUNK, [chunk("1 0", of="1", points="new")], flush("1")) is None

        assert everything(ready, CHUNK) == [chunk("1 0", of="1", points="new")]
