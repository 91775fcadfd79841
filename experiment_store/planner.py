"""Listings: from the words of a request to plans for the backend, and back to pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Generic

from attrs import frozen

from experiment_store.filters import compile_filter
from experiment_store.filters.predicates import (
    PREDICATES,
    All,
    Compare,
    Label,
    MetricValue,
    Op,
    Operand,
    Param,
    Predicate,
    all_of,
)
from experiment_store.filters.render import render
from experiment_store.filters.times import NOW_WORDS
from experiment_store.order_by import parse_order_by
from experiment_store.ordering import Order, sort_values
from experiment_store.plan import Plan
from experiment_store.schema import Kind, R
from experiment_store.tokens import Bookmark, digest
from experiment_store.values import Value

_MOST_KEPT = 256
_LONGEST_KEPT = 1_000  # characters of a filter
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@frozen
class Listing(Generic[R]):
    """A request understood: which rows, in which order, as of which instant."""

    kind: Kind[R]
    where: Predicate
    order: Order
    now: datetime
    digest: bytes

    def plan(
        self, limit: int, after: tuple[Value | None, ...] | None = None, *, total: bool = False
    ) -> Plan[R]:
        """Ask for at most *limit* rows after a place in this listing."""
        return Plan(self.kind, self.where, self.order, after, limit, total)

    def bookmark(self, last: R) -> Bookmark:
        """Mark the place after the row *last*."""
        return Bookmark(self.digest, self.now, sort_values(self.order, last))


def open_listing(
    kind: Kind[R], scope: Mapping[str, str], filter: str | Predicate, order_by: str, now: datetime
) -> Listing[R]:
    """Understand a request for the records whose fields have the values of *scope*.

    Raises:
        InvalidFilterError, InvalidOrderByError: A text means nothing.
    """
    pins = tuple(scope.items())
    if not isinstance(filter, str) or len(filter) > _LONGEST_KEPT or not isinstance(order_by, str):
        return _understand(kind, pins, filter, order_by, now)
    # The same listings are asked for again and again, most of them at any instant.
    timeless = not any(word in filter for word in NOW_WORDS)
    kept = _understand_once(kind, pins, filter, order_by, _ANY_TIME if timeless else now)
    return Listing(kind, kept.where, kept.order, now, kept.digest)


def _understand(
    kind: Kind[R],
    scope: tuple[tuple[str, str], ...],
    filter: str | Predicate,
    order_by: str,
    now: datetime,
) -> Listing[R]:
    chosen = filter if isinstance(filter, PREDICATES) else compile_filter(filter, kind, now)
    order = parse_order_by(order_by, kind)
    pins = (Compare(name, Op.EQ, value) for name, value in scope)
    where = all_of((*pins, chosen))
    identity = {
        "kind": kind.name,
        "scope": dict(scope),
        "filter": render(chosen),
        "order": [[*_words(key.operand), key.descending] for key in order],
    }
    return Listing(kind, where, _without_idle_keys(kind, where, order), now, digest(identity))


_understand_once = lru_cache(_MOST_KEPT)(_understand)


def _words(operand: Operand) -> list[Any]:
    match operand:
        case Label(key):
            return ["labels", key]
        case Param(key):
            return ["params", key]
        case MetricValue(name, statistic):
            return ["metrics", name, statistic]
        case _:
            return [operand]


def _without_idle_keys(kind: Kind[R], where: Predicate, order: Order) -> Order:
    """Cut *order* after the key that makes it total; where one row can match, to nothing.

    Where a name is unique, the id after it decides nothing, but would keep a
    database from reading the rows in the order of its unique index.
    """
    known = {
        term.operand
        for term in (where.terms if isinstance(where, All) else (where,))
        if isinstance(term, Compare) and term.op is Op.EQ and term.expected
    }
    for length, key in enumerate(order):
        if "id" in known or (kind.unique and known.issuperset(kind.unique)):
            return order[:length]
        if key.length is None:
            known.add(key.operand)
    return order
