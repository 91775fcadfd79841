"""Listings: in a pipe, as JSON Lines, and on terminals narrow and wide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from experiment_store import NewRun, connect
from experiment_store.backend import Change
from experiment_store.cli.exits import NOT_FOUND, USAGE
from experiment_store.cli.listings import _BATCH
from experiment_store.records import Metric, Metrics, ParamValue
from experiment_store.schema import RUN
from tests.cli.conftest import STORE, Command

URL = f"sqlite:///{STORE}"
ID = "0199a3c4-7b2{}-7def-8000-000000000000"


@pytest.fixture(autouse=True)
def _records() -> None:
    with connect(URL) as store:
        vision = store.create("mnist", namespace="vision", id="exp-1", labels={"team": "cv"})
        text = store.create("bert", namespace="text", id="exp-2", description="large\n[red]")
        for number, state in enumerate(("SUCCEEDED", "FAILED", "RUNNING")):
            parent = text if state == "RUNNING" else vision
            store.runs.create(parent.id, f"run-{number}", id=ID.format(number), state=state)
        store.jobs.create(text.id, "nightly", id="job-1", schedule="0 3 * * *")


def test_a_pipe_gets_a_header_and_whole_cells_between_tabs(command: Command) -> None:
    done = command("list", "--columns", "id,name,labels.team,description", "--order-by", "name")

    assert done.lines == [
        "id\tname\tlabels.team\tdescription",
        "exp-2\tbert\t\tlarge\\n[red]",
        "exp-1\tmnist\tcv\t",
    ]
    assert done.err == ""


def test_a_run_is_listed_with_the_name_of_its_experiment(command: Command) -> None:
    done = command("runs", "list", "--columns", "name,experiment", "--order-by", "name")

    assert done.lines == ["name\texperiment", "run-0\tmnist", "run-1\tmnist", "run-2\tbert"]


def test_a_run_whose_experiment_has_gone_shows_its_id(command: Command) -> None:
    command("delete", "bert", "--yes")

    done = command("runs", "list", "--experiment", "exp-2", "--columns", "name,experiment")

    assert done.lines == ["name\texperiment", "run-2\texp-2"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--experiment", "mnist", "--namespace", "vision"], ["run-0", "run-1"]),
        (["--namespace", "text"], ["run-2"]),
        (["--filter", "state = FAILED"], ["run-1"]),
        (["--order-by", "name desc", "--limit", "2"], ["run-2", "run-1"]),
        (["--limit", "0"], ["run-0", "run-1", "run-2"]),
    ],
)
def test_a_listing_takes(arguments: list[str], names: list[str], command: Command) -> None:
    done = command("runs", "list", "--columns", "name", *arguments)

    assert done.lines == ["name", *names]


def test_jobs_are_listed(command: Command) -> None:
    done = command("jobs", "list", "--columns", "id,schedule,enabled", "--experiment", "bert")

    assert done.lines == ["id\tschedule\tenabled", "job-1\t0 3 * * *\ttrue"]


def test_json_lines_are_those_of_an_export(command: Command) -> None:
    listed = command("runs", "list", "--json").lines
    exported = command("export", "-").lines

    ours = {json.dumps(json.loads(line)) for line in listed}
    theirs = [json.loads(line) for line in exported]
    for line in theirs:
        del line["crc32"]
    assert ours == {json.dumps(line) for line in theirs if line.get("kind") == "run"}
    assert f"{exported[-2].rpartition(',')[0]}}}" in listed


def test_who_limits_is_told_that_there_is_more(command: Command) -> None:
    some = command("runs", "list", "--limit", "2", "--json")
    exactly = command("runs", "list", "--limit", "3", "--json")

    ordered = command("runs", "list", "--limit", "2", "--order-by", "name")

    words = "there are more; --limit 0 shows all"
    assert (len(some.lines), some.err) == (2, f"{words}, --order-by 'created_at desc' the newest\n")
    assert ordered.err == f"{words}\n"
    assert (len(exactly.lines), exactly.err) == (3, "")


def test_a_pipe_gets_all_and_a_terminal_twenty(command: Command, terminal: Command) -> None:
    with connect(URL) as store:
        store.runs.create_many(NewRun("exp-1", "more") for _ in range(_BATCH + 1))

    assert len(command("runs", "list").lines) == 1 + 3 + _BATCH + 1
    shown = terminal(80, "runs", "list")
    assert len(shown.lines) == 2 + 20
    assert "more" in shown.err


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (15, ["id", "name"]),
        (30, ["id", "name", "state"]),
        (40, ["id", "name", "experiment", "state"]),
        (64, ["id", "name", "experiment", "state", "created_at"]),
        (
            160,
            ["id", "name", "experiment", "state", "created_at", "storage_state", "namespace"],
        ),
    ],
)
def test_a_table_fits_the_terminal(columns: int, names: list[str], terminal: Command) -> None:
    done = terminal(columns, "runs", "list", "--filter", "state = FAILED")

    header, _, *rows = _plain(done.out)
    assert max(map(len, (header, *rows))) <= columns
    assert header.split() == names
    assert (len(rows) == 1) == (columns > 15)
    assert rows[0].startswith("0199a3c4-7b21 " if columns > 15 else "0199a3c")


def test_an_empty_listing_says_so_to_people_only(command: Command, terminal: Command) -> None:
    piped = command("runs", "list", "--filter", "name = nothing")
    shown = terminal(80, "runs", "list", "--filter", "name = nothing")

    assert (len(piped.lines), piped.err) == (1, "")
    assert (shown.out, "no runs" in shown.err) == ("", True)


def test_chosen_columns_stay_however_narrow_it_is(terminal: Command) -> None:
    done = terminal(30, "list", "--columns", "description,name,created_at", "--limit", "1")

    header, *_ = lines = _plain(done.out)
    assert header.split() == ["descripti…", "name", "created_at"]
    assert max(map(len, lines)) <= 30


def test_text_of_a_record_is_no_markup_and_no_control(terminal: Command) -> None:
    with connect(URL) as store:
        store.create("[bold]x[/bold]\x1b[31m\u202e:rocket:", id="bad")

    table = terminal(160, "list", "--filter", "id = bad")
    shown = terminal(160, "show", "bad")
    line = terminal(160, "list", "--filter", "id = bad", "--json")

    for done in (table, shown):
        assert r"[bold]x[/bold]\x1b[31m\u202e:rocket:" in done.out
    assert r"[bold]x[/bold]\u001b[31m\u202e:rocket:" in line.out


@pytest.mark.parametrize("columns", ["nope", "labels", "labels.", "experiment", "", " id , name "])
def test_columns_are_fields_and_entries_of_labels(columns: str, command: Command) -> None:
    done = command("list", "--columns", columns)

    assert done.code == (USAGE if columns in ("nope", "experiment") else 0)
    if done.code:
        assert f"columns has no '{columns}', but id, namespace" in done.err


def test_a_listing_of_an_unknown_experiment_is_not_found(command: Command) -> None:
    done = command("runs", "list", "--experiment", "nope")

    assert (done.code, done.out) == (NOT_FOUND, "")
    assert done.err == "error: experiment name or id 'nope' not found\n"


def _plain(out: str) -> list[str]:
    """Take what Rich says about fonts, and blanks at the ends, out of the lines."""
    for style in ("\x1b[1m", "\x1b[2m", "\x1b[0m"):
        out = out.replace(style, "")
    return [line.rstrip() for line in out.splitlines()]


@pytest.fixture
def _tuned() -> None:
    """Have a run with parameters and metrics."""
    with connect(URL) as store:
        made = store.runs.create(
            "exp-1", "tuned", id="tuned", params={"lr": 0.1, "opt": "adam"}, finished_at=None
        )
        loss = Metric(latest=0.5, min=1 / 3, max=2.0, step=9, count=10)
        assign: dict[str, Any] = {"metrics": Metrics({"val.loss": loss})}
        store.runs._backend.update(RUN, made.id, Change(assign))


@pytest.mark.usefixtures("_tuned")
def test_parameters_and_metrics_are_columns(command: Command) -> None:
    names = "params.lr,params.opt,params.none,metrics.val.loss,metrics.val.loss.min,metrics.x.max"

    done = command("runs", "list", "--columns", names, "--filter", "id = tuned")

    assert done.lines == [names.replace(",", "\t"), "0.1\tadam\t\t0.5\t0.3333333333333333\t"]


@pytest.mark.usefixtures("_tuned")
def test_parameters_and_metrics_are_shown_on_a_wide_terminal(
    command: Command, terminal: Command
) -> None:
    listed = terminal(160, "runs", "list", "--filter", "id = tuned")
    shown = dict(line.split("\t") for line in command("runs", "show", "tuned").lines)
    table = _plain(terminal(160, "runs", "show", "tuned").out)

    header, _, row = _plain(listed.out)
    assert header.split()[4:7] == ["val.loss", "lr", "opt"]
    assert row.split()[4:7] == ["0.5", "0.1", "adam"]
    assert (shown["params.opt"], shown["metrics.val.loss"]) == ("adam", "0.5")
    assert shown["metrics.val.loss.max"] == "2.0"
    assert (shown["metrics.val.loss.step"], shown["metrics.val.loss.count"]) == ("9", "10")
    assert table[-1].split() == ["val.loss", "0.5", "0.333333", "2", "9", "10"]


@pytest.fixture
def _many_tried() -> None:
    """Have two runs with twenty parameters and ten metrics, of which a few tell them apart."""
    with connect(URL) as store:
        for number, (name, lr) in enumerate((("adam", 0.1), ("sgd", 0.5))):
            same: dict[str, ParamValue] = {f"param_{place:02}": place for place in range(17)}
            params = {**same, "lr": lr, "opt": name, "state": "a"}
            with store.runs.start("many", name, params=params) as run:
                run.log({f"a_{place}": float(place) for place in range(7)})
                run.log(loss=lr, accuracy=lr, lr=lr + number)


@pytest.mark.usefixtures("_many_tried")
@pytest.mark.parametrize(
    ("columns", "entries"),
    [
        (80, ["accuracy", "loss", "params.lr"]),
        (
            160,
            ["accuracy", "loss", "metrics.lr", "a_0", "a_1", "a_2", "params.lr", "opt", "param_00"],
        ),
    ],
)
def test_what_tells_runs_apart_is_shown_first(
    columns: int, entries: list[str], terminal: Command
) -> None:
    header, _, *rows = _plain(terminal(columns, "runs", "list", "--experiment", "many").out)

    names = header.split()
    assert names[:2] == ["id", "name"]
    assert [name for name in names if name in entries] == entries
    assert len(rows) == 2
    assert max(map(len, rows)) <= columns


@pytest.mark.usefixtures("_many_tried")
def test_what_only_some_runs_have_comes_before_what_all_have_alike(
    command: Command, terminal: Command
) -> None:
    alike = [word for place in range(16) for word in ("--param", f"param_{place:02}={place}")]
    command("runs", "create", "many", "third", *alike, "--param", "state=a")

    header = _plain(terminal(160, "runs", "list", "--experiment", "many").out)[0].split()

    assert header.index("opt") < header.index("param_16") < header.index("param_00")


@pytest.mark.usefixtures("_many_tried")
@pytest.mark.parametrize(
    ("order_by", "first"),
    [
        ("metrics.a_6 desc", "a_6"),
        ("metrics.a_6.min", "a_6.min"),
        ("name, params.param_09 desc", "param_09"),
        ("metrics.nothing", "accuracy"),
    ],
)
def test_what_a_listing_is_ordered_by_is_shown(
    order_by: str, first: str, terminal: Command
) -> None:
    done = terminal(60, "runs", "list", "--experiment", "many", "--order-by", order_by)

    assert first in _plain(done.out)[0].split()


@pytest.mark.usefixtures("_many_tried")
def test_a_listing_can_be_filtered_and_ordered_by_parameters_and_metrics(command: Command) -> None:
    done = command(
        "runs", "list", "--filter", "params.lr > 0 AND metrics.loss.max < 9",
        "--order-by", "metrics.accuracy desc", "--columns", "name",
    )  # fmt: skip

    assert done.lines == ["name", "sgd", "adam"]
