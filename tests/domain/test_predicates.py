"""The algebra of predicates: negation, and joints that are flat."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.filters.predicates import (
    ALWAYS,
    NEVER,
    All,
    AnyOf,
    Compare,
    Label,
    OneOf,
    Op,
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


@given(_predicates)
def test_saying_a_thing_twice_is_saying_it_once(predicate: Predicate) -> None:
    assert all_of([predicate, predicate]) == any_of([predicate, predicate]) == predicate


@pytest.mark.parametrize("expected", [True, False])
def test_equalities_of_one_operand_become_one_test(expected: bool) -> None:  # noqa: FBT001 (pytest fills it)
    join = any_of if expected else all_of
    first, second = (Compare("name", Op.EQ, value, expected) for value in "ab")
    other = Compare(Label("name"), Op.EQ, "a", expected)
    several = OneOf("name", frozenset("bc"), expected)

    assert join([first, other, second, several]) == join(
        [OneOf("name", frozenset("abc"), expected), other]
    )
    assert join([first, several, OneOf("name", frozenset("c"), not expected)]) != join(
        [first, several]
    )


def test_a_list_of_one_value_is_that_equality() -> None:
    equal = Compare("name", Op.EQ, "a")

    assert any_of([equal, OneOf("name", frozenset("a"))]) == equal


@pytest.mark.parametrize("expected", [True, False])
def test_equalities_that_must_all_hold_stay_apart(expected: bool) -> None:  # noqa: FBT001 (as above)
    join: Callable[..., Predicate] = all_of if expected else any_of
    joint = All if expected else AnyOf
    terms = tuple(Compare("name", Op.EQ, value, expected) for value in "ab")

    assert join(terms) == joint(terms)


def test_a_joint_of_none_is_a_constant() -> None:
    assert all_of([]) == ALWAYS == negate(NEVER)
    assert any_of([]) == NEVER == negate(ALWAYS)


def _is_flat(predicate: Predicate) -> bool:
    if not isinstance(predicate, All | AnyOf):
        return True
    return len(predicate.terms) != 1 and all(
        not isinstance(term, type(predicate)) and _is_flat(term) for term in predicate.terms
    )
