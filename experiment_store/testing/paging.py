"""The contract of `select`, as far as orders and pages go: as `arrange` has it, in slices."""

from __future__ import annotations

from itertools import chain, cycle
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import strategies as st

from experiment_store.backend import Backend, Change
from experiment_store.filters.evaluate import matches
from experiment_store.filters.predicates import (
    ALWAYS,
    Compare,
    Label,
    MetricValue,
    Op,
    Param,
    Predicate,
    Present,
)
from experiment_store.ordering import Order, SortKey, arrange, follows, sort_values
from experiment_store.plan import Plan, Rows
from experiment_store.records import Labels, Metric, Metrics, Params
from experiment_store.schema import EXPERIMENT, LONG_SORT_LENGTH, RUN, Kind
from experiment_store.testing.comparing import ASCENDING
from experiment_store.testing.entering import FLOATS, VALUES
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.samples import (
    NOON,
    TICK,
    experiment,
    for_all,
    ids,
    keep,
    of_any_kind,
    pages,
    refill,
    run,
    select,
)
from experiment_store.testing.strategies import orders, predicates, records, several

ROWS = of_any_kind(
    lambda kind: st.tuples(st.just(kind), several(kind, min_size=2), orders(kind), predicates(kind))
)
SIZES = st.integers(1, 4)


