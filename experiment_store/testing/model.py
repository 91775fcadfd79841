"""What a store does, as its documentation says it: dictionaries in lists.

The model shares no code with the store or with any backend. In place of an etag
a row has a *version*, another one after every change. Whoever calls the model
says which ids the store made, and which etag was stale; the clock is `now`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cmp_to_key
from itertools import count
from typing import Any

from experiment_store.errors import (
    AlreadyExistsError,
    ConflictError,
    FailedPreconditionError,
    NotFoundError,
    Obstacle,
)
from experiment_store.testing.exact import exactly
from experiment_store.testing.listings import KindName, Listing, OrderBy, Row

KIND_NAMES: tuple[KindName, ...] = ("experiment", "run", "job")

# What a record is when nobody has put it away: the field, its value, and the other one.
_ACTIVITY: Mapping[KindName, tuple[str, Any, Any]] = {
    "experiment": ("storage_state", "AVAILABLE", "ARCHIVED"),
    "run": ("storage_state", "AVAILABLE", "ARCHIVED"),
    "job": ("enabled", True, False),
}


class Model:
    """Experiments, runs and jobs, and what every call does to them."""

    def __init__(self, now: datetime) -> None:
        """Start empty."""
        self.now = now
        self.rows: dict[KindName, list[Row]] = {kind: [] for kind in KIND_NAMES}
        self._versions = count()

    def find(self, kind: KindName, id: str) -> Row | None:
        """Return the row with this id, if there is one."""
        return next((row for row in self.rows[kind] if row["id"] == id), None)

    def get(self, kind: KindName, id: str) -> Row:
        """Return the row with this id.

        Raises:
            NotFoundError: There is none.
        """
        found = self.find(kind, id)
        if found is None:
            raise NotFoundError(kind, {"id": id})
        return found

    def get_many(self, kind: KindName, ids: Sequence[str]) -> list[Row]:
        """Return the rows with these ids, in their order.

        Raises:
            NotFoundError: One of them does not exist.
        """
        return [self.get(kind, id) for id in ids]

    def get_by_name(self, name: str, namespace: str) -> Row:
        """Return the experiment that has this name in this namespace.

        Raises:
            NotFoundError: There is none.
        """
        found = self._named(name, namespace)
        if found is None:
            raise NotFoundError("experiment", {"namespace": namespace, "name": name})
        return found

    def listed(self, listing: Listing, now: datetime) -> list[Row]:
        """Return all rows of *listing*, sorted, for which *now* is its first instant."""
        found = [row for row in self.rows[listing.kind] if listing.admits(row, now)]

        def compare(left: Row, right: Row) -> int:
            return comes_after(listing.order, left, right)

        return sorted(found, key=cmp_to_key(compare))

    def page(
        self, listing: Listing, now: datetime, size: int, last: Row | None
    ) -> tuple[list[Row], bool, int]:
        """Return the rows after *last*, whether there are more, and how many there are in all."""
        found = self.listed(listing, now)
        rest = [row for row in found if not last or comes_after(listing.order, row, last) > 0]
        return rest[:size], len(rest) > size, len(found)

    def create(
        self,
        kind: KindName,
        contents: Sequence[Row],
        made: Sequence[str],
        *,
        if_exists: str = "error",
    ) -> list[Row]:
        """Add rows with these *contents*, all or none; *made* are ids for those without one.

        Raises:
            NotFoundError, FailedPreconditionError: There is no such experiment, or it is archived.
            AlreadyExistsError: The id or the name is taken.
        """
        if if_exists == "return" and (row := self._named(**_natural_key(contents[0]))):
            return [row]
        if earlier := self._earlier(kind, contents):
            return earlier
        parents = [] if kind == "experiment" else self._available_parents(contents)
        new = [self._row(kind, content, made[index]) for index, content in enumerate(contents)]
        self._check_free(kind, new)
        self.rows[kind] += new
        if kind == "run":
            for parent in parents:
                times = [parent["last_run_created_at"], self.now]
                last = max(time for time in times if time is not None)
                self._change(parent, last_run_created_at=last)
        return new

    def update(self, kind: KindName, id: str, values: Row, stale: str | None) -> Row:
        """Change what is given, and nothing else; *stale* is an etag that is not the row's.

        Raises:
            NotFoundError, ConflictError: There is no such row, or it has changed.
            AlreadyExistsError: The name is taken in the namespace.
        """
        row = self._current(kind, id, stale)
        if kind == "experiment" and "name" in values:
            other = self._named(values["name"], row["namespace"])
            if other is not None and other is not row:
                raise AlreadyExistsError(kind, _natural_key({**row, **values}))
        return self._change(row, **values) if values else row

    def deactivate(self, kind: KindName, id: str, stale: str | None) -> Row:
        """Archive an experiment with all below it, or a run, or disable a job; idempotent.

        Raises:
            NotFoundError, ConflictError: There is no such row, or it has changed.
        """
        row = self._current(kind, id, stale)
        if is_active(kind, row):
            self._set_activity(kind, row, active=False)
            if kind == "experiment":
                for below, child in self.children(id):
                    if is_active(below, child):
                        self._set_activity(below, child, active=False)
        return row

    def activate(self, kind: KindName, id: str, stale: str | None) -> Row:
        """Unarchive an experiment alone, or a run, or enable a job; idempotent.

        Raises:
            NotFoundError, ConflictError: There is no such row, or it has changed.
            FailedPreconditionError: Its experiment is archived, or no longer exists, or
                another one has its id in another namespace.
        """
        row = self._current(kind, id, stale)
        if not is_active(kind, row):
            if kind != "experiment":
                self._check_available(row["experiment_id"], row["namespace"])
            self._set_activity(kind, row, active=True)
        return row

    def delete(self, kind: KindName, id: str, stale: str | None, children: str = "keep") -> None:
        """Remove the row; of an experiment, keep or delete the children, or refuse.

        Raises:
            NotFoundError, ConflictError: There is no such row, or it has changed.
            FailedPreconditionError: It has children, and they were to prevent it.
        """
        row = self._current(kind, id, stale)
        below = list(self.children(id)) if kind == "experiment" else []
        if children == "refuse" and below:
            counts = {name: sum(kind == name for kind, _ in below) for name in ("run", "job")}
            raise FailedPreconditionError(kind, id, Obstacle.HAS_CHILDREN, counts)
        if children == "delete":
            for kind_below, child in below:
                self.rows[kind_below].remove(child)
        self.rows[kind].remove(row)

    def children(self, experiment_id: str) -> Iterator[tuple[KindName, Row]]:
        """Yield the runs and jobs of an experiment, which need not exist."""
        for kind in KIND_NAMES[1:]:
            for row in self.rows[kind]:
                if row["experiment_id"] == experiment_id:
                    yield kind, row

    def _named(self, name: str, namespace: str) -> Row | None:
        key = {"namespace": namespace, "name": name}
        return next((row for row in self.rows["experiment"] if _natural_key(row) == key), None)

    def _current(self, kind: KindName, id: str, stale: str | None) -> Row:
        row = self.get(kind, id)
        if stale is not None:
            raise ConflictError(kind, id, stale)
        return row

    def _change(self, row: Row, **values: Any) -> Row:
        row.update(values, updated_at=self.now, version=next(self._versions))
        return row

    def _set_activity(self, kind: KindName, row: Row, *, active: bool) -> None:
        field, on, off = _ACTIVITY[kind]
        self._change(row, **{field: on if active else off})

    def _check_available(self, experiment_id: str, namespace: str | None = None) -> None:
        parent = self.find("experiment", experiment_id)
        if parent is None or namespace not in (None, parent["namespace"]):
            raise FailedPreconditionError("experiment", experiment_id, Obstacle.MISSING)
        if not is_active("experiment", parent):
            raise FailedPreconditionError("experiment", experiment_id, Obstacle.ARCHIVED)

    def _available_parents(self, contents: Sequence[Row]) -> list[Row]:
        ids = sorted({content["experiment_id"] for content in contents})
        parents = self.get_many("experiment", ids)
        for id in ids:
            self._check_available(id)
        return parents

    def _earlier(self, kind: KindName, contents: Sequence[Row]) -> list[Row]:
        """Return what an earlier call with the same contents has made, if it still is so."""
        found = [self.find(kind, content["id"]) for content in contents]
        pairs = zip(contents, found, strict=True)
        same = all(row is not None and _says(content, row) for content, row in pairs)
        return [row for row in found if row is not None] if same else []

    def _row(self, kind: KindName, content: Row, made: str) -> Row:
        row = {
            **content,
            "id": made if content["id"] is None else content["id"],
            "created_at": self.now,
            "updated_at": self.now,
            "version": next(self._versions),
        }
        if kind == "experiment":
            row["last_run_created_at"] = None
        else:
            row["namespace"] = self.get("experiment", content["experiment_id"])["namespace"]
        if kind == "run":
            row |= {"metrics": {}, "points": {}}
        field, on, _ = _ACTIVITY[kind]
        row.setdefault(field, on)
        return row

    def _check_free(self, kind: KindName, new: Sequence[Row]) -> None:
        ids = [row["id"] for row in self.rows[kind]]
        for row in new:
            if row["id"] in ids:
                raise AlreadyExistsError(kind, {"id": row["id"]})
            ids.append(row["id"])
        if kind != "experiment":
            return
        keys = [_natural_key(row) for row in self.rows[kind]]
        for row in new:
            if _natural_key(row) in keys:
                raise AlreadyExistsError(kind, _natural_key(row))
            keys.append(_natural_key(row))


def is_active(kind: KindName, row: Row) -> bool:
    """Tell whether a record is in use: available, or of a job, enabled."""
    field, on, _ = _ACTIVITY[kind]
    return bool(row[field] == on)


def comes_after(order: OrderBy, left: Row, right: Row) -> int:
    """Return 1 if *left* comes after *right*, -1 if before, 0 where *order* sees no difference."""
    for key in order.keys:
        a, b = key.read(left), key.read(right)
        if a != b:
            less = a is None or (b is not None and a < b)
            return 1 if less is key.descending else -1
    return 0


def _says(content: Row, row: Row) -> bool:
    return all(exactly(row[name]) == exactly(value) for name, value in content.items())


def _natural_key(row: Row) -> dict[str, str]:
    return {"namespace": row["namespace"], "name": row["name"]}
