"""Steps: each runs on a connection of its own, as a whole or not at all, and is tried again.

A step that fails because of others, or for want of a connection, has not happened:
it is repeated. When the connection is lost while the step is committed, nobody
knows, and the store is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

from experiment_store_sql.codec import Row
from experiment_store_sql.connections import Connections
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.failures import TransientError, failure
from experiment_store_sql.retrying import try_again
from experiment_store_sql.statements import Call
from experiment_store_sql.work import Work

T = TypeVar("T")


class Steps(Protocol):
    """Where the steps of a backend run."""

    def fetch(self, operation: str, call: Call, *, stale: bool = False) -> list[Row]:
        """Read all rows of one statement; *stale* where others' latest changes may be missing.

        Raises:
            BackendError: The driver raised an error.
        """
        ...

    def read(self, operation: str, step: Callable[[Work], T], *, stale: bool = False) -> T:
        """Run a step of several reads, which see a single snapshot.

        Raises:
            BackendError: The driver raised an error.
        """
        ...

    def write(self, operation: str, step: Callable[[Work], T], *, atomic: bool) -> T:
        """Run a step that writes; *atomic* where it has several statements.

        Raises:
            DuplicateKeyError: It met a taken key, where its statement does not pass over it.
            OutcomeUnknownError: The connection was lost while it was committed.
            BackendError: The driver raised another error.
        """
        ...

    def close(self) -> None:
        """Close what the steps have opened. Idempotent."""


class PooledSteps:
    """Runs steps on connections that are borrowed for each of them."""

    def __init__(
        self,
        connections: Connections,
        dialect: Dialect,
        *,
        patience: float = 0,
        autocommit: bool = True,
    ) -> None:
        """Try again for up to *patience* seconds, once the database has been reached at all.

        Without *autocommit*, connections are lent in another mode, and every write needs
        a transaction.
        """
        self._connections = connections
        self._dialect = dialect
        self._patience = patience
        self._autocommit = autocommit
        self._has_worked = False

    def fetch(self, operation: str, call: Call, *, stale: bool = False) -> list[Row]:
        """Read all rows of one statement, outside of any transaction."""
        try:
            return self._fetch(operation, call)
        except TransientError as error:
            return self._again(partial(self._fetch, operation, call), error)

    def read(self, operation: str, step: Callable[[Work], T], *, stale: bool = False) -> T:
        """Run a step of reads in a transaction that sees one snapshot."""
        return self._run(partial(self._read, operation, step))

    def look(self, operation: str, step: Callable[[Work], T]) -> T:
        """Run a step of reads outside of any transaction, and once."""
        with self._dialect.reading(), self._working(operation, "", writes=False) as work:
            return step(work)

    def write(self, operation: str, step: Callable[[Work], T], *, atomic: bool) -> T:
        """Run a step that writes, in a transaction if it is *atomic*."""
        return self._run(partial(self._write, operation, step, atomic=atomic))

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._connections.close()

    def _run(self, attempt: Callable[[], T]) -> T:
        try:
            return attempt()
        except TransientError as error:
            return self._again(attempt, error)

    def _again(self, attempt: Callable[[], T], error: TransientError) -> T:
        # What has never been reached is perhaps not there at all: who opens it is told at once.
        if not self._has_worked or not self._patience:
            raise error
        return try_again(attempt, self._patience)

    def _fetch(self, operation: str, call: Call) -> list[Row]:
        dialect, connections = self._dialect, self._connections
        with dialect.reading():
            connection = self._borrow(operation)
            usable = lost = False
            try:
                rows: list[Row] = connection.execute(call.text, call.parameters).fetchall()
                usable = self._has_worked = True
            except dialect.errors as error:
                lost = dialect.is_lost(error)
                raise failure(dialect, operation, error, committing=False) from error
            finally:
                usable = usable or (not lost and _recover(dialect, connection))
                connections.give_back(connection, usable=usable)
        return rows

    def _read(self, operation: str, step: Callable[[Work], T]) -> T:
        begin = self._dialect.begin_read
        with self._dialect.reading(), self._working(operation, begin, writes=False) as work:
            return step(work)

    def _write(self, operation: str, step: Callable[[Work], T], *, atomic: bool) -> T:
        begin = "" if self._autocommit and not atomic else self._dialect.begin_write
        with self._dialect.writing(), self._working(operation, begin, writes=True) as work:
            return step(work)

    @contextmanager
    def _working(self, operation: str, begin: str, *, writes: bool) -> Iterator[Work]:
        """Lend a connection for one attempt; *begin* opens a transaction, if not empty."""
        dialect, connections = self._dialect, self._connections
        connection = self._borrow(operation)
        usable = lost = False
        committing = writes and not begin
        try:
            cursor = connection.cursor()
            work = Work(cursor, dialect)
            if begin:
                cursor.execute(begin)
            yield work
            if begin:
                committing = writes and not work.is_refused
                cursor.execute("ROLLBACK" if work.is_refused else "COMMIT")
            cursor.close()
            usable = self._has_worked = True
        except dialect.errors as error:
            lost = dialect.is_lost(error)
            raise failure(dialect, operation, error, committing=committing) from error
        finally:
            usable = usable or (not lost and _recover(dialect, connection))
            connections.give_back(connection, usable=usable)

    def _borrow(self, operation: str) -> Any:
        try:
            return self._connections.borrow()
        except self._dialect.errors as error:
            raise failure(self._dialect, operation, error, committing=False) from error


def _recover(dialect: Dialect, connection: Any) -> bool:
    """Undo what a failed step has begun; tell whether the connection can be used again."""
    try:
        connection.rollback()
    except dialect.errors:
        return False
    return dialect.is_idle(connection)
