"""The commands for experiments, runs and jobs do what the store's calls do."""

from __future__ import annotations

import json

import pytest

from experiment_store import connect
from experiment_store.cli.exits import FAILED, IN_THE_WAY, NOT_FOUND, USAGE
from tests.cli.conftest import STORE, Command
from tests.cli.people import typing

URL = f"sqlite:///{STORE}"


@pytest.fixture(autouse=True)
def _mnist(command: Command) -> None:
    command("create", "mnist", "--namespace", "vision", "--id", "exp-1", "--label", "team=cv")


def test_create_prints_the_id(command: Command) -> None:
    done = command("create", "bert", "--id", "exp-2")

    assert (done.code, done.out, done.err) == (0, "exp-2\n", "")


def test_create_prints_the_record_as_it_is_exported(command: Command) -> None:
    done = command("create", "bert", "--description", "large", "--label", "a=b=c", "--json")

    plain = json.loads(done.out)
    assert (plain["name"], plain["description"], plain["labels"]) == ("bert", "large", {"a": "b=c"})


def test_create_can_return_what_is_there(command: Command) -> None:
    done = command("create", "mnist", "--namespace", "vision", "--if-exists", "return")

    assert done.out == "exp-1\n"


def test_show_prints_every_field_and_counts_children(command: Command) -> None:
    command("runs", "create", "mnist", "run-1", "--id", "run-1")

    shown = dict(line.split("\t") for line in command("show", "mnist").lines)

    assert shown["id"] == "exp-1"
    assert shown["labels.team"] == "cv"
    assert (shown["runs"], shown["jobs"]) == ("1", "0")


def test_show_can_print_json(command: Command) -> None:
    assert json.loads(command("show", "mnist", "--json").out)["id"] == "exp-1"


def test_update_changes_what_is_given_and_keeps_other_labels(command: Command) -> None:
    command("update", "mnist", "--label", "a=1", "--label", "b=2")
    command("update", "mnist", "--unlabel", "team", "--label", "a=3", "--description", "new")

    with connect(URL) as store:
        found = store.get("exp-1")
    assert (found.name, found.description, found.labels) == ("mnist", "new", {"a": "3", "b": "2"})


def test_a_stale_etag_is_in_the_way(command: Command) -> None:
    done = command("update", "mnist", "--name", "other", "--etag", "stale")

    assert done.code == IN_THE_WAY
    assert "has changed since etag 'stale'" in done.err


def test_an_experiment_is_archived_and_made_available(command: Command) -> None:
    archived = command("archive", "mnist", "--json")
    again = command("unarchive", "mnist", "--json")

    assert json.loads(archived.out)["storage_state"] == "ARCHIVED"
    assert json.loads(again.out)["storage_state"] == "AVAILABLE"


def test_a_delete_without_a_terminal_has_to_be_sure(command: Command) -> None:
    refused = command("delete", "mnist")
    done = command("delete", "mnist", "--yes")

    assert (refused.code, done.code) == (USAGE, 0)
    assert "--yes" in refused.err
    assert command("show", "mnist").code == NOT_FOUND


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("YES", 0), ("n", FAILED), ("", FAILED)])
def test_a_delete_asks_and_only_yes_is_yes(answer: str, code: int, command: Command) -> None:
    with typing(answer):
        done = command("delete", "mnist")

    assert done.code == code
    assert done.err.startswith("Delete experiment 'mnist' (exp-1)? Its 0 runs and 0 jobs stay. ")
    assert command("show", "mnist").code == (NOT_FOUND if code == 0 else 0)


def test_a_delete_can_be_prevented_by_children(command: Command) -> None:
    command("runs", "create", "mnist", "run-1")

    done = command("delete", "mnist", "--yes", "--children", "refuse")

    assert (done.code, done.err) == (
        IN_THE_WAY,
        "error: experiment 'exp-1' has children (run: 1, job: 0)\n",
    )


def test_a_run_lives(command: Command) -> None:
    made = command(
        "runs", "create", "mnist", "adam", "--id", "run-1", "--state", "running",
        "--started-at", "2026-01-31T10:00:00+01:00", "--label", "lr=0.1",
    )  # fmt: skip
    command("runs", "update", "run-1", "--state", "SUCCEEDED", "--finished-at", "now")
    command("runs", "update", "run-1", "--label", "seed=7")
    archived = json.loads(command("runs", "archive", "run-1", "--json").out)
    command("runs", "unarchive", "run-1")

    assert made.out == "run-1\n"
    shown = json.loads(command("runs", "show", "run-1", "--json").out)
    assert archived["storage_state"] == "ARCHIVED"
    assert shown["storage_state"] == "AVAILABLE"
    assert shown["started_at"] == "2026-01-31T09:00:00.000000Z"
    assert shown["finished_at"] is not None
    assert (shown["state"], shown["labels"]) == ("SUCCEEDED", {"lr": "0.1", "seed": "7"})


def test_a_run_is_made_with_its_times_and_they_can_be_taken_away(command: Command) -> None:
    times = ("--started-at", "2026-01-31", "--finished-at", "2026-02-01T00:00:00Z")
    command("runs", "create", "mnist", "adam", "--id", "run-1", "--job", "job-1", *times)
    before = json.loads(command("runs", "show", "run-1", "--json").out)

    after = json.loads(command("runs", "update", "run-1", "--started-at", "", "--json").out)

    assert before["started_at"].startswith("2026-01-3")
    assert (after["started_at"], after["job_id"]) == (None, "job-1")
    assert after["finished_at"] == "2026-02-01T00:00:00.000000Z"


