"""What released versions have made can be read and written by this one, on both databases."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict

from experiment_store import ExperimentStore, connect, migrate
from experiment_store.filters.lexis import encode
from experiment_store.registry import open_backend
from experiment_store.schema import SETTING
from experiment_store_sql.tables import SCHEMA_VERSION
from tests.migrations.databases import Database, Sqlite, expected

RELEASED = ("1",)


@pytest.mark.parametrize("version", RELEASED)
def test_every_record_is_as_it_was(version: str, database: Database) -> None:
    url = database.restore(version)
    migrate(url)

    with connect(url) as store:
        assert found_in(store) == {
            kind: expected(version)[kind] for kind in ("experiments", "runs", "jobs")
        }


@pytest.mark.parametrize("version", RELEASED)
def test_every_record_is_found_by_its_id_and_its_labels(version: str, database: Database) -> None:
    url = database.restore(version)
    migrate(url)

    with connect(url) as store:
        for experiment in store.iterate():
            assert store.get(experiment.id) == experiment
            for key, value in experiment.labels.items():
                where = f"labels.{encode((key,))} = {encode((value,))}"
                assert experiment in list(store.iterate(filter=where))


@pytest.mark.parametrize("version", RELEASED)
def test_the_settings_are_kept_but_for_the_version(version: str, database: Database) -> None:
    url = database.restore(version)
    migrate(url)

    with closing(open_backend(url)) as backend:
        settings = expected(version)["settings"]
        assert {id: getattr(backend.get(SETTING, id), "value", None) for id in settings} == settings
        assert getattr(backend.get(SETTING, "schema_version"), "value", None) == SCHEMA_VERSION


@pytest.mark.parametrize("version", RELEASED)
def test_a_page_token_that_it_issued_goes_on(version: str, database: Database) -> None:
    url = database.restore(version)
    migrate(url)
    listing = expected(version)["listing"]

    with connect(url) as store:
        rest = store.list(
            filter=listing["filter"],
            order_by=listing["order_by"],
            page_token=listing["page_token"],
        )

    assert [item.id for item in rest.items] == listing["rest"]


@pytest.mark.parametrize("version", RELEASED)
def test_its_store_can_be_written_to(version: str, database: Database) -> None:
    url = database.restore(version)
    migrate(url)

    with connect(url) as store:
        for experiment in list(store.iterate()):
            store.update(experiment.id, labels={"seen": "again"}, etag=experiment.etag)
            store.unarchive(experiment.id)
            run = store.runs.create(experiment.id, "new", labels={"a": "b"})
            assert run in store.runs.iterate(filter="labels.a = b")
            store.archive(experiment.id)
            store.delete(experiment.id, children="delete")

        assert store.create("gone").name == "gone"
        assert [run.name for run in store.runs.iterate()] == ["orphan"]


@pytest.mark.parametrize("version", RELEASED)
def test_opening_and_reading_changes_no_byte_of_a_file(version: str, tmp_path: Path) -> None:
    sqlite = Sqlite(tmp_path)
    url = sqlite.restore(version)
    migrate(url)
    before = sqlite.bytes()

    with connect(url) as store:
        found_in(store)

    assert sqlite.bytes() == before


@pytest.mark.parametrize("version", RELEASED)
def test_opening_and_reading_writes_no_row(version: str, database: Database) -> None:
    url = database.restore(version)
    migrate(url)
    before = database.all_written()

    with connect(url) as store:
        found_in(store)

    assert database.all_written() == before


@pytest.mark.parametrize("version", RELEASED)
def test_a_migrated_store_has_the_schema_of_a_new_one(version: str, database: Database) -> None:
    url = database.restore(version)

    migrate(url)

    connect(database.empty).close()
    assert database.shape(url) == database.shape(database.empty)


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX runs_by_created_at",
        "CREATE INDEX more ON runs (id)",
        "DROP TABLE job_labels",
        "ALTER TABLE jobs ADD COLUMN note TEXT",
        "ALTER TABLE settings RENAME COLUMN value TO text",
    ],
)
def test_a_difference_between_two_schemas_is_noticed(change: str, database: Database) -> None:
    url = database.restore(SCHEMA_VERSION)
    before = database.shape(url)

    database.execute(change)

    assert database.shape(url) != before


def test_the_schema_of_every_version_is_kept() -> None:
    assert RELEASED[-1] == SCHEMA_VERSION
    assert [str(number) for number in range(1, len(RELEASED) + 1)] == list(RELEASED)


def found_in(store: ExperimentStore) -> Any:
    """What is in a store, as JSON has it."""
    collections: dict[str, Any] = {"experiments": store, "runs": store.runs, "jobs": store.jobs}
    return json.loads(
        json.dumps(
            {
                name: [asdict(record) for record in records.iterate(order_by="id")]
                for name, records in collections.items()
            },
            default=datetime.isoformat,
        )
    )
