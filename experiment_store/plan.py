"""What the store asks a backend to read, and what it gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from attrs import frozen

from experiment_store.filters.predicates import Predicate
from experiment_store.ordering import SortKey
from experiment_store.schema import Kind, R
from experiment_store.values import Value


@frozen
class Plan(Generic[R]):
    """One page of one listing.

    *order* is total for the rows that *where* admits: it ends with the id or
    has a unique key in it. It is empty only where the order is immaterial,
    because at most one row can match or the caller arranges the rows itself.
    *after* holds the sort values of the row before the page.
    """

    kind: Kind[R]
    where: Predicate
    order: tuple[SortKey, ...] = ()
    after: tuple[Value | None, ...] | None = None
    limit: int = 1
    total: bool = False


@frozen
class Rows(Generic[R]):
    """The items of a page and, if the plan asked, how many match *where* in all."""

    items: Sequence[R]
    total: int | None = None