@pytest.mark.parametrize("text", ["never", "0001-01-01T00:00:00+14:00", "2026-02-30"])
def test_what_is_no_time_is_refused(text: str, command: Command) -> None:
    done = command("runs", "create", "mnist", "adam", "--started-at", text)

    assert (done.code, done.out) == (USAGE, "")
    assert "--started-at must be a time" in done.err


@pytest.mark.parametrize("option", ["--label", "--param"])
def test_a_label_or_parameter_needs_an_equals_sign(option: str, command: Command) -> None:
    done = command("runs", "create", "mnist", "adam", option, "lr")

    assert (done.code, done.err) == (USAGE, f"error: {option} must be KEY=VALUE, not 'lr'\n")


@pytest.mark.parametrize("what", ["runs", "jobs"])
def test_a_child_is_deleted_by_its_whole_id(what: str, command: Command) -> None:
    command(what, "create", "mnist", "child", "--id", "child-1")

    by_prefix = command(what, "delete", "child", "--yes")
    done = command(what, "delete", "child-1", "--yes")

    assert (by_prefix.code, done.code) == (NOT_FOUND, 0)
    assert command(what, "show", "child-1").code == NOT_FOUND


def test_parameters_keep_the_type_in_which_they_are_written(command: Command) -> None:
    written = ["lr=0.1", "layers=3", "amp=true", "opt=adam", 'seed="7"', "none=null"]
    given = [word for text in written for word in ("--param", text)]
    command("runs", "create", "mnist", "adam", "--id", "run-1", *given)

    with connect(URL) as store:
        found = store.runs.get("run-1").params
    assert found == {
        "lr": 0.1, "layers": 3, "amp": True, "opt": "adam", "seed": "7", "none": "null",
    }  # fmt: skip


def test_a_parameter_can_be_set_and_removed_and_the_others_stay(command: Command) -> None:
    given = ["--param", "lr=0.1", "--param", "opt=adam", "--param", "seed=7"]
    command("runs", "create", "mnist", "adam", "--id", "run-1", "--label", "a=b", *given)

    done = command("runs", "update", "run-1", "--param", "lr=1", "--unparam", "opt")

    with connect(URL) as store:
        found = store.runs.get("run-1")
    assert done.out == "run-1\n"
    assert (found.params, found.labels) == ({"lr": 1, "seed": 7}, {"a": "b"})


def test_a_run_can_be_told_to_have_failed_and_why(command: Command) -> None:
    command("runs", "create", "mnist", "adam", "--id", "run-1")

    command("runs", "update", "run-1", "--state", "FAILED", "--error", "out of memory")

    shown = dict(line.split("\t") for line in command("runs", "show", "run-1").lines)
    assert (shown["state"], shown["error"]) == ("FAILED", "out of memory")


def test_a_run_has_links_to_artifacts(command: Command, terminal: Command) -> None:
    command("runs", "create", "mnist", "adam", "--id", "run-1")
    command("runs", "link", "run-1", "model", "s3://lab/old.pt")

    whole = ["--digest", "sha256:00", "--size", "48211"]
    done = command("runs", "link", "run-1", "model", "s3://lab/model.pt", *whole)

    shown = dict(line.split("\t") for line in command("runs", "show", "run-1").lines)
    table = terminal(80, "runs", "show", "run-1").lines
    assert done.out == "run-1\n"
    assert shown["artifacts.model"] == "s3://lab/model.pt"
    assert (shown["artifacts.model.digest"], shown["artifacts.model.size"]) == (
        "sha256:00",
        "48211",
    )
    assert table[-1].split() == ["model", "s3://lab/model.pt", "sha256:00", "48211"]


def test_a_link_out_of_bounds_is_refused(command: Command) -> None:
    command("runs", "create", "mnist", "adam", "--id", "run-1")

    assert command("runs", "link", "run-1", "model", "").code == USAGE
    assert command("runs", "link", "nope", "model", "s3://lab").code == NOT_FOUND


def test_a_job_lives(command: Command) -> None:
    made = command(
        "jobs", "create", "mnist", "nightly", "--id", "job-1", "--disabled", "--label", "a=b"
    )
    enabled = json.loads(command("jobs", "enable", "job-1", "--json").out)
    disabled = json.loads(command("jobs", "disable", "job-1", "--json").out)
    command("jobs", "update", "job-1", "--schedule", "0 3 * * *")

    assert made.out == "job-1\n"
    assert (enabled["enabled"], disabled["enabled"]) == (True, False)
    shown = dict(line.split("\t") for line in command("jobs", "show", "job-1").lines)
    assert (shown["schedule"], shown["enabled"]) == ("0 3 * * *", "false")


def test_a_run_below_an_archived_experiment_is_refused(command: Command) -> None:
    command("archive", "mnist")

    done = command("runs", "create", "mnist", "adam")

    assert (done.code, done.err) == (IN_THE_WAY, "error: experiment 'exp-1' is archived\n")
