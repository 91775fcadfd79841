"""The backend contract in SQL.

Every write is one transaction that locks downwards: first the parents, in the
order of their ids, then the record, then its children in later statements, which
see all that was committed before the lock was had.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from operator import attrgetter
from typing import Any

from experiment_store.backend import Cascade, Change, Parent, Refusal
from experiment_store.errors import BackendError
from experiment_store.filters.predicates import ALWAYS, Compare, OneOf, Op, Predicate, all_of
from experiment_store.plan import Plan, Rows
from experiment_store.records import Setting
from experiment_store.schema import SETTING, Kind, R
from experiment_store_sql.codec import Row, codec, label_rows
from experiment_store_sql.connections import Connections
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.statements import Call, Statements
from experiment_store_sql.tables import LABELLED, RECORDS, SCHEMA_VERSION
from experiment_store_sql.work import DeadlockError, DuplicateKeyError, Work, fetch, working

_VERSION = "schema_version"
_ATTEMPTS = 5


class SqlBackend(ABC):
    """Six of the seven methods over any database; `setup` is the subclass's own."""

    def __init__(self, connections: Connections, dialect: Dialect) -> None:
        """Use *connections*, and close them at the end."""
        self._connections = connections
        self._dialect = dialect
        self.statements = Statements(dialect)

    @abstractmethod
    def setup(self) -> None:
        """Create the tables if there are none."""

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._connections.close()

    def get(self, kind: Kind[R], id: str) -> R | None:
        """Read one record, in one statement."""
        rows = self._fetch("get", self.statements.get(kind, id))
        return codec(kind).record(rows[0]) if rows else None

    def select(self, plan: Plan[R]) -> Rows[R]:
        """Read a page in one statement; with the total, two of them in one snapshot."""
        records = codec(plan.kind).records
        if not plan.total:
            return Rows(records(self._fetch("select", self.statements.select(plan))))
        with self._reading("select", self._dialect.begin_read) as work:
            rows = work.all(self.statements.select(plan)) if plan.limit else []
            [(total,)] = work.all(self.statements.count(plan))
        return Rows(records(rows), total)

    def explain(self, plan: Plan[Any]) -> Sequence[str]:
        """Return the database's own description of how it would read a page."""
        lines = self._fetch("explain", self.statements.explain(plan))
        return [str(line[-1]) for line in lines]

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        """Add *records* in one transaction, in the order in which they are listed."""
        try:
            for _ in range(_ATTEMPTS):
                try:
                    return self._insert(kind, records, parent)
                except DeadlockError:
                    # Another batch has some of the same keys in another order: both waited
                    # for each other. In one order for everybody, one waits for the other.
                    records = sorted(records, key=_natural_key(kind))
            return self._insert(kind, records, parent)
        except DuplicateKeyError:
            return Refusal.DUPLICATE

    def _insert(self, kind: Kind[R], records: Sequence[R], parent: Parent | None) -> Refusal | None:
        rows = codec(kind).rows(records)
        labelled = any(getattr(record, "labels", None) for record in records)
        single = len(rows) == 1 and (self._dialect.chains or not labelled)
        with self._writing("insert", atomic=parent is not None or not single) as work:
            if parent is not None and (refusal := self._touch(work, parent)):
                return work.refuse(refusal)
            if single:
                added = work.run(self.statements.insert(kind, rows[0], label_rows(records)))
            else:
                added = work.add(RECORDS[kind.name], rows)
            if added < len(rows):
                return work.refuse(Refusal.DUPLICATE)
            if labelled and not single:
                work.add(LABELLED[kind.name], label_rows(records))
        return None

    def update(self, kind: Kind[R], id: str, change: Change) -> R | Refusal:
        """Apply *change*: the record first, then its labels and children."""
        target = Compare("id", Op.EQ, id)
        where = all_of((target, change.where))
        relabelled = "labels" in change.assign
        several = relabelled or _has_relatives(change)
        try:
            with self._writing("update", atomic=several) as work:
                if refusal := self._guard(work, kind, id, change):
                    return work.refuse(refusal)
                row = work.first(self.statements.update(kind, where, change.assign, returning=True))
                if row is None:
                    return work.refuse(self._absence(work, kind, target))
                record: R = codec(kind).record(row)
                if relabelled:
                    work.run(self.statements.unlabel(kind, target))
                    work.add(LABELLED[kind.name], label_rows([record]))
                self._cascade(work, id, change.cascades)
        except DuplicateKeyError:
            return Refusal.DUPLICATE
        return record

    def delete(self, kind: Kind[R], id: str, change: Change) -> Refusal | None:
        """Remove the record: lock it, remove its labels, itself and its children."""
        target = Compare("id", Op.EQ, id)
        with self._writing("delete", atomic=True) as work:
            if refusal := self._guard(work, kind, id, change):
                return work.refuse(refusal)
            if not work.all(self.statements.lock(kind, all_of((target, change.where)))):
                return work.refuse(self._absence(work, kind, target))
            self._remove(work, kind, target)
            self._cascade(work, id, change.cascades)
        return None

    def _record_version(self, work: Work) -> None:
        """Say in new tables which version of them this is."""
        version = Setting(_VERSION, SCHEMA_VERSION)
        [row] = codec(SETTING).rows([version])
        work.run(self.statements.insert(SETTING, row))

    def _check_version(self) -> None:
        """Refuse tables of another version.

        Raises:
            BackendError: They are.
        """
        found = self.get(SETTING, _VERSION)
        if found is None or found.value != SCHEMA_VERSION:
            version = found and found.value
            raise BackendError(
                "open", f"failed: the store has schema {version}, not {SCHEMA_VERSION}"
            )

    def _touch(self, work: Work, parent: Parent) -> Refusal | None:
        """Lock the parents and assign to them, if all are there and fit."""
        these = OneOf("id", parent.ids)
        fit = all_of((these, parent.where))
        single = len(parent.ids) == 1
        if parent.assign and single:
            found = work.run(self.statements.update(parent.kind, fit, parent.assign))
        else:
            shared = not parent.assign
            found = len(work.all(self.statements.lock(parent.kind, fit, shared=shared)))
        if found < len(parent.ids):
            there = len(work.all(self.statements.lock(parent.kind, these, shared=True)))
            return Refusal.MISSING if there < len(parent.ids) else Refusal.BLOCKED
        if parent.assign and not single:
            work.run(self.statements.update(parent.kind, these, parent.assign))
        return None

    def _guard(self, work: Work, kind: Kind[Any], id: str, change: Change) -> Refusal | None:
        """Check the relatives on which *change* depends, and keep them as they are."""
        target = Compare("id", Op.EQ, id)
        blocked = change.parent is not None and self._touch(work, change.parent) is not None
        if change.childless and not blocked:
            blocked = not work.all(self.statements.lock(kind, target)) or any(
                work.first(self.statements.any(child, Compare(child.parent_field, Op.EQ, id)))
                for child in change.childless
            )
        return self._absence(work, kind, target) if blocked else None

    def _absence(self, work: Work, kind: Kind[Any], target: Predicate) -> Refusal:
        """Tell why nothing matched: the record is not there, or does not fit."""
        there = work.first(self.statements.any(kind, target))
        return Refusal.MISSING if there is None else Refusal.BLOCKED

    def _cascade(self, work: Work, id: str, cascades: Iterable[Cascade]) -> None:
        for cascade in cascades:
            children = Compare(cascade.kind.parent_field, Op.EQ, id)
            where = all_of((children, cascade.where))
            if cascade.assign is None:
                if cascade.where == ALWAYS:
                    work.all(self.statements.lock_all(cascade.kind, where))
                else:  # it may be about the labels, which are the first to go
                    locked = work.all(self.statements.lock(cascade.kind, where))
                    where = OneOf("id", frozenset(id for (id,) in locked))
                self._remove(work, cascade.kind, where)
            else:
                work.run(self.statements.update(cascade.kind, where, cascade.assign))

    def _remove(self, work: Work, kind: Kind[Any], where: Predicate) -> None:
        """Remove records that are locked, so that nobody labels them in between."""
        if "labels" in kind.by_name:
            work.run(self.statements.unlabel(kind, where))
        work.run(self.statements.delete(kind, where))

    def _fetch(self, operation: str, call: Call) -> list[Row]:
        return fetch(self._connections, self._dialect, operation, call)

    def _reading(self, operation: str, begin: str) -> AbstractContextManager[Work]:
        dialect = self._dialect
        return working(self._connections, dialect, operation, dialect.reading(), begin)

    def _writing(self, operation: str, *, atomic: bool) -> AbstractContextManager[Work]:
        dialect = self._dialect
        begin = dialect.begin_write if atomic else ""
        return working(self._connections, dialect, operation, dialect.writing(), begin)


def _natural_key(kind: Kind[Any]) -> Callable[[Any], Any]:
    return attrgetter(*kind.unique, "id")


def _has_relatives(change: Change) -> bool:
    return bool(change.parent or change.childless or change.cascades)
