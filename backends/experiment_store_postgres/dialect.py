"""What PostgreSQL says differently."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psycopg
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, any_, func, make_url, type_coerce
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine.interfaces import Dialect as EngineDialect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.schema import Table

from experiment_store.errors import BackendError, UnavailableError
from experiment_store_sql import Plain

_WORDING: Any = make_url("postgresql+psycopg://").get_dialect()
_ESCAPE = "\\"
_SPECIAL = re.compile(r"([%_\\])")


class PostgresDialect:
    """Rows are locked, not processes: nobody waits but for the same record."""

    wording: EngineDialect = _WORDING(paramstyle="format")
    errors: tuple[type[Exception], ...] = (psycopg.Error, SQLAlchemyError)
    # Whatever the session's default is: the cascades of a step have to see what was
    # committed while it waited for its locks.
    begin_write = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
    begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    explain = "EXPLAIN"

    def reading(self) -> AbstractContextManager[Any]:
        """Wait for nobody."""
        return nullcontext()

    def writing(self) -> AbstractContextManager[Any]:
        """Wait for nobody."""
        return nullcontext()

    def insert_new(self, table: Table) -> Insert:
        """INSERT … ON CONFLICT DO NOTHING."""
        return insert(table).on_conflict_do_nothing()

    def later(self, column: ColumnElement[Any], bound: ColumnElement[Any]) -> ColumnElement[Any]:
        """GREATEST."""
        return func.greatest(column, bound)

    def one_of(
        self, column: ColumnElement[Any], bound_list: ColumnElement[Any]
    ) -> ColumnElement[bool]:
        """Compare with any element of one array, so that one statement serves every length."""
        element = Text() if isinstance(column.type, Text) else BigInteger()
        return column == any_(type_coerce(bound_list, ARRAY(element)))

    def bind_list(self, values: Sequence[Plain]) -> list[Plain]:
        """Send the list as an array."""
        return list(values)

    def like(self, column: ColumnElement[Any], bound: ColumnElement[Any]) -> ColumnElement[bool]:
        """LIKE, with its escape character stated."""
        return column.like(bound, escape=_ESCAPE)

    def bind_pattern(self, parts: Sequence[str]) -> str:
        """Join *parts* by percent signs; LIKE's own characters are escaped."""
        return "%".join(_SPECIAL.sub(r"\\\1", part) for part in parts)

    def is_idle(self, connection: Any) -> bool:
        """Ask the driver, which knows of commands that were interrupted."""
        status = connection.driver_connection.info.transaction_status
        return bool(status == psycopg.pq.TransactionStatus.IDLE)

    def is_duplicate(self, error: Exception) -> bool:
        """Tell unique keys from other constraints."""
        return isinstance(error, psycopg.errors.UniqueViolation)

    def translate(self, operation: str, error: Exception) -> BackendError:
        """Say that the server is out of reach or busy where that is so, else what it said."""
        what = str(error).strip()
        retryable = (psycopg.OperationalError, psycopg.InterfaceError)
        if isinstance(error, psycopg.Error) and not isinstance(error, retryable):
            return BackendError(operation, f"failed: {what}")
        return UnavailableError(operation, f"failed: {what}")
