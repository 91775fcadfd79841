"""Keeps experiments in the memory of this process: for tests, and for reading.

Dictionaries, sorted lists and one lock. Every write checks everything first and
changes something only then, so there is never anything to undo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from threading import RLock
from typing import Any

from attrs import evolve

from experiment_store.backend import Assignments, Cascade, Change, Max, Parent, Refusal
from experiment_store.filters.evaluate import decider, matches
from experiment_store.ordering import arrange, follows, sort_values
from experiment_store.plan import Plan, Rows
from experiment_store.schema import KINDS, Kind, R, owned_by
from experiment_store_memory.table import Table

__all__ = ["MemoryBackend", "connect"]


def connect(url: str) -> MemoryBackend:
    """Open a new, empty store; ``memory://`` has no parameters."""
    del url
    return MemoryBackend()


class MemoryBackend:
    """The backend contract over dictionaries; nothing outlives the object."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = RLock()
        self._is_changing = False
        self._tables: dict[str, Table[Any]] = {kind.name: Table(kind) for kind in KINDS}

    def setup(self) -> None:
        """Do nothing: all is there."""

    def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def get(self, kind: Kind[R], id: str) -> R | None:
        """Read one record; not in the middle of a write.

        One look into a dictionary is atomic, with or without a global lock, and
        a lock costs several times as much: only while a change is under way
        does a reader wait. One who looked for a change just before it began
        still has its place before or after the whole of it.
        """
        if self._is_changing:
            with self._lock:
                pass
        found: R | None = self._tables[kind.name].records.get(id)
        return found

    def select(self, plan: Plan[R]) -> Rows[R]:
        """Read a page and perhaps the total."""
        table = self._table(plan.kind)
        with self._lock:
            items = table.walk(plan)
            if items is not None and not plan.total:
                return Rows(items)
            records = table.candidates(plan.where)
        found = list(filter(decider(plan.where), records))
        total = len(found) if plan.total else None
        return Rows(_page(plan, found) if items is None else items, total)

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        """Add all *records* and update their parents, or do nothing."""
        table = self._table(kind)
        with self._lock:
            if parent is not None and (refusal := self._refusal(parent)):
                return refusal
            if not table.has_room(records):
                return Refusal.DUPLICATE
            self._commit(table.put, records, parent)
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
            if not table.may_become(changed):
                return Refusal.DUPLICATE
            self._commit(table.put, [changed], change.parent, change.cascades)
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
            self._commit(partial(self._remove, kind), [current], change.parent, change.cascades)
            return None

    def _table(self, kind: Kind[R]) -> Table[R]:
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

    def _commit(
        self,
        write: Callable[[Sequence[R]], None],
        records: Sequence[R],
        parent: Parent | None,
        cascades: Sequence[Cascade] = (),
    ) -> None:
        """Carry out what nothing is in the way of; whoever comes to `get` meanwhile waits."""
        try:
            self._is_changing = True
            write(records)
            if parent is not None:
                self._touch(parent)
            for cascade in cascades:
                for record in records:
                    self._cascade(record.id, cascade)
        finally:
            self._is_changing = False

    def _remove(self, kind: Kind[R], records: Sequence[R]) -> None:
        """Remove *records* and what they own."""
        for owned in owned_by(kind):
            for record in records:
                self._remove(owned, self._table(owned).children(record.id))
        self._table(kind).remove(records)

    def _touch(self, parent: Parent) -> None:
        table = self._table(parent.kind)
        table.put([_assigned(table.records[id], parent.assign) for id in parent.ids])

    def _cascade(self, id: str, cascade: Cascade) -> None:
        table = self._table(cascade.kind)
        children = list(filter(decider(cascade.where), table.children(id)))
        if cascade.assign is None:
            self._remove(cascade.kind, children)
        else:
            table.put([_assigned(child, cascade.assign) for child in children])


def _page(plan: Plan[R], found: Sequence[R]) -> list[R]:
    if plan.after is not None:
        found = [r for r in found if follows(plan.order, sort_values(plan.order, r), plan.after)]
    return arrange(plan.order, found)[: plan.limit]


def _assigned(record: R, assign: Assignments) -> R:
    values = {name: _resolved(getattr(record, name), value) for name, value in assign.items()}
    changed: R = evolve(record, **values)
    return changed


def _resolved(current: Any, value: Any) -> Any:
    if not isinstance(value, Max):
        return value
    return value.value if current is None else max(current, value.value)
