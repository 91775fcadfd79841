"""What an examination finds in SQLite and PostgreSQL: each fault is made for real."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from experiment_store import ExperimentStore, Finding, NewRun, Verdict, connect, examine
from experiment_store.records import Setting
from experiment_store.registry import open_backend
from experiment_store.schema import SETTING
from experiment_store_postgres import PostgresBackend
from experiment_store_postgres.examining import check_sessions
from experiment_store_sql.tables import LABELLED, RECORDS, SCHEMA_VERSION, all_tables
from experiment_store_sqlite import SqliteBackend
from tests.migrations.databases import Database, Postgres, Sqlite

INDEXES = [index.name for table in all_tables() for index in table.indexes]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        yield Sqlite(tmp_path)
        return
    url, schema_url = map(request.getfixturevalue, ("postgres_url", "postgres_schema_url"))
    postgres = Postgres(url, schema_url)
    yield postgres
    postgres.close()


@pytest.fixture
def url(database: Database) -> str:
    """A store with a few records, which nobody has open."""
    with connect(database.url) as store:
        furnish(store)
    return database.url


def furnish(store: ExperimentStore) -> None:
    for name in "abc":
        experiment = store.create(name, labels={"team": name, "big": "no"})
        store.runs.create_many([NewRun(experiment.id, "r", labels={"seed": "1"})] * 60)
        store.jobs.create(experiment.id, "j")


def faults(url: str) -> list[Finding]:
    return [finding for finding in examine(url) if not finding.is_ok]


def by_check(url: str) -> Mapping[str, Finding]:
    return {finding.check: finding for finding in faults(url)}


def test_a_healthy_store_yields_only_ok(url: str) -> None:
    findings = examine(url)

    assert [finding for finding in findings if finding.verdict is not Verdict.OK] == []
    assert {f.check for f in findings} >= {
        "place", "version", "integrity", "tables", "indexes", "speed", "rows", "labels", "orphans",
        "lifecycle",
    }  # fmt: skip


def test_an_open_store_can_be_examined(url: str) -> None:
    with connect(url) as store:
        assert all(finding.is_ok for finding in examine(store))


def test_a_store_that_is_not_there_is_not_made(database: Database, tmp_path: Path) -> None:
    found = by_check(database.url)

    assert found["place"].verdict is Verdict.PROBLEM
    assert found["place"].found.startswith("there is no store")
    assert "lifecycle" in found
    assert list(tmp_path.iterdir()) == []
    assert "place" in by_check(database.url)


@pytest.mark.parametrize("index", INDEXES)
def test_a_missing_index_is_made_again_by_the_statement_advised(
    url: str, database: Database, index: str
) -> None:
    database.execute(f"DROP INDEX {index}")

    [missing] = [finding for finding in faults(url) if finding.check == "indexes"]
    assert missing.found == f"the index {index} is not there"
    database.execute(missing.advice.removeprefix("run: "))

    assert [finding for finding in examine(url) if not finding.is_ok] == []


def test_a_plan_that_reads_all_for_want_of_an_index_is_slow(url: str, database: Database) -> None:
    database.execute("DROP INDEX runs_by_experiment_id_created_at")

    slow = by_check(url)["speed"]

    assert slow.verdict is Verdict.WARNING
    assert slow.found == "to list runs with experiment_id given by created_at, all of them are read"
    assert slow.advice


def test_an_index_over_other_columns_is_replaced(url: str, database: Database) -> None:
    database.execute("DROP INDEX jobs_by_created_at")
    database.execute("CREATE INDEX jobs_by_created_at ON jobs (id)")

    [wrong] = [finding for finding in faults(url) if finding.check == "indexes"]

    assert wrong.found == "the index jobs_by_created_at is over id, not over created_at, id, name"
    assert "DROP INDEX" in wrong.advice


def test_keys_that_stand_there_twice_are_counted(url: str, database: Database) -> None:
    database.execute("DROP INDEX experiments_unique")
    database.execute("UPDATE experiments SET name = 'a' WHERE name = 'b'")

    assert "of another record, 1 times" in by_check(url)["indexes"].advice


def test_a_missing_table_and_a_missing_column_are_named(url: str, database: Database) -> None:
    database.execute("DROP TABLE job_labels")
    database.execute("ALTER TABLE jobs RENAME COLUMN schedule TO timetable")

    found = [finding.found for finding in faults(url) if finding.check == "tables"]

    assert found == ["the table jobs has no column schedule", "the table job_labels is not there"]
    assert "not looked at" in by_check(url)["rows"].found


@pytest.mark.parametrize("kind", sorted(LABELLED))
def test_labels_that_are_not_those_of_their_record_are_faults(
    url: str, database: Database, kind: str
) -> None:
    with connect(url) as store:
        store.jobs.create(store.create("d").id, "k", labels={"seed": "2"})
    database.execute(f"DELETE FROM {LABELLED[kind].name} WHERE key IN ('team', 'seed')")

    fault = by_check(url)["labels"]

    assert fault.verdict is Verdict.PROBLEM
    assert f"records of {RECORDS[kind].name} have other labels" in fault.found


def test_labels_of_a_record_that_is_gone_are_removed_by_the_statement_advised(
    url: str, database: Database
) -> None:
    database.execute("DELETE FROM experiments WHERE name = 'a'")

    [lost] = faults(url)
    database.execute(lost.advice.removeprefix("run: "))

    assert (lost.check, lost.verdict) == ("orphans", Verdict.PROBLEM)
    assert lost.found.startswith("2 rows of ")
    assert faults(url) == []


def test_a_row_that_is_no_record_is_a_fault(url: str, database: Database) -> None:
    database.execute("UPDATE runs SET state = 'ODD' WHERE id = (SELECT min(id) FROM runs)")

    found = by_check(url)

    assert found["rows"].found.startswith("1 rows of runs are no records")
    assert "not looked at" in found["lifecycle"].found


def test_what_is_active_below_an_archived_experiment_is_found(url: str, database: Database) -> None:
    database.execute("UPDATE experiments SET storage_state = 'ARCHIVED' WHERE name = 'a'")

    found = [finding.found for finding in faults(url)]

    assert [text.partition(" below")[0] for text in found] == ["available runs", "enabled jobs"]
    assert ": 60 (" in found[0]


@pytest.mark.parametrize(
    ("version", "advice"),
    [("0", "migrate apply"), ("999", "install a newer"), ("odd", "restore a backup")],
)
def test_another_version_is_told_and_nothing_is_migrated(
    url: str, database: Database, version: str, advice: str
) -> None:
    database.execute(f"UPDATE settings SET value = '{version}' WHERE id = 'schema_version'")
    before = database.all_written()

    found = by_check(url)

    assert found["version"].verdict is Verdict.PROBLEM
    assert advice in found["version"].advice
    assert "not looked at" in found["indexes"].found
    assert database.all_written() == before
    assert version != SCHEMA_VERSION


# SQLite


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    with connect(f"sqlite:///{path}") as store:
        furnish(store)
    return path


def test_a_file_and_its_folder_are_left_as_they_were(file: Path) -> None:
    before, times = file.read_bytes(), file.stat().st_mtime_ns

    examine(f"sqlite:///{file}")

    assert [found.name for found in file.parent.iterdir()] == [file.name]
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (before, times)


def test_a_page_that_was_overwritten_is_found(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(4096 * 8)
        opened.write(b"\x00" * 4096)

    fault = by_check(f"sqlite:///{file}")["integrity"]

    assert fault.verdict is Verdict.PROBLEM
    assert "restore a backup" in fault.advice


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, but a text of some length" * 99)

    assert "is not a database" in by_check(f"sqlite:///{tmp_path}/text")["place"].found


def test_a_log_that_a_reader_holds_back_is_told_of(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        with connect(f"sqlite:///{file}?synchronous=normal"):
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM runs").fetchall()
            with closing(open_backend(f"sqlite:///{file}?synchronous=normal")) as backend:
                for number in range(9):
                    backend.insert(SETTING, [Setting(f"large-{number}", "x" * 8_000_000)])
            found = by_check(f"sqlite:///{file}")
        reader.execute("COMMIT")

    assert set(found) == {"wal"}
    assert found["wal"].verdict is Verdict.WARNING
    assert "the log has 6" in found["wal"].found


def test_another_journal_mode_is_told_of(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = PERSIST")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE settings SET value = value")
        found = by_check(f"sqlite:///{file}")
        writer.execute("ROLLBACK")

    assert found["journal"].found == "the journal mode is persist, not wal" or (
        found["journal"].found == "the journal mode is delete, not wal"
    )


def test_a_file_that_is_mostly_empty_can_be_made_smaller(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("INSERT INTO settings VALUES ('large', hex(zeroblob(9000000)))")
        writer.execute("DELETE FROM settings WHERE id = 'large'")

    assert "VACUUM" in by_check(f"sqlite:///{file}")["space"].advice


def test_a_database_in_memory_is_examined() -> None:
    with connect("sqlite://") as store:
        furnish(store)
        assert all(finding.is_ok for finding in examine(store))
    with closing(SqliteBackend()) as backend:
        [absent] = backend.examine(lambda _: ())
    assert absent.check == "place"


# PostgreSQL


def test_a_server_that_cannot_be_reached_is_a_finding() -> None:
    found = by_check("postgresql://nobody@127.0.0.1:1/none")

    assert found["place"].verdict is Verdict.PROBLEM


def test_a_session_with_an_old_transaction_is_named(
    postgres_url: str, postgres_schema_url: str
) -> None:
    backend = postgres_backend(postgres_schema_url)
    with closing(backend), psycopg.connect(postgres_url) as session:
        backend.setup()
        session.execute(f"SELECT * FROM {backend._dialect.schema}runs".encode())

        [finding] = check_sessions(backend._steps, backend._dialect, 0.0)

        assert finding.verdict is Verdict.WARNING
        assert str(session.info.backend_pid) in finding.found


def test_autovacuum_that_is_off_and_rows_that_nobody_counted_are_told_of(
    postgres_url: str, postgres_schema_url: str
) -> None:
    database = Postgres(postgres_url, postgres_schema_url)
    connect(database.url).close()
    database.execute("ALTER TABLE settings SET (autovacuum_enabled = false)")
    database.execute("INSERT INTO settings SELECT 'k' || n, '' FROM generate_series(1, 30000) n")
    database.execute("DELETE FROM settings WHERE id LIKE 'k%' AND id < 'k2'")
    database.execute("SELECT pg_stat_force_next_flush()")

    found = [finding.found for finding in faults(database.url) if finding.check == "vacuum"]

    assert "autovacuum is off" in found[0]
    assert any("dead rows" in text for text in found)
    assert any("was never analysed" in text for text in found)


def test_an_index_that_is_not_valid_is_found(postgres_url: str, postgres_schema_url: str) -> None:
    database = Postgres(postgres_url, postgres_schema_url)
    with connect(database.url) as store:
        furnish(store)
    database.execute("DROP INDEX experiments_unique")
    database.execute("UPDATE experiments SET name = 'a'")
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY experiments_unique ON experiments (namespace, name)"
        )

    assert "is not valid" in by_check(database.url)["indexes"].found


def postgres_backend(url: str) -> PostgresBackend:
    backend = open_backend(url)
    assert isinstance(backend, PostgresBackend)
    return backend
