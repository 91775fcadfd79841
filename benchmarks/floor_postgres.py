"""The floor on PostgreSQL: what one would write by hand on psycopg, for these questions only.

Prepared statements on a connection per thread that is held open; one statement
creates an experiment with its labels; loads are COPY.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from benchmarks.databases import Schema
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

_TABLES = create_tables('TEXT COLLATE "C"', "BIGINT", {})
_INSERT = f"INSERT INTO experiments VALUES (%s, %s, %s, '', %s, 'AVAILABLE', %s, %s, {ABSENT}, %s)"
_INSERT_LABELLED = f"""
WITH new AS ({_INSERT} RETURNING id, labels, created_at)
INSERT INTO experiment_labels
SELECT new.id, label.key, label.value, new.created_at
FROM new, json_each_text(new.labels::json) AS label
"""
_GET = f"SELECT {EXPERIMENT} FROM experiments WHERE id = %s"
_GET_BY_NAME = f"SELECT {EXPERIMENT} FROM experiments WHERE namespace = %s AND name = %s"
_FIRST = f"SELECT {EXPERIMENT} FROM experiments ORDER BY created_at, id LIMIT %s"
_NEXT = (
    f"SELECT {EXPERIMENT} FROM experiments WHERE (created_at, id) > (%s, %s)"
    " ORDER BY created_at, id LIMIT %s"
)
_CONTAINS = (
    f"SELECT {EXPERIMENT} FROM experiments WHERE name LIKE %s"
    " ORDER BY created_at DESC, id DESC LIMIT %s"
)
_ARCHIVE = (
    "UPDATE experiments SET storage_state = 'ARCHIVED', updated_at = %s, etag = %s"
    f" WHERE id = %s AND storage_state = 'AVAILABLE' RETURNING {EXPERIMENT}"
)
_ARCHIVE_RUNS = (
    "UPDATE runs SET storage_state = 'ARCHIVED', updated_at = %s, etag = %s"
    " WHERE experiment_id = %s AND storage_state = 'AVAILABLE'"
)
_DISABLE_JOBS = (
    "UPDATE jobs SET enabled = 0, updated_at = %s, etag = %s"
    " WHERE experiment_id = %s AND enabled = 1"
)
_ARCHIVED_RUNS = "SELECT count(*) FROM runs WHERE experiment_id = %s AND storage_state = 'ARCHIVED'"


class PostgresFloor:
    """A subject: hand-written SQL on psycopg."""

    lacks = frozenset[str]()

    def __init__(self, server: str) -> None:
        self._schema = Schema.new(server)
        self._connections: list[psycopg.Connection] = []
        self._local = threading.local()

    def open(self, folder: Path) -> None:
        """Make a schema and its tables."""
        self._schema.create()
        self._cursor().execute(_TABLES)

    def settle(self) -> None:
        """Vacuum and analyze."""
        self._schema.settle()

    def close(self) -> None:
        """Close the connections of all threads, and drop the schema."""
        for connection in self._connections:
            connection.close()
        self._schema.remove()

    def prepare(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Leave the rows as they are: they are tuples."""
        return rows

    def load(self, batch: Sequence[Row]) -> None:
        """Store rows in one transaction."""
        time = now()
        rows, labels = [], []
        for id, namespace, name, description, given in batch:
            row = (id, namespace, name, description, encode_labels(given), "AVAILABLE")
            rows.append((*row, time, time, ABSENT, new_etag()))
            labels.extend([(id, key, value, time) for key, value in given.items()])
        self._copy(("experiments", rows), ("experiment_labels", labels))

    def ids(self, rows: Sequence[Row]) -> Sequence[str]:
        """They are the rows' own."""
        return [row.id for row in rows]

    def load_runs(self, experiment_id: str, runs: Sequence[RunRow]) -> None:
        """Store runs of an experiment in one transaction."""
        time = now()
        namespace = self.get(experiment_id)[1]
        rows, labels = [], []
        for id, name, given in runs:
            row = (id, experiment_id, namespace, name, "", encode_labels(given), "AVAILABLE")
            times = (time, time, ABSENT, ABSENT)
            rows.append((*row, "PENDING", *times, "", new_etag()))
            labels.extend([(id, key, value, time) for key, value in given.items()])
        self._copy(("runs", rows), ("run_labels", labels))

    def create(self, name: str, namespace: str, labels: Mapping[str, str]) -> Record:
        """Store one experiment in one statement."""
        time = now()
        id, etag, text = new_id(time), new_etag(), encode_labels(labels)
        statement = _INSERT_LABELLED if labels else _INSERT
        row = (id, namespace, name, text, time, time, etag)
        self._cursor().execute(statement, row, prepare=True)
        return (id, namespace, name, "", text, "AVAILABLE", time, time, ABSENT, etag)

    def get(self, id: str) -> Record:
        """Read one row by its primary key."""
        return self._rows(_GET, (id,))[0]

    def get_by_name(self, name: str, namespace: str) -> Record:
        """Read one row by its unique key."""
        return self._rows(_GET_BY_NAME, (namespace, name))[0]

    def first_page(self, limit: int) -> Sequence[Record]:
        """Read the oldest rows."""
        return self._rows(_FIRST, (limit,))

    def contains(self, text: str, limit: int) -> Sequence[Record]:
        """Read the newest first."""
        return self._rows(_CONTAINS, (f"%{text}%", limit))

    def walk(self, page: int) -> Iterator[Record]:
        """Read pages, each from where the last one ended."""
        rows = self._rows(_FIRST, (page,))
        while rows:
            yield from rows
            last = rows[-1]
            rows = self._rows(_NEXT, (last[6], last[0], page))

    def archive(self, id: str) -> Record:
        """Update the experiment, its runs and its jobs in one transaction."""
        cursor = self._cursor()
        change = (now(), new_etag(), id)
        cursor.execute("BEGIN", prepare=True)
        row = self._rows(_ARCHIVE, change)[0]
        cursor.execute(_ARCHIVE_RUNS, change, prepare=True)
        cursor.execute(_DISABLE_JOBS, change, prepare=True)
        cursor.execute("COMMIT", prepare=True)
        return row

    def archived_runs(self, experiment_id: str) -> int:
        """Count them."""
        count: int = self._rows(_ARCHIVED_RUNS, (experiment_id,))[0][0]
        return count

    def describe(self, record: Record) -> Description:
        """Name the columns that can be compared."""
        return describe(record)

    def _cursor(self) -> psycopg.Cursor[Record]:
        try:
            held: psycopg.Cursor[Record] = self._local.cursor
        except AttributeError:
            connection = self._schema.connect()
            self._connections.append(connection)
            held = self._local.cursor = connection.cursor()
        return held

    def _rows(self, statement: LiteralString, values: Sequence[Any]) -> list[Record]:
        return self._cursor().execute(statement, values, prepare=True).fetchall()

    def _copy(self, *loads: tuple[LiteralString, Iterable[Record]]) -> None:
        cursor = self._cursor()
        cursor.execute("BEGIN")
        for table, rows in loads:
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        cursor.execute("COMMIT")
