"""Runs side by side: what differs is seen, with colours and without, however narrow it is."""

from __future__ import annotations

import json
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import connect
from experiment_store.cli.comparison import Row
from experiment_store.cli.exits import NOT_FOUND
from experiment_store.cli.tables import Column, blocks, fit
from experiment_store.mappings import ParamValue
from experiment_store.plain import plain_param
from tests.cli.conftest import STORE, Command
from tests.cli.people import Terminal

URL = f"sqlite:///{STORE}"
_VALUES = st.none() | st.booleans() | st.integers(0, 2) | st.floats() | st.text(max_size=3)


@pytest.fixture(autouse=True)
def _runs() -> None:
    tried: dict[str, dict[str, ParamValue]] = {
        "adam": {"lr": 0.1, "opt": "adam", "layers": 3},
        "sgd": {"lr": 0.5, "opt": "sgd", "layers": 3, "momentum": 0.9},
    }
    with connect(URL) as store:
        for name, params in tried.items():
            with store.runs.start("mnist", name, id=f"{name}-1", params=params) as run:
                run.log(loss=2.0)
                run.log(loss=len(name) / 10, bad=nan)


def test_a_pipe_gets_a_column_a_run_and_what_differs_is_marked(command: Command) -> None:
    done = command("runs", "compare", "adam-1", "sgd-1")

    header, name, state, duration, *rows = [line.split("\t") for line in done.lines]
    assert header == ["differs", "field", "adam-1", "sgd-1"]
    assert (name, state) == (["", "name", "adam", "sgd"], ["", "state", "SUCCEEDED", "SUCCEEDED"])
    assert duration[:2] == ["", "duration"]
    assert all(float(seconds) >= 0 for seconds in duration[2:])
    assert rows == [
        ["", "params.layers", "3", "3"],
        ["*", "params.lr", "0.1", "0.5"],
        ["*", "params.momentum", "", "0.9"],
        ["*", "params.opt", "adam", "sgd"],
        ["", "metrics.bad", "nan", "nan"],
        ["*", "metrics.loss", "0.4", "0.3"],
    ]


def test_what_is_alike_can_be_left_out(command: Command) -> None:
    done = command("runs", "compare", "adam-1", "sgd-1", "--only-different", "--json")

    fields = [json.loads(line)["field"] for line in done.lines]
    assert fields == ["params.lr", "params.momentum", "params.opt", "metrics.loss"]


def test_json_has_a_line_for_each_parameter_and_metric(command: Command) -> None:
    done = command("runs", "compare", "adam-1", "sgd-1", "--json")

    lines = {(plain := json.loads(line))["field"]: plain for line in done.lines}
    assert lines["params.layers"] == {
        "field": "params.layers",
        "differs": False,
        "values": {"adam-1": 3, "sgd-1": 3},
    }
    assert lines["params.momentum"]["values"] == {"sgd-1": 0.9}
    assert lines["metrics.bad"]["values"] == {"adam-1": "nan", "sgd-1": "nan"}


@pytest.mark.parametrize(
    ("statistic", "field", "values"),
    [("latest", "", ["0.4", "0.3"]), ("MIN", ".min", ["0.4", "0.3"]), ("max", ".max", ["2.0"] * 2)],
)
def test_another_value_of_the_metrics_can_be_compared(
    statistic: str, field: str, values: list[str], command: Command
) -> None:
    done = command("runs", "compare", "adam-1", "sgd-1", "--statistic", statistic)

    marks = {line.split("\t")[1]: line.split("\t") for line in done.lines}
    assert marks[f"metrics.loss{field}"][2:] == values


def test_a_run_that_is_named_twice_has_one_column(command: Command, terminal: Command) -> None:
    done = command("runs", "compare", "adam-1", "adam")
    shown = terminal(80, "runs", "compare", "adam-1")

    assert done.lines[0] == "differs\tfield\tadam-1"
    assert "*" not in done.out + shown.out


