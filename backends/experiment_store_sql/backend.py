"""The backend contract in SQL.

Every write is one transaction that locks downwards: first the parents, in the
order of their ids, then the record, then its children in later statements, which
see all that was committed before the lock was had.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from operator import itemgetter
from typing import Any

from experiment_store.backend import Cascade, Change, Parent, Refusal
from experiment_store.capabilities import Migrations, SchemaStatus
from experiment_store.errors import BackendError, MigrationNeededError, UnsupportedError, quote
from experiment_store.filters.predicates import ALWAYS, Compare, OneOf, Op, Predicate, all_of
from experiment_store.plan import Plan, Rows
from experiment_store.records import Setting
from experiment_store.schema import SETTING, Kind, R, owned_by
from experiment_store_sql.codec import Row, codec, label_rows
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.failures import DuplicateKeyError
from experiment_store_sql.hosted import BoundSteps, Host
from experiment_store_sql.statements import Statements
from experiment_store_sql.steps import Steps
from experiment_store_sql.tables import LABELLED, RECORDS, SCHEMA_VERSION, SCHEMA_VERSION_ID
from experiment_store_sql.work import Work


class SqlBackend(ABC):
    """Six of the seven methods over any database; `setup` is the subclass's own."""

    def __init__(self, steps: Steps, dialect: Dialect, host: Host) -> None:
        """Run on *steps*, and close them at the end; *host* knows the hosts' connections."""
        self._steps = steps
        self._dialect = dialect
        self._host = host
        self.statements = Statements(dialect)

    @abstractmethod
    def setup(self) -> None:
        """Create the tables if there are none."""

    def bound(self, connection: Any) -> BoundBackend:
        """Return a backend whose steps are parts of the host's transaction on *connection*.

        Raises:
            InvalidArgumentError: It is no connection of SQLAlchemy's to this kind of database,
                or has no transactions.
        """
        self._host.check("connection", connection)
        return BoundBackend(
            BoundSteps(connection, self._dialect, self._host), self._dialect, self._host
        )

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._steps.close()

    def get(self, kind: Kind[R], id: str) -> R | None:
        """Read one record, in one statement."""
        rows = self._steps.fetch("get", self.statements.get(kind, id), stale=True)
        return codec(kind).record(rows[0]) if rows else None

    def select(self, plan: Plan[R]) -> Rows[R]:
        """Read a page in one statement; with the total, two of them in one snapshot."""
        records = codec(plan.kind).records
        # Without an order, it is several records by their keys: each of them counts.
        stale = bool(plan.order) or plan.limit == 1
        if not plan.total:
            call = self.statements.select(plan)
            return Rows(records(self._steps.fetch("select", call, stale=stale)))

        def step(work: Work) -> tuple[list[Row], int]:
            rows = work.all(self.statements.select(plan)) if plan.limit else []
            [(total,)] = work.all(self.statements.count(plan))
            return rows, total

        rows, total = self._steps.read("select", step, stale=stale)
        return Rows(records(rows), total)

    def explain(self, plan: Plan[Any]) -> Sequence[str]:
        """Return the database's own description of how it would read a page."""
        lines = self._steps.fetch("explain", self.statements.explain(plan))
        return [str(line[-1]) for line in lines]

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        """Add *records* in one transaction, in the order in which they are listed."""
        rows = codec(kind).rows(records)
        labelled = any(getattr(record, "labels", None) for record in records)
        single = len(rows) == 1 and (self._dialect.chains or not labelled)
        attempts = count()

        def step(work: Work) -> Refusal | None:
            if next(attempts):
                # Another batch has some of the same keys in another order, perhaps: both
                # waited for each other. In one order for everybody, one waits for the other.
                rows.sort(key=_natural_key(kind))
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

        try:
            return self._steps.write("insert", step, atomic=parent is not None or not single)
        except DuplicateKeyError:
            return Refusal.DUPLICATE

    def update(self, kind: Kind[R], id: str, change: Change) -> R | Refusal:
        """Apply *change*: the record first, then its labels and children."""
        target = Compare("id", Op.EQ, id)
        where = all_of((target, change.where))
        relabelled = "labels" in change.assign

        def step(work: Work) -> R | Refusal:
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
            return record

        try:
            return self._steps.write("update", step, atomic=relabelled or _has_relatives(change))
        except DuplicateKeyError:
            return Refusal.DUPLICATE

    def delete(self, kind: Kind[R], id: str, change: Change) -> Refusal | None:
        """Remove the record: lock it, remove its labels, itself and its children."""
        target = Compare("id", Op.EQ, id)

        def step(work: Work) -> Refusal | None:
            if refusal := self._guard(work, kind, id, change):
                return work.refuse(refusal)
            if not work.all(self.statements.lock(kind, all_of((target, change.where)))):
                return work.refuse(self._absence(work, kind, target))
            self._remove(work, kind, target)
            self._cascade(work, id, change.cascades)
            return None

        return self._steps.write("delete", step, atomic=True)

    def migrations(self) -> Migrations:
        """Return what knows the version of the tables, and brings them up to date."""
        from experiment_store_sql.migrations import (  # noqa: PLC0415 (few programs need it)
            Site,
            SqlMigrations,
        )

        site = Site(self._steps, self._dialect)
        return SqlMigrations(site, find=self._find_version, create=self.setup)

    @abstractmethod
    def _is_there(self) -> bool:
        """Look for the tables, without making anything."""

    def _find_version(self) -> str | None:
        """Return the version of the tables, if there are any; empty where they do not say it."""
        if not self._is_there():
            return None
        found = self.get(SETTING, SCHEMA_VERSION_ID)
        return found.value if found else ""

    def _record_version(self, work: Work) -> None:
        """Say in new tables which version of them this is."""
        version = Setting(SCHEMA_VERSION_ID, SCHEMA_VERSION)
        [row] = codec(SETTING).rows([version])
        work.run(self.statements.insert(SETTING, row))

    def _check_version(self) -> None:
        """Refuse tables of another version.

        Raises:
            MigrationNeededError: They are older.
            BackendError: They are newer.
        """
        found = self.get(SETTING, SCHEMA_VERSION_ID)
        version = found.value if found is not None else ""
        if version != SCHEMA_VERSION:
            if SchemaStatus(version, SCHEMA_VERSION).is_behind:
                raise MigrationNeededError("open", version, SCHEMA_VERSION)
            raise BackendError("open", f"failed: {_other_version(version)}")

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
        """Remove records that are locked, so that nobody adds to them in between."""
        if "labels" in kind.by_name:
            work.run(self.statements.unlabel(kind, where))
        for owned in owned_by(kind):
            work.run(self.statements.disown(owned, kind, where))
        work.run(self.statements.delete(kind, where))


class BoundBackend(SqlBackend):
    """A backend inside a transaction of a host's."""

    def setup(self) -> None:
        """Do nothing: the backend that it comes from has been set up."""

    def migrations(self) -> Migrations:
        """Refuse: each step is a transaction of its own."""
        raise UnsupportedError("migrate", "a store inside a transaction")

    def _is_there(self) -> bool:
        return True


def _other_version(version: str) -> str:
    if re.fullmatch("[0-9]{1,9}", version) is None:
        return f"the store has {quote(version)} for its schema: it is damaged, restore a backup"
    return (
        f"the store has schema {version}, this version of experiment_store knows up to"
        f" {SCHEMA_VERSION}: install a newer experiment-store"
    )


def _natural_key(kind: Kind[Any]) -> Callable[[Row], Any]:
    names = [field.name for field in kind.fields]
    return itemgetter(*map(names.index, (*kind.unique, "id")))


def _has_relatives(change: Change) -> bool:
    return bool(change.parent or change.childless or change.cascades)
