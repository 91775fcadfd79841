"""`migrate` and its program: for any URL that `connect` takes, without ever repeating it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import experiment_store
from experiment_store import (
    BackendError,
    InvalidArgumentError,
    Migration,
    UnsupportedError,
    connect,
    migrate,
)
from experiment_store.migrate.__main__ import main
from experiment_store.registry import URL_VARIABLE
from experiment_store_sql.tables import SCHEMA_VERSION
from tests.migrations.databases import Database, Sqlite

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def later_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of this release, with a scheme by which a later release opens it."""
    site = tmp_path / "site"
    (site / "later-1.dist-info").mkdir(parents=True)
    (site / "later-1.dist-info" / "METADATA").write_text("Name: later\nVersion: 1\n")
    (site / "later-1.dist-info" / "entry_points.txt").write_text(
        "[experiment_store.backends]\nlater = tests.migrations.later:connect\n"
    )
    monkeypatch.syspath_prepend(site)
    return Sqlite(tmp_path).restore("2").replace("sqlite:", "later:")


def test_a_store_is_migrated_by_its_url(later_url: str) -> None:
    told: list[str] = []

    assert migrate(later_url, progress=told.append) == Migration("2", "5", ("3", "4", "5"))
    assert migrate(later_url) == Migration("5", "5")
    assert told[0].startswith("schema 3: ")


def test_a_new_store_can_be_made_by_it(database: Database) -> None:
    assert migrate(database.empty) == Migration(None, SCHEMA_VERSION)

    with connect(database.empty) as store:
        assert list(store.iterate()) == []


def test_without_a_url_it_is_the_store_that_connect_would_open(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(URL_VARIABLE, database.empty)

    assert migrate() == Migration(None, SCHEMA_VERSION)
    assert migrate() == Migration(SCHEMA_VERSION, SCHEMA_VERSION)


def test_memory_has_no_schema() -> None:
    with pytest.raises(UnsupportedError, match="migrate is not supported by MemoryBackend"):
        migrate("memory://")


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="scheme"):
        migrate("nothing://")


def test_the_backend_is_closed_whatever_happens(database: Database) -> None:
    url = database.restore("2")
    database.execute("UPDATE settings SET value = '99' WHERE id = 'schema_version'")

    with pytest.raises(BackendError, match="schema '99'"):
        migrate(url)

    database.drop()


@pytest.mark.parametrize(
    ("version", "code", "says"),
    [
        (SCHEMA_VERSION, 0, f"the store: schema {SCHEMA_VERSION}\n"),
        ("0", 3, "the store: schema 0\n"),
        ("999", 1, "the store: schema 999\n"),
        ("", 1, "the store: schema unknown\n"),
    ],
)
def test_status_tells_both_versions_and_whether_there_is_something_to_do(
    version: str,
    code: int,
    says: str,
    database: Database,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = database.restore(SCHEMA_VERSION)
    database.execute(f"UPDATE settings SET value = '{version}' WHERE id = 'schema_version'")

    assert main(["status", url]) == code

    assert capsys.readouterr().out == f"{says}this library: schema {SCHEMA_VERSION}\n"


def test_status_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", f"sqlite:///{tmp_path}/none.db"]) == 3

    assert capsys.readouterr().out.startswith("the store: no store\n")
    assert list(tmp_path.iterdir()) == []


def test_plan_prints_steps_and_statements(
    later_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", later_url]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "-- schema 3: Notes of experiments, and an index over them.",
        "ALTER TABLE experiments ADD COLUMN note TEXT DEFAULT '' NOT NULL;",
    ]
    assert "-- schema 5: Labels without empty keys, and a table of metrics." in lines


def test_plan_says_that_there_are_no_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", f"sqlite:///{tmp_path}/none.db"]) == 0

    assert capsys.readouterr().out == "-- no steps\n"


def test_apply_tells_what_it_does(later_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["apply", later_url, "--wait", "1"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "schema 3: Notes of experiments, and an index over them."
    assert lines[-1] == "the store has schema 5"


@pytest.mark.parametrize("action", ["status", "plan", "apply"])
def test_what_fails_is_told_without_the_url(
    action: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql://me:s3cret@127.0.0.1:1/nothing?connect_timeout=2"

    assert main([action, url]) == 1

    told = capsys.readouterr()
    assert told.err.startswith("failed: ")
    assert "s3cret" not in told.err + told.out


@pytest.mark.parametrize("arguments", [[], ["undo"], ["apply", "sqlite://", "--wait", "long"]])
def test_arguments_that_mean_nothing_have_a_code_of_their_own(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "usage: python -m experiment_store.migrate" in capsys.readouterr().err


def test_the_program_runs_as_a_module_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "experiment_store.migrate", "apply"],
        cwd=ROOT,
        env={URL_VARIABLE: f"sqlite:///{tmp_path}/new.db", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"the store was created\nthe store has schema {SCHEMA_VERSION}\n"


def test_the_name_is_that_of_the_call() -> None:
    assert experiment_store.migrate is migrate
