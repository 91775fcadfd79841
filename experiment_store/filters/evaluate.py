"""The meaning of a predicate, in Python.

This is the definition that every backend is tested against, and what a
backend without a query language of its own may simply call.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeAlias, assert_never

from experiment_store.filters.entries import COMPARE, entry_test
from experiment_store.filters.patterns import Pattern, matcher
from experiment_store.filters.predicates import (
    ENTRIES,
    All,
    AnyOf,
    Compare,
    Label,
    Match,
    MetricValue,
    OneOf,
    Op,
    Operand,
    Param,
    Predicate,
    Present,
    Search,
    Test,
)

Decide: TypeAlias = Callable[[Any], bool]
"""Whether a record satisfies a predicate."""

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
        case Search(pattern, expected):
            return _search(pattern, searched, expected=expected)
        case All(terms):
            return _all([_decider(term, searched) for term in terms])
        case AnyOf(terms):
            return _any([_decider(term, searched) for term in terms])
        case _:
            return _test(predicate)


def _test(leaf: Test) -> Decide:
    if isinstance(leaf.operand, ENTRIES):
        return _leaf(leaf.operand, entry_test(leaf), expected=leaf.expected)
    match leaf:
        case Compare(operand, Op.EQ, value, expected):
            read_it = _reader(operand)
            return lambda record: (read_it(record) == value) is expected
        case Compare(operand, op, value, expected):
            compare = COMPARE[op]
            return _leaf(operand, lambda actual: compare(actual, value), expected=expected)
        case OneOf(operand, values, expected):
            read_it = _reader(operand)
            return lambda record: (read_it(record) in values) is expected
        case Match(operand, pattern, expected):
            return _leaf(operand, matcher(pattern), expected=expected)
        case Present("labels" | "params" | "metrics" as name, expected):
            entries = attrgetter(name)
            return lambda record: (len(entries(record)) > 0) is expected
        case Present(operand, expected):
            return _leaf(operand, lambda _: True, expected=expected)
        case _:
            assert_never(leaf)


def read(record: Any, operand: Operand) -> Any:
    """Return the operand's value in *record*, ``None`` where it is absent."""
    return _reader(operand)(record)


def _reader(operand: Operand) -> Callable[[Any], Any]:
    match operand:
        case Label(key):
            return lambda record: record.labels.get(key)
        case Param(key):
            return lambda record: record.params.get(key)
        case MetricValue(name, statistic):
            value = attrgetter(statistic)
            return lambda record: value(m) if (m := record.metrics.get(name)) else None
        case str():
            return attrgetter(operand)
        case _:
            assert_never(operand)


def _leaf(operand: Operand, holds: Callable[[Any], bool], *, expected: bool) -> Decide:
    """A test of a present value; an absent one does not pass it."""
    read_it = _reader(operand)

    def decide(record: Any) -> bool:
        actual = read_it(record)
        return (actual is not None and holds(actual)) is expected

    return decide


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
