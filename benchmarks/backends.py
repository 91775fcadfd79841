"""The backends that can be measured: a floor, a place for the store, and what is in use."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psycopg

from benchmarks.databases import File, Memory, Place, Schema, postgres_server
from benchmarks.floor_memory import MemoryFloor
from benchmarks.floor_postgres import PostgresFloor
from benchmarks.floor_sqlite import SqliteFloor
from benchmarks.subject import Subject


@dataclass(frozen=True)
class Backend:
    """What is needed to measure one backend; *versions* are those of what it runs on."""

    floor: Callable[[], Subject]
    place: Callable[[Path], Place]
    versions: str


@contextmanager
def _memory() -> Iterator[Backend]:
    versions = f"sortedcontainers {version('sortedcontainers')}"
    yield Backend(MemoryFloor, lambda _: Memory(), versions)


@contextmanager
def _sqlite() -> Iterator[Backend]:
    versions = f"SQLite {sqlite3.sqlite_version}"
    yield Backend(SqliteFloor, lambda folder: File(folder / "store.db"), versions)


@contextmanager
def _postgresql() -> Iterator[Backend]:
    with postgres_server() as url:
        with psycopg.connect(url) as connection:
            [release] = connection.execute("SHOW server_version").fetchone() or ("?",)
        versions = f"PostgreSQL {release}, psycopg {psycopg.__version__} ({psycopg.pq.__impl__})"
        yield Backend(lambda: PostgresFloor(url), lambda _: Schema.new(url), versions)


BACKENDS: Mapping[str, Callable[[], AbstractContextManager[Backend]]] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "postgresql": _postgresql,
}


def own_versions() -> str:
    """Name what every backend runs on."""
    return f"experiment-store {version('experiment-store')}, Python {platform.python_version()}"
