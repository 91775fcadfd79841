"""A host's SQLAlchemy: its engine lends connections, its connection has our steps take part.

SQLAlchemy is not imported before a host has brought an object of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from attrs import frozen

from experiment_store.errors import BackendError, InvalidArgumentError, UnavailableError
from experiment_store_sql.codec import Row
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.failures import DuplicateKeyError
from experiment_store_sql.statements import Call, insert_text
from experiment_store_sql.tables import Table
from experiment_store_sql.work import Work

T = TypeVar("T")


@frozen
class Host:
    """What has to be known of the engines and connections of hosts, for one database.

    *lend* prepares a driver's connection for our steps and returns what undoes that.
    *begin* sees to it that the driver's own transaction is open on a connection.
    *aborts* tells whether a statement that fails spoils the transaction around it.
    """

    database: str
    drivers: tuple[str, ...]
    lend: Callable[[Any], Callable[[], None]]
    begin: Callable[[Any], None]
    aborts: bool

    def check(self, argument: str, given: Any) -> None:
        """See whether *given* is an engine or a connection that we can use.

        Raises:
            InvalidArgumentError: It is not.
        """
        wanted = "exec_driver_sql" if argument == "connection" else "raw_connection"
        method = getattr(given, wanted, None)
        if method is None or iscoroutinefunction(method):
            raise InvalidArgumentError(
                argument, f"must be SQLAlchemy's, not {type(given).__name__}"
            )
        dialect = given.dialect
        if dialect.name != self.database or dialect.driver not in self.drivers:
            problem = f"must be for {self.database} with the driver {' or '.join(self.drivers)}"
            raise InvalidArgumentError(argument, problem)


class EngineConnections:
    """Connections from the pool of a host's engine, which nobody closes but the host."""

    def __init__(self, engine: Any, host: Host) -> None:
        """Borrow from *engine*.

        Raises:
            InvalidArgumentError: It is for another database, or has another driver.
        """
        host.check("engine", engine)
        self._engine = engine
        self._host = host
        self._lent: dict[int, tuple[Any, Callable[[], None]]] = {}
        self._is_closed = False

    def borrow(self) -> Any:
        """Return the driver's connection of one that the pool has lent.

        Raises:
            UnavailableError: The pool had none in time.
            BackendError: The store is closed.
        """
        from sqlalchemy.exc import TimeoutError as PoolTimeoutError  # noqa: PLC0415 (see above)

        if self._is_closed:
            raise BackendError("call", "failed: the store is closed")
        try:
            pooled = self._engine.raw_connection()
        except PoolTimeoutError as error:
            raise UnavailableError("call", "waited too long for a connection") from error
        connection = pooled.driver_connection
        self._lent[id(connection)] = pooled, self._host.lend(connection)
        return connection

    def give_back(self, connection: Any, *, usable: bool) -> None:
        """Return a connection to the pool as it was, or have the pool drop it."""
        pooled, undo = self._lent.pop(id(connection))
        if usable:
            undo()
            pooled.close()
        else:
            pooled.invalidate()

    def close(self) -> None:
        """Lend no more; the engine is the host's to dispose of."""
        self._is_closed = True


class BoundSteps:
    """Runs steps inside the transaction of a host's connection, each below a savepoint.

    The host commits and rolls back; a step that fails or is refused is undone alone.
    Nothing is tried again, since only the host can repeat its transaction.
    """

    def __init__(self, connection: Any, dialect: Dialect, host: Host) -> None:
        """Run on *connection*."""
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 (see above)

        self._connection = connection
        self._dialect = dialect
        self._host = host
        self._errors = SQLAlchemyError

    def fetch(self, operation: str, call: Call, *, stale: bool = False) -> list[Row]:
        """Read all rows of one statement, as the host's transaction sees them."""
        with self._translating(operation), self._undone_alone():
            return self._work().all(call)

    def read(self, operation: str, step: Callable[[Work], T], *, stale: bool = False) -> T:
        """Run a step of reads; whether they see one snapshot is up to the host's transaction."""
        with self._translating(operation), self._undone_alone():
            return step(self._work())

    def write(self, operation: str, step: Callable[[Work], T], *, atomic: bool) -> T:
        """Run a step that writes, below a savepoint."""
        with self._translating(operation):
            self._host.begin(self._connection)
            with self._connection.begin_nested() as savepoint:
                work = self._work()
                result = step(work)
                if work.is_refused:
                    savepoint.rollback()
        return result

    def close(self) -> None:
        """Leave the connection to the host."""

    def _undone_alone(self) -> AbstractContextManager[Any]:
        """Keep what a read may spoil to the read."""
        if not self._host.aborts:
            return nullcontext()
        self._host.begin(self._connection)
        savepoint: AbstractContextManager[Any] = self._connection.begin_nested()
        return savepoint

    def _work(self) -> Work:
        return _BoundWork(_BoundCursor(self._connection), self._dialect)

    @contextmanager
    def _translating(self, operation: str) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            cause = getattr(error, "orig", None) or error
            if self._dialect.is_duplicate(cause):
                raise DuplicateKeyError(operation, "met a taken key") from cause
            if self._dialect.is_undone(cause) or self._dialect.is_lost(cause):
                problem = f"failed, and the host's transaction with it: {cause}"
                raise UnavailableError(operation, problem) from cause
            raise self._dialect.translate(operation, cause) from cause


class _BoundCursor:
    """What the driver's cursor is elsewhere: SQLAlchemy's connection, whose events see all."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._result: Any = None

    def execute(self, text: str, parameters: Iterable[Any] = ()) -> None:
        self._result = self._connection.exec_driver_sql(text, tuple(parameters) or None)

    def executemany(self, text: str, rows: Iterable[Row]) -> None:
        self._result = self._connection.exec_driver_sql(text, list(rows))

    def fetchall(self) -> list[Row]:
        return [tuple(row) for row in self._result.fetchall()]

    @property
    def rowcount(self) -> int:
        count: int = self._result.rowcount
        return count

    @property
    def description(self) -> Any:
        return self._result.cursor and self._result.cursor.description


class _BoundWork(Work):
    def add(self, table: Table, rows: Iterable[Row]) -> int:
        """Add *rows* by the means that all drivers have."""
        given = list(rows)
        if not given:
            return 0
        self._cursor.executemany(insert_text(self._dialect, table), given)
        added: int = self._cursor.rowcount
        return added
