"""Keeps experiments in the memory of this process: for tests, and for reading.

Dictionaries and one lock. Every write checks everything first and changes
something only then, so there is never anything to undo.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from threading import RLock
from typing import Any, Generic

from attrs import define, evolve, field

from experiment_store.backend import Assignments, Change, Max, Parent, Refusal
from experiment_store.filters.evaluate import matches
from experiment_store.ordering import arrange, follows, sort_values
from experiment_store.plan import Plan, Rows
from experiment_store.schema import KINDS, Kind, R

__all__ = ["MemoryBackend", "connect"]


def connect(url: str) -> MemoryBackend:
    """Open a new, empty store; ``memory://`` has no parameters."""
    del url
    return MemoryBackend()


@define
class _Table(Generic[R]):
    kind: Kind[R]
    records: dict[str, R] = field(factory=dict)
    ids_by_key: dict[tuple[Any, ...], str] = field(factory=dict)

    def key(self, record: R) -> tuple[Any, ...]:
        """The natural key; where a kind has none, the id will do."""
        return tuple(getattr(record, name) for name in self.kind.unique or ("id",))

    def put(self, record: R) -> None:
        """Add *record*, or replace the one with its id."""
        if (former := self.records.get(record.id)) is not None:
            del self.ids_by_key[self.key(former)]
        self.records[record.id] = record
        self.ids_by_key[self.key(record)] = record.id

    def remove(self, id: str) -> None:
        """Remove the record with this id, if there is one."""
        if (record := self.records.pop(id, None)) is not None:
            del self.ids_by_key[self.key(record)]

    def children(self, parent_id: str) -> list[R]:
        """The records that belong to this parent."""
        name = self.kind.parent_field
        return [record for record in self.records.values() if getattr(record, name) == parent_id]


class MemoryBackend:
    """The backend contract over dictionaries; nothing outlives the object."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = RLock()
        self._tables = {kind.name: _Table(kind) for kind in KINDS}

    def setup(self) -> None:
        """Do nothing: all is there."""

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def get(self, kind: Kind[R], id: str) -> R | None:
        """Read one record; not in the middle of a write."""
        with self._lock:
            return self._table(kind).records.get(id)

    def select(self, plan: Plan[R]) -> Rows[R]:
        """Read a page and perhaps the total."""
        with self._lock:
            records = list(self._table(plan.kind).records.values())
        found = [record for record in records if matches(plan.where, record)]
        total = len(found) if plan.total else None
        if plan.after is not None:
            found = [
                r for r in found if follows(plan.order, sort_values(plan.order, r), plan.after)
            ]
        return Rows(arrange(plan.order, found)[: plan.limit], total)

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        """Add all *records* and update their parents, or do nothing."""
        table = self._table(kind)
        with self._lock:
            if parent is not None and (refusal := self._refusal(parent)):
                return refusal
            if _clash(records, table.records, [record.id for record in records]) or _clash(
                records, table.ids_by_key, [table.key(record) for record in records]
            ):
                return Refusal.DUPLICATE
            for record in records:
                table.put(record)
            self._touch(parent)
            return None

    def update(self, kind: Kind[R], id: str, change: Change) -> R | Refusal:
        """Apply *change* and its cascades, or do nothing."""
        table = self._table(kind)
        with self._lock:
            current = table.records.get(id)
            if current is None:
                return Refusal.MISSING
            if self._is_blocked(current, change):
                return Refusal.BLOCKED
            changed = _assigned(current, change.assign)
            if table.ids_by_key.get(table.key(changed), id) != id:
                return Refusal.DUPLICATE
            table.put(changed)
            self._cascade(id, change)
            return changed

    def delete(self, kind: Kind[R], id: str, change: Change) -> Refusal | None:
        """Remove the record and apply the cascades, or do nothing."""
        table = self._table(kind)
        with self._lock:
            current = table.records.get(id)
            if current is None:
                return Refusal.MISSING
            if self._is_blocked(current, change):
                return Refusal.BLOCKED
            table.remove(id)
            self._cascade(id, change)
            return None

    def _table(self, kind: Kind[R]) -> _Table[R]:
        return self._tables[kind.name]

    def _refusal(self, parent: Parent) -> Refusal | None:
        records = self._table(parent.kind).records
        if not parent.ids <= records.keys():
            return Refusal.MISSING
        fit = all(matches(parent.where, records[id]) for id in parent.ids)
        return None if fit else Refusal.BLOCKED

    def _is_blocked(self, current: Any, change: Change) -> bool:
        return (
            not matches(change.where, current)
            or (change.parent is not None and self._refusal(change.parent) is not None)
            or any(self._table(kind).children(current.id) for kind in change.childless)
        )

    def _cascade(self, id: str, change: Change) -> None:
        self._touch(change.parent)
        for cascade in change.cascades:
            table = self._table(cascade.kind)
            for child in table.children(id):
                if not matches(cascade.where, child):
                    continue
                if cascade.assign is None:
                    table.remove(child.id)
                else:
                    table.put(_assigned(child, cascade.assign))

    def _touch(self, parent: Parent | None) -> None:
        if parent is not None and parent.assign:
            table = self._table(parent.kind)
            for id in parent.ids:
                table.put(_assigned(table.records[id], parent.assign))


def _clash(records: Sequence[Any], taken: Collection[Any], keys: Sequence[Any]) -> bool:
    return len(set(keys)) < len(records) or any(key in taken for key in keys)


def _assigned(record: R, assign: Assignments) -> R:
    values = {name: _resolved(getattr(record, name), value) for name, value in assign.items()}
    changed: R = evolve(record, **values)
    return changed


def _resolved(current: Any, value: Any) -> Any:
    if not isinstance(value, Max):
        return value
    return value.value if current is None else max(current, value.value)
