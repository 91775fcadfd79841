"""The program as a person has it: processes, pseudo-terminals, pipes, keys."""

from __future__ import annotations

import json
import subprocess

import pytest

from experiment_store import connect
from experiment_store.cli.exits import CLOSED, FAILED, INTERRUPTED
from tests.cli.conftest import STORE
from tests.cli.people import PROGRAM, Terminal, surroundings

URL = f"sqlite:///{STORE}"
ESCAPE = b"\x1b["


@pytest.fixture(autouse=True)
def _records() -> None:
    with connect(URL) as store:
        mnist = store.create("mnist", id="exp-1", labels={"team": "cv"})
        store.runs.create(mnist.id, "a run with a long name", id="run-1", state="FAILED")


@pytest.mark.parametrize(("columns", "last"), [(40, "state"), (160, "storage_state")])
def test_a_listing_fits_a_terminal_and_has_colours(columns: int, last: str) -> None:
    with Terminal("runs", "list", "--store", STORE, columns=columns) as terminal:
        code = terminal.end()

    header, rule, row = terminal.lines
    assert code == 0
    assert header.split()[-1] == last
    assert len(row) <= columns
    assert row.startswith("run-1  a run with a long name")
    assert set(rule) == {"─"}
    assert b"\x1b[31mFAILED" in terminal.raw


def test_no_color_is_followed() -> None:
    with Terminal("runs", "list", "--store", STORE, columns=160, NO_COLOR="1") as terminal:
        code = terminal.end()

    assert code == 0
    assert "FAILED" in terminal.lines[2]
    assert b"\x1b[31m" not in terminal.raw


def test_a_question_can_be_answered() -> None:
    with Terminal("runs", "delete", "run-1", "--store", STORE) as first:
        first.until("[y/N]")
        first.type("n")
        refused = first.end()
    with Terminal("runs", "delete", "run-1", "--store", STORE) as second:
        second.until("[y/N]")
        second.type("y")
        done = second.end()

    assert (refused, done) == (FAILED, 0)
    assert first.lines[-1] == "nothing was deleted"
    with connect(URL) as store:
        assert list(store.runs.iterate()) == []


def test_ctrl_c_at_a_question_ends_it_without_a_traceback() -> None:
    with Terminal("delete", "mnist", "--store", STORE) as terminal:
        terminal.until("[y/N]")
        terminal.interrupt()
        code = terminal.end()

    assert code == INTERRUPTED
    assert len(terminal.lines) == 1
    with connect(URL) as store:
        assert len(list(store.iterate())) == 1


def test_a_pipe_gets_no_escapes_and_a_closed_one_no_complaint() -> None:
    listing = [*PROGRAM, "runs", "list", "--store", STORE]

    piped = subprocess.run(listing, env=surroundings(), capture_output=True, check=True)
    with subprocess.Popen(
        listing, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as closed:
        assert closed.stdout is not None
        assert closed.stderr is not None
        closed.stdout.close()
        complaints = closed.stderr.read()

    assert ESCAPE not in piped.stdout + piped.stderr
    assert piped.stdout.count(b"\n") == 2
    assert (closed.returncode, complaints) == (CLOSED, b"")


def test_an_error_in_a_pipe_has_no_colour_and_no_traceback() -> None:
    done = subprocess.run(
        [*PROGRAM, "list", "--store", "typo.db"],
        env=surroundings(),
        capture_output=True,
        check=False,
    )

    assert done.stderr == b"error: store file 'typo.db' not found\n"
    assert done.stdout == b""


def test_json_in_a_pipe_is_utf_8_whatever_the_locale_says() -> None:
    with connect(URL) as store:
        store.create("数据 é", id="exp-2")

    done = subprocess.run(
        [*PROGRAM, "show", "exp-2", "--json", "--store", STORE],
        env=surroundings(PYTHONIOENCODING="ascii"),
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout)["name"] == "数据 é"
