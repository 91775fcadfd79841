"""Steps of a later release: taken in order, each as a whole, once, and by nobody else meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import alembic
import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from experiment_store import (
    BackendError,
    Migration,
    MigrationNeededError,
    MissingDriverError,
    UnavailableError,
    UnsupportedError,
    connect,
)
from experiment_store.capabilities import Migratable, SchemaStatus
from experiment_store_sql.backend import BoundBackend
from experiment_store_sql.migrations import VERSIONS
from experiment_store_sql.tables import SCHEMA_VERSION
from tests.migrations.databases import TABLES, Database, Postgres, expected
from tests.migrations.later import GONE, NEW, LastingDdl, later, migrate, opened

COLUMNS = "id, namespace, name, description, labels, storage_state, created_at, updated_at, etag"


def test_all_steps_are_taken_in_order(database: Database) -> None:
    url = database.restore("2")
    told: list[str] = []

    with later(url) as migrations:
        done = migrations.apply(wait=0, progress=told.append)

    assert done == Migration(before="2", after="5", steps=("3", "4", "5"))
    assert [sentence for sentence in told if sentence.startswith("schema")] == [
        "schema 3: Notes of experiments, and an index over them.",
        "schema 4: Every experiment's note is its name.",
        "schema 5: Labels without empty keys, and a table of metrics.",
    ]


def test_a_store_can_be_brought_forward_one_version_at_a_time(database: Database) -> None:
    url = database.restore("2")

    assert [migrate(url, version).steps for version in "2345"] == [(), ("3",), ("4",), ("5",)]


def test_what_is_up_to_date_stays_as_it_is(database: Database) -> None:
    url = database.restore("2")
    migrate(url)
    before = database.all_written((*TABLES, "metrics"))

    assert migrate(url) == Migration(before="5", after="5")

    assert database.all_written((*TABLES, "metrics")) == before


def test_no_record_is_lost_or_changed(database: Database) -> None:
    url = database.restore("2")
    tables = set(TABLES) - {"settings", "experiments", "jobs"}
    before = {table: database.rows("*", table) for table in tables}
    experiments = database.rows(COLUMNS, "experiments")
    jobs = database.rows("id, schedule", "jobs")

    migrate(url)

    assert {table: database.rows("*", table) for table in tables} == before
    assert database.rows(COLUMNS, "experiments") == experiments
    assert database.rows("id, timetable", "jobs") == jobs


def test_every_row_is_rewritten_once(database: Database) -> None:
    url = database.restore("2")

    migrate(url)

    experiments = expected("2")["experiments"]
    assert database.rows("id, note, rank", "experiments") == [
        (experiment["id"], experiment["name"], 8) for experiment in experiments
    ]


def test_only_the_version_is_changed_in_the_settings(database: Database) -> None:
    url = database.restore("2")
    before = dict(database.rows("id, value", "settings"))

    migrate(url)

    assert dict(database.rows("id, value", "settings")) == {**before, "schema_version": "5"}


def test_tables_change_by_what_the_steps_say_and_by_nothing_else(database: Database) -> None:
    before = database.shape(database.restore("2"))

    migrate(database.url)

    after = database.shape(database.url)
    assert (before - after, after - before) == (GONE[type(database)], NEW[type(database)])


def test_a_new_release_opens_what_it_has_migrated_and_an_old_one_does_not(
    database: Database,
) -> None:
    url = database.restore("2")
    migrate(url)

    with pytest.raises(BackendError, match="schema 5"):
        connect(url)


def test_a_step_that_fails_leaves_nothing_behind(database: Database, folder: Path) -> None:
    _write(
        folder,
        """
        ground.add_column("runs", "note", Storage.TEXT, default="''")
        ground.op.execute("UPDATE nothing SET a = b")
        """,
    )
    url = database.restore("2")
    shape, rows = database.shape(url), database.all_written()

    with pytest.raises(BackendError, match=r"migrate failed.*nothing"):
        migrate(url, "3", folder=folder)

    settings = rows.pop("settings")
    assert database.shape(url) == shape
    assert database.all_written(rows) == rows
    assert [row[-2:] for row in database.written("settings")] == [row[-2:] for row in settings]


def test_an_error_that_is_no_database_s_is_passed_on(database: Database, folder: Path) -> None:
    _write(folder, "raise ZeroDivisionError")

    with pytest.raises(ZeroDivisionError):
        migrate(database.restore("2"), "3", folder=folder)

    assert database.rows("value", "settings WHERE id = 'schema_version'") == [("2",)]


def test_a_table_that_a_step_cannot_find_is_an_error_of_ours(
    database: Database, folder: Path
) -> None:
    _write(folder, 'ground.columns("nothing")')

    with pytest.raises(BackendError, match=r"migrate failed: .*nothing"):
        migrate(database.restore("2"), "3", folder=folder)


@pytest.mark.parametrize(
    "other",
    [
        "UPDATE settings SET value = 'somebody 99999999999' WHERE id = 'migration_lock'",
        "DELETE FROM settings WHERE id = 'migration_lock'",
        "UPDATE settings SET value = '3' WHERE id = 'schema_version'",
    ],
)
def test_who_was_overtaken_has_done_nothing(other: str, database: Database, folder: Path) -> None:
    _write(
        folder,
        f"""
        ground.add_column("runs", "note", Storage.TEXT, default="''")
        schema = ground.schema and ground.schema + "." or ""
        ground.op.execute({other!r}.replace("settings", schema + "settings"))
        """,
    )
    url = database.restore("2")
    shape = database.shape(url)

    with pytest.raises(UnavailableError, match="overtaken"):
        migrate(url, "3", folder=folder)

    assert database.shape(url) == shape
    assert database.rows("value", "settings WHERE id = 'schema_version'") == [("2",)]


def test_a_batch_of_one_who_was_overtaken_is_not_written(database: Database, folder: Path) -> None:
    _write(
        folder,
        """
        schema = ground.schema and ground.schema + "." or ""
        for after, last in ground.batches("runs", size=2):
            ground.op.execute(f"UPDATE {schema}runs SET name = 'rewritten' WHERE id <= '{last}'")
            ground.op.execute(f"DELETE FROM {schema}settings WHERE id = 'migration_lock'")
        """,
        atomic=False,
    )
    url = database.restore("2")

    with pytest.raises(UnavailableError, match="overtaken"):
        migrate(url, "3", folder=folder)

    assert ("rewritten",) not in database.rows("name", "runs")


@pytest.mark.parametrize(("table", "size"), [("runs", 1), ("run_labels", 3), ("settings", 1000)])
def test_batches_cover_every_row_once(
    table: str, size: int, database: Database, folder: Path
) -> None:
    _write(
        folder,
        f"""
        import sqlalchemy as sa
        rows = sa.table({table!r}, sa.column("id"), schema=ground.schema)
        ends = []
        for after, last in ground.batches({table!r}, size={size}):
            these = sa.select(rows.c.id).where(rows.c.id > after, rows.c.id <= last)
            ends.append(set(ground.op.get_bind().scalars(these)))
        assert all(0 < len(batch) <= {size} for batch in ends)
        assert sum(map(len, ends)) == len(set().union(*ends))
        assert set().union(*ends) == set(ground.op.get_bind().scalars(sa.select(rows.c.id)))
        assert len(ends) > 1 or {size} == 1000
        """,
    )

    assert migrate(database.restore("2"), "3", folder=folder).steps == ("3",)


def test_where_changes_of_tables_are_lasting_the_steps_are_the_same(database: Database) -> None:
    migrate(database.restore("2"), site=LastingDdl)

    assert database.shape(database.url) >= NEW[type(database)]
    assert database.rows("DISTINCT rank", "experiments") == [(8,)]
    assert database.rows("value", "settings WHERE id = 'schema_version'") == [("5",)]


def test_a_plan_has_the_steps_and_changes_nothing(database: Database) -> None:
    url = database.restore("2")
    shape, rows = database.shape(url), database.all_written()

    with later(url) as migrations:
        plan = migrations.plan()

    assert [(step.version, step.summary) for step in plan] == [
        ("3", "Notes of experiments, and an index over them."),
        ("4", "Every experiment's note is its name."),
        ("5", "Labels without empty keys, and a table of metrics."),
    ]
    assert database.shape(url) == shape
    assert database.all_written() == rows


def test_a_plan_has_the_statements_as_they_will_be(database: Database) -> None:
    with later(database.restore("2")) as migrations:
        columns, batches, tables = (" ".join(step.statements) for step in migrations.plan())

    assert "ADD COLUMN note TEXT" in columns
    assert "CREATE INDEX IF NOT EXISTS experiments_by_note" in columns
    assert "-- for every 4 rows of experiments:" in batches
    assert "experiments.id > ':after'" in batches
    assert "CREATE TABLE IF NOT EXISTS" in tables
    assert ("RENAME" in tables) != ("the rest is known once it runs" in tables)


def test_what_is_up_to_date_has_no_plan(database: Database) -> None:
    with later(database.restore("2"), "2") as migrations:
        assert migrations.plan() == []
        assert migrations.status() == SchemaStatus("2", "2")


@pytest.mark.parametrize(("version", "problem"), [("9", "schema '9'"), ("x", "schema 'x'")])
def test_a_store_of_a_later_or_strange_version_is_refused(
    version: str, problem: str, database: Database
) -> None:
    url = database.restore("2")
    _set_version(database, version)
    before = database.all_written()

    with pytest.raises(BackendError, match=problem):
        migrate(url)

    assert database.all_written() == before


def test_a_store_that_does_not_tell_its_version_is_refused(database: Database) -> None:
    url = database.restore("2")
    database.execute("DELETE FROM settings WHERE id = 'schema_version'")

    with pytest.raises(BackendError, match="schema ''"):
        migrate(url)


def test_a_version_without_steps_is_refused(database: Database) -> None:
    url = database.restore("2")
    _set_version(database, "0")

    with pytest.raises(BackendError, match="no steps lead from schema 0 to 5"):
        migrate(url)


def test_where_there_is_no_store_none_is_made_by_looking(database: Database) -> None:
    with later(database.empty) as migrations:
        assert migrations.status() == SchemaStatus(None, "5")
        assert migrations.plan() == []
        assert migrations.status() == SchemaStatus(None, "5")


def test_where_there_is_no_store_a_new_one_is_made(database: Database) -> None:
    told: list[str] = []

    with later(database.empty) as migrations:
        done = migrations.apply(wait=0, progress=told.append)

    assert done == Migration(before=None, after="5", steps=("3", "4", "5"))
    assert told[0] == "the store was created"


def test_tables_with_a_prefix_keep_it(postgres_url: str, postgres_schema_url: str) -> None:
    database = Postgres(postgres_url, postgres_schema_url)

    assert migrate(f"{database.url}&prefix=lab_").steps == ("3", "4", "5")

    facts = " ".join(str(fact) for fact in database.shape(database.url))
    assert "lab_metrics" in facts
    assert "lab_experiments_by_note ON lab_experiments" in facts
    assert database.execute("SELECT value FROM lab_settings WHERE id = 'schema_version'") == [
        ("5",)
    ]


def test_a_store_inside_a_transaction_cannot_be_migrated(postgres_schema_url: str) -> None:
    with opened(postgres_schema_url) as backend, pytest.raises(UnsupportedError, match="migrate"):
        BoundBackend(backend._steps, backend._dialect, backend._host).migrations()


def test_a_store_in_memory_is_new_every_time() -> None:
    with later("sqlite://") as migrations:
        assert migrations.status() == SchemaStatus(None, "5")
        assert migrations.apply(wait=0, progress=lambda _: None).after == "5"
        assert migrations.status() == SchemaStatus("5", "5")


def test_an_older_store_is_not_opened_and_says_what_to_run(database: Database) -> None:
    url = database.restore("2")
    _set_version(database, "0")
    before = database.all_written()
    with_password = f"{url}&password=s3cret" if "postgresql" in url else url

    with pytest.raises(MigrationNeededError) as caught:
        connect(with_password)

    assert str(caught.value) == (
        f"open failed: the store has schema 0, not {SCHEMA_VERSION}; to bring it up to date: "
        "python -m experiment_store.migrate apply URL"
    )
    assert (caught.value.found, caught.value.needed) == ("0", SCHEMA_VERSION)
    assert database.all_written() == before


def test_without_alembic_steps_cannot_be_taken(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = database.restore("2")
    monkeypatch.setitem(sys.modules, "alembic.operations", None)
    monkeypatch.delitem(sys.modules, "experiment_store_sql.migrations.steps", raising=False)

    with pytest.raises(MissingDriverError, match=r"Alembic: pip install .*\[migrate\]"):
        migrate(url)


def test_without_alembic_what_is_up_to_date_is_up_to_date(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = database.restore("2")
    monkeypatch.setitem(sys.modules, "alembic.operations", None)
    monkeypatch.delitem(sys.modules, "experiment_store_sql.migrations.steps", raising=False)

    assert migrate(url, "2") == Migration(before="2", after="2")


def test_a_migration_of_the_host_s_own_can_call_ours(database: Database, tmp_path: Path) -> None:
    url = database.restore("2")
    engine = sa.create_engine(f"sqlite:///{tmp_path}/host.db")

    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            migrate(url)
            alembic.op.create_table("theirs", sa.Column("id", sa.Integer))

    assert sa.inspect(engine).get_table_names() == ["theirs"]
    engine.dispose()


def test_the_released_steps_lead_to_the_version_of_the_library() -> None:
    directory = ScriptDirectory(str(VERSIONS), version_locations=[str(VERSIONS)])
    found = [script.revision for script in directory.walk_revisions()]

    assert found == [str(number) for number in range(int(SCHEMA_VERSION), 0, -1)]


def test_a_released_step_says_what_it_is_for() -> None:
    directory = ScriptDirectory(str(VERSIONS), version_locations=[str(VERSIONS)])

    assert all(script.doc for script in directory.walk_revisions())


def test_the_backends_in_sql_can_migrate(database: Database) -> None:
    with opened(database.empty) as backend:
        assert isinstance(backend, Migratable)
        assert backend.migrations().status() == SchemaStatus(None, SCHEMA_VERSION)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for steps."""
    made = tmp_path / "steps"
    made.mkdir()
    (made / "version_2.py").write_text('revision = "2"\ndown_revision = None\n')
    return made


def _set_version(database: Database, version: str) -> None:
    database.execute(f"UPDATE settings SET value = '{version}' WHERE id = 'schema_version'")


def _write(folder: Path, body: str, *, atomic: bool = True) -> None:
    """Write a step to version 3."""
    lines = "".join(f"    {line}\n" for line in dedent(body).strip().splitlines())
    (folder / "version_3.py").write_text(
        '"""Something."""\n'
        "from experiment_store_sql.tables import Storage\n"
        f'revision = "3"\ndown_revision = "2"\natomic = {atomic}\n'
        f"def upgrade(ground):\n{lines}"
    )
