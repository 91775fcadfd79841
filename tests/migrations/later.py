"""The library as a later release might have it, whose steps are in `later_versions`.

As a program, ``python -m tests.migrations.later URL VERSION``, it migrates to a version.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from experiment_store.capabilities import Migration, Migrations
from experiment_store.registry import open_backend
from experiment_store_sql import SqlBackend
from experiment_store_sql.migrations import Lease, Site, SqlMigrations
from experiment_store_sqlite import SqliteBackend
from tests.migrations.databases import Database, Postgres, Sqlite
from tests.migrations.shapes import Shape

FOLDER = Path(__file__).parent / "later_versions"
LAST = "5"

_ID = ("id", 0, "BINARY")

# What the steps in `later_versions` do to the tables.
GONE: dict[type[Database], Shape] = {
    Sqlite: frozenset({("jobs", "schedule", "TEXT", 1, 0, 0)}),
    Postgres: frozenset({("jobs", "schedule", "text", "True", "C")}),
}
NEW: dict[type[Database], Shape] = {
    Sqlite: frozenset(
        {
            ("experiment_labels", "CHECK (key <> '')"),
            ("experiments", "experiments_by_note", 0, "c", 0, ("note", 0, "BINARY"), _ID),
            ("experiments", "note", "TEXT", 1, 0, 0),
            ("experiments", "rank", "INTEGER", 1, 0, 0),
            ("jobs", "timetable", "TEXT", 1, 0, 0),
            ("metrics", "id", "TEXT", 1, 1, 0),
            ("metrics", "key", 1, "pk", 0, _ID, ("step", 0, "BINARY")),
            ("metrics", "step", "INTEGER", 1, 2, 0),
            ("metrics", "without rowid", "strict"),
        }
    ),
    Postgres: frozenset(
        {
            ("CREATE INDEX experiments_by_note ON experiments USING btree (note, id)",),
            ("CREATE UNIQUE INDEX metrics_pkey ON metrics USING btree (id, step)",),
            ("experiment_labels", "labels_have_keys", "CHECK ((key <> ''::text))"),
            ("experiments", "note", "text", "True", "C"),
            ("experiments", "rank", "bigint", "True", "None"),
            ("jobs", "timetable", "text", "True", "C"),
            ("metrics", "id", "text", "True", "C"),
            ("metrics", "metrics_pkey", "PRIMARY KEY (id, step)"),
            ("metrics", "step", "bigint", "True", "None"),
        }
    ),
}


class LaterSqlite(SqliteBackend):
    """What `connect` of the later release would return, for migrations."""

    def migrations(self) -> Migrations:
        """Lead to the last version."""
        return migrations_of(self)


class LastingDdl(Site):
    """A database where changes of tables outlive the transaction, as on CockroachDB."""

    def undoes_ddl(self) -> bool:
        return False


def connect(url: str) -> LaterSqlite:
    """Open ``later:///path``, as an entry point."""
    return LaterSqlite(url.removeprefix("later:///"))


def migrations_of(
    backend: SqlBackend,
    version: str = LAST,
    *,
    folder: Path = FOLDER,
    site: Callable[..., Site] = Site,
    **lease: Any,
) -> SqlMigrations:
    """Lead the store of *backend* to *version* by the steps in *folder*."""
    place = site(backend._steps, backend._dialect)
    return SqlMigrations(
        place,
        find=backend._find_version,
        create=backend.setup,
        version=version,
        folder=folder,
        lease=Lease(place, **lease),
    )


@contextmanager
def later(url: str, version: str = LAST, **options: Any) -> Iterator[SqlMigrations]:
    """Lend the migrations of the store at *url*."""
    with opened(url) as backend:
        yield migrations_of(backend, version, **options)


@contextmanager
def opened(url: str) -> Iterator[SqlBackend]:
    """Lend the backend of a store, which is not set up."""
    backend = open_backend(url)
    assert isinstance(backend, SqlBackend)
    with closing(backend):
        yield backend


def migrate(url: str, version: str = LAST, *, wait: float = 0, **options: Any) -> Migration:
    """Bring the store at *url* to *version*."""
    with later(url, version, **options) as migrations:
        return migrations.apply(wait=wait, progress=lambda _: None)


if __name__ == "__main__":
    migrate(*sys.argv[1:3], site=LastingDdl if "--lasting-ddl" in sys.argv else Site)
