"""Stores as released versions have made them, kept in the folder `data`, and what is in them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests.migrations.shapes import Shape, postgres_shape, sqlite_shape

DATA = Path(__file__).parent.parent / "data"
TABLES = (
    "experiments", "runs", "jobs", "chunks", "settings",
    "experiment_labels", "run_labels", "job_labels",
)  # fmt: skip


def expected(version: str) -> Any:
    """What is in the store that *version* of the schema has made."""
    return json.loads((DATA / f"schema-{version}.json").read_text(encoding="utf-8"))


class Database(Protocol):
    """Where a released store can be restored to: one at *url*, and a new one at *empty*."""

    url: str
    empty: str

    def restore(self, version: str) -> str:
        """Restore what *version* has made; return its URL."""
        ...

    def drop(self) -> None:
        """Remove the store that was restored."""
        ...

    def execute(self, text: str) -> list[Any]:
        """Run a statement on the store that was restored."""
        ...

    def written(self, table: str) -> list[Any]:
        """Return the rows of a table, and what tells when they were written."""
        ...

    def shape(self, url: str) -> Shape:
        """Describe the tables of a store."""
        ...

    def rows(self, columns: str, table: str) -> list[Any]:
        """Return some columns of a table in the order of the first."""
        return self.execute(f"SELECT {columns} FROM {table} ORDER BY 1")

    def all_written(self, tables: Iterable[str] = TABLES) -> dict[str, list[Any]]:
        """Return `written` of all tables."""
        return {table: self.written(table) for table in tables}


class Sqlite(Database):
    """A file in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "store.db"
        self.url = f"sqlite:///{self._path}"
        self.empty = f"sqlite:///{folder}/new.db"

    def restore(self, version: str) -> str:
        self._path.write_bytes((DATA / f"schema-{version}.db").read_bytes())
        return self.url

    def drop(self) -> None:
        self._path.unlink()

    def execute(self, text: str) -> list[Any]:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            return connection.execute(text).fetchall()

    def written(self, table: str) -> list[Any]:
        return self.rows("*", table)

    def shape(self, url: str) -> Shape:
        return sqlite_shape(Path(url.removeprefix("sqlite:///")))

    def bytes(self) -> dict[str, bytes]:
        """What is in the folder of the file."""
        return {file.name: file.read_bytes() for file in self._path.parent.iterdir()}


class Postgres(Database):
    """A schema of a database, and another one for the new store."""

    def __init__(self, url: str, schema_url: str) -> None:
        self._url = url
        self.url = schema_url
        self._schema = _schema_of(schema_url)
        self.empty = schema_url.replace(self._schema, f"{self._schema}_new")

    def restore(self, version: str) -> str:
        text = (DATA / f"schema-{version}.sql").read_bytes().decode()
        self.execute(text.replace(f"schema_{version}_as_released", self._schema))
        return self.url

    def drop(self) -> None:
        self.execute(f"DROP SCHEMA {self._schema} CASCADE")

    def execute(self, text: str) -> list[Any]:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"SET search_path = {self._schema}".encode())
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def written(self, table: str) -> list[Any]:
        return self.rows("ctid, xmin, xmax, *", table)

    def shape(self, url: str) -> Shape:
        return postgres_shape(self._url, _schema_of(url))

    def close(self) -> None:
        """Drop the schema of the new store."""
        self.execute(f"DROP SCHEMA IF EXISTS {self._schema}_new CASCADE")


def _schema_of(url: str) -> str:
    [schema] = parse_qs(urlsplit(url).query)["schema"]
    return schema
