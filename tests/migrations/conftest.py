"""Each database, with a place for stores of released versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.migrations.databases import Database, Postgres, Sqlite


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A new file, and then a new schema."""
    if request.param == "sqlite":
        yield Sqlite(tmp_path)
        return
    url, schema_url = map(request.getfixturevalue, ("postgres_url", "postgres_schema_url"))
    postgres = Postgres(url, schema_url)
    yield postgres
    postgres.close()
