"""The meaning of a predicate, in Python.

This is the definition that every backend is tested against, and what a
backend without a query language of its own may simply call.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, TypeAlias, assert_never

from experiment_store.filters.patterns import Pattern, fold
from experiment_store.filters.predicates import (
    All,
    AnyOf,
    Compare,
    Label,
    Match,
    OneOf,
    Op,
    Operand,
    Predicate,
    Present,
    Search,
)

Decide: TypeAlias = Callable[[Any], bool]
"""Whether a record satisfies a predicate."""

_COMPARE: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq, Op.LT: operator.lt, Op.LE: operator.le,
    Op.GT: operator.gt, Op.GE: operator.ge,
}  # fmt: skip
_JOINT = "\0"  # stands in no text
_TWO = 2


def matches(predicate: Predicate, record: Any) -> bool:
    """Decide *predicate* for one record; this is its definition, not a shortcut."""
    return decider(predicate)(record)


def decider(predicate: Predicate) -> Decide:
    """Return what decides *predicate*, to be asked about many records."""
    return _decider(predicate, _of_last(_searched))


def _decider(predicate: Predicate, searched: Callable[[Any], str]) -> Decide:
    match predicate:
        case Compare(operand, Op.EQ, value, expected):
            read_it = _reader(operand)
            return lambda record: (read_it(record) == value) is expected
        case Compare(operand, op, value, expected):
            compare = _COMPARE[op]
            return _leaf(operand, lambda actual: compare(actual, value), expected=expected)
        case OneOf(operand, values, expected):
            read_it = _reader(operand)
            return lambda record: (read_it(record) in values) is expected
        case Match(operand, pattern, expected):
            return _leaf(operand, _matcher(pattern), expected=expected)
        case Search(pattern, expected):
            return _search(pattern, searched, expected=expected)
        case Present("labels", expected):
            return lambda record: (len(record.labels) > 0) is expected
        case Present(operand, expected):
            return _leaf(operand, lambda _: True, expected=expected)
        case All(terms):
            return _all([_decider(term, searched) for term in terms])
        case AnyOf(terms):
            return _any([_decider(term, searched) for term in terms])
        case _:
            assert_never(predicate)


def read(record: Any, operand: Operand) -> Any:
    """Return the operand's value in *record*, ``None`` where it is absent."""
    return _reader(operand)(record)


def _reader(operand: Operand) -> Callable[[Any], Any]:
    if isinstance(operand, Label):
        key = operand.key
        return lambda record: record.labels.get(key)
    return attrgetter(operand)


def _leaf(operand: Operand, holds: Callable[[Any], bool], *, expected: bool) -> Decide:
    """A test of a present value; an absent one does not pass it."""
    read_it = _reader(operand)

    def decide(record: Any) -> bool:
        actual = read_it(record)
        return (actual is not None and holds(actual)) is expected

    return decide


def _matcher(pattern: Pattern) -> Callable[[str], bool]:
    word = pattern.word
    if word is None:
        return pattern.matches
    if pattern.folded:
        return lambda text: word in fold(text)
    return lambda text: word in text


def _search(pattern: Pattern, searched: Callable[[Any], str], *, expected: bool) -> Decide:
    word = pattern.word
    if word is None or pattern.folded or _JOINT in word:
        return lambda record: any(map(pattern.matches, _texts(record))) is expected
    return lambda record: (word in searched(record)) is expected


def _searched(record: Any) -> str:
    return _JOINT.join(_texts(record))


def _of_last(read: Callable[[Any], str]) -> Callable[[Any], str]:
    """Read each record once, as long as all tests of one come before those of the next."""
    last: tuple[Any, str] = (None, "")

    def read_again(record: Any) -> str:
        nonlocal last
        known, text = last  # set and read as one, so that threads may share it
        if known is not record:
            text = read(record)
            last = record, text
        return text

    return read_again


def _all(terms: list[Decide]) -> Decide:
    if len(terms) == _TWO:  # a loop takes half as long again
        first, second = terms
        return lambda record: first(record) and second(record)

    def decide(record: Any) -> bool:
        for term in terms:  # noqa: SIM110 (every scan's loop: a generator takes twice as long)
            if not term(record):
                return False
        return True

    return decide


def _any(terms: list[Decide]) -> Decide:
    if len(terms) == _TWO:
        first, second = terms
        return lambda record: first(record) or second(record)

    def decide(record: Any) -> bool:
        for term in terms:  # noqa: SIM110 (as above)
            if term(record):
                return True
        return False

    return decide


def _texts(record: Any) -> tuple[str, ...]:
    return (record.name, record.description, *record.labels.values())
