"""A run whose process has gone is never shown as running forever, and can be reaped."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from experiment_store import connect
from experiment_store.cli.exits import USAGE
from tests.cli.conftest import STORE, Command

URL = f"sqlite:///{STORE}"


@pytest.fixture(autouse=True)
def _runs() -> None:
    now = datetime.now(UTC)
    lives = {"lost": timedelta(minutes=6), "alive": timedelta(seconds=1), "silent": None}
    with connect(URL) as store:
        mnist = store.create("mnist")
        for name, silence in lives.items():
            store.runs.create(
                mnist.id,
                name,
                id=f"{name}-1",
                state="RUNNING",
                started_at=now - timedelta(minutes=66),
                heartbeat_at=None if silence is None else now - silence,
            )


def test_a_lost_run_is_told_from_those_that_are_running(command: Command) -> None:
    done = command("runs", "list", "--columns", "name,state", "--order-by", "name")

    assert done.lines[1:] == ["alive\tRUNNING", "lost\tRUNNING (lost)", "silent\tRUNNING"]


def test_a_terminal_says_so_too(terminal: Command) -> None:
    assert terminal(80, "runs", "list").out.count("RUNNING (lost)") == 1
    assert "RUNNING (lost)" in terminal(80, "runs", "show", "lost-1").out
    assert "RUNNING (lost)" in terminal(80, "runs", "compare", "lost-1", "alive-1").out


def test_json_has_the_record_as_it_is(command: Command) -> None:
    assert json.loads(command("runs", "show", "lost-1", "--json").out)["state"] == "RUNNING"


def test_a_lost_run_took_until_its_last_sign_of_life(command: Command, terminal: Command) -> None:
    done = command("runs", "list", "--columns", "name,duration", "--order-by", "name")

    alive, lost, silent = (float(line.split("\t")[1]) for line in done.lines[1:])
    assert lost == 3600.0
    assert alive >= 3960
    assert silent >= 3960
    assert "1h 00m" in terminal(80, "runs", "show", "lost-1").out


def test_the_documented_filter_finds_lost_runs(command: Command) -> None:
    lost = "state = RUNNING AND heartbeat_at < ago(5m)"

    done = command("runs", "list", "--filter", lost, "--columns", "name")

    assert done.lines == ["name", "lost"]


def test_reap_prints_the_ids_of_those_it_has_marked(command: Command) -> None:
    first = command("runs", "reap")
    second = command("runs", "reap")

    shown = dict(line.split("\t") for line in command("runs", "show", "lost-1").lines)
    assert (first.out, second.out, second.err) == ("lost-1\n", "", "")
    assert (shown["state"], shown["duration"]) == ("FAILED", "3600.0")
    assert shown["error"].startswith("lost")


def test_reap_takes_an_age_and_prints_records(command: Command) -> None:
    later = command("runs", "reap", "--age", "1h", "--json")
    now = command("runs", "reap", "--age", "90s", "--json")

    assert later.out == ""
    [record] = map(json.loads, now.lines)
    assert (record["id"], record["state"]) == ("lost-1", "FAILED")


def test_a_person_is_told_that_there_are_none(terminal: Command) -> None:
    terminal(80, "runs", "reap")

    assert "no lost runs" in terminal(80, "runs", "reap").err


@pytest.mark.parametrize("age", ["5", "-5m", "0s", "soon"])
def test_what_is_no_age_is_refused(age: str, command: Command) -> None:
    done = command("runs", "reap", f"--age={age}")

    assert (done.code, done.out) == (USAGE, "")
    assert "age" in done.err
