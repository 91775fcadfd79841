"""The records of one kind, and indexes that narrow down what a step has to look at.

What a plan means is said by `decider`, `follows` and `arrange` alone: an index
only leaves out what they would. A record's place in the default order is
(created_at, id); as that never changes, indexes hold places, and records are
kept once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, islice, product
from math import prod
from operator import attrgetter
from typing import Any, Generic, TypeAlias

from experiment_store.filters.evaluate import decider
from experiment_store.filters.predicates import ALWAYS, All, Compare, OneOf, Op, Predicate
from experiment_store.ordering import SortKey
from experiment_store.plan import Plan
from experiment_store.schema import Kind, R
from experiment_store.values import Value

Place: TypeAlias = tuple[Any, ...]
"""Where a record stands in the default order; it ends with the id."""

_BY_ID = (SortKey("id"),)


class Table(Generic[R]):
    """The records of a kind: by id, by natural key, in the default order, and so by parent."""

    def __init__(self, kind: Kind[R]) -> None:
        """Start empty."""
        names = tuple(name for name in ("created_at", "id") if name in kind.by_name)
        self._unique = kind.unique
        self._parent_field = kind.parent_field if kind.parent else None
        self._key, self._place = _values(kind.unique), _values(names)
        self._forward = tuple(SortKey(name) for name in names)
        self._backward = tuple(SortKey(name, descending=True) for name in names)
        self._by_id: list[Place] | None = None  # made by the first who walks in that order
        self.records: dict[str, R] = {}
        self._ids_by_key: dict[tuple[Any, ...], str] = {}
        self._places: list[Place] = []
        self._places_by_parent: dict[Value, list[Place]] = {}

    def has_room(self, records: Sequence[R]) -> bool:
        """Tell whether no id and no natural key of *records* is taken, or stands there twice."""
        ids = {record.id for record in records}
        keys = {self._key(record) for record in records} if self._unique else ids
        return (
            len(ids) == len(keys) == len(records)
            and self.records.keys().isdisjoint(ids)
            and self._ids_by_key.keys().isdisjoint(keys)
        )

    def may_become(self, record: R) -> bool:
        """Tell whether the natural key of *record* is free, or belongs to its id."""
        return not self._unique or (self._ids_by_key.get(self._key(record), record.id) == record.id)

    def put(self, records: Sequence[R]) -> None:
        """Add *records*, or replace those with their ids."""
        for record in records:
            former = self.records.get(record.id)
            self.records[record.id] = record
            if former is None:
                _add(self._places, place := self._place(record))
                if self._by_id is not None:
                    _add(self._by_id, (record.id,))
                if self._parent_field is not None:
                    parent = getattr(record, self._parent_field)
                    _add(self._places_by_parent.setdefault(parent, []), place)
            if self._unique:
                if former is not None:
                    del self._ids_by_key[self._key(former)]
                self._ids_by_key[self._key(record)] = record.id

    def remove(self, records: Sequence[R]) -> None:
        """Remove *records*, which are there."""
        groups: dict[str, list[Place]] = {}
        for record in records:
            del self.records[record.id]
            if self._unique:
                del self._ids_by_key[self._key(record)]
            if self._parent_field is not None:
                parent = getattr(record, self._parent_field)
                groups.setdefault(parent, []).append(self._place(record))
        _discard(self._places, [self._place(record) for record in records])
        self._by_id = None
        for parent, group in groups.items():
            _discard(places := self._places_by_parent[parent], group)
            if not places:
                del self._places_by_parent[parent]

    def children(self, parent_id: str) -> list[R]:
        """The records that belong to this parent."""
        return [self.records[id] for *_, id in self._places_by_parent.get(parent_id, ())]

    def candidates(self, where: Predicate) -> list[R]:
        """All records that *where* admits, and perhaps others."""
        if (places := self._narrowed(where)) is self._places:
            return list(self.records.values())
        return [self.records[id] for *_, id in places]

    def walk(self, plan: Plan[R]) -> list[R] | None:
        """Read the page from its place on, if there are places in its order."""
        forward = plan.order != self._backward
        if plan.order == _BY_ID and plan.where == ALWAYS:
            places = self._places_by_id()
        elif plan.order == self._forward or not forward:
            places = self._narrowed(plan.where)
        else:
            return None
        records = self.records
        numbers = range(len(places))
        if not forward:
            end = len(places) if plan.after is None else bisect_left(places, plan.after)
            numbers = numbers[:end][::-1]
        elif plan.after is not None:
            numbers = numbers[bisect_right(places, plan.after) :]
        if plan.where == ALWAYS:  # true of all, so there is no need to look at any
            return [records[places[number][-1]] for number in numbers[: plan.limit]]
        found = (records[places[number][-1]] for number in numbers)
        return list(islice(filter(decider(plan.where), found), plan.limit))

    def _places_by_id(self) -> list[Place]:
        if self._by_id is None:
            self._by_id = sorted((id,) for id in self.records)
        return self._by_id

    def _narrowed(self, where: Predicate) -> list[Place]:
        """The places of all records that *where* admits, and perhaps others, in order."""
        pins = dict(_pins(where))
        if (ids := pins.get("id")) is not None:
            return self._places_of(ids)
        if self._unique and pins.keys() >= set(self._unique):
            values = [pins[name] for name in self._unique]
            if prod(map(len, values)) <= len(self.records):
                return self._places_of(map(self._ids_by_key.get, product(*values)))
        if self._parent_field is not None and self._parent_field in pins:
            groups = [self._places_by_parent.get(id, []) for id in pins[self._parent_field]]
            return groups[0] if len(groups) == 1 else sorted(chain(*groups))
        return self._places

    def _places_of(self, ids: Iterable[Any]) -> list[Place]:
        return sorted(self._place(self.records[id]) for id in ids if id in self.records)


def _values(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:  # then it returns tuples, and is faster than what is below
        return attrgetter(*names)
    return lambda record: tuple(getattr(record, name) for name in names)


def _pins(where: Predicate) -> Iterator[tuple[str, Collection[Value]]]:
    """The fields that *where* allows some values only, with these."""
    for term in where.terms if isinstance(where, All) else (where,):
        match term:
            case Compare(str(name), Op.EQ, value, True):
                yield name, (value,)
            case OneOf(str(name), values, True):
                yield name, values
            case _:
                pass


def _add(places: list[Place], place: Place) -> None:
    """Insert *place*; clocks move on, so that nearly always it is the last."""
    if places and place < places[-1]:
        insort(places, place)
    else:
        places.append(place)


def _discard(places: list[Place], gone: Sequence[Place]) -> None:
    """Delete all that are *gone*.

    A deletion moves the places behind it, which is quick, but not for many of
    them: copying what remains is quicker for more than about their square root.
    """
    if len(gone) ** 2 > len(places):
        ids = {id for *_, id in gone}
        places[:] = [place for place in places if place[-1] not in ids]
    else:
        for place in gone:
            del places[bisect_left(places, place)]
