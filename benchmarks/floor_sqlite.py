"""The floor on SQLite: what one would write by hand on the driver, for these questions only.

As durable as the store (WAL, and a commit waits for the disk). A connection per
thread is held open; writers take turns by a lock of the process.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.floor_tables import (
    ABSENT,
    EXPERIMENT,
    Record,
    create_tables,
    describe,
    encode_labels,
)
from benchmarks.stamps import new_etag, new_id, now
from benchmarks.subject import Description
from benchmarks.workload import Row, RunRow

_TABLES = create_tables("TEXT", "INTEGER", {"id": " STRICT", "id, key": " STRICT, WITHOUT ROWID"})
_INSERT = "INSERT INTO experiments VALUES (?, ?, ?, ?, ?, 'AVAILABLE', ?, ?, ?, ?)"
_INSERT_LABEL = "INSERT INTO experiment_labels VALUES (?, ?, ?, ?)"
_INSERT_RUN = (
    "INSERT INTO runs VALUES"
    f" (?, ?, ?, ?, '', ?, 'AVAILABLE', 'PENDING', ?, ?, {ABSENT}, {ABSENT}, '', ?)"
)
_INSERT_RUN_LABEL = "INSERT INTO run_labels VALUES (?, ?, ?, ?)"
_GET = f"SELECT {EXPERIMENT} FROM experiments WHERE id = ?"
_GET_BY_NAME = f"SELECT {EXPERIMENT} FROM experiments WHERE namespace = ? AND name = ?"
_FIRST = f"SELECT {EXPERIMENT} FROM experiments ORDER BY created_at, id LIMIT ?"
_NEXT = (
    f"SELECT {EXPERIMENT} FROM experiments WHERE (created_at, id) > (?, ?)"
    " ORDER BY created_at, id LIMIT ?"
)
_CONTAINS = (
    f"SELECT {EXPERIMENT} FROM experiments WHERE instr(name, ?) > 0"
    " ORDER BY created_at DESC, id DESC LIMIT ?"
)
_ARCHIVE = (
    "UPDATE experiments SET storage_state = 'ARCHIVED', updated_at = ?, etag = ?"
    f" WHERE id = ? AND storage_state = 'AVAILABLE' RETURNING {EXPERIMENT}"
)
_ARCHIVE_RUNS = (
    "UPDATE runs SET storage_state = 'ARCHIVED', updated_at = ?, etag = ?"
    " WHERE experiment_id = ? AND storage_state = 'AVAILABLE'"
)
_DISABLE_JOBS = (
    "UPDATE jobs SET enabled = 0, updated_at = ?, etag = ? WHERE experiment_id = ? AND enabled = 1"
)
_ARCHIVED_RUNS = "SELECT count(*) FROM runs WHERE experiment_id = ? AND storage_state = 'ARCHIVED'"


class SqliteFloor:
    """A subject: hand-written SQL on `sqlite3`."""

    lacks = frozenset[str]()

    def __init__(self) -> None:
        self._connections: list[sqlite3.Connection] = []
        self._local = threading.local()
        self._writer = threading.Lock()
        self._path = ""

    def open(self, folder: Path) -> None:
        """Make the file and its tables."""
        self._path = str(folder / "floor.db")
        connection = self._connection()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_TABLES)

    def settle(self) -> None:
        """Write the log into the file."""
        self._connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._connections:
            connection.close()

    def prepare(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Leave the rows as they are: they are tuples."""
        return rows

    def load(self, batch: Sequence[Row]) -> None:
        """Store rows in one transaction."""
        time = now()
        rows, labels = [], []
        for id, namespace, name, description, given in batch:
            text = encode_labels(given)
            rows.append((id, namespace, name, description, text, time, time, ABSENT, new_etag()))
            labels.extend([(id, key, value, time) for key, value in given.items()])
        self._write((_INSERT, rows), (_INSERT_LABEL, labels))

    def ids(self, rows: Sequence[Row]) -> Sequence[str]:
        """They are the rows' own."""
        return [row.id for row in rows]

    def load_runs(self, experiment_id: str, runs: Sequence[RunRow]) -> None:
        """Store runs of an experiment in one transaction."""
        time = now()
        namespace = self.get(experiment_id)[1]
        rows, labels = [], []
        for id, name, given in runs:
            text = encode_labels(given)
            rows.append((id, experiment_id, namespace, name, text, time, time, new_etag()))
            labels.extend([(id, key, value, time) for key, value in given.items()])
        self._write((_INSERT_RUN, rows), (_INSERT_RUN_LABEL, labels))

    def create(self, name: str, namespace: str, labels: Mapping[str, str]) -> Record:
        """Store one experiment: one statement, or two in a transaction."""
        time = now()
        id, etag, text = new_id(time), new_etag(), encode_labels(labels)
        row = (id, namespace, name, "", text, time, time, ABSENT, etag)
        connection = self._connection()
        with self._writer:
            if labels:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_INSERT, row)
                given = [(id, key, value, time) for key, value in labels.items()]
                connection.executemany(_INSERT_LABEL, given)
                connection.execute("COMMIT")
            else:
                connection.execute(_INSERT, row)
        return (id, namespace, name, "", text, "AVAILABLE", time, time, ABSENT, etag)

    def get(self, id: str) -> Record:
        """Read one row by its primary key."""
        row: Record = self._connection().execute(_GET, (id,)).fetchone()
        return row

    def get_by_name(self, name: str, namespace: str) -> Record:
        """Read one row by its unique key."""
        row: Record = self._connection().execute(_GET_BY_NAME, (namespace, name)).fetchone()
        return row

    def first_page(self, limit: int) -> Sequence[Record]:
        """Read the oldest rows."""
        return self._connection().execute(_FIRST, (limit,)).fetchall()

    def contains(self, text: str, limit: int) -> Sequence[Record]:
        """Read the newest first; the name stands in the index that orders them."""
        return self._connection().execute(_CONTAINS, (text, limit)).fetchall()

    def walk(self, page: int) -> Iterator[Record]:
        """Read pages, each from where the last one ended."""
        connection = self._connection()
        rows = connection.execute(_FIRST, (page,)).fetchall()
        while rows:
            yield from rows
            last = rows[-1]
            rows = connection.execute(_NEXT, (last[6], last[0], page)).fetchall()

    def archive(self, id: str) -> Record:
        """Update the experiment, its runs and its jobs in one transaction."""
        connection = self._connection()
        change = (now(), new_etag(), id)
        with self._writer:
            connection.execute("BEGIN IMMEDIATE")
            row: Record = connection.execute(_ARCHIVE, change).fetchall()[0]
            connection.execute(_ARCHIVE_RUNS, change)
            connection.execute(_DISABLE_JOBS, change)
            connection.execute("COMMIT")
        return row

    def archived_runs(self, experiment_id: str) -> int:
        """Count them."""
        count: int = self._connection().execute(_ARCHIVED_RUNS, (experiment_id,)).fetchone()[0]
        return count

    def describe(self, record: Record) -> Description:
        """Name the columns that can be compared."""
        return describe(record)

    def _connection(self) -> sqlite3.Connection:
        try:
            held: sqlite3.Connection = self._local.connection
        except AttributeError:
            held = self._local.connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=30
            )
            held.execute("PRAGMA synchronous = FULL")
            self._connections.append(held)
        return held

    def _write(self, *loads: tuple[str, list[tuple[Any, ...]]]) -> None:
        connection = self._connection()
        with self._writer:
            connection.execute("BEGIN IMMEDIATE")
            for statement, rows in loads:
                connection.executemany(statement, rows)
            connection.execute("COMMIT")