def test_a_run_that_is_not_there_is_not_found(command: Command) -> None:
    assert command("runs", "compare", "adam-1", "nope").code == NOT_FOUND


def test_many_runs_on_a_narrow_terminal_stand_in_blocks(
    command: Command, terminal: Command
) -> None:
    names = ["adam-1", "sgd-1"]
    for number in range(5):
        command("runs", "create", "mnist", f"more {number}", "--id", f"more-{number}")
        names.append(f"more-{number}")

    done = terminal(48, "runs", "compare", *names)

    blocks = done.out.split("\n\n")
    assert len(blocks) > 2
    assert all(block.count("params.lr") == 1 for block in blocks)
    assert [done.out.count(name) for name in names] == [1] * len(names)
    assert max(len(line) for line in _plain(done.out).splitlines()) <= 48


def test_json_on_a_terminal_has_no_controls(command: Command, terminal: Command) -> None:
    command("runs", "update", "adam-1", "--param", "opt=\x1b[31m\u202e")

    done = terminal(80, "runs", "compare", "adam-1", "sgd-1", "--json")

    assert r"\u001b[31m\u202e" in done.out
    assert "\u202e" not in done.out


@pytest.mark.parametrize("columns", [50, 120])
def test_what_differs_is_marked_and_coloured_on_a_terminal(columns: int) -> None:
    with Terminal("runs", "compare", "adam-1", "sgd-1", "--store", STORE, columns=columns) as shown:
        code = shown.end()

    assert code == 0
    assert shown.lines[0].split() == ["adam", "sgd"]
    assert "*  params.lr        0.1        0.5" in shown.lines
    assert "   params.layers    3          3" in shown.lines
    assert b"\x1b[33m*" in shown.raw
    assert b"\x1b[33mparams.lr" in shown.raw
    assert b"\x1b[33mparams.layers" not in shown.raw


@given(st.lists(_VALUES, min_size=1, max_size=4))
def test_words_are_as_different_as_the_values(values: list[ParamValue | None]) -> None:
    row = Row("params.x", tuple(values), plain_param)

    words = row.words()

    assert len({*words}) == len({*map(repr, values)})
    assert row.differs == (len({*words}) > 1)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((1 / 3, 0.25), ["0.333333", "0.25"]),
        ((1 / 3, 1 / 3 + 1e-12), [repr(1 / 3), repr(1 / 3 + 1e-12)]),
        ((1, 1.0), ["1", "1.0"]),
        ((1, "1"), ["1", '"1"']),
        ((None, ""), ["", '""']),
        ((nan, nan), ["nan", "nan"]),
        ((inf, "inf"), ["inf", '"inf"']),
        ((True, "true", 1), ["true", '"true"', "1"]),
    ],
)
def test_values_are_as_short_as_tells_them_apart(
    values: tuple[ParamValue | None, ...], words: list[str]
) -> None:
    assert Row("params.x", values, plain_param).words() == words


@given(
    st.lists(st.integers(1, 40), max_size=3),
    st.lists(st.integers(1, 40), min_size=1, max_size=9),
    st.integers(1, 120),
)
def test_blocks_have_every_column_once_and_fit(
    beside: list[int], widths: list[int], total: int
) -> None:
    always, columns = ([_wide(wide) for wide in some] for some in (beside, widths))

    parts = [*blocks(always, columns, ["x"], total)]

    assert [column for part in parts for column in part] == columns
    assert all(parts)
    for part in parts:
        if len(part) > 1:
            natural = [int(column.name) for column in (*always, *part)]
            natural = [max(wide, len(str(wide))) for wide in natural]
            assert fit([*always, *part], natural, total) == dict(enumerate(natural))


def _wide(cells: int) -> Column[str]:
    return Column(str(cells), lambda row: row * cells)


def _plain(out: str) -> str:
    return out.replace("\x1b[1m", "").replace("\x1b[0m", "")
