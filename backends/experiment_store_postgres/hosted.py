"""A host's engine or connection to PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg.rows import tuple_row

from experiment_store.errors import InvalidArgumentError
from experiment_store_sql import Host


def _lend(connection: Any) -> Callable[[], None]:
    """Take a connection over, without a word to the server."""
    autocommit, row_factory = connection.autocommit, connection.row_factory
    connection.autocommit, connection.row_factory = True, tuple_row

    def undo() -> None:
        connection.autocommit, connection.row_factory = autocommit, row_factory

    return undo


def _begin(connection: Any) -> None:
    """Leave it to the driver, which begins with the first statement, if it begins at all."""
    if connection.connection.driver_connection.autocommit:
        raise InvalidArgumentError("connection", "must have a transaction, not AUTOCOMMIT")


HOST = Host("postgresql", ("psycopg", "psycopg_async"), _lend, _begin, aborts=True)
"""psycopg 3, as here, and as SQLAlchemy's asyncio has it."""
