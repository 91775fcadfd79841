"""What a filter may cost: the work for one record, in parts of a hundred.

A hundred is 10 microseconds or less on any of our backends, so that the worst
filter decides 10,000 ordinary records in a tenth of a second. How the weights
were measured is written in docs/decisions/0010-what-a-filter-may-cost.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from attrs import evolve

from experiment_store.filters.patterns import Pattern
from experiment_store.filters.predicates import (
    ENTRIES,
    Compare,
    Label,
    Leaf,
    Match,
    OneOf,
    Op,
    Operand,
    Predicate,
    Present,
    Search,
    leaves,
)

MAX_COST = 100

_EQUALITY = 1  # of a field, with any number of values; also its presence
_TEST = 2  # an order, or anything about a label but a pattern
_ENTRY = 3  # anything about a parameter or a metric but a pattern
_PATTERN = 3
_ENTRY_PATTERN = 4
_LONG_PATTERN = 6
_FOLDED = 2  # times as much
_WORD = 10
_GAPPED_WORD = 30  # it may not begin in one label and end in another
_GAP = 3  # more, for each wildcard between two texts

_LONG = ("description", "schedule", "error")


def cost(predicate: Predicate) -> int:
    """Return what *predicate* costs."""
    return sum(map(weigh, leaves(predicate)))


def weigh(leaf: Leaf) -> int:
    """Return what a single test costs."""
    match leaf:
        case Compare(operand) | OneOf(operand) | Present(operand) if isinstance(operand, ENTRIES):
            return _ENTRY
        case Compare(operand, Op.EQ) | OneOf(operand) | Present(operand):
            return _TEST if isinstance(operand, Label) else _EQUALITY
        case Compare():
            return _TEST
        case Match(operand, pattern):
            return _weigh_pattern(operand, pattern)
        case Search(pattern):
            return (_GAPPED_WORD if pattern.gaps else _WORD) + _GAP * pattern.gaps
        case _:
            assert_never(leaf)


def first_beyond(
    terms: Iterable[tuple[int, Predicate]], predicate: Predicate, most: int = MAX_COST
) -> int:
    """Return the position of the term of *predicate* with which it costs more than *most*.

    *terms* are what was written, in order; what was merged into others is passed over.
    """
    left = [_plain(leaf) for leaf in leaves(predicate)]
    spent, last = 0, 0
    for position, term in terms:
        for leaf in map(_plain, leaves(term)):
            if leaf in left:
                left.remove(leaf)
                spent, last = spent + weigh(leaf), position
                if spent > most:
                    return position
    return last


def _plain(leaf: Leaf) -> Leaf:
    return evolve(leaf, expected=True)


def _weigh_pattern(operand: Operand, pattern: Pattern) -> int:
    if isinstance(operand, ENTRIES):
        weight = _ENTRY_PATTERN
    else:
        weight = _LONG_PATTERN if operand in _LONG else _PATTERN
    return (weight + _GAP * pattern.gaps) * (_FOLDED if pattern.folded else 1)
