"""The two databases that processes share: how to reach, to open and to examine them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from random import Random
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import psycopg

from experiment_store import ExperimentStore
from experiment_store.registry import open_backend
from tests.processes import contents
from tests.processes.contents import Ask, Records
from tests.processes.processes import PATIENCE


class Database(Protocol):
    """A place for a store, which is not there yet."""

    def url(self, random: Random) -> str:
        """Return an address for a writer."""

    def settle(self) -> None:
        """Wait until nothing is done any more for processes that are dead."""

    def asking(self) -> AbstractContextManager[Ask]:
        """Lend a connection beside the store."""

    def assert_is_sound(self, ask: Ask) -> None:
        """Look for damage."""

    def remove(self) -> None:
        """Let there be no store again."""

    @property
    def impatient_url(self) -> str:
        """An address to open the store without waiting for anybody."""


class Sqlite:
    """A file; some writers wait for the disk, others do not."""

    def __init__(self, path: Path) -> None:
        """Use the file at *path*."""
        self._path = path
        self._location = f"sqlite:///{path}"
        self.impatient_url = f"{self._location}?timeout=0"

    def url(self, random: Random) -> str:
        """Draw what a commit waits for."""
        return f"{self._location}?synchronous={random.choice(('full', 'normal'))}"

    def settle(self) -> None:
        """Do nothing: with a process, all that it did has ended."""

    def asking(self) -> AbstractContextManager[Ask]:
        """Lend a connection beside the store."""
        return contents.asking_sqlite(self._location)

    def assert_is_sound(self, ask: Ask) -> None:
        """Ask SQLite."""
        contents.assert_sqlite_is_sound(ask)

    def remove(self) -> None:
        """Delete all files."""
        for file in self._path.parent.glob(f"{self._path.name}*"):
            file.unlink()


class Postgres:
    """A schema."""

    _WRITERS = "experiment-store-writer"

    def __init__(self, url: str, server: str) -> None:
        """Use the schema of *url* at *server*."""
        self.impatient_url = url
        self._server = server

    def url(self, _: Random) -> str:
        """Let the server know who is a writer."""
        return f"{self.impatient_url}&application_name={self._WRITERS}"

    def settle(self) -> None:
        """Wait for the server to notice: it ends the statement first that a process has sent."""
        text = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        deadline = time.monotonic() + PATIENCE
        with psycopg.connect(self._server, autocommit=True) as connection:
            while connection.execute(text, [self._WRITERS]).fetchone() != (0,):
                assert time.monotonic() < deadline, "the server still works for the dead"

    def asking(self) -> AbstractContextManager[Ask]:
        """Lend a connection beside the store."""
        return contents.asking_postgres(self.impatient_url)

    def assert_is_sound(self, ask: Ask) -> None:
        """Compare indexes and tables."""
        contents.assert_postgres_is_sound(ask)

    def remove(self) -> None:
        """Drop the schema."""
        [schema] = parse_qs(urlsplit(self.impatient_url).query)["schema"]
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())


@contextmanager
def opening_at_once(database: Database) -> Iterator[ExperimentStore]:
    """Open the store, read and write, without patience for locks that somebody left behind."""
    with ExperimentStore(open_backend(database.impatient_url)) as store:
        probe = store.create("probe", namespace="probe")
        store.delete(probe.id)
        yield store


def examine(database: Database, store: ExperimentStore) -> Mapping[str, Records]:
    """Look for damage, and for labels that are not those of their records; return all records."""
    found = contents.read_all(store)
    with database.asking() as ask:
        contents.assert_labels_are_in_step(ask, found)
        database.assert_is_sound(ask)
        assert contents.count_settings(ask) == 1
    return found


def names(round_: int, count: int) -> Sequence[str]:
    """Return names for writers; those of one number go on where the one before has stopped."""
    return [f"r{round_}-{number}" for number in range(count)]
