"""What PostgreSQL says differently."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psycopg

from experiment_store.errors import BackendError, UnavailableError
from experiment_store_sql import Plain, Row, Storage, Table

_ARRAYS = {Storage.TEXT: "text[]", Storage.INTEGER: "bigint[]"}
_ESCAPE = "\\"
_NOTHING = nullcontext()
_SPECIAL = re.compile(r"([%_\\])")


class PostgresDialect:
    """Rows are locked, not processes: nobody waits but for the same record."""

    mark = "%s"
    types: Mapping[Storage, str] = {
        Storage.TEXT: 'TEXT COLLATE "C" NOT NULL', Storage.INTEGER: "BIGINT NOT NULL",
    }  # fmt: skip
    plain = clustered = ""
    greatest = "greatest"
    chains = True
    for_update, for_share = " FOR UPDATE", " FOR SHARE"
    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    # Whatever the session's default is: the cascades of a step have to see what was
    # committed while it waited for its locks.
    begin_write = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
    begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    explain = "EXPLAIN"

    def __init__(self, schema: str) -> None:
        """Speak of the tables in *schema*."""
        self.prefix = f'"{schema}".'

    def reading(self) -> AbstractContextManager[Any]:
        """Wait for nobody."""
        return _NOTHING

    def writing(self) -> AbstractContextManager[Any]:
        """Wait for nobody."""
        return _NOTHING

    def add(self, cursor: Any, table: Table, rows: Iterable[Row]) -> int:
        """COPY, which knows of no taken keys: one of them, and it raises."""
        text = f"COPY {self.prefix}{table.name} ({table.listed}) FROM STDIN"
        with cursor.copy(text) as copy:
            for row in rows:
                copy.write_row(row)
        added: int = cursor.rowcount
        return added

    def one_of(self, column: str, of: Storage) -> str:
        """Compare with any element of one array, so that one statement serves every length."""
        return f"{column} = ANY({self.mark}::{_ARRAYS[of]})"

    def bind_list(self, values: Sequence[Plain]) -> list[Plain]:
        """Send the list as an array."""
        return list(values)

    def like(self, column: str) -> str:
        """LIKE, with its escape character stated."""
        return f"{column} LIKE {self.mark} ESCAPE '{_ESCAPE}'"

    def bind_pattern(self, parts: Sequence[str]) -> str:
        """Join *parts* by percent signs; LIKE's own characters are escaped."""
        return "%".join(_SPECIAL.sub(r"\\\1", part) for part in parts)

    def is_idle(self, connection: Any) -> bool:
        """Ask the driver, which knows of commands that were interrupted."""
        status = connection.info.transaction_status
        return bool(status == psycopg.pq.TransactionStatus.IDLE)

    def is_duplicate(self, error: Exception) -> bool:
        """Tell unique keys from other constraints."""
        return isinstance(error, psycopg.errors.UniqueViolation)

    def is_deadlock(self, error: Exception) -> bool:
        """Ask for its code, 40P01."""
        return isinstance(error, psycopg.errors.DeadlockDetected)

    def translate(self, operation: str, error: Exception) -> BackendError:
        """Say that the server is out of reach or busy where that is so, else what it said."""
        what = str(error).strip()
        retryable = (psycopg.OperationalError, psycopg.InterfaceError)
        if isinstance(error, psycopg.Error) and not isinstance(error, retryable):
            return BackendError(operation, f"failed: {what}")
        return UnavailableError(operation, f"failed: {what}")
