"""Work: one cursor, one transaction or none, and the seam where driver errors become ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from experiment_store.backend import Refusal
from experiment_store.errors import BackendError, UnavailableError
from experiment_store_sql.codec import Row
from experiment_store_sql.connections import Connections
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.statements import Call
from experiment_store_sql.tables import Table


class DuplicateKeyError(BackendError):
    """A unique key is taken; where that is expected, it becomes a refusal."""


class DeadlockError(UnavailableError):
    """Two steps waited for each other, and the database has undone this one."""


class Work:
    """Runs the statements of one step."""

    def __init__(self, cursor: Any, dialect: Dialect) -> None:
        """Use a cursor of the driver."""
        self._cursor = cursor
        self._dialect = dialect
        self.is_refused = False

    def run(self, call: Call) -> int:
        """Run a statement; return how many rows it touched."""
        self._cursor.execute(call.text, call.parameters)
        touched: int = self._cursor.rowcount
        return touched

    def add(self, table: Table, rows: Iterable[Row]) -> int:
        """Add *rows*; return how many were added."""
        return self._dialect.add(self._cursor, table, rows)

    def all(self, call: Call) -> list[Row]:
        """Run a statement and read all its rows."""
        self._cursor.execute(call.text, call.parameters)
        rows: list[Row] = self._cursor.fetchall()
        return rows

    def first(self, call: Call) -> Row | None:
        """Run a statement that has one row at most."""
        rows = self.all(call)
        return rows[0] if rows else None

    def refuse(self, refusal: Refusal) -> Refusal:
        """Undo the step, and return *refusal*."""
        self.is_refused = True
        return refusal

    def execute(self, text: str) -> list[Row]:
        """Run a statement of other words than the store's own; return its rows, if it has any."""
        self._cursor.execute(text)
        return self._cursor.fetchall() if self._cursor.description else []


def fetch(connections: Connections, dialect: Dialect, operation: str, call: Call) -> list[Row]:
    """Read all rows of one statement, outside of any transaction.

    Raises:
        BackendError: The driver raised an error.
    """
    with dialect.reading():
        connection = _borrow(connections, dialect, operation)
        usable = False
        try:
            rows: list[Row] = connection.execute(call.text, call.parameters).fetchall()
            usable = True
        except dialect.errors as error:
            raise dialect.translate(operation, error) from error
        finally:
            connections.give_back(connection, usable=usable or _recover(dialect, connection))
    return rows


@contextmanager
def working(
    connections: Connections,
    dialect: Dialect,
    operation: str,
    held: AbstractContextManager[Any],
    begin: str,
) -> Iterator[Work]:
    """Lend a connection for one step; *begin* opens a transaction around it, if not empty.

    Raises:
        DuplicateKeyError, DeadlockError, BackendError: The driver raised an error.
    """
    with held:
        connection = _borrow(connections, dialect, operation)
        usable = False
        try:
            cursor = connection.cursor()
            work = Work(cursor, dialect)
            if begin:
                cursor.execute(begin)
            yield work
            if begin:
                cursor.execute("ROLLBACK" if work.is_refused else "COMMIT")
            cursor.close()
            usable = True
        except dialect.errors as error:
            if dialect.is_duplicate(error):
                raise DuplicateKeyError(operation, "met a taken key") from error
            if dialect.is_deadlock(error):
                raise DeadlockError(operation, f"gave up: {error}") from error
            raise dialect.translate(operation, error) from error
        finally:
            connections.give_back(connection, usable=usable or _recover(dialect, connection))


def _borrow(connections: Connections, dialect: Dialect, operation: str) -> Any:
    try:
        return connections.borrow()
    except dialect.errors as error:
        raise dialect.translate(operation, error) from error


def _recover(dialect: Dialect, connection: Any) -> bool:
    """Undo what a failed step has begun; tell whether the connection can be used again."""
    try:
        connection.rollback()
    except dialect.errors:
        return False
    return dialect.is_idle(connection)
