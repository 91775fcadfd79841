"""Orders: sorting records, and finding the place after one of them."""

from __future__ import annotations

from itertools import pairwise
from math import inf, nan
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.filters.predicates import Label, MetricValue, Param
from experiment_store.mappings import Metric
from experiment_store.ordering import Order, SortKey, arrange, follows, sort_values
from experiment_store.testing.strategies import param_values, texts

_records = st.lists(
    st.builds(
        SimpleNamespace,
        id=st.uuids().map(str),
        name=st.sampled_from(["", "a", "b", "\ufb00", "\N{GRINNING FACE}"]) | texts(5),
        time=st.none() | st.integers(0, 3),
        labels=st.dictionaries(st.just("k"), st.sampled_from(["", "a", "b"])),
        params=st.dictionaries(st.just("k"), param_values()),
    ),
    max_size=8,
    unique_by=lambda record: record.id,
)
_operands = st.sampled_from(["name", "time", Label("k"), Param("k")])
_keys = st.builds(SortKey, _operands, st.booleans())
_orders = st.builds(
    lambda keys, last: (*keys, last),
    st.lists(_keys, max_size=3, unique_by=lambda key: key.operand),
    st.builds(SortKey, st.just("id"), st.booleans()),
)


def _record(**values: object) -> SimpleNamespace:
    return SimpleNamespace(labels={}, **values)


@given(_orders, _records)
def test_arranged_records_follow_one_another(order: Order, records: list[SimpleNamespace]) -> None:
    arranged = arrange(order, records)

    assert sorted(record.id for record in arranged) == sorted(record.id for record in records)
    for left, right in pairwise(sort_values(order, record) for record in arranged):
        assert follows(order, right, left)
        assert not follows(order, left, right)


@given(_orders, _records)
def test_nothing_follows_its_own_place(order: Order, records: list[SimpleNamespace]) -> None:
    places = [sort_values(order, record) for record in records]

    assert not any(follows(order, place, place) for place in places)


def test_an_absent_value_is_smaller_than_every_present_one() -> None:
    records = [_record(id="1", time=0), _record(id="2", time=None), _record(id="3", time=1)]
    up, down = (SortKey("time"),), (SortKey("time", descending=True),)

    assert [record.id for record in arrange(up, records)] == ["2", "1", "3"]
    assert [record.id for record in arrange(down, records)] == ["3", "1", "2"]


def test_text_is_sorted_by_code_point() -> None:
    names = ["\N{GRINNING FACE}", "\ufb00", "\ufffd", "a b", "a", "B", "é", "", "10", "9", "_"]
    records = [_record(name=name) for name in names]

    arranged = [record.name for record in arrange((SortKey("name"),), records)]

    assert arranged == sorted(names, key=lambda name: name.encode("utf-8"))


@pytest.mark.parametrize("descending", [False, True])
def test_equal_records_keep_their_order(descending: bool) -> None:  # noqa: FBT001 (a parameter)
    records = [_record(id=id, name="a") for id in "213"]

    arranged = arrange((SortKey("name", descending),), records)

    assert [record.id for record in arranged] == ["2", "1", "3"]


def test_a_long_text_is_compared_up_to_the_length_of_the_key() -> None:
    order = (SortKey("name", length=2), SortKey("id"))
    records = [_record(id="1", name="abz"), _record(id="2", name="aba"), _record(id="0", name="b")]

    assert sort_values(order, records[0]) == ("ab", "1")
    assert [record.id for record in arrange(order, records)] == ["1", "2", "0"]


def test_parameters_are_sorted_by_type_and_within_it_by_size() -> None:
    values = [
        None, False, True, nan, -inf, -(2**63), -1.5, -1, 0, 5e-324, 1, 1.5,
        2.0**53, 2**53 + 1, 2**63 - 1, 2.0**63, inf, "", "10", "9", "a", "nan",
    ]  # fmt: skip
    params = [{} if value is None else {"k": value} for value in values]
    records = [_record(id=str(n), params=held) for n, held in enumerate(params)]

    for order in ((SortKey(Param("k")),), (SortKey(Param("k"), descending=True),)):
        arranged = [record.id for record in arrange(order, reversed(records))]
        wanted = [record.id for record in records]
        assert arranged == (wanted[::-1] if order[0].descending else wanted)


def test_equal_numbers_of_either_type_keep_their_order() -> None:
    values = [0.0, -0.0, 0, -0.0, 0.0]
    records = [_record(id=str(n), params={"k": value}) for n, value in enumerate(values)]

    arranged = arrange((SortKey(Param("k")),), records)

    assert [record.id for record in arranged] == ["0", "1", "2", "3", "4"]


def test_each_statistic_of_a_metric_has_an_order_of_its_own() -> None:
    loss = {"1": Metric(2, 0, 9, 0, 3), "2": Metric(1, 1, 8, 0, 3), "3": Metric(nan, 2, 7, 0, 3)}
    records = [_record(id=id, metrics={"loss": metric}) for id, metric in loss.items()]
    records.append(_record(id="0", metrics={}))

    found = {
        of: [r.id for r in arrange((SortKey(MetricValue("loss", of)),), records)]
        for of in ("latest", "min", "max")
    }

    assert found == {"latest": list("0321"), "min": list("0123"), "max": list("0321")}


def test_an_absent_label_has_no_length_to_cut() -> None:
    assert sort_values((SortKey(Label("k"), length=2),), _record(id="1")) == (None,)
