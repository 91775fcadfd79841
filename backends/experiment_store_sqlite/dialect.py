"""What SQLite says differently."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from experiment_store.errors import BackendError
from experiment_store_sql import JOINT, Plain, Row, Storage, Table, insert_text
from experiment_store_sqlite.failures import failure
from experiment_store_sqlite.turns import Turns

_NOTHING = nullcontext()
_SPECIAL = re.compile(r"([*?\[])")


class SqliteDialect:
    """One writer at a time: the lock queues this process's, `BEGIN IMMEDIATE` all others.

    A database in memory has a single connection, which readers share too.
    """

    schema = ""
    mark = "?"
    types: Mapping[Storage, str] = {
        Storage.TEXT: "TEXT NOT NULL", Storage.INTEGER: "INTEGER NOT NULL",
    }  # fmt: skip
    plain, clustered = " STRICT", " STRICT, WITHOUT ROWID"
    greatest = "max"
    chains = False
    for_update = for_share = ""  # a write transaction has the file to itself
    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    begin_write = "BEGIN IMMEDIATE"
    begin_read = "BEGIN"
    explain = "EXPLAIN QUERY PLAN"
    engine = "sqlite"
    copied_label = "json_extract(r.labels, ?)"

    def __init__(
        self, path: str, *, in_memory: bool, timeout: float = 30.0, prefix: str = ""
    ) -> None:
        """Make the lock, for which others wait up to *timeout* seconds.

        The names of tables begin with *prefix*.
        """
        self._path = path
        self.prefix = prefix
        self._writer = Turns(timeout)
        self._reader: AbstractContextManager[Any] = self._writer if in_memory else _NOTHING

    def reading(self) -> AbstractContextManager[Any]:
        """Wait for nobody, where readers have connections of their own."""
        return self._reader

    def writing(self) -> AbstractContextManager[Any]:
        """Wait for the writer of this process: SQLite's own waiting is polling."""
        return self._writer

    def add(self, cursor: Any, table: Table, rows: Iterable[Row]) -> int:
        """Prepare once, run for each."""
        cursor.executemany(insert_text(self, table), rows)
        added: int = cursor.rowcount
        return added

    def one_of(self, column: str, of: Storage) -> str:
        """Read the list from JSON, so that one statement serves every length."""
        return f"{column} IN (SELECT value FROM json_each({self.mark}))"

    def bind_list(self, values: Sequence[Plain]) -> str:
        """Write the list as JSON."""
        return json.dumps(values)

    def like(self, column: str) -> str:
        """GLOB, which unlike LIKE tells case apart."""
        return f"{column} GLOB {self.mark}"

    def bind_pattern(self, parts: Sequence[str]) -> str:
        """Join *parts* by the asterisks of GLOB; its own characters stand in brackets."""
        return "*".join(_SPECIAL.sub(r"[\1]", part) for part in parts)

    def bind_label(self, key: str) -> str | None:
        """Write a path, whose quotes know no escapes and are never empty."""
        written = json.dumps(key, ensure_ascii=False)
        return f"$.{written}" if key and written == f'"{key}"' else None

    def entry(
        self, column: str, key: str, place: int | None = None, *, once: bool = False
    ) -> tuple[str, str]:
        """Write a path."""
        path = f'$."{key}"' if place is None else f'$."{key}"[{place:d}]'
        return f"json_extract(r.{column}, ?)", path

    def with_maps(
        self, condition: str, labels: str, *, copy: bool, words: bool, columns: Sequence[str] = ()
    ) -> str:
        """Join the values once a record; JSON needs no help, its last parses are kept."""
        if not words:
            return f"({condition})"
        joined = f"coalesce(group_concat(l.value, char({ord(JOINT)})), '')"
        values = f"SELECT {joined} AS words FROM {labels} AS l WHERE l.id = r.id"
        return f"(SELECT {condition} FROM ({values}) AS x)"

    def is_idle(self, connection: Any) -> bool:
        """Look for a transaction that is still open."""
        return not connection.in_transaction

    def is_duplicate(self, error: Exception) -> bool:
        """Tell unique and primary keys from other constraints."""
        return isinstance(error, sqlite3.IntegrityError) and error.sqlite_errorcode in (
            sqlite3.SQLITE_CONSTRAINT_UNIQUE,
            sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        )

    def is_undone(self, error: Exception) -> bool:
        """Never: writers take turns."""
        return False

    def is_lost(self, error: Exception) -> bool:
        """Never: there is no server."""
        return False

    def undoes_ddl(self, connection: Any) -> bool:
        """It does."""
        return True

    def translate(self, operation: str, error: Exception) -> BackendError:
        """Say what SQLite's code means for the file, and what to do about it."""
        return failure(operation, error, self._path)
