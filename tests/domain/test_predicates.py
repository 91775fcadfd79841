"""The algebra of predicates: negation, and joints that are flat."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from experiment_store.filters.predicates import (
    ALWAYS,
    NEVER,
    All,
    AnyOf,
    Predicate,
    all_of,
    any_of,
    negate,
)
from experiment_store.schema import EXPERIMENT, RUN
from experiment_store.testing.strategies import predicates

_predicates = predicates(EXPERIMENT) | predicates(RUN)


@given(_predicates)
def test_negating_twice_changes_nothing(predicate: Predicate) -> None:
    assert negate(negate(predicate)) == predicate


@given(_predicates)
def test_negation_keeps_a_predicate_flat(predicate: Predicate) -> None:
    assert _is_flat(negate(predicate))


@given(st.lists(_predicates, max_size=3))
def test_joining_flat_predicates_gives_a_flat_one(terms: list[Predicate]) -> None:
    assert _is_flat(all_of(terms))
    assert _is_flat(any_of(terms))


@given(st.lists(_predicates, max_size=3))
def test_negation_exchanges_the_joints(terms: list[Predicate]) -> None:
    assert negate(all_of(terms)) == any_of(map(negate, terms))


@given(_predicates)
def test_a_joint_of_one_is_that_one(predicate: Predicate) -> None:
    assert all_of([predicate]) == any_of([predicate]) == predicate
    assert all_of([ALWAYS, predicate]) == predicate
    assert any_of([NEVER, predicate]) == predicate


def test_a_joint_of_none_is_a_constant() -> None:
    assert all_of([]) == ALWAYS == negate(NEVER)
    assert any_of([]) == NEVER == negate(ALWAYS)


def _is_flat(predicate: Predicate) -> bool:
    if not isinstance(predicate, All | AnyOf):
        return True
    return len(predicate.terms) != 1 and all(
        not isinstance(term, type(predicate)) and _is_flat(term) for term in predicate.terms
    )
