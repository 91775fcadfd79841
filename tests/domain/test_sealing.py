"""Sealed texts, and the keys that a store keeps for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import ExperimentStore, InvalidPageTokenError
from experiment_store.filters.patterns import starting
from experiment_store.filters.predicates import Compare, Match, Op, negate
from experiment_store.sealing import Seal
from experiment_store_memory import MemoryBackend

KEY = bytes(range(32))


@given(st.binary(max_size=200))
def test_what_was_sealed_opens(content: bytes) -> None:
    seal = Seal(KEY, b"test")

    assert seal.open(seal.seal(content)) == content


@given(st.binary(max_size=200))
def test_what_was_sealed_for_one_purpose_does_not_open_for_another(content: bytes) -> None:
    text = Seal(KEY, b"one").seal(content)

    with pytest.raises(InvalidPageTokenError):
        Seal(KEY, b"other").open(text)


def test_a_store_keeps_a_key_for_those_that_embed_it(store: ExperimentStore) -> None:
    assert store.key("mine") == store.key("mine")
    assert store.key("mine") != store.key("yours")
    assert len(store.key("mine")) == 32


def test_a_key_outlives_the_store_that_made_it() -> None:
    backend = MemoryBackend()

    assert ExperimentStore(backend).key("mine") == ExperimentStore(backend).key("mine")


def test_a_filter_may_be_a_predicate(store: ExperimentStore) -> None:
    for name in ("ab", "ac", "b"):
        store.create(name)
    starts_with_a = Match("name", starting("a"))

    first = store.list(filter=starts_with_a, order_by="name", page_size=1)
    second = store.list(
        filter='name = "a*"', order_by="name", page_size=1, page_token=first.next_page_token
    )

    assert [page.items[0].name for page in (first, second)] == ["ab", "ac"]
    others = store.iterate(filter=negate(Compare("name", Op.EQ, "ab")), order_by="name")
    assert [experiment.name for experiment in others] == ["ac", "b"]
