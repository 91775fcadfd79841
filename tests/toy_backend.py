"""A backend in one JSON file, written from docs/writing-a-backend.md and nothing else.

A step reads the whole file, works on its own copy, and puts a new file in the
place of the old one; a refused step just forgets its copy. A lock file makes
the writers of all threads and processes take turns.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from attrs import evolve

from experiment_store.backend import Assignments, Change, Max, Parent, Refusal
from experiment_store.errors import BackendError
from experiment_store.filters.evaluate import matches
from experiment_store.ordering import arrange, follows, sort_values
from experiment_store.plain import FROM_PLAIN, to_plain
from experiment_store.plan import Plan, Rows
from experiment_store.records import Labels
from experiment_store.schema import KINDS, Field, Kind, R, Type, owned_by
from experiment_store.values import from_micros, to_micros

T = TypeVar("T")
Tables = dict[str, dict[str, Any]]


def connect(url: str) -> FileBackend:
    """Open ``toy:///path/to/file.json``."""
    return FileBackend(Path(url.removeprefix("toy://")))


class FileBackend:
    """The backend contract over one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = path.with_suffix(".lock")

    def setup(self) -> None:
        with self._turn("setup"):
            if not self._path.exists():
                self._save({kind.name: {} for kind in KINDS})

    def close(self) -> None:
        pass

    def get(self, kind: Kind[R], id: str) -> R | None:
        record: R | None = self._load("get")[kind.name].get(id)
        return record

    def select(self, plan: Plan[R]) -> Rows[R]:
        records = self._load("select")[plan.kind.name].values()
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
        def step(tables: Tables) -> Refusal | None:
            if parent is not None and not parent.ids <= tables[parent.kind.name].keys():
                return Refusal.MISSING
            if not _touch_parents(tables, parent):
                return Refusal.BLOCKED
            for record in records:
                if record.id in tables[kind.name]:
                    return Refusal.DUPLICATE
                tables[kind.name][record.id] = record
            return None if _is_unique(tables, kind) else Refusal.DUPLICATE

        return self._write("insert", step)

    def update(self, kind: Kind[R], id: str, change: Change) -> R | Refusal:
        def step(tables: Tables) -> R | Refusal:
            if refusal := _apply(tables, kind, id, change):
                return refusal
            changed: R = _assigned(tables[kind.name][id], change.assign)
            tables[kind.name][id] = changed
            return changed if _is_unique(tables, kind) else Refusal.DUPLICATE

        return self._write("update", step)

    def delete(self, kind: Kind[R], id: str, change: Change) -> Refusal | None:
        def step(tables: Tables) -> Refusal | None:
            if refusal := _apply(tables, kind, id, change):
                return refusal
            _remove(tables, kind, id)
            return None

        return self._write("delete", step)

    def _write(self, operation: str, step: Callable[[Tables], T]) -> T:
        with self._turn(operation):
            tables = self._load(operation)
            outcome = step(tables)
            if not isinstance(outcome, Refusal):
                self._save(tables)
            return outcome

    @contextmanager
    def _turn(self, operation: str) -> Iterator[None]:
        try:
            with self._lock.open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise BackendError(operation) from error

    def _load(self, operation: str) -> Tables:
        try:
            plain = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise BackendError(operation) from error
        return {
            kind.name: {row["id"]: _from_plain(kind, row) for row in plain[kind.name]}
            for kind in KINDS
        }

    def _save(self, tables: Tables) -> None:
        plain = {
            kind.name: [_to_plain(kind, record) for record in tables[kind.name].values()]
            for kind in KINDS
        }
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(plain), "utf-8")
        new.replace(self._path)


def _apply(tables: Tables, kind: Kind[Any], id: str, change: Change) -> Refusal | None:
    """Check the conditions of *change* and do all of it, but for the record itself."""
    current = tables[kind.name].get(id)
    if current is None:
        return Refusal.MISSING
    if not matches(change.where, current) or not _touch_parents(tables, change.parent):
        return Refusal.BLOCKED
    if any(_children(tables, childless, id) for childless in change.childless):
        return Refusal.BLOCKED
    for cascade in change.cascades:
        for child in _children(tables, cascade.kind, id):
            if matches(cascade.where, child):
                if cascade.assign is None:
                    _remove(tables, cascade.kind, child.id)
                else:
                    tables[cascade.kind.name][child.id] = _assigned(child, cascade.assign)
    return None


def _remove(tables: Tables, kind: Kind[Any], id: str) -> None:
    """Remove a record and what it owns."""
    del tables[kind.name][id]
    for owned in owned_by(kind):
        for part in _children(tables, owned, id):
            _remove(tables, owned, part.id)


def _touch_parents(tables: Tables, parent: Parent | None) -> bool:
    for id in parent.ids if parent else ():
        assert parent is not None
        found = tables[parent.kind.name].get(id)
        if found is None or not matches(parent.where, found):
            return False
        tables[parent.kind.name][id] = _assigned(found, parent.assign)
    return True


def _children(tables: Tables, kind: Kind[Any], id: str) -> list[Any]:
    rows = tables[kind.name].values()
    return [child for child in rows if getattr(child, kind.parent_field) == id]


def _is_unique(tables: Tables, kind: Kind[Any]) -> bool:
    rows = tables[kind.name].values()
    keys = {tuple(getattr(row, name) for name in kind.unique or ("id",)) for row in rows}
    return len(keys) == len(rows)


def _assigned(record: Any, assign: Assignments) -> Any:
    values = {}
    for name, value in assign.items():
        before = getattr(record, name)
        if isinstance(value, Max):
            values[name] = value.value if before is None else max(before, value.value)
        else:
            values[name] = value
    return evolve(record, **values)


def _to_plain(kind: Kind[Any], record: Any) -> dict[str, Any]:
    plain = {field.name: getattr(record, field.name) for field in kind.fields}
    for field in kind.fields:
        if field.type is Type.TIME and plain[field.name] is not None:
            plain[field.name] = to_micros(plain[field.name])
        elif field.type in FROM_PLAIN:
            plain[field.name] = to_plain(plain[field.name])
    return plain


def _from_plain(kind: Kind[R], plain: Mapping[str, Any]) -> R:
    return kind.record(*(_value(field, plain[field.name]) for field in kind.fields))


def _value(field: Field, plain: Any) -> Any:
    match field.type:
        case Type.TIME:
            return None if plain is None else from_micros(plain)
        case Type.LABELS:
            return Labels(plain)
        case Type.ENUM if field.enum is not None:
            return field.enum(plain)
        case Type.PARAMS | Type.METRICS | Type.ARTIFACTS:
            return FROM_PLAIN[field.type](plain)
        case _:
            return plain
