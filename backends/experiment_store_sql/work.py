"""Work: one cursor, one transaction or none, and the seam where driver errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from experiment_store.backend import Refusal
from experiment_store.errors import BackendError
from experiment_store_sql.connections import Connections
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.statements import Call, Row


class DuplicateKeyError(BackendError):
    """A unique key is taken; where that is expected, it becomes a refusal."""


class Work:
    """Runs the statements of one step."""

    def __init__(self, cursor: Any) -> None:
        """Use a cursor of the driver."""
        self._cursor = cursor
        self.is_refused = False

    def run(self, call: Call) -> int:
        """Run a statement; return how many rows it touched."""
        self._execute(call)
        touched: int = self._cursor.rowcount
        return touched

    def all(self, call: Call) -> list[Row]:
        """Run a statement and read all its rows."""
        self._execute(call)
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

    def _execute(self, call: Call) -> None:
        if call.many:
            self._cursor.executemany(call.text, call.parameters)
        else:
            self._cursor.execute(call.text, call.parameters)


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
        DuplicateKeyError, BackendError: The driver raised an error.
    """
    with held:
        try:
            connection = connections.borrow()
        except dialect.errors as error:
            raise dialect.translate(operation, error) from error
        usable = False
        try:
            cursor = connection.cursor()
            work = Work(cursor)
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
            raise dialect.translate(operation, error) from error
        finally:
            usable = usable or _recover(dialect, connection)
            connections.give_back(connection, usable=usable)


def _recover(dialect: Dialect, connection: Any) -> bool:
    """Undo what a failed step has begun; tell whether the connection can be used again."""
    try:
        connection.rollback()
    except dialect.errors:
        return False
    return dialect.is_idle(connection)
