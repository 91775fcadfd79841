"""What is in a store: its records as the library reads them, its tables as the database does."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg

from experiment_store import ExperimentStore
from experiment_store.schema import EXPERIMENT, JOB, RUN
from experiment_store_sql.codec import label_rows
from experiment_store_sql.tables import LABELLED, RECORDS, Table, all_tables

Records = Mapping[tuple[str, str], Any]
"""Experiments, runs and jobs by kind and id."""

Ask = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs a statement; tables have no prefix."""


def read_all(store: ExperimentStore) -> Mapping[str, Records]:
    """Return all that is in *store*, by namespace."""
    contents: dict[str, dict[tuple[str, str], Any]] = defaultdict(dict)
    for place, record in _read(store, None):
        contents[record.namespace][place] = record
    return contents


def read_one(store: ExperimentStore, namespace: str) -> Records:
    """Return what is in a *namespace* of *store*."""
    return dict(_read(store, namespace))


def _read(store: ExperimentStore, namespace: str | None) -> Iterator[tuple[tuple[str, str], Any]]:
    for experiment in store.iterate(namespace=namespace):
        yield (EXPERIMENT.name, experiment.id), experiment
    for run in store.runs.iterate(namespace=namespace):
        yield (RUN.name, run.id), run
    for job in store.jobs.iterate(namespace=namespace):
        yield (JOB.name, job.id), job


@contextmanager
def asking_sqlite(url: str) -> Iterator[Ask]:
    """Ask the file of *url*, which nobody else uses."""
    path = url.partition("?")[0].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        yield lambda text: connection.execute(text).fetchall()


@contextmanager
def asking_postgres(url: str) -> Iterator[Ask]:
    """Ask the schema of *url*."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    schema = given.pop("schema")
    location = parts._replace(query=urlencode(given)).geturl()
    with psycopg.connect(location, autocommit=True) as connection:
        connection.execute(f'SET search_path = "{schema}"')
        yield lambda text: connection.execute(text.encode()).fetchall()


def assert_labels_are_in_step(ask: Ask, contents: Mapping[str, Records]) -> None:
    """Compare the tables of labels with the labels of the records."""
    for kind, table in LABELLED.items():
        records = (
            record
            for found in contents.values()
            for (name, _), record in found.items()
            if name == kind
        )
        assert set(ask(_select(table.written, table))) == set(label_rows(records)), kind


def assert_sqlite_is_sound(ask: Ask) -> None:
    """Let SQLite look at every page, and at every entry of every index."""
    assert ask("PRAGMA integrity_check") == [("ok",)]


def assert_postgres_is_sound(ask: Ask) -> None:
    """Read every index whole, and compare it with its table; wrong checksums would raise."""
    for table in all_tables():
        for columns in _indexes(table):
            listed = ", ".join(columns)
            text = f"{_select(listed, table)} ORDER BY {listed}"
            _ask_how(ask, index=False)
            expected = ask(text)
            _ask_how(ask, index=True)
            assert ask(text) == expected, f"{table.name} by {listed}"


def _ask_how(ask: Ask, *, index: bool) -> None:
    """Let PostgreSQL read by index, or not at all by index."""
    for way in ("seqscan", "sort"):
        _set(ask, f"enable_{way}", on=not index)
    for way in ("indexscan", "indexonlyscan", "bitmapscan"):
        _set(ask, f"enable_{way}", on=index)


def _set(ask: Ask, name: str, *, on: bool) -> None:
    ask(f"SELECT set_config('{name}', '{'on' if on else 'off'}', false)")


def _indexes(table: Table) -> Iterator[Sequence[str]]:
    yield table.primary_key
    for index in table.indexes:
        yield index.columns


def count_settings(ask: Ask) -> int:
    """Return how many settings the store has: one, its version."""
    return len(ask(_select("id", RECORDS["setting"])))


def _select(columns: str, table: Table) -> str:
    return f"SELECT {columns} FROM {table.name}"
