"""Listings: pages, tokens, totals, and walks through all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import (
    Experiment,
    ExperimentStore,
    InvalidArgumentError,
    InvalidFilterError,
    InvalidOrderByError,
    InvalidPageTokenError,
    NewExperiment,
)
from experiment_store.schema import SETTING
from experiment_store.testing.strategies import texts
from experiment_store_memory import MemoryBackend

_KEY = b"0123456789abcdef"
_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_NAMES = st.lists(texts(128).filter(bool), min_size=1, max_size=12, unique=True)


@given(_NAMES, st.integers(1, 13), st.sampled_from(["", "name", "name desc", "description, id"]))
def test_pages_of_any_size_add_up_to_the_listing(names: list[str], size: int, order: str) -> None:
    with ExperimentStore(MemoryBackend(), token_key=_KEY) as store:
        made = store.create_many([NewExperiment(name, description=name[:1]) for name in names])

        pages = [store.list(order_by=order, page_size=size)]
        while token := pages[-1].next_page_token:
            pages.append(store.list(order_by=order, page_size=size, page_token=token))
        walked = list(store.iterate(order_by=order, page_size=size))

    together = [record for page in pages for record in page.items]
    assert together == walked
    assert sorted(together, key=lambda record: record.id) == made
    assert all(len(page.items) == size for page in pages[:-1])
    assert 1 <= len(pages[-1].items) <= size


def test_a_page_may_be_empty(store: ExperimentStore) -> None:
    page = store.list(filter="name = x", with_total=True)

    assert (list(page.items), page.next_page_token, page.total_size) == ([], "", 0)


def test_a_total_counts_all_that_match_on_every_page(store: ExperimentStore) -> None:
    _fill(store, 5)

    first = store.list(filter="name > b", page_size=2, with_total=True)
    second = store.list(
        filter="name > b", page_size=2, page_token=first.next_page_token, with_total=True
    )

    assert (first.total_size, second.total_size) == (3, 3)
    assert store.list().total_size is None


def test_a_page_has_20_items_by_default_and_50_at_most_here(store: ExperimentStore) -> None:
    store.create_many(NewExperiment(f"{number:03}") for number in range(60))

    sizes = [len(store.list(page_size=size).items) for size in (None, 0, 1, 50, 51, 10**30)]

    assert sizes == [20, 20, 1, 50, 50, 50]
    assert len(list(store.iterate())) == 60


def test_the_last_page_may_be_full_and_has_no_token(store: ExperimentStore) -> None:
    _fill(store, 4)

    first = store.list(page_size=2)
    second = store.list(page_size=2, page_token=first.next_page_token)

    assert (len(second.items), second.next_page_token) == (2, "")


def test_a_listing_is_of_one_namespace_or_of_all(store: ExperimentStore) -> None:
    a = store.create("a", namespace="")
    b = store.create("b", namespace="vision")

    assert store.list().items == [a, b]
    assert store.list(namespace="").items == [a]
    assert store.list(namespace="vision").items == [b]
    assert store.list(namespace="speech").items == []


@pytest.mark.parametrize(
    "changed",
    [
        {"namespace": None},
        {"namespace": "speech"},
        {"filter": ""},
        {"filter": "name >= b"},
        {"order_by": ""},
        {"order_by": "name desc"},
        {"order_by": "name, id desc"},
    ],
)
def test_a_token_is_refused_where_any_other_argument_has_changed(
    store: ExperimentStore, changed: dict[str, Any]
) -> None:
    request = {"namespace": "vision", "filter": "name >= a", "order_by": "name"}
    store.create_many(NewExperiment(name, namespace="vision") for name in "abc")
    token = store.list(**request, page_size=1).next_page_token  # type: ignore[arg-type]  # keywords of several types

    with pytest.raises(InvalidPageTokenError):
        store.list(**{**request, **changed}, page_token=token)


def test_the_page_size_the_total_and_the_spelling_may_change_between_pages(
    store: ExperimentStore,
) -> None:
    _fill(store, 5)
    token = store.list(filter="name >= a", order_by="name", page_size=2).next_page_token

    rest = store.list(
        filter='(display_name >= "a")',
        order_by="NAME asc",
        page_size=9,
        page_token=token,
        with_total=True,
    )

    assert [record.name for record in rest.items] == ["c", "d", "e"]
    assert rest.total_size == 5


@pytest.mark.parametrize("token", ["x", "AQ", " ", "\0", "=", 7, ["x"]])
def test_what_is_no_token_is_refused(store: ExperimentStore, token: Any) -> None:
    with pytest.raises(InvalidPageTokenError):
        store.list(page_token=token)


def test_a_token_survives_what_it_marks(store: ExperimentStore) -> None:
    a, b, _ = _fill(store, 3)
    token = store.list(order_by="name", page_size=2).next_page_token

    store.delete(a.id)
    store.delete(b.id)
    store.create("aa")

    rest = store.list(order_by="name", page_token=token)
    assert [record.name for record in rest.items] == ["c"]


def test_a_token_is_good_for_every_store_over_the_same_records(
    backend: MemoryBackend, store: ExperimentStore
) -> None:
    _fill(store, 3)
    token = store.list(page_size=2).next_page_token

    other = ExperimentStore(backend)

    assert [record.name for record in other.list(page_token=token).items] == ["c"]


def test_a_token_is_good_for_no_other_records(store: ExperimentStore) -> None:
    _fill(store, 3)
    token = store.list(page_size=2).next_page_token

    with (
        ExperimentStore(MemoryBackend()) as other,
        pytest.raises(InvalidPageTokenError),
    ):
        other.list(page_token=token)


def test_a_given_key_is_not_kept_and_makes_tokens_that_only_it_reads() -> None:
    backend = MemoryBackend()
    first, same, other = (
        ExperimentStore(backend, token_key=key) for key in (_KEY, _KEY, b"f" * 16)
    )
    _fill(first, 3)

    token = first.list(page_size=2).next_page_token

    assert len(same.list(page_token=token).items) == 1
    assert backend.get(SETTING, "token_key") is None
    with pytest.raises(InvalidPageTokenError):
        other.list(page_token=token)


def test_no_key_is_made_before_a_page_needs_a_token(
    backend: MemoryBackend, store: ExperimentStore
) -> None:
    _fill(store, 3)

    store.list()
    before = backend.get(SETTING, "token_key")
    store.list(page_size=2)

    assert before is None
    assert backend.get(SETTING, "token_key") is not None


def test_now_is_the_same_on_every_page() -> None:
    ticks = count()
    store = ExperimentStore(MemoryBackend(), clock=lambda: _TIME + timedelta(hours=next(ticks)))
    _fill(store, 3)

    first = store.list(filter="created_at < now()", page_size=2)
    _fill(store, 1, prefix="later")
    rest = store.list(filter="created_at < now()", page_token=first.next_page_token)

    assert [record.name for record in rest.items] == ["c"]


def test_iterating_takes_now_once_for_all_pages() -> None:
    ticks = count()
    store = ExperimentStore(MemoryBackend(), clock=lambda: _TIME + timedelta(hours=next(ticks)))
    _fill(store, 3)

    walk = store.iterate(filter="created_at < now()", page_size=1)
    _fill(store, 1, prefix="later")

    assert [record.name for record in walk] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"filter": "name ="}, InvalidFilterError),
        ({"order_by": "nam"}, InvalidOrderByError),
        ({"page_size": -1}, InvalidArgumentError),
        ({"page_size": "7"}, InvalidArgumentError),
        ({"page_size": ""}, InvalidArgumentError),
        ({"page_size": False}, InvalidArgumentError),
        ({"namespace": "x" * 64}, InvalidArgumentError),
        ({"namespace": 7}, InvalidArgumentError),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_read(
    store: ExperimentStore, wrong: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        store.list(**wrong)
    with pytest.raises(error):
        store.iterate(**wrong)


@pytest.mark.parametrize("size", [None, 0, 50, 51])
def test_iterating_reads_the_largest_pages_unless_told(
    store: ExperimentStore, size: int | None
) -> None:
    store.create_many(NewExperiment(f"{number:03}") for number in range(55))

    walk = store.iterate(order_by="name", page_size=size)
    next(walk)
    for record in store.iterate(order_by="name"):
        store.delete(record.id)

    assert len(list(walk)) == 49  # those that had been read


def test_iterating_goes_on_after_records_that_went(store: ExperimentStore) -> None:
    _fill(store, 5)

    walk = store.iterate(order_by="name", page_size=2)
    seen = []
    for record in walk:
        seen.append(record.name)
        store.delete(record.id)

    assert seen == ["a", "b", "c", "d", "e"]


def _fill(store: ExperimentStore, many: int, *, prefix: str = "") -> list[Experiment]:
    return [store.create(prefix + name) for name in "abcde"[:many]]
