"""Reads from a hot standby, never of a state older than the last write of this process.

After a write, the next read asks the primary how far its log has come. A connection
to the standby is good for reads once its server has replayed as much.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from attrs import frozen

from experiment_store.errors import BackendError
from experiment_store_sql import Call, PooledSteps, Row, Steps, Work

T = TypeVar("T")

_REST = 5.0  # seconds without a standby that has failed

_WRITTEN = Call("SELECT pg_current_wal_insert_lsn()::text")
_REPLAYED = "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= %s::pg_lsn"


@frozen
class _Mark:
    """A position in the primary's log, behind all of the first *writes* writes."""

    writes: int
    position: str


class _BehindError(Exception):
    """The standby has not replayed the last write."""


class ReplicatedSteps:
    """Runs reads on a standby where that makes no difference to who wrote, all else on the primary.

    Only reads that may be stale are sent there, and what is not found is looked for
    again. A standby that fails is left alone for some seconds.
    """

    def __init__(self, primary: Steps, replica: PooledSteps, begin: str) -> None:
        """Read from *replica* what *primary* has written; *begin* starts a snapshot."""
        self._primary = primary
        self._begin = begin
        self._replica = replica
        self._lock = Lock()
        self._writes = 1  # those before this store was opened count as one
        self._mark: _Mark | None = None
        self._seen: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._rests_until = 0.0

    def fetch(self, operation: str, call: Call, *, stale: bool = False) -> list[Row]:
        """Read all rows of one statement."""
        found = self._try(operation, lambda work: work.all(call)) if stale else None
        return found or self._primary.fetch(operation, call)

    def read(self, operation: str, step: Callable[[Work], T], *, stale: bool = False) -> T:
        """Run a step of several reads."""

        def in_snapshot(work: Work) -> T:  # one that is taken after the check
            work.execute(self._begin)
            result = step(work)
            work.execute("COMMIT")
            return result

        found = self._try(operation, in_snapshot) if stale else None
        return self._primary.read(operation, step) if found is None else found

    def write(self, operation: str, step: Callable[[Work], T], *, atomic: bool) -> T:
        """Run a step that writes, and remember that there was one, whatever became of it."""
        try:
            return self._primary.write(operation, step, atomic=atomic)
        finally:
            with self._lock:
                self._writes += 1

    def close(self) -> None:
        """Close the connections to both."""
        self._replica.close()
        self._primary.close()

    def _try(self, operation: str, step: Callable[[Work], T]) -> T | None:
        """Return what the standby answers, or nothing if it is behind, out of reach or failing."""
        if time.monotonic() < self._rests_until:
            return None
        mark = self._measure()

        def checked(work: Work) -> T:
            self._check(work, mark)
            return step(work)

        try:
            return self._replica.look(operation, checked)
        except _BehindError:
            return None
        except BackendError:
            self._rests_until = time.monotonic() + _REST
            return None

    def _measure(self) -> _Mark:
        """Return a position in the primary's log that is behind all writes so far."""
        writes, mark = self._writes, self._mark
        if mark is None or mark.writes != writes:
            [(position,)] = self._primary.fetch("open", _WRITTEN)
            # Another thread may overwrite this by an older one, which is then measured again.
            mark = self._mark = _Mark(writes, position)
        return mark

    def _check(self, work: Work, mark: _Mark) -> None:
        """See whether the server behind this very connection has replayed as far as *mark*."""
        if self._seen.get(work.connection, 0) >= mark.writes:
            return
        [(current,)] = work.all(Call(_REPLAYED, (mark.position,)))
        if not current:
            raise _BehindError
        self._seen[work.connection] = mark.writes
