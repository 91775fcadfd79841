"""Fixtures: what processes share."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from tests.processes.databases import Database, Postgres, Sqlite


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """A place where no store is yet: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        return Sqlite(tmp_path / "store.db")
    url = request.getfixturevalue("postgres_schema_url")
    return Postgres(url, request.getfixturevalue("postgres_url"))


@pytest.fixture
def seed() -> str:
    """Where the random numbers come from; it stands in the report of a failure."""
    seed = uuid4().hex
    print(f"seed {seed}")  # noqa: T201 (pytest shows it where a test fails)
    return seed
