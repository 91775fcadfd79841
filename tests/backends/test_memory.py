"""The memory backend keeps the contract, and reads no more than it has to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from threading import Thread
from typing import Any, ClassVar

import pytest
from attrs import astuple, evolve
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.backend import Assignments, Backend, Cascade, Change
from experiment_store.filters.evaluate import matches
from experiment_store.filters.predicates import (
    ALWAYS,
    Compare,
    OneOf,
    Op,
    Predicate,
    all_of,
    any_of,
)
from experiment_store.ordering import Order, SortKey, arrange, follows, sort_values
from experiment_store.plan import Plan, Rows
from experiment_store.records import Experiment, Run
from experiment_store.schema import EXPERIMENT, RUN, Kind
from experiment_store.testing import BackendContract
from experiment_store.testing.samples import BY_ID, NOON, TICK, experiment, run
from experiment_store.testing.strategies import orders
from experiment_store_memory import MemoryBackend

DEFAULT: Order = (SortKey("created_at"), SortKey("id"))
NEWEST_FIRST: Order = (SortKey("created_at", descending=True), SortKey("id", descending=True))
PAGE = 21


class TestMemory(BackendContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


def definition(plan: Plan[Any], records: Iterable[Any]) -> Rows[Any]:
    """What docs/writing-a-backend.md says a plan means."""
    found = [record for record in records if matches(plan.where, record)]
    total = len(found) if plan.total else None
    if plan.after is not None:
        found = [r for r in found if follows(plan.order, sort_values(plan.order, r), plan.after)]
    return Rows(arrange(plan.order, found)[: plan.limit], total)


few_ids = st.sampled_from("abcdefghijkl")
parents = st.sampled_from("xy")
two_words = st.sampled_from(("", "u"))
instants = st.integers(0, 3).map(lambda count: NOON + count * TICK)  # so that many are the same
some_experiments = st.lists(
    st.builds(
        experiment, few_ids, name=few_ids, namespace=two_words, description=two_words,
        created_at=instants,
    ),
    unique_by=(lambda record: record.id, lambda record: (record.namespace, record.name)),
    min_size=6,
)  # fmt: skip
some_runs = st.lists(
    st.builds(
        run, few_ids, parents, name=two_words, namespace=two_words,
        description=two_words, created_at=instants,
    ),
    unique_by=lambda record: record.id,
    min_size=6,
)  # fmt: skip


def pins(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[Predicate]:
    """Conditions on one field, of which some pin it to few values and others do not."""
    return st.one_of(
        st.builds(Compare, st.just(name), st.sampled_from((Op.EQ, Op.GE)), values, st.booleans()),
        st.builds(OneOf, st.just(name), st.frozensets(values, min_size=1), st.booleans()),
    )


@cache  # to make a strategy takes longer than to draw from it
def conditions(kind: Kind[Any]) -> st.SearchStrategy[Predicate]:
    """Conditions on fields that have an index, alone or together, and on one that has none."""
    pinned = pins("id", few_ids) | pins("namespace", two_words) | pins("description", two_words)
    pinned |= pins("name", few_ids) if kind is EXPERIMENT else pins("experiment_id", parents)
    several = st.lists(pinned, min_size=1, max_size=3)
    return st.just(ALWAYS) | pinned | several.map(all_of) | several.map(any_of)


@cache
def plans(kind: Kind[Any]) -> st.SearchStrategy[list[Plan[Any]]]:
    """Plans in the default order or another, from places in the table and beside it."""
    place = st.builds(experiment if kind is EXPERIMENT else run, few_ids, created_at=instants)
    plan = st.builds(
        lambda where, order, place, limit, total: Plan(
            kind, where, order, None if place is None else sort_values(order, place), limit, total
        ),
        conditions(kind),
        st.sampled_from((DEFAULT, NEWEST_FIRST, BY_ID)) | orders(kind),
        st.none() | place,
        st.sampled_from((0, 1, 2, 3, 20)),
        st.booleans(),
    )
    return st.lists(plan, min_size=1, max_size=6)


def check(data: st.DataObject, backend: Backend, kind: Kind[Any], kept: Iterable[Any]) -> None:
    """Compare some selections with the definition; *kept* are all records."""
    records = list(kept)
    for plan in data.draw(plans(kind)):
        assert backend.select(plan) == definition(plan, records)


@given(data=st.data(), records=some_experiments)
def test_an_index_of_experiments_finds_what_a_scan_would_find(
    data: st.DataObject, records: list[Experiment]
) -> None:
    backend = MemoryBackend()
    kept = {record.id: record for record in records}
    cut = data.draw(st.integers(0, len(records)))
    for step in (records[:cut], *([record] for record in records[cut:])):
        assert backend.insert(EXPERIMENT, step) is None

    check(data, backend, EXPERIMENT, kept.values())
    for id in data.draw(st.lists(st.sampled_from(sorted(kept)), max_size=3)):
        name = data.draw(few_ids)
        changed = backend.update(EXPERIMENT, id, Change({"name": name}))
        kept |= {id: changed} if isinstance(changed, Experiment) else {}
    check(data, backend, EXPERIMENT, kept.values())
    for id in data.draw(st.lists(st.sampled_from(sorted(kept)), unique=True)):
        assert backend.delete(EXPERIMENT, id, Change()) is None
        del kept[id]
    check(data, backend, EXPERIMENT, kept.values())


@given(data=st.data(), records=some_runs)
def test_an_index_of_runs_finds_what_a_scan_would_find(
    data: st.DataObject, records: list[Run]
) -> None:
    backend = MemoryBackend()
    assert backend.insert(RUN, records) is None
    assert backend.insert(EXPERIMENT, [experiment("x")]) is None

    check(data, backend, RUN, records)
    going = data.draw(conditions(RUN))
    cascade = Cascade(RUN, None, going)
    assert backend.delete(EXPERIMENT, "x", Change(cascades=(cascade,))) is None
    kept = [r for r in records if r.experiment_id != "x" or not matches(going, r)]
    check(data, backend, RUN, kept)
    for record in kept:
        assert backend.delete(RUN, record.id, Change()) is None
        assert backend.insert(RUN, [evolve(record, created_at=NOON)]) is None
    check(data, backend, RUN, [evolve(record, created_at=NOON) for record in kept])


class Watched:
    """A record that notes when somebody looks into it."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        Watched.read.add(object.__getattribute__(self, "id"))
        return object.__getattribute__(self, name)


