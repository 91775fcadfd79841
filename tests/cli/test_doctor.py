"""The command that examines a store; what there is to be found is tested elsewhere."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiment_store import Verdict, connect
from experiment_store.cli.exits import DONE, FAILED, USAGE
from tests.cli.conftest import STORE, Command
from tests.cli.people import Terminal
from tests.migrations.databases import Sqlite

URL = f"sqlite:///{STORE}"
DOCS = Path(__file__).parent.parent.parent / "docs" / "doctor.md"
DROPPED = "jobs_by_created_at"


@pytest.fixture(autouse=True)
def _records() -> None:
    with connect(URL) as store:
        store.runs.create(store.create("mnist").id, "r")


@pytest.fixture
def faulty(_records: None) -> None:
    """The store without one of its indexes."""
    execute(f"DROP INDEX {DROPPED}")


def execute(text: str) -> None:
    with closing(sqlite3.connect(STORE, isolation_level=None)) as connection:
        connection.execute(text)


def test_a_healthy_store_ends_with_0_and_every_check_is_told(command: Command) -> None:
    done = command("doctor")

    header, *rows = (line.split("\t") for line in done.lines)
    assert (done.code, done.err) == (DONE, "")
    assert header == ["verdict", "check", "found", "advice"]
    assert {verdict for verdict, *_ in rows} == {"OK"}
    assert {check for _, check, *_ in rows} > {"version", "integrity", "orphans", "wal", "speed"}


@pytest.mark.usefixtures("faulty")
def test_a_problem_ends_with_1_and_its_advice_can_be_run(command: Command) -> None:
    done = command("doctor")

    [problem] = [line.split("\t") for line in done.lines if line.startswith("PROBLEM")]
    execute(problem[-1].removeprefix("run: "))

    assert done.code == FAILED
    assert problem[1:3] == ["indexes", f"the index {DROPPED} is not there"]
    assert command("doctor").code == DONE


def test_a_warning_ends_with_0(command: Command) -> None:
    with connect(URL) as store:
        [run] = store.runs.iterate()
        store.runs.update(run.id, state="RUNNING")
    moment = datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1_000_000
    execute(f"UPDATE runs SET heartbeat_at = {moment:.0f}")

    done = command("doctor")

    [warning] = [line for line in done.lines if not line.startswith(("OK", "verdict"))]
    assert done.code == DONE
    assert warning.startswith("WARNING\tlost\t")
    assert run.id in warning
    with connect(URL) as store:
        store.runs.reap()
    assert "WARNING" not in command("doctor").out


@pytest.mark.usefixtures("faulty")
def test_json_has_a_finding_a_line_in_a_pipe_and_on_a_terminal(
    command: Command, terminal: Command
) -> None:
    done, shown = command("doctor", "--json"), terminal(30, "--store", STORE, "doctor", "--json")

    findings = [json.loads(line) for line in done.lines]
    assert (done.code, shown.code) == (FAILED, FAILED)
    assert all(finding.keys() == {"check", "verdict", "found", "advice"} for finding in findings)
    assert {finding["verdict"] for finding in findings} == set(Verdict)
    assert [finding["check"] for finding in map(json.loads, shown.lines)] == [
        finding["check"] for finding in findings
    ]


@pytest.mark.usefixtures("faulty")
@pytest.mark.parametrize("columns", [30, 200])
def test_a_statement_is_one_line_for_a_terminal_of_any_width(
    terminal: Command, columns: int
) -> None:
    done = terminal(columns, "doctor")

    [at] = [place for place, line in enumerate(done.lines) if line.startswith("PROBLEM")]
    assert done.lines[at] == f"PROBLEM indexes    the index {DROPPED} is not there"
    assert done.lines[at + 1].startswith(f"{'':19}run: CREATE INDEX")
    assert done.lines[at + 1].endswith("(created_at, id, name)")


@pytest.mark.usefixtures("faulty")
def test_a_problem_is_red_on_a_narrow_terminal() -> None:
    with Terminal("doctor", "--store", STORE, columns=40) as shown:
        code = shown.end()

    assert code == FAILED
    assert b"\x1b[31mPROBLEM" in shown.raw
    assert b"\x1b[32mOK" in shown.raw
    assert max(map(len, shown.lines)) <= 40


def test_what_is_found_does_not_steer_the_terminal(terminal: Command) -> None:
    execute("PRAGMA ignore_check_constraints = ON")
    execute("UPDATE settings SET value = 'a\x1b[2J' WHERE id = 'schema_version'")

    done = terminal(80, "doctor")

    assert done.code == FAILED
    assert "\x1b[2J" not in done.out
    assert "[2J" in done.out


def test_a_store_that_is_not_there_is_a_problem_as_documented(
    terminal: Command, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())

    done = terminal(80, "doctor", "--store", "typo.db")

    [shown] = [block for block in DOCS.read_text().split("```") if "$ experiment-store" in block]
    assert done.code == FAILED
    assert shown == f"\n$ experiment-store doctor --store typo.db\n{done.out}"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["there", "."])
def test_what_is_no_store_is_a_problem(command: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / "there").write_text("no database, but a text of some length" * 99)

    done = command("doctor", "--store", name)

    assert done.code == FAILED
    assert done.lines[1].startswith("PROBLEM\tplace\t")
    assert done.err == ""


def test_an_older_store_can_be_examined(command: Command, tmp_path: Path) -> None:
    old = Sqlite(tmp_path)

    done = command("doctor", "--store", old.restore("1"))

    assert done.code == FAILED
    assert "run: python -m experiment_store.migrate apply" in done.out


def test_a_url_of_no_backend_is_wrong_usage(command: Command) -> None:
    done = command("doctor", "--store", "nope://")

    assert (done.code, done.out) == (USAGE, "")
    assert done.err.startswith("error: ")
