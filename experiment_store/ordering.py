"""Orders: which of two records comes first, for every listing and backend.

Text compares by code point, times by instant, enums by name, parameters and metrics
by their sort keys; an absent value is smaller than every present one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import frozen

from experiment_store.filters.evaluate import read
from experiment_store.filters.predicates import ENTRIES, Operand
from experiment_store.schema import R
from experiment_store.sort_keys import sort_key
from experiment_store.values import Value


@frozen
class SortKey:
    """One criterion: an operand, of text perhaps only the first *length* code points."""

    operand: Operand
    descending: bool = False
    length: int | None = None


Order = tuple[SortKey, ...]
"""Criteria, the first decides first."""


def sort_values(order: Order, record: Any) -> tuple[Value | None, ...]:
    """Return what *order* looks at in *record*."""
    return tuple(_sort_value(key, record) for key in order)


def arrange(order: Order, records: Iterable[R]) -> list[R]:
    """Sort *records*: the definition of what *order* means."""
    arranged = list(records)
    for key in reversed(order):  # sorting is stable, so the first key goes last
        arranged.sort(key=lambda record: _rank(_sort_value(key, record)), reverse=key.descending)
    return arranged


def follows(order: Order, values: Sequence[Value | None], after: Sequence[Value | None]) -> bool:
    """Tell whether a record with these sort *values* comes later than the place *after*."""
    for key, left, right in zip(order, values, after, strict=True):
        if left != right:
            return (_rank(left) > _rank(right)) is not key.descending
    return False


def _sort_value(key: SortKey, record: Any) -> Any:
    value = read(record, key.operand)
    if value is None:
        return None
    if isinstance(key.operand, ENTRIES):
        return sort_key(value)
    return value if key.length is None else value[: key.length]


def _rank(value: Any) -> tuple[Any, ...]:
    return (0,) if value is None else (1, value)
