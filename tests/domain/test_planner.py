"""What a listing is, when two are the same one, and how long its pages are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.errors import (
    InvalidArgumentError,
    InvalidFilterError,
    InvalidOrderByError,
)
from experiment_store.filters import compile_filter
from experiment_store.filters.predicates import ALWAYS, All, Compare, Label, Op
from experiment_store.ordering import SortKey
from experiment_store.page_sizes import DEFAULT_PAGE_SIZE, page_limit
from experiment_store.planner import Listing, open_listing
from experiment_store.records import Setting
from experiment_store.schema import EXPERIMENT, JOB, RUN, SETTING, Kind
from experiment_store.tokens import Bookmark

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("absent", [None, 0])
def test_a_page_has_20_items_unless_its_size_is_given(absent: int | None) -> None:
    assert page_limit(absent, 1000) == DEFAULT_PAGE_SIZE == 20


@given(st.integers(min_value=1), st.integers(min_value=1))
def test_a_page_is_as_long_as_asked_for_up_to_the_maximum(size: int, maximum: int) -> None:
    assert page_limit(size, maximum) == min(size, maximum)


@given(st.integers(1, 30))
def test_the_default_is_cut_to_the_maximum_too(maximum: int) -> None:
    assert page_limit(None, maximum) == min(20, maximum)


@given(st.integers(max_value=-1))
def test_a_negative_page_size_is_refused(size: int) -> None:
    with pytest.raises(InvalidArgumentError, match="page_size must not be negative"):
        page_limit(size, 1000)


@pytest.mark.parametrize("size", [True, False, 1.0, "10", "", []])
def test_a_page_size_is_an_integer(size: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="page_size must be an integer"):
        page_limit(size, 1000)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("name = a AND namespace = b", ' name="a"   AND\nnamespace="b" '),
        ("display_name = a", "name = a"),
        ("experiment_id = a", "id = a"),
        ("", "  "),
        ("NOT name = a", "name != a OR name != a"),
    ],
)
def test_another_spelling_of_a_filter_is_the_same_listing(left: str, right: str) -> None:
    same = compile_filter(left, EXPERIMENT, _NOW) == compile_filter(right, EXPERIMENT, _NOW)

    assert (_digest(filter=left) == _digest(filter=right)) == same


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("params.x = 1", "params.'x'=1.0"),
        ("params.x = (true OR 0)", "params.x = -0.0 OR params.x:true"),
        ("metrics.x > 1e3", "metrics.x > 1000"),
        ("metrics.x = nan", "metrics.x:nan"),
    ],
)
def test_another_spelling_of_a_number_is_the_same_listing(left: str, right: str) -> None:
    one, other = (_digest(kind=RUN, filter=f"{text} OR name = a") for text in (left, right))

    assert one == other


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("", "created_at"),
        ("created_at", "created_at asc, id"),
        ("display_name desc", "NAME  DESC"),
        ("name desc", "name desc, experiment_id desc"),
        ('labels."team"', "labels.team"),
    ],
)
def test_another_spelling_of_an_order_is_the_same_listing(left: str, right: str) -> None:
    assert _digest(order_by=left) == _digest(order_by=right)


_DIFFERENT: list[dict[str, Any]] = [
    {},
    {"kind": RUN},
    {"kind": JOB},
    {"scope": {"namespace": ""}},
    {"scope": {"namespace": "a"}},
    {"scope": {"namespace": "name"}},
    {"kind": RUN, "scope": {"namespace": "a"}},
    {"kind": RUN, "scope": {"experiment_id": "a"}},
    {"kind": RUN, "scope": {"experiment_id": "b"}},
    {"kind": RUN, "scope": {"experiment_id": "a", "namespace": "a"}},
    {"filter": "namespace = a"},
    {"filter": "name = a"},
    {"filter": "name != a"},
    {"filter": 'name = "A"'},
    {"filter": "name:a"},
    {"filter": "labels.name = a"},
    {"filter": "created_at < now()"},
    {"order_by": "name"},
    {"order_by": "name desc"},
    {"order_by": "name desc, id"},
    {"order_by": "labels.name"},
    {"order_by": 'labels."name, labels"'},
    {"order_by": "labels.name, name"},
    {"order_by": "name, labels.name"},
    {"order_by": "description"},
    {"kind": RUN, "order_by": "labels.a"},
    {"kind": RUN, "order_by": "params.a"},
    {"kind": RUN, "order_by": "metrics.a"},
    {"kind": RUN, "order_by": "metrics.a.min"},
    {"kind": RUN, "order_by": "metrics.a.max"},
    {"kind": RUN, "order_by": "metrics.min"},
    {"kind": RUN, "filter": "labels.a = 1"},
    {"kind": RUN, "filter": "params.a = 1"},
    {"kind": RUN, "filter": "params.a = '1'"},
    {"kind": RUN, "filter": "params.a = true"},
    {"kind": RUN, "filter": "metrics.a = 1"},
    {"kind": RUN, "filter": "metrics.a.min = 1"},
]


def test_a_listing_of_anything_else_is_another_one() -> None:
    digests = [_digest(**request) for request in _DIFFERENT]

    assert len(set(digests)) == len(_DIFFERENT)


def test_the_instant_is_part_of_a_listing_only_where_it_is_asked_for() -> None:
    later = _NOW + timedelta(seconds=1)

    assert _digest(now=later) == _digest()
    assert _digest(filter="created_at < now()", now=later) != _digest(filter="created_at < now()")


def test_a_scope_and_a_filter_have_both_to_hold() -> None:
    listing = _open(scope={"namespace": "vision"}, filter="name = mnist")

    assert listing.where == All(
        (Compare("namespace", Op.EQ, "vision"), Compare("name", Op.EQ, "mnist"))
    )


def test_a_listing_of_everything_has_no_condition() -> None:
    assert _open().where == ALWAYS


@pytest.mark.parametrize(
    ("request_", "order"),
    [
        ({}, ["created_at", "id"]),
        ({"order_by": "name"}, ["name", "id"]),
        ({"order_by": "name", "scope": {"namespace": "a"}}, ["name"]),
        ({"order_by": "name desc", "scope": {"namespace": "a"}}, ["name desc"]),
        ({"order_by": "name", "filter": "namespace = a"}, ["name"]),
        ({"order_by": "name", "filter": "namespace = a AND description = b"}, ["name"]),
        ({"order_by": "name", "filter": "namespace != a"}, ["name", "id"]),
        ({"order_by": "name", "filter": "namespace > a"}, ["name", "id"]),
        ({"order_by": "name", "filter": "namespace = a OR namespace = b"}, ["name", "id"]),
        ({"order_by": "name", "filter": "labels.namespace = a"}, ["name", "id"]),
        ({"order_by": "labels.name", "filter": "namespace = a"}, ["labels.name", "id"]),
        ({"order_by": "created_at, name, namespace"}, ["created_at", "name", "namespace"]),
        ({"order_by": "name, created_at, namespace"}, ["name", "created_at", "namespace"]),
        ({"order_by": "id desc, name"}, ["id desc"]),
        ({"order_by": "name, created_at", "filter": "id = a"}, []),
        ({"order_by": "created_at", "filter": "namespace = a AND name = b"}, []),
        ({"order_by": "description"}, ["description:256", "id"]),
        ({"order_by": "name", "kind": RUN, "scope": {"namespace": "a"}}, ["name", "id"]),
    ],
)
def test_keys_that_decide_nothing_are_left_out(request_: dict[str, Any], order: list[str]) -> None:
    assert [_show(key) for key in _open(**request_).order] == order


def test_an_idle_key_makes_no_other_listing_but_its_words_do() -> None:
    scope = {"namespace": "a"}

    idle, written = (_open(scope=scope, order_by=order) for order in ("name", "name, id desc"))

    assert idle.order == written.order
    assert idle.digest != written.digest


def test_a_bookmark_has_the_values_that_the_order_looks_at_and_the_instant() -> None:
    listing = open_listing(SETTING, {}, "", "value desc", _NOW)

    bookmark = listing.bookmark(Setting("s-1", "on"))

    assert bookmark == Bookmark(listing.digest, _NOW, ("on", "s-1"))


def test_a_plan_asks_for_rows_after_a_place_of_the_listing() -> None:
    listing = _open(filter="name = a", order_by="labels.team")

    plan = listing.plan(7, ("cv", "e-1"), total=True)

    assert (plan.kind, plan.where, plan.order) == (EXPERIMENT, listing.where, listing.order)
    assert (plan.limit, plan.after, plan.total) == (7, ("cv", "e-1"), True)


def test_a_plan_asks_for_the_first_rows_without_a_total_by_default() -> None:
    plan = _open().plan(7)

    assert (plan.after, plan.total) == (None, False)


@pytest.mark.parametrize("when", ["now()", "ago(1h)"])
def test_a_listing_that_tells_the_time_is_understood_anew_at_every_instant(when: str) -> None:
    later = _NOW + timedelta(seconds=1)

    one, two = (_open(filter=f"created_at < {when}", now=now) for now in (_NOW, later))

    assert one.where != two.where
    assert one.digest != two.digest


def test_any_other_listing_differs_in_its_instant_only() -> None:
    later = _NOW + timedelta(seconds=1)

    one, two = (_open(filter="name = nowhere OR name = x", now=now) for now in (_NOW, later))

    assert (one.now, two.now) == (_NOW, later)
    assert evolve(one, now=later) == two


@pytest.mark.parametrize("length", [10, 5_000])
def test_a_listing_is_the_same_whether_it_is_kept_or_not(length: int) -> None:
    filter = f'name = "{"x" * length}"'

    assert _open(filter=filter) == _open(filter=filter)
    assert _open(filter=filter, kind=RUN) != _open(filter=filter)


def test_a_filter_that_means_nothing_makes_no_listing() -> None:
    with pytest.raises(InvalidFilterError):
        _open(filter="name =")


def test_an_order_that_means_nothing_makes_no_listing() -> None:
    with pytest.raises(InvalidOrderByError):
        _open(order_by="nam")


def _open(
    *,
    kind: Kind[Any] = EXPERIMENT,
    scope: dict[str, str] | None = None,
    filter: str = "",
    order_by: str = "",
    now: datetime = _NOW,
) -> Listing[Any]:
    return open_listing(kind, scope or {}, filter, order_by, now)


def _digest(**request: Any) -> bytes:
    return _open(**request).digest


def _show(key: SortKey) -> str:
    name = f"labels.{key.operand.key}" if isinstance(key.operand, Label) else str(key.operand)
    return name + " desc" * key.descending + (f":{key.length}" if key.length else "")
