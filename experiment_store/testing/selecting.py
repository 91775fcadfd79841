"""The contract of `select`, as far as its condition goes: exactly what `matches` admits."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from hypothesis import strategies as st

from experiment_store.backend import Backend
from experiment_store.filters.evaluate import matches
from experiment_store.filters.patterns import containing
from experiment_store.filters.predicates import (
    ALWAYS,
    NEVER,
    All,
    AnyOf,
    Compare,
    Label,
    Match,
    OneOf,
    Op,
    Predicate,
    Present,
    negate,
)
from experiment_store.plan import Plan, Rows
from experiment_store.records import Labels
from experiment_store.schema import EXPERIMENT, RUN, Kind
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.samples import (
    BY_ID,
    EVERYTHING,
    experiment,
    for_all,
    found,
    ids,
    keep,
    of_any_kind,
    refill,
    select,
)
from experiment_store.testing.strategies import predicates, several


class Selecting(Fixtures):
    """What a backend owes to the condition of a selection."""

    @for_all(
        of=of_any_kind(
            lambda kind: st.tuples(
                st.just(kind), several(kind), st.lists(predicates(kind), min_size=1, max_size=5)
            )
        )
    )
    def test_a_selection_holds_exactly_what_its_condition_admits(
        self, ready: Backend, of: tuple[Kind[Any], list[Any], list[Predicate]]
    ) -> None:
        kind, records, conditions = of
        refill(ready, {kind.name: records})

        for where in conditions:
            admitted = sorted(record.id for record in records if matches(where, record))
            assert found(ready, kind, where) == admitted
            assert ready.select(Plan(kind, where, BY_ID, limit=0, total=True)) == Rows(
                [], len(admitted)
            )

    @for_all(
        records=several(RUN),
        conditions=st.lists(predicates(RUN), min_size=1, max_size=5),
    )
    def test_a_negated_condition_admits_all_others(
        self, ready: Backend, records: list[Any], conditions: list[Predicate]
    ) -> None:
        refill(ready, {RUN.name: records})

        for where in conditions:
            both = [*found(ready, RUN, where), *found(ready, RUN, negate(where))]
            assert sorted(both) == sorted(ids(records))

    def test_nothing_is_a_condition(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("a"), experiment("b"))

        assert found(ready, EXPERIMENT, ALWAYS) == ["a", "b"]
        assert found(ready, EXPERIMENT, NEVER) == []

    @pytest.mark.parametrize("operand", ["id", "name", Label("k"), "created_at"], ids=str)
    def test_a_list_of_values_may_be_empty(self, ready: Backend, operand: Any) -> None:
        keep(ready, EXPERIMENT, experiment("a", labels=Labels(k="v")))

        assert found(ready, EXPERIMENT, OneOf(operand, frozenset())) == []
        assert found(ready, EXPERIMENT, OneOf(operand, frozenset(), expected=False)) == ["a"]

    def test_a_list_of_values_may_be_long(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("a"), experiment("b"), experiment("c'"))
        many = frozenset({"a", "c'", *(f"id-{number}" for number in range(5_000))})

        assert found(ready, EXPERIMENT, OneOf("id", many)) == ["a", "c'"]
        assert found(ready, EXPERIMENT, OneOf("id", many, expected=False)) == ["b"]

    @pytest.mark.parametrize("joint", [All, AnyOf])
    @pytest.mark.parametrize("negative", [False, True])
    def test_a_condition_may_have_five_hundred_terms(
        self, ready: Backend, joint: type[All | AnyOf], *, negative: bool
    ) -> None:
        record = experiment("a", description="5", labels=Labels(k5="v"))
        keep(ready, EXPERIMENT, record)
        leaves = [
            (Match("description", containing(f"{n}")), Compare(Label(f"k{n}"), Op.EQ, "v"))
            for n in range(250)
        ]
        where: Predicate = joint(tuple(leaf for pair in leaves for leaf in pair))
        if negative:
            where = negate(where)

        assert (found(ready, EXPERIMENT, where) == ["a"]) is matches(where, record)

    @pytest.mark.parametrize("present", [False, True])
    def test_a_condition_may_be_twenty_levels_deep(self, ready: Backend, *, present: bool) -> None:
        record = experiment("a", labels=Labels(k="v") if present else Labels())
        keep(ready, EXPERIMENT, record)
        where: Predicate = Compare(Label("k"), Op.EQ, "v")
        for level in range(20):
            joint, other = (All, ALWAYS) if level % 2 else (AnyOf, Present("labels"))
            where = joint((Present("created_at"), where) if joint is All else (where, other))

        assert (found(ready, EXPERIMENT, where) == ["a"]) is matches(where, record)

    def test_a_selection_of_one_needs_no_order(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("a"), experiment("b"))

        rows = ready.select(Plan(EXPERIMENT, Compare("name", Op.EQ, "b")))

        assert ids(rows.items) == ["b"]
        assert rows.total is None

    def test_the_items_and_the_total_come_from_one_snapshot(self, ready: Backend) -> None:
        plan = Plan(EXPERIMENT, ALWAYS, BY_ID, limit=EVERYTHING, total=True)
        new = [experiment(f"{number:03}") for number in range(60)]

        def write() -> None:
            for record in new:
                keep(ready, EXPERIMENT, record)

        writer = Thread(target=write)
        writer.start()
        seen = [ready.select(plan)]
        while writer.is_alive():
            seen.append(ready.select(plan))
        writer.join()

        assert [len(rows.items) for rows in seen] == [rows.total for rows in seen]
        assert select(ready, EXPERIMENT) == new
