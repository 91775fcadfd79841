"""What released versions have made can be read and written by this one, on both databases."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from experiment_store import connect, migrate
from experiment_store.filters.lexis import encode
from experiment_store.registry import open_backend
from experiment_store.schema import SETTING
from experiment_store_sql.codec import encode_keys
from experiment_store_sql.migrations import VERSIONS
from experiment_store_sql.tables import SCHEMA_VERSION
from tests.migrations.databases import Database, Sqlite, expected
from tests.migrations.later import later
from tests.migrations.released import chunks_in, found_in, records_of

RELEASED = ("1", "2")


@pytest.mark.parametrize("version", RELEASED)
def test_every_record_is_as_it_was(version: str, database: Database) -> None:
    url = database.restore(version)
    migrate(url)

    with connect(url) as store:
        assert found_in(store) == records_of(version)


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
def test_the_sort_keys_are_those_that_would_be_written_now(
    version: str, database: Database
) -> None:
    url = database.restore(version)
    migrate(url)

    with connect(url) as store:
        for id, *keys in database.rows("id, params_keys, metrics_keys", "runs"):
            run = store.runs.get(id)
            assert [json.loads(text) for text in keys] == [
                json.loads(encode_keys(value)) for value in (run.params, run.metrics)
            ]


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
        [orphan] = store.runs.iterate()
        assert orphan.name == "orphan"
        assert {chunk.run_id for chunk in chunks_in(store)} <= {orphan.id}


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


@pytest.mark.parametrize("version", RELEASED[:-1])
def test_a_step_can_be_taken_wherever_an_earlier_attempt_has_ended(
    version: str, database: Database
) -> None:
    connect(database.empty).close()
    with later(database.restore(version), SCHEMA_VERSION, folder=VERSIONS) as migrations:
        [statements, *_] = [step.statements for step in migrations.plan()]

    for count in range(1, len(statements) + 1):
        database.drop()
        url = database.restore(version)
        for statement in filter(None, statements[:count]):
            database.execute(statement)

        migrate(url)

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
