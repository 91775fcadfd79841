"""A database for a peer, and rows put straight into the tables that the peer made there.

Filling by a peer's own calls takes up to half an hour. So one record is made by
them; its rows are read back, and copied with other values. Imports the standard
library only, and psycopg2 where the database is on PostgreSQL.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlencode
from uuid import uuid4

TableRow: TypeAlias = dict[str, Any]


class Clock:
    """The times of rows that are put in: one a millisecond, all in the past."""

    def __init__(self) -> None:
        self._next = time.time_ns() // 1_000_000 - 10_000_000

    def __call__(self) -> int:
        """Return milliseconds since 1970, more than ever before."""
        self._next += 1
        return self._next


class Database(Protocol):
    """An empty database to begin with, which the peer fills with tables."""

    @property
    def url(self) -> str:
        """Its address as SQLAlchemy writes it."""

    def rows(self, table: str, column: str, value: object) -> list[TableRow]:
        """Read the rows in which *column* has this value."""

    def take(self, table: str, column: str, value: object) -> list[TableRow]:
        """Read the rows in which *column* has this value, and delete them."""

    def insert(self, *loads: tuple[str, Iterable[TableRow]]) -> None:
        """Put rows into tables, in one transaction; those of one table have the same columns."""

    def advance(self, table: str, column: str) -> None:
        """Let the database number on from the greatest number."""

    def settle(self) -> None:
        """Do what the database does by itself a minute later."""

    def remove(self) -> None:
        """Remove what is not in the folder."""


class SqliteFile:
    """A file in a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "peer.db"

    @property
    def url(self) -> str:
        """Its address as SQLAlchemy writes it."""
        return f"sqlite:///{self.path}"

    def rows(self, table: str, column: str, value: object) -> list[TableRow]:
        """Read the rows in which *column* has this value."""
        with self._connect() as connection:
            found = connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", (value,))
            names = [name for name, *_ in found.description]
            return [dict(zip(names, row, strict=True)) for row in found]

    def take(self, table: str, column: str, value: object) -> list[TableRow]:
        """Read the rows in which *column* has this value, and delete them."""
        found = self.rows(table, column, value)
        with self._connect() as connection:
            connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (value,))
        return found

    def insert(self, *loads: tuple[str, Iterable[TableRow]]) -> None:
        """Put rows into tables."""
        with self._connect() as connection:
            for table, given in loads:
                if rows := list(given):
                    places = ", ".join(f":{name}" for name in rows[0])
                    columns = ", ".join(rows[0])
                    connection.executemany(
                        f"INSERT INTO {table} ({columns}) VALUES ({places})", rows
                    )

    def advance(self, table: str, column: str) -> None:
        """Do nothing: SQLite numbers on by itself."""

    def settle(self) -> None:
        """Do nothing: none of the peers keeps a log or statistics there."""

    def remove(self) -> None:
        """Do nothing: the folder is not ours."""

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path)
        try:
            with connection:
                yield connection
        finally:
            connection.close()


class PostgresDatabase:
    """A database of its own on a server, as ML Metadata cannot be told a schema."""

    def __init__(self, server: str) -> None:
        self._psycopg2 = import_module("psycopg2")
        self._extras = import_module("psycopg2.extras")
        self._server = server
        self.parameters: dict[str, str] = {
            "port": "5432",  # ML Metadata wants one, whether or not it is the default
            **import_module("psycopg2.extensions").parse_dsn(server),
            "dbname": f"bench_{uuid4().hex}",
        }
        self._administer(f"CREATE DATABASE {self.parameters['dbname']}")

    @property
    def url(self) -> str:
        """Its address as SQLAlchemy writes it."""
        others = {key: value for key, value in self.parameters.items() if key != "dbname"}
        return f"postgresql+psycopg2:///{self.parameters['dbname']}?{urlencode(others)}"

    def rows(self, table: str, column: str, value: object) -> list[TableRow]:
        """Read the rows in which *column* has this value."""
        with self._cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table} WHERE {column} = %s", (value,))
            names = [description.name for description in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def take(self, table: str, column: str, value: object) -> list[TableRow]:
        """Read the rows in which *column* has this value, and delete them."""
        found = self.rows(table, column, value)
        with self._cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} WHERE {column} = %s", (value,))
        return found

    def insert(self, *loads: tuple[str, Iterable[TableRow]]) -> None:
        """Put rows into tables."""
        with self._cursor() as cursor:
            for table, given in loads:
                if rows := list(given):
                    statement = f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES %s"
                    values = [tuple(row.values()) for row in rows]
                    self._extras.execute_values(cursor, statement, values, page_size=1000)

    def advance(self, table: str, column: str) -> None:
        """Let the database number on from the greatest number."""
        with self._cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column}))"
                f" FROM {table}"
            )

    def settle(self) -> None:
        """Vacuum and analyze."""
        self._administer("VACUUM (ANALYZE)", **self.parameters)

    def remove(self) -> None:
        """Drop it, and whatever connections the peer keeps."""
        self._administer(f"DROP DATABASE {self.parameters['dbname']} WITH (FORCE)")

    def _administer(self, statement: str, **parameters: str) -> None:
        connection = self._psycopg2.connect(self._server, **parameters)
        connection.autocommit = True
        try:
            connection.cursor().execute(statement)
        finally:
            connection.close()

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        connection = self._psycopg2.connect(**self.parameters)
        try:
            with connection:
                yield connection.cursor()
        finally:
            connection.close()


def new_database(server: str | None, folder: Path) -> SqliteFile | PostgresDatabase:
    """Make one on the server, or if there is none, in the folder."""
    return PostgresDatabase(server) if server else SqliteFile(folder)
