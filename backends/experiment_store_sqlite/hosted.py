"""A host's engine or connection to SQLite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from experiment_store.errors import InvalidArgumentError
from experiment_store_sql import Host

_IN_MEMORY = (None, "", ":memory:")


def is_in_memory(engine: Any) -> bool:
    """Tell whether *engine* is for a database in memory, on a single connection.

    Raises:
        InvalidArgumentError: It would open another one for every thread.
    """
    if engine.url.database not in _IN_MEMORY:
        return False
    if type(engine.pool).__name__ != "StaticPool":
        raise InvalidArgumentError("engine", "must have poolclass=StaticPool, to share its memory")
    return True


def _lend(connection: Any) -> Callable[[], None]:
    """Prepare a connection of the host's for our steps; return what undoes that.

    Its transaction mode is left alone, since to change it would commit what is open.
    """
    row_factory = connection.row_factory
    connection.row_factory = None

    def undo() -> None:
        connection.row_factory = row_factory

    return undo


def _begin(connection: Any) -> None:
    """Begin the driver's transaction, if it has not begun, as one that is going to write.

    The driver's waits for the first statement that writes, and takes a savepoint before
    it for the transaction itself. A host's listener may begin it, as SQLAlchemy begins.
    """
    if not connection.in_transaction():
        connection.begin()
    driver = connection.connection.driver_connection
    if driver.in_transaction:
        return
    if driver.isolation_level is None or getattr(driver, "autocommit", False) is True:
        raise InvalidArgumentError("connection", "must have a transaction, not AUTOCOMMIT")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


HOST = Host("sqlite", ("pysqlite", "aiosqlite"), _lend, _begin, aborts=False)
"""The standard library's driver, as here, and as SQLAlchemy's asyncio has it."""
