"""The meaning of a predicate, in Python.

This is the definition that every backend is tested against, and what a
backend without a query language of its own may simply call.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, assert_never

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

_COMPARE: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq, Op.LT: operator.lt, Op.LE: operator.le,
    Op.GT: operator.gt, Op.GE: operator.ge,
}  # fmt: skip


def matches(predicate: Predicate, record: Any) -> bool:
    """Decide *predicate* for one record; this is its definition, not a shortcut."""
    match predicate:
        case Compare(operand, op, value, expected):
            actual = read(record, operand)
            return (actual is not None and _COMPARE[op](actual, value)) is expected
        case OneOf(operand, values, expected):
            return (read(record, operand) in values) is expected
        case Match(operand, pattern, expected):
            actual = read(record, operand)
            return (actual is not None and pattern.matches(actual)) is expected
        case Search(pattern, expected):
            texts = (record.name, record.description, *record.labels.values())
            return any(map(pattern.matches, texts)) is expected
        case Present("labels", expected):
            return (len(record.labels) > 0) is expected
        case Present(operand, expected):
            return (read(record, operand) is not None) is expected
        case All(terms):
            return all(matches(term, record) for term in terms)
        case AnyOf(terms):
            return any(matches(term, record) for term in terms)
        case _:
            assert_never(predicate)


def read(record: Any, operand: Operand) -> Any:
    """Return the operand's value in *record*, ``None`` where it is absent."""
    if isinstance(operand, Label):
        return record.labels.get(operand.key)
    return getattr(record, operand)
