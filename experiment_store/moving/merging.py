"""Merging: bringing the records of one kind into a store, whatever part of them it has.

A record that is there already is left alone, an earlier state of it is brought
up to date, and nothing else is ever overwritten. So whoever was interrupted
just begins again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Generic, NoReturn

from experiment_store import certainty
from experiment_store.backend import Assignments, Backend, Change, Refusal
from experiment_store.collection import ATTEMPTS
from experiment_store.errors import AlreadyExistsError, ConflictError, UnavailableError
from experiment_store.filters.predicates import OneOf
from experiment_store.keys import holders, key_of, room_for
from experiment_store.lifecycle import unchanged_since
from experiment_store.moving.walking import ROWS
from experiment_store.plan import Plan
from experiment_store.reports import Digest, Tally
from experiment_store.schema import Kind, R

_FIXED = frozenset(
    {"namespace", "experiment_id", "created_at", "run_id", "metric", "points"}
)  # no change of a record assigns them
_FORWARD = frozenset(
    {"updated_at", "last_run_created_at", "heartbeat_at"}
)  # no change of a record moves them back
_NEVER = datetime.min.replace(tzinfo=UTC)
_MOST_WAITING = 256  # of the largest records there are, that is 50 MB of text


class Merge(Generic[R]):
    """Takes batches of records of one kind, and counts what becomes of them.

    A record whose name another one has waits for the end: that one may be about
    to get another name.
    """

    def __init__(self, backend: Backend, kind: Kind[R]) -> None:
        """Bring records of *kind* to *backend*."""
        self._backend = backend
        self._kind = kind
        self._waiting: list[R] = []
        self._inserted = self._updated = self._unchanged = 0
        self.read = 0

    def tally(self, digest: Digest) -> Tally:
        """Return what became of the records, which have this *digest*."""
        return Tally(self.read, self._inserted, self._updated, self._unchanged, digest)

    def add(self, records: Sequence[R]) -> None:
        """Bring *records*, no two with one id, to the state in which they are here.

        Raises:
            AlreadyExistsError: An id, or the names of very many, belong to other records.
            ConflictError: A record has changed in the store since it had the state given.
        """
        self.read += len(records)
        self._settle(records)
        if len(self._waiting) > _MOST_WAITING:
            self._refuse(self._waiting[0])

    def finish(self) -> None:
        """Bring those that have waited for their names.

        Raises:
            AlreadyExistsError: The name of one belongs to a record that keeps it.
        """
        self._retry()
        if self._waiting:
            self._free_names()
            self._retry()
        if self._waiting:
            self._refuse(self._waiting[0])

    def _retry(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._settle(waiting)

    def _settle(self, records: Sequence[R]) -> None:
        for _ in range(ATTEMPTS):
            records = self._try(records)
            if not records:
                return
        raise UnavailableError(f"copy of {self._kind.name}", "gave up: it changes too fast")

    def _try(self, records: Sequence[R]) -> Sequence[R]:
        """Bring *records*; return those that somebody else has just touched."""
        missing: list[R] = []
        again: list[R] = []
        for few in _slices(records):
            there = self._find(few)
            for record in few:
                if (found := there.get(record.id)) is None:
                    missing.append(record)
                elif found == record:
                    self._unchanged += 1
                elif not self._bring_up(found, record):
                    again.append(record)
        return again + self._insert(missing) if missing else again

    def _insert(self, records: list[R]) -> list[R]:
        """Insert *records*; if that is refused, return those that have nobody's name."""
        if certainty.insert(self._backend, self._kind, records, None) is None:
            self._inserted += len(records)
            return []
        if not self._kind.unique:
            return records
        taken = set(self._holders(records))
        free: list[R] = []
        for record in records:  # of two with one name, the second waits
            (self._waiting if self._key(record) in taken else free).append(record)
            taken.add(self._key(record))
        return free

    def _bring_up(self, found: R, record: R) -> bool:
        """Bring *found* to the state of *record*, unless it is no longer as it was found."""
        self._check_earlier(found, record)
        assign = {
            name: value
            for name in self._kind.by_name
            if (value := getattr(record, name)) != getattr(found, name)
        }
        match self._update(found, assign):
            case Refusal.DUPLICATE:
                self._waiting.append(record)
            case Refusal.BLOCKED | Refusal.MISSING:
                return False
            case _:
                self._updated += 1
        return True

    def _update(self, found: R, assign: Assignments) -> R | Refusal:
        """Assign to *found*, if it is still as it was found."""
        change = Change(assign, unchanged_since(found.etag))
        return certainty.update(self._backend, self._kind, found.id, change, guarded=True)

    def _check_earlier(self, found: R, record: R) -> None:
        """Refuse to overwrite what is no earlier state of *record*."""
        known = self._kind.by_name
        if any(getattr(found, name) != getattr(record, name) for name in _FIXED & known.keys()):
            raise AlreadyExistsError(self._kind.name, {"id": record.id})
        for name in _FORWARD & known.keys():
            if (getattr(found, name) or _NEVER) > (getattr(record, name) or _NEVER):
                raise ConflictError(self._kind.name, record.id, record.etag)

    def _free_names(self) -> None:
        """Take the names of records that wait for each other's, so that all can have theirs.

        Who is killed just after this leaves stopgaps, which the next copy replaces.

        Raises:
            AlreadyExistsError: One waits for a name that will not be free.
        """
        waiting = {record.id: record for record in self._waiting}
        holding = self._holders(self._waiting)
        for record in self._waiting:
            holder = holding.get(self._key(record))
            for _ in waiting:  # enough steps for the longest chain; a cycle has no end
                if holder is None or holder.id not in waiting:
                    break
                holder = holding.get(self._key(waiting[holder.id]))
            if holder is not None and holder.id not in waiting:
                self._refuse(record)
        for found in holding.values():
            self._check_earlier(found, waiting[found.id])
            self._update(found, {self._kind.unique[-1]: f"moving {found.id}"})

    def _refuse(self, record: R) -> NoReturn:
        key = zip(self._kind.unique, self._key(record), strict=True)
        raise AlreadyExistsError(self._kind.name, dict(key))

    def _find(self, records: Sequence[R]) -> Mapping[str, R]:
        ids = frozenset(record.id for record in records)
        plan = Plan(self._kind, OneOf("id", ids), limit=room_for(ids))
        return {record.id: record for record in self._backend.select(plan).items}

    def _key(self, record: R) -> tuple[str, ...]:
        return key_of(self._kind.unique, record)

    def _holders(self, records: Sequence[R]) -> Mapping[tuple[str, ...], R]:
        """Return who has the names of *records*, of a kind whose names are unique."""
        return holders(self._backend, self._kind, self._kind.unique, records)


def _slices(records: Sequence[R]) -> Iterator[Sequence[R]]:
    for start in range(0, len(records), ROWS):
        yield records[start : start + ROWS]
