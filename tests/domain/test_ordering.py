"""Orders: sorting records, and finding the place after one of them."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.filters.predicates import Label
from experiment_store.ordering import Order, SortKey, arrange, follows, sort_values
from experiment_store.testing.strategies import texts

_records = st.lists(
    st.builds(
        SimpleNamespace,
        id=st.uuids().map(str),
        name=st.sampled_from(["", "a", "b", "\ufb00", "\N{GRINNING FACE}"]) | texts(5),
        time=st.none() | st.integers(0, 3),
        labels=st.dictionaries(st.just("k"), st.sampled_from(["", "a", "b"])),
    ),
    max_size=8,
    unique_by=lambda record: record.id,
)
_operands = st.sampled_from(["name", "time", Label("k")])
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


def test_an_absent_label_has_no_length_to_cut() -> None:
    assert sort_values((SortKey(Label("k"), length=2),), _record(id="1")) == (None,)
