"""What an examination finds in SQLite and PostgreSQL: each fault is made for real."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from experiment_store import ExperimentStore, Finding, NewRun, Verdict, connect, copy, examine
from experiment_store.backend import Backend
from experiment_store.filters.predicates import Compare, OneOf, Op, all_of
from experiment_store.migrate import migrate
from experiment_store.plan import Plan
from experiment_store.points import Point
from experiment_store.records import Setting
from experiment_store.registry import open_backend
from experiment_store.schema import CHUNK, SETTING
from experiment_store_postgres import PostgresBackend
from experiment_store_postgres.catalogue import PostgresCatalogue
from experiment_store_postgres.examining import check_indexes, check_sessions
from experiment_store_sql import Call, SqlBackend, Work
from experiment_store_sql.examining import Subject, speed
from experiment_store_sql.examining.speed import check_speed
from experiment_store_sql.tables import LABELLED, SCHEMA_VERSION, all_tables
from experiment_store_sqlite import SqliteBackend, examining
from experiment_store_sqlite.looking import APPLICATION_ID
from tests.migrations.databases import TABLES, Database, Postgres, Sqlite

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
        run = store.runs.create(experiment.id, "r", params={"opt": "adam", "lr": 0.1})
        points = [Point(0, 0.5, run.created_at)]
        store.runs.append(run.id, {"loss": points, "accuracy": points})
        store.jobs.create(experiment.id, "j")


def faults(url: str) -> list[Finding]:
    return [finding for finding in examine(url) if not finding.is_ok]


def by_check(url: str) -> Mapping[str, Finding]:
    return {finding.check: finding for finding in faults(url)}


def test_a_healthy_store_yields_only_ok(url: str) -> None:
    findings = examine(url)

    assert [finding for finding in findings if finding.verdict is not Verdict.OK] == []
    assert {f.check for f in findings} >= {
        "place", "version", "integrity", "tables", "indexes", "speed", "rows", "labels", "keys",
        "orphans", "lifecycle", "lost",
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


def test_missing_indexes_are_made_again_by_the_statements_advised(
    url: str, database: Database
) -> None:
    for index in INDEXES:
        database.execute(f"DROP INDEX {index}")

    missing = [finding for finding in faults(url) if finding.check == "indexes"]
    assert [finding.found for finding in missing] == [
        f"the index {index} is not there" for index in INDEXES
    ]
    for finding in missing:
        database.execute(finding.advice.removeprefix("run: "))

    assert faults(url) == []


def test_a_single_missing_index_is_told_of(url: str, database: Database) -> None:
    database.execute("DROP INDEX runs_by_name_created_at")

    [missing] = [finding for finding in faults(url) if finding.check == "indexes"]

    assert missing.found == "the index runs_by_name_created_at is not there"


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
    assert fault.found.startswith(f"{kind}s with other labels than in {LABELLED[kind].name}: ")


@pytest.mark.parametrize(("field", "keys"), [("params", '{"lr":"t0.1"}'), ("metrics", "{}")])
def test_sort_keys_that_are_not_those_of_their_run_are_made_anew_by_a_copy(
    url: str, database: Database, field: str, keys: str
) -> None:
    database.execute(f"UPDATE runs SET {field}_keys = '{keys}' WHERE {field} <> '{{}}'")

    [fault] = faults(url)
    copy(url, database.empty)

    assert (fault.check, fault.verdict) == ("keys", Verdict.PROBLEM)
    assert "by other params and metrics than they have: 3 (" in fault.found
    assert faults(database.empty) == []


def test_points_that_are_damaged_are_found(url: str, database: Database) -> None:
    database.execute("UPDATE chunks SET points = 'AAAA' WHERE id = (SELECT min(id) FROM chunks)")

    found = by_check(url)

    assert found["rows"].found.startswith("rows of chunks that are no chunks: 1 (")


def test_a_history_whose_run_is_gone_is_a_fault(url: str, database: Database) -> None:
    database.execute("DELETE FROM runs WHERE params <> '{}'")

    [fault] = faults(url)

    assert (fault.check, fault.verdict) == ("orphans", Verdict.PROBLEM)
    assert fault.found.startswith("of 6 chunks, 6 (")


def test_histories_are_found_by_an_index_and_not_read(url: str) -> None:
    between = (
        Compare("run_id", Op.GT, "a"), Compare("run_id", Op.LE, "z"),
        OneOf("run_id", frozenset(map(str, range(128))), expected=False),
    )  # fmt: skip
    with closing(open_backend(url)) as backend:
        assert isinstance(backend, SqlBackend)
        plan = backend.statements.count(Plan(CHUNK, all_of(between), limit=0, total=True))
        prefix = "EXPLAIN QUERY PLAN " if isinstance(backend, SqliteBackend) else "EXPLAIN "

        def explain(work: Work) -> str:
            if isinstance(backend, PostgresBackend):
                work.execute("SET LOCAL enable_seqscan = off")
                work.execute("SET LOCAL enable_bitmapscan = off")
            return str(work.all(Call(prefix + plan.text, plan.parameters)))

        lines = backend._steps.read("explain", explain)

    assert "COVERING INDEX" in lines or "Index Only Scan" in lines


def test_a_column_of_another_type_and_another_key_are_named(url: str, database: Database) -> None:
    database.execute("DROP TABLE job_labels")
    database.execute(
        "CREATE TABLE job_labels (id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
        " created_at TEXT NOT NULL, term BIGINT NOT NULL, PRIMARY KEY (key, id))"
    )

    found = [finding.found for finding in faults(url) if finding.check == "tables"]

    assert "the primary key of job_labels is key, id, not id, key" in found
    assert any(text.startswith("the column created_at of job_labels is TEXT") for text in found)


def test_a_table_without_a_key_is_named(url: str, database: Database) -> None:
    database.execute("CREATE TABLE other AS SELECT * FROM job_labels")
    database.execute("DROP TABLE job_labels")
    database.execute("ALTER TABLE other RENAME TO job_labels")

    found = [finding.found for finding in faults(url) if finding.check == "tables"]

    assert "the primary key of job_labels is none, not id, key" in found


def test_a_store_of_the_first_release_is_healthy_once_it_is_migrated_as_advised(
    database: Database,
) -> None:
    url = database.restore("1")
    released = [table for table in TABLES if table != "chunks"]
    before = database.all_written(released)

    found = by_check(url)

    assert found["version"].found == (
        f"the store has schema 1, and this release needs {SCHEMA_VERSION}"
    )
    assert found["version"].advice == "run: python -m experiment_store.migrate apply URL"
    assert "not looked at" in found["keys"].found
    assert database.all_written(released) == before
    migrate(url)
    assert faults(url) == []


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

    assert found["rows"].found.startswith("rows of runs that are no runs: 1 (")
    assert "not looked at" in found["lifecycle"].found


def test_what_is_active_below_an_archived_experiment_is_found(url: str, database: Database) -> None:
    database.execute("UPDATE experiments SET storage_state = 'ARCHIVED' WHERE name = 'a'")

    found = [finding.found for finding in faults(url)]

    assert [text.partition(" below")[0] for text in found] == ["available runs", "enabled jobs"]
    assert ": 61 (" in found[0]


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


def test_only_of_a_large_file_the_indexes_are_not_compared(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(file)) as writer, writer:
        writer.execute("PRAGMA writable_schema = ON")
        sql = "CREATE INDEX jobs_by_created_at ON jobs (name, id)"
        writer.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'jobs_by_created_at'", (sql,))

    def integrity() -> list[str]:
        found = examine(f"sqlite:///{file}")
        return [finding.found for finding in found if finding.check == "integrity"]

    small = integrity()
    monkeypatch.setattr(examining, "QUICK_FROM", file.stat().st_size - 1)
    [large] = integrity()

    assert all("jobs_by_created_at" in fault for fault in small)
    assert large.startswith("quick_check found nothing in ")


def test_a_file_near_its_largest_size_is_told_of(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examining, "NEARLY_FULL", 0.0)

    assert "PostgreSQL" in by_check(f"sqlite:///{file}")["space"].advice


@pytest.mark.parametrize(("changes", "examinations"), [(0, 1), (1, 2), (9, 3)])
def test_what_was_read_while_others_wrote_is_read_again(
    file: Path, changes: int, examinations: int
) -> None:
    made: list[bool] = []

    def meaning(backend: Backend) -> Iterator[Finding]:
        made.append(backend.get(SETTING, f"change-{changes - 1}") is not None)
        if len(made) <= changes:
            with closing(sqlite3.connect(file, isolation_level=None)) as writer:
                writer.execute(f"INSERT INTO settings VALUES ('change-{len(made) - 1}', '')")
        yield Finding("meaning", Verdict.OK, str(len(made)))

    with closing(SqliteBackend(str(file))) as backend:
        *_, last = backend.examine(meaning)

    assert last.found == str(examinations)
    assert made == [changes == place for place in range(examinations)] or changes == 0


def test_a_file_that_is_taken_away_meanwhile_is_not_there(file: Path) -> None:
    def meaning(_: Backend) -> Iterator[Finding]:
        file.unlink()
        yield Finding("meaning", Verdict.OK, "")

    with closing(SqliteBackend(str(file))) as backend:
        *_, last = backend.examine(meaning)

    assert last.verdict is Verdict.PROBLEM
    assert "unable to open" in last.found
    assert not file.exists()


def test_an_empty_database_is_no_store(tmp_path: Path) -> None:
    file = tmp_path / "empty.db"
    with closing(sqlite3.connect(file)) as made:
        made.execute("PRAGMA user_version = 1")

    assert by_check(f"sqlite:///{file}")["place"].found == f"there is no store at '{file}'"


def test_a_file_in_another_encoding_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "wide.db"
    with closing(sqlite3.connect(file)) as made:
        made.execute("PRAGMA encoding = 'UTF-16le'")
        made.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        made.execute("CREATE TABLE settings (id TEXT)")

    assert "is encoded in UTF-16le" in by_check(f"sqlite:///{file}")["integrity"].found


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


def test_a_large_table_is_not_read_as_a_whole_for_want_of_knowledge(
    postgres_url: str, postgres_schema_url: str
) -> None:
    database = Postgres(postgres_url, postgres_schema_url)
    with connect(database.url) as store:
        store.create("a")
    columns = "namespace, description, labels, storage_state, created_at, updated_at,"
    columns += " last_run_created_at, etag"
    database.execute("ALTER TABLE experiments SET (autovacuum_enabled = false)")
    database.execute(
        f"INSERT INTO experiments (id, name, {columns})"
        f" SELECT 'k' || n, 'k' || n, {columns} FROM experiments, generate_series(1, 12000) n"
    )
    database.execute("SELECT pg_stat_force_next_flush()")

    with closing(postgres_backend(database.url)) as backend:
        steps, dialect = backend._steps, backend._dialect
        [finding] = check_speed(Subject(backend, steps, dialect, PostgresCatalogue(dialect)))

    assert finding.is_ok


def test_a_planner_that_passes_over_the_indexes_is_told_of(
    postgres_url: str, postgres_schema_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Postgres(postgres_url, postgres_schema_url)
    with connect(database.url) as store:
        store.create("a")
    database.execute("ANALYZE experiments")
    monkeypatch.setattr(speed, "LARGE", 0)  # as it does with a small table

    slow = by_check(database.url)["speed"]

    assert "though an index is there" in slow.found
    assert "ANALYZE" in slow.advice


def test_a_database_in_another_encoding_is_told_of(postgres_url: str) -> None:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0".encode()
        )
        other = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        database = Postgres(other, f"{other}{'&' if '?' in other else '?'}schema=old")
        found = by_check(database.restore("1"))
        connection.execute(f"DROP DATABASE {name}".encode())

    assert found["server"].verdict is Verdict.PROBLEM
    assert "is encoded in SQL_ASCII, not in UTF8" in found["server"].found


def test_an_index_that_amcheck_refuses_is_told_of(
    postgres_url: str, postgres_schema_url: str
) -> None:
    database = Postgres(postgres_url, postgres_schema_url)
    with connect(database.url):
        database.execute(
            "CREATE FUNCTION refuse(regclass) RETURNS void LANGUAGE plpgsql AS"
            " $$ BEGIN IF $1::text LIKE '%jobs_by_created_at' THEN RAISE 'damaged'; END IF; END $$"
        )
    with closing(postgres_backend(database.url)) as backend:
        schema, steps, dialect = backend._dialect.schema, backend._steps, backend._dialect
        [healthy] = check_indexes(steps, dialect, "pg_relation_size")
        [fault] = check_indexes(steps, dialect, f"{schema}refuse")

    assert healthy.is_ok
    assert f"in {len(INDEXES) + len(list(all_tables()))} indexes" in healthy.found
    assert "damaged" in fault.found
    database.execute(fault.advice.removeprefix("run: "))


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