class WatchedExperiment(Watched, Experiment):
    """An experiment that notes when somebody looks into it."""


class WatchedRun(Watched, Run):
    """A run that notes when somebody looks into it."""


def watched(rows: int) -> MemoryBackend:
    """A backend with *rows* experiments and as many runs, ten in each of the first experiments."""
    times = [NOON + number // 3 * TICK for number in range(rows)]
    experiments = [experiment(f"e-{n:05}", created_at=time) for n, time in enumerate(times)]
    runs = [run(f"r-{n:05}", f"e-{n // 10:05}", created_at=time) for n, time in enumerate(times)]
    backend = MemoryBackend()
    copies = [WatchedExperiment(*astuple(one, recurse=False)) for one in experiments]
    assert backend.insert(EXPERIMENT, copies) is None
    assert backend.insert(RUN, [WatchedRun(*astuple(one, recurse=False)) for one in runs]) is None
    Watched.read.clear()
    return backend


@pytest.mark.parametrize("rows", [10, 10_000])
@pytest.mark.parametrize("order", [DEFAULT, NEWEST_FIRST], ids=["oldest first", "newest first"])
@pytest.mark.parametrize(
    "where", [ALWAYS, Compare("description", Op.EQ, "")], ids=["unfiltered", "filtered"]
)
@pytest.mark.parametrize("kind", [EXPERIMENT, RUN], ids=lambda kind: kind.name)
def test_a_page_in_the_default_order_reads_no_more_records_than_it_has(
    kind: Kind[Any], where: Predicate, order: Order, rows: int
) -> None:
    backend = watched(rows)
    half_way = (NOON + rows // 6 * TICK, "~")

    first = backend.select(Plan(kind, where, order, limit=PAGE)).items
    assert len(Watched.read) <= PAGE
    Watched.read.clear()
    deep = backend.select(Plan(kind, where, order, half_way, PAGE)).items
    assert len(Watched.read) <= PAGE

    assert len(first) == min(rows, PAGE)
    assert 0 < len(deep) <= PAGE


@pytest.mark.parametrize("kind", [EXPERIMENT, RUN], ids=lambda kind: kind.name)
def test_a_walk_by_id_reads_no_more_records_than_it_returns(kind: Kind[Any]) -> None:
    backend = watched(10_000)

    first = backend.select(Plan(kind, ALWAYS, BY_ID, limit=PAGE)).items
    assert len(Watched.read) == 0  # ids are known without a look
    backend.select(Plan(kind, ALWAYS, BY_ID, (first[-1].id,), PAGE))

    assert Watched.read == {first[-1].id}


NAMED = Compare("name", Op.EQ, "e-00007")
UNNAMED = Compare("namespace", Op.EQ, "")
BELOW = Compare("experiment_id", Op.EQ, "e-00007")


@pytest.mark.parametrize(
    ("kind", "where", "order", "read"),
    [
        (EXPERIMENT, all_of((UNNAMED, NAMED)), (), {"e-00007"}),
        (EXPERIMENT, all_of((NAMED, UNNAMED)), DEFAULT, {"e-00007"}),
        (EXPERIMENT, Compare("id", Op.EQ, "e-00007"), (), {"e-00007"}),
        (EXPERIMENT, OneOf("id", frozenset({"e-00007", "?"})), (), {"e-00007"}),
        (RUN, BELOW, DEFAULT, {f"r-{n:05}" for n in range(70, 80)}),
        (RUN, BELOW, (SortKey("name"), SortKey("id")), {f"r-{n:05}" for n in range(70, 80)}),
    ],
)
def test_what_an_index_is_for_is_found_without_a_scan(
    kind: Kind[Any], where: Predicate, order: Order, read: set[str]
) -> None:
    backend = watched(10_000)

    items = backend.select(Plan(kind, where, order, limit=PAGE, total=True)).items

    assert Watched.read == read
    assert {record.id for record in items} == read


@pytest.mark.parametrize("assign", [{"description": "changed"}, None], ids=["change", "removal"])
def test_a_cascade_reads_no_other_children(assign: Assignments | None) -> None:
    backend = watched(10_000)

    backend.delete(EXPERIMENT, "e-00007", Change(cascades=(Cascade(RUN, assign),)))

    assert Watched.read == {"e-00007", *(f"r-{n:05}" for n in range(70, 80))}


def test_nobody_gets_a_record_in_the_middle_of_a_write() -> None:
    backend = MemoryBackend()
    backend.insert(EXPERIMENT, [experiment("e")])
    backend.insert(RUN, [run("r", "e")])
    seen: list[Any] = []

    def look() -> None:
        seen.extend((backend.get(EXPERIMENT, "e"), backend.get(RUN, "r")))

    reader = Thread(target=look)

    class Meeting(str):
        """What a cascade's condition compares with, between two changes."""

        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            reader.start()
            reader.join(0.1)  # one who does not wait for the write is through by then
            return True

    cascade = Cascade(RUN, {"description": "new"}, Compare("description", Op.EQ, Meeting("")))
    backend.update(EXPERIMENT, "e", Change({"description": "new"}, cascades=(cascade,)))
    reader.join()

    assert [record.description for record in seen] == ["new", "new"]
