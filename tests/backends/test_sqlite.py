"""The SQLite backend keeps the contract, in a file and in memory; and what is its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from experiment_store.backend import Backend
from experiment_store.errors import BackendError, InvalidArgumentError, UnavailableError
from experiment_store.filters.predicates import Compare, Label, Op
from experiment_store.records import Labels
from experiment_store.schema import EXPERIMENT
from experiment_store.testing import BackendContract
from experiment_store.testing.samples import experiment, found, keep
from experiment_store_sqlite import SqliteBackend, connect
from experiment_store_sqlite.connections import Settings, open_connection
from experiment_store_sqlite.looking import APPLICATION_ID


class TestSqliteFile(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Backend:
        return connect(f"sqlite:///{tmp_path}/store.db?synchronous=normal")


class TestSqliteInMemory(BackendContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return SqliteBackend(":memory:")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_what_is_written_outlives_the_backend(path: Path) -> None:
    with closing(connect(f"sqlite:///{path}")) as backend:
        backend.setup()
        keep(backend, EXPERIMENT, record := experiment(labels=Labels(k="v")))

    with closing(connect(f"sqlite:///{path}")) as backend:
        backend.setup()

        assert backend.get(EXPERIMENT, "e") == record
        assert found(backend, EXPERIMENT, Compare(Label("k"), Op.EQ, "v")) == ["e"]


def test_two_backends_may_share_a_file(path: Path) -> None:
    with closing(connect(f"sqlite:///{path}")) as one, closing(connect(f"sqlite:///{path}")) as two:
        one.setup()
        two.setup()

        keep(one, EXPERIMENT, experiment("a"))
        keep(two, EXPERIMENT, experiment("b"))

        assert two.get(EXPERIMENT, "a") == experiment("a")
        assert one.get(EXPERIMENT, "b") == experiment("b")


def test_databases_in_memory_are_not_shared() -> None:
    with closing(SqliteBackend()) as one, closing(SqliteBackend()) as two:
        one.setup()
        two.setup()

        keep(one, EXPERIMENT, experiment())

        assert two.get(EXPERIMENT, "e") is None


def test_a_file_is_marked_as_ours_in_wal_mode_and_utf_8(path: Path) -> None:
    with closing(connect(f"sqlite:///{path}")) as backend:
        backend.setup()

        assert _pragma(path, "journal_mode") == "wal"
        assert _pragma(path, "application_id") == APPLICATION_ID
        assert _pragma(path, "encoding") == "UTF-8"


def test_tables_are_strict(path: Path) -> None:
    with closing(connect(f"sqlite:///{path}")) as backend:
        backend.setup()

        with closing(sqlite3.connect(path)) as connection:
            tables = connection.execute(
                "SELECT name, strict FROM pragma_table_list"
                " WHERE schema = 'main' AND name NOT LIKE 'sqlite%'"
            ).fetchall()

    assert {name for name, strict in tables if strict} >= {"experiments", "runs", "jobs"}
    assert [name for name, strict in tables if not strict] == []


@pytest.mark.parametrize(("synchronous", "number"), [("full", 2), ("normal", 1)])
def test_a_commit_waits_for_what_the_url_says(path: Path, synchronous: str, number: int) -> None:
    with closing(open_connection(Settings(str(path), synchronous, 1))) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (number,)


def test_no_file_is_made_before_setup(path: Path) -> None:
    connect(f"sqlite:///{path}").close()

    assert not path.exists()


@pytest.mark.parametrize(
    "statements",
    [
        "CREATE TABLE experiments (id TEXT)",
        "CREATE TABLE other (id TEXT)",
        "PRAGMA application_id = 12345",
    ],
)
def test_a_database_of_another_program_is_refused_and_left_alone(
    path: Path, statements: str
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statements)
    before = path.read_bytes()

    with (
        closing(connect(f"sqlite:///{path}")) as backend,
        pytest.raises(BackendError, match="another program"),
    ):
        backend.setup()

    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    text = "# notes\n" * 100
    path.write_text(text, encoding="utf-8")

    with (
        closing(connect(f"sqlite:///{path}")) as backend,
        pytest.raises(BackendError, match="not a database"),
    ):
        backend.setup()

    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_a_database_in_utf_16_is_refused(path: Path, encoding: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE settings (id TEXT, value TEXT)")

    with (
        closing(connect(f"sqlite:///{path}")) as backend,
        pytest.raises(BackendError, match="UTF-16"),
    ):
        backend.setup()


def test_a_store_of_another_version_is_refused(path: Path) -> None:
    with closing(connect(f"sqlite:///{path}")) as backend:
        backend.setup()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE settings SET value = '999'")

    with (
        closing(connect(f"sqlite:///{path}")) as backend,
        pytest.raises(BackendError, match="schema 999"),
    ):
        backend.setup()


def test_a_missing_folder_is_an_error_of_ours(tmp_path: Path) -> None:
    with (
        closing(connect(f"sqlite:///{tmp_path}/none/store.db")) as backend,
        pytest.raises(BackendError, match="does not exist: make it"),
    ):
        backend.setup()


def test_a_busy_file_is_worth_a_retry(path: Path) -> None:
    with closing(connect(f"sqlite:///{path}?timeout=0.05")) as backend:
        backend.setup()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            with pytest.raises(UnavailableError, match="waited too long"):
                keep(backend, EXPERIMENT, experiment(labels=Labels(k="v")))

            other.execute("ROLLBACK")
        keep(backend, EXPERIMENT, experiment())


def test_a_step_that_fails_half_way_leaves_nothing_behind(path: Path) -> None:
    with closing(connect(f"sqlite:///{path}")) as backend:
        backend.setup()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("ALTER TABLE experiment_labels RENAME TO hidden")

            with pytest.raises(BackendError):
                keep(backend, EXPERIMENT, experiment(labels=Labels(k="v")))

            other.execute("ALTER TABLE hidden RENAME TO experiment_labels")

        assert backend.get(EXPERIMENT, "e") is None
        keep(backend, EXPERIMENT, experiment())


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_url_without_a_file_means_memory(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with closing(connect(url)) as backend:
        backend.setup()
        keep(backend, EXPERIMENT, experiment())

    assert list(tmp_path.iterdir()) == []


def test_a_path_may_be_relative_and_have_blanks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with closing(connect("sqlite:///my%20lab.db")) as backend:
        backend.setup()

        assert [file.name for file in tmp_path.glob("*.db")] in (["my lab.db"], ["my%20lab.db"])


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sqlite://store.db", "three slashes"),
        ("sqlite:///store.db?mode=ro", "unknown parameter 'mode'"),
        ("sqlite:///store.db?synchronous=off", "synchronous=full or normal"),
        ("sqlite:///store.db?timeout=soon", "timeout in seconds"),
        ("sqlite", "sqlite:///path/to/file"),
    ],
)
def test_a_url_of_another_form_is_an_invalid_argument(url: str, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        connect(url)


def _pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        [value] = connection.execute(f"PRAGMA {name}").fetchone()
    return value
