"""Moving, migrating and serving a store from the command line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiment_store import connect, digest
from experiment_store.cli.exits import NOT_FOUND, UNAVAILABLE, USAGE
from experiment_store_sql.tables import SCHEMA_VERSION
from tests.cli.conftest import STORE, Command
from tests.migrations.databases import Sqlite

URL = f"sqlite:///{STORE}"


@pytest.fixture(autouse=True)
def _records() -> None:
    with connect(URL) as store:
        mnist = store.create("mnist")
        store.runs.create(mnist.id, "run")


@pytest.fixture
def piped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have standard input be an export."""
    with (tmp_path / "lab.jsonl").open("rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))
        yield


@pytest.mark.parametrize("name", ["lab.jsonl", "lab.jsonl.gz"])
def test_a_store_goes_into_a_file_and_comes_back(name: str, command: Command) -> None:
    written = command("export", name)
    read = command("import", name, "--store", "new.db")

    assert [line.split("\t")[:2] for line in written.lines] == [
        ["kind", "count"], ["experiment", "1"], ["job", "0"], ["run", "1"], ["chunk", "0"],
    ]  # fmt: skip
    assert read.lines == [
        "kind\tread\tinserted\tupdated\tunchanged",
        "experiment\t1\t1\t0\t0",
        "job\t0\t0\t0\t0",
        "run\t1\t1\t0\t0",
        "chunk\t0\t0\t0\t0",
    ]
    assert digest(URL) == digest("sqlite:///new.db")


def test_an_export_goes_to_standard_output(command: Command, tmp_path: Path) -> None:
    command("export", "lab.jsonl")

    assert command("export", "-").out == (tmp_path / "lab.jsonl").read_text()


def test_an_import_comes_from_standard_input(
    command: Command, request: pytest.FixtureRequest
) -> None:
    command("export", "lab.jsonl")
    request.getfixturevalue("piped")

    assert command("import", "-", "--store", "new.db").code == 0
    assert digest(URL) == digest("sqlite:///new.db")


def test_a_copy_tells_what_became_of_the_records(command: Command) -> None:
    command("copy", STORE, "new.db")

    again = command("copy", URL, "new.db", "--json")

    assert [json.loads(line) for line in again.lines] == [
        {"kind": kind, "read": count, "inserted": 0, "updated": 0, "unchanged": count}
        for kind, count in (("experiment", 1), ("job", 0), ("run", 1), ("chunk", 0))
    ]


def test_tallies_are_a_table_on_a_terminal(terminal: Command) -> None:
    done = terminal(40, "export", "lab.jsonl")

    assert len(done.lines) == 6
    assert max(map(len, done.lines[1:])) <= 40
    assert "…" in done.lines[2]


def test_a_backup_is_a_store(command: Command) -> None:
    done = command("backup", "copy.db")

    assert (done.code, done.out, done.err) == (0, "", "")
    assert digest(URL) == digest("sqlite:///copy.db")


def test_migrations_are_those_of_the_other_program(command: Command) -> None:
    missing = command("migrate", "status", "--store", "new.db")
    planned = command("migrate", "plan", "--store", "new.db")
    made = command("migrate", "apply", "--store", "new.db", "--wait", "1")
    status = command("--store", "new.db", "migrate", "status")

    assert (missing.code, missing.lines[0]) == (NOT_FOUND, "the store: no store")
    assert planned.out == "-- no steps\n"
    assert made.lines == ["the store was created", f"the store has schema {SCHEMA_VERSION}"]
    assert (status.code, status.lines[0]) == (0, f"the store: schema {SCHEMA_VERSION}")


def test_an_older_store_is_not_opened(command: Command, tmp_path: Path) -> None:
    database = Sqlite(tmp_path)
    url = database.restore("1")
    database.execute("UPDATE settings SET value = '0' WHERE id = 'schema_version'")

    done = command("list", "--store", url)

    assert done.code == UNAVAILABLE
    assert "to bring it up to date" in done.err


def test_the_service_has_its_own_options(command: Command) -> None:
    with pytest.raises(SystemExit) as ended:
        command("serve", "--help")

    assert ended.value.code == 0


def test_the_service_is_not_open_to_others(command: Command) -> None:
    done = command("serve", "--store", STORE, "--host", "192.0.2.1")

    assert done.code == USAGE
    assert done.err.startswith("refused: 192.0.2.1 is open to other machines")


def test_the_service_names_what_is_wrong_with_the_store(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = command("serve", "--store", "no/such/folder.db")
    monkeypatch.delenv("EXPERIMENT_STORE_URL")
    by_default = command("serve", "--token-file", "missing")

    assert (named.code, named.err.startswith("error: open failed")) == (UNAVAILABLE, True)
    assert by_default.err.startswith("error: ")


def test_the_service_needs_an_extra(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "experiment_store.kfp.__main__", None)

    done = command("serve")

    assert done.code == UNAVAILABLE
    assert done.err == "error: serve needs a server: pip install 'experiment-store[server]'\n"


@pytest.mark.parametrize("name", ["none.jsonl", "train.py"])
def test_what_is_no_export_makes_no_store(name: str, command: Command, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import experiment_store\n")

    done = command("import", name, "--store", "new.db")

    assert done.code != 0
    assert not (tmp_path / "new.db").exists()
