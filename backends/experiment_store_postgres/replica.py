"""Reads from a hot standby, never of a state older than the last write of this process.

After a write, the next read asks the primary how far its log has come. A connection
to the standby is good for reads once its server has replayed as much; each connection
is asked, since several servers may share an address.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, ref

import psycopg
from attrs import frozen

from experiment_store.errors import BackendError, UnavailableError
from experiment_store_sql import Call, Dialect, PooledSteps, Row, Steps, Work

T = TypeVar("T")

REST = 5.0
"""For how many seconds a standby that has failed is left alone, and one that has not is trusted."""

_WRITTEN = Call("SELECT pg_current_wal_insert_lsn()::text")
# The position counts before the snapshot that is read: so each is a statement of its own.
_REPLAYED = "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() >= %s::pg_lsn"
_FRESH_SNAPSHOTS = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"


@frozen
class _Mark:
    """A position in the primary's log, behind all of the first *writes* writes."""

    writes: int
    position: str


class _BehindError(Exception):
    """The standby has not replayed the last write."""


class _PromotedError(Exception):
    """It is no standby: what it has is not, or no more, the primary's."""


class ReplicatedSteps:
    """Runs reads on a standby where that makes no difference to who wrote, all else on the primary.

    Only reads that may be stale are sent there, and what is not found is looked for
    again. A standby that fails is left alone for some seconds; then one thread tries
    it, and the others do not wait for that.
    """

    def __init__(
        self,
        primary: Steps,
        replica: PooledSteps,
        dialect: Dialect,
        *,
        pooled: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read from *replica* what *primary* has written.

        A *pooled* one is behind a pooler, where the next transaction may meet another server.
        """
        self._primary = primary
        self._replica = replica
        self._dialect = dialect
        self._pooled = pooled
        self._clock = clock
        # Where serializable is the default, a standby reads nothing unless told otherwise.
        self._begins = False
        self._lock = Lock()
        self._writes = 1  # those before this store was opened count as one
        self._mark: _Mark | None = None
        self._seen: WeakKeyDictionary[Any, tuple[int, float]] = WeakKeyDictionary()
        self._rests_until = 0.0
        self._hosts: list[ref[Any]] = []

    def fetch(self, operation: str, call: Call, *, stale: bool = False) -> list[Row]:
        """Read all rows of one statement."""
        found = self._try(operation, lambda work: work.all(call), several=False) if stale else None
        return found or self._primary.fetch(operation, call)

    def read(self, operation: str, step: Callable[[Work], T], *, stale: bool = False) -> T:
        """Run a step of several reads; behind a pooler nobody can tell whose snapshot they see."""
        found = self._try(operation, step, several=True) if stale and not self._pooled else None
        return self._primary.read(operation, step) if found is None else found

    def write(self, operation: str, step: Callable[[Work], T], *, atomic: bool) -> T:
        """Run a step that writes, and remember that there was one, whatever became of it."""
        try:
            return self._primary.write(operation, step, atomic=atomic)
        finally:
            with self._lock:
                self._writes += 1

    def watch(self, connection: Any) -> None:
        """Know of a host's *connection*: until it is closed, anything may be committed there."""
        self._count_hosts(ref(connection))

    def close(self) -> None:
        """Close the connections to both."""
        self._replica.close()
        self._primary.close()

    def _try(self, operation: str, step: Callable[[Work], T], *, several: bool) -> T | None:
        """Return what the standby answers, or nothing if it is behind, out of reach or failing."""
        if not self._is_awake():
            return None
        try:
            mark = self._measure(operation)
        except UnavailableError:
            raise  # the primary is out of reach, and nothing can be said without it
        except BackendError:  # it has no such log
            self._rest()
            return None
        return self._look(operation, lambda work: self._answer(work, mark, step, several=several))

    def _is_awake(self) -> bool:
        """Tell whether to try the standby; of those who wait for its return, one does."""
        if not self._rests_until:
            return True
        with self._lock:
            now, until = self._clock(), self._rests_until
            if until and now >= until:
                self._rests_until = now + REST
            return now >= until

    def _rest(self) -> None:
        self._rests_until = self._clock() + REST

    def _measure(self, operation: str) -> _Mark:
        """Return a position in the primary's log that is behind all writes so far."""
        if self._hosts:
            self._count_hosts()
        writes, mark = self._writes, self._mark
        if mark is None or mark.writes != writes:
            [(position,)] = self._primary.fetch(operation, _WRITTEN)
            # Another thread may overwrite this by an older one, which is then measured again.
            mark = self._mark = _Mark(writes, position)
        return mark

    def _count_hosts(self, *new: ref[Any]) -> None:
        """Count what hosts may have committed as a write; a last time when they have gone."""
        with self._lock:
            self._writes += 1
            hosts = [(host, host()) for host in (*self._hosts, *new)]
            self._hosts = [host for host, it in hosts if it is not None and not it.closed]

    def _look(self, operation: str, step: Callable[[Work], T]) -> T | None:
        begins = self._begins
        try:
            answer = self._replica.look(operation, step)
        except _BehindError:
            self._rests_until = 0.0
            return None
        except _PromotedError:
            self._rest()
            return None
        except BackendError as error:
            cause = error.__cause__
            if isinstance(cause, psycopg.errors.FeatureNotSupported) and not begins:
                self._begins = True
                return self._look(operation, step)
            # One read was in the way of what is replayed, perhaps: the next one need not be.
            if not isinstance(cause, Exception) or not self._dialect.is_undone(cause):
                self._rest()
            return None
        self._rests_until = 0.0
        return answer

    def _answer(self, work: Work, mark: _Mark, step: Callable[[Work], T], *, several: bool) -> T:
        """Run *step*, on a server that has replayed as far as *mark*."""
        alone = _FRESH_SNAPSHOTS if self._begins else ""
        if self._pooled:
            with _transaction(work, _FRESH_SNAPSHOTS):  # within which the server is the same
                self._check(work, mark)
                return step(work)
        writes, until = self._seen.get(work.connection, (0, 0.0))
        if writes < mark.writes or self._clock() >= until:
            with _transaction(work, alone):
                self._check(work, mark)
            self._seen[work.connection] = mark.writes, self._clock() + REST
        with _transaction(work, self._dialect.begin_read if several else alone):
            return step(work)

    def _check(self, work: Work, mark: _Mark) -> None:
        """See whether the server behind this very connection has replayed as far as *mark*."""
        [(is_standby, is_current)] = work.all(Call(_REPLAYED, (mark.position,)))
        if not is_standby:
            raise _PromotedError
        if not is_current:
            raise _BehindError


@contextmanager
def _transaction(work: Work, begin: str) -> Iterator[None]:
    """Begin a transaction, if told to, and end it; who lends the connection undoes the others."""
    if begin:
        work.execute(begin)
    yield
    if begin:
        work.execute("COMMIT")