class Paging(Fixtures):
    """What a backend owes to orders and pages."""

    @for_all(rows=ROWS)
    def test_rows_come_in_the_order_asked_for(
        self, ready: Backend, rows: tuple[Kind[Any], list[Any], Order, Predicate]
    ) -> None:
        kind, records, order, _ = rows
        refill(ready, {kind.name: records})

        assert ids(select(ready, kind, order=order)) == ids(arrange(order, records))

    @for_all(rows=ROWS, size=SIZES)
    def test_pages_add_up(
        self, ready: Backend, rows: tuple[Kind[Any], list[Any], Order, Predicate], size: int
    ) -> None:
        kind, records, order, _ = rows
        refill(ready, {kind.name: records})

        read = list(pages(ready, kind, order, size))

        assert ids(chain(*read)) == ids(arrange(order, records))
        assert [len(page) for page in read[:-1]] == [size] * (len(read) - 1)
        assert len(read[-1]) < size

    @pytest.mark.parametrize("descending", [False, True])
    def test_pages_by_parameters_and_metrics_come_in_the_order_of_their_values(
        self, ready: Backend, *, descending: bool
    ) -> None:
        records = [
            run(
                f"{n:02}",
                params=Params({"k": value}),
                metrics=Metrics({"k": Metric(latest, least, 0.0, 0, 1)}),
            )
            for n, (value, latest, least) in enumerate(
                zip(VALUES, cycle(FLOATS), cycle(FLOATS[:5]), strict=False)
            )
        ]
        keep(ready, RUN, run("a"), run("z"), *records)
        for operand in (Param("k"), MetricValue("k"), MetricValue("k", "min"), MetricValue("j")):
            for last in (descending, not descending):
                order = (SortKey(operand, descending), SortKey("id", last))
                arranged = arrange(order, [run("a"), run("z"), *records])
                assert ids(chain(*pages(ready, RUN, order, 7))) == ids(arranged)

    @for_all(rows=ROWS, size=SIZES)
    def test_pages_of_what_a_condition_admits_add_up(
        self, ready: Backend, rows: tuple[Kind[Any], list[Any], Order, Predicate], size: int
    ) -> None:
        kind, records, order, where = rows
        refill(ready, {kind.name: records})

        read = list(pages(ready, kind, order, size, where))

        admitted = [record for record in records if matches(where, record)]
        assert ids(chain(*read)) == ids(arrange(order, admitted))

    @for_all(
        records=st.lists(st.sampled_from([None, "", "a", "A", "b"]), min_size=2, max_size=6).map(
            lambda values: [
                experiment(f"{n}", labels=Labels({"k": "v"} | ({} if v is None else {"a": v})))
                for n, v in enumerate(values)
            ]
        ),
        order=orders(EXPERIMENT),
        size=SIZES,
    )
    def test_pages_of_what_has_a_label_add_up(
        self, ready: Backend, records: list[Any], order: Order, size: int
    ) -> None:
        refill(ready, {EXPERIMENT.name: [*records, experiment("other")]})
        by_time: Order = (SortKey("created_at"), SortKey("id"))

        for chosen in (order, by_time):
            where = Compare(Label("k"), Op.EQ, "v")
            read = chain(*pages(ready, EXPERIMENT, chosen, size, where))
            assert ids(read) == ids(arrange(chosen, records))

    @for_all(rows=ROWS, size=st.integers(0, 3))
    def test_the_total_is_that_of_all_pages(
        self, ready: Backend, rows: tuple[Kind[Any], list[Any], Order, Predicate], size: int
    ) -> None:
        kind, records, order, where = rows
        refill(ready, {kind.name: records})
        after = sort_values(order, arrange(order, records)[0])

        totals = [
            ready.select(Plan(kind, where, order, place, size, total=True)).total
            for place in (None, after)
        ]

        assert totals == [sum(matches(where, record) for record in records)] * 2

    @for_all(rows=ROWS, size=SIZES)
    def test_a_deleted_row_still_marks_its_place(
        self, ready: Backend, rows: tuple[Kind[Any], list[Any], Order, Predicate], size: int
    ) -> None:
        kind, records, order, _ = rows
        refill(ready, {kind.name: records})
        [*_, last] = first = select_page(ready, kind, order, None, size)

        assert ready.delete(kind, last.id, Change()) is None

        rest = select_page(ready, kind, order, sort_values(order, last), len(records))
        assert ids([*first, *rest]) == ids(arrange(order, records))

    @for_all(
        rows=of_any_kind(
            lambda kind: st.tuples(
                st.just(kind), several(kind, min_size=2), orders(kind), records(kind)
            )
        ),
        size=SIZES,
    )
    def test_a_row_that_comes_between_pages_neither_repeats_nor_hides_others(
        self, ready: Backend, rows: tuple[Kind[Any], list[Any], Order, Any], size: int
    ) -> None:
        kind, records, order, new = rows
        keys = {tuple(getattr(record, name) for name in kind.unique) for record in records}
        assume(new.id not in ids(records))
        assume(not kind.unique or tuple(getattr(new, name) for name in kind.unique) not in keys)
        refill(ready, {kind.name: records})
        first = select_page(ready, kind, order, None, size)
        place = sort_values(order, first[-1])

        keep(ready, kind, new)

        rest = select_page(ready, kind, order, place, len(records) + 1)
        is_ahead = follows(order, sort_values(order, new), place)
        assert ids([*first, *rest]) == ids(arrange(order, [*records, *[new] * is_ahead]))

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("operand", ["description", Label("k")], ids=["field", "label"])
    def test_text_is_arranged_by_code_point(
        self, ready: Backend, operand: Any, *, descending: bool
    ) -> None:
        rows = [
            experiment(f"{n:02}", description=text, labels=Labels(k=text))
            for n, text in enumerate(ASCENDING)
        ]
        keep(ready, EXPERIMENT, *reversed(rows))
        order = (SortKey(operand, descending), SortKey("id", descending))

        expected = list(reversed(rows)) if descending else rows
        assert ids(select(ready, EXPERIMENT, order=order)) == ids(expected)
        assert ids(chain(*pages(ready, EXPERIMENT, order, 3))) == ids(expected)

    @pytest.mark.parametrize("last", [False, True])
    def test_an_absent_time_comes_before_all_others(self, ready: Backend, *, last: bool) -> None:
        first_moment = NOON.replace(year=1, month=1, day=1, hour=0)
        keep(ready, RUN, run("b", started_at=first_moment), run("c", started_at=NOON), run("a"))
        up = (SortKey("started_at"), SortKey("id", descending=last))
        down = (SortKey("started_at", descending=True), SortKey("id", descending=last))

        for size in (1, 2, 3):
            assert ids(chain(*pages(ready, RUN, up, size))) == ["a", "b", "c"]
            assert ids(chain(*pages(ready, RUN, down, size))) == ["c", "b", "a"]

    @pytest.mark.parametrize("last", [False, True])
    def test_an_absent_label_comes_before_an_empty_one(self, ready: Backend, *, last: bool) -> None:
        labelled = {"c": {"k": "a"}, "b": {"k": ""}, "a": {}}
        keep(ready, RUN, *(run(id, labels=Labels(labels)) for id, labels in labelled.items()))
        up = (SortKey(Label("k")), SortKey("id", descending=last))
        down = (SortKey(Label("k"), descending=True), SortKey("id", descending=last))

        for size in (1, 2, 3):
            assert ids(chain(*pages(ready, RUN, up, size))) == ["a", "b", "c"]
            assert ids(chain(*pages(ready, RUN, down, size))) == ["c", "b", "a"]

    def test_long_text_is_arranged_by_its_beginning(self, ready: Backend) -> None:
        same = "\N{GRINNING FACE}" * LONG_SORT_LENGTH
        texts = {"1": f"{same}b", "2": f"{same}a", "3": same, "0": f"{same[:-1]}\N{ROCKET}"}
        keep(ready, EXPERIMENT, *(experiment(id, description=t) for id, t in texts.items()))
        order = (SortKey("description", length=LONG_SORT_LENGTH), SortKey("id"))

        assert ids(chain(*pages(ready, EXPERIMENT, order, 1))) == ["1", "2", "3", "0"]

    def test_neighbouring_times_are_told_apart(self, ready: Backend) -> None:
        times = [NOON + number * TICK for number in (3, 1, 2, 0)]
        keep(ready, RUN, *(run(f"{n}", created_at=time) for n, time in enumerate(times)))
        order = (SortKey("created_at"), SortKey("id"))

        assert ids(chain(*pages(ready, RUN, order, 1))) == ["3", "1", "2", "0"]

    def test_nothing_follows_the_last_row(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("a"), experiment("b"))
        order = (SortKey("name"), SortKey("id"))

        assert select_page(ready, EXPERIMENT, order, ("b", "b"), 10) == []
        assert ids(select_page(ready, EXPERIMENT, order, ("b", "a"), 10)) == ["b"]

    def test_an_order_may_end_with_a_unique_key(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("1", name="b"), experiment("2", name="a"))
        order = (SortKey("name", descending=True),)
        where = Compare("namespace", Op.EQ, "")

        assert ids(chain(*pages(ready, EXPERIMENT, order, 1, where))) == ["1", "2"]

    def test_a_page_of_nothing_is_empty(self, ready: Backend) -> None:
        order = (SortKey("created_at"), SortKey("id"))

        rows = ready.select(Plan(EXPERIMENT, Present("name"), order, limit=5, total=True))

        assert list(rows.items) == []
        assert rows.total == 0


def select_page(
    backend: Backend, kind: Kind[Any], order: Order, after: tuple[Any, ...] | None, size: int
) -> list[Any]:
    """Read one page."""
    rows: Rows[Any] = backend.select(Plan(kind, ALWAYS, order, after, size))
    return list(rows.items)
