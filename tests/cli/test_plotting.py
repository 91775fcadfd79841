"""``runs plot``: curves of runs in terminals of any size, in pipes, in ASCII and in pictures."""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf, nan
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree as ET

import pytest
from rich.text import Text

from experiment_store import connect
from experiment_store.cli.__main__ import main
from experiment_store.cli.exits import FAILED, USAGE
from experiment_store.cli.terminal_plot import in_ascii
from tests.cli.conftest import STORE, Command
from tests.cli.people import Terminal

URL = f"sqlite:///{STORE}"
_STEPS = 40


@pytest.fixture(autouse=True)
def _runs() -> None:
    with connect(URL) as store:
        for name, rate in (("adam", 0.1), ("sgd", 0.5)):
            with store.runs.start("mnist", name, id=f"{name}-1") as run:
                for step in range(_STEPS):
                    run.log(step=step, loss=(1 - rate) ** step, accuracy=1 - (1 - rate) ** step)
        with store.runs.start("mnist", "adam", id="adam-2") as run:
            run.log(broken=nan)
            run.log(broken=-inf, negative=-1.0)
        store.runs.create(run.run.experiment_id, "empty", id="empty-1")


def test_a_pipe_gets_letters_and_no_colours(command: Command) -> None:
    done = command("runs", "plot", "adam-1", "sgd-1", "--metric", "loss", "--height", "12")

    assert (done.code, done.err) == (0, "")
    assert done.lines[0] == "loss"
    assert done.lines[-2:] == ["a adam", "b sgd"]
    assert len(done.lines) == 12
    assert "\x1b" not in done.out
    assert max(map(len, done.lines)) == 80


def test_several_metrics_stand_below_each_other_and_fill_the_height(command: Command) -> None:
    names = ["--metric", "loss", "--metric", "accuracy", "--metric", "loss"]

    done = command("runs", "plot", "adam-1", *names, "--height", "19")

    assert len(done.lines) == 19
    assert [line for line in done.lines if line in ("loss", "accuracy")] == ["loss", "accuracy"]


def test_the_scale_can_be_logarithmic_and_the_axis_time(command: Command) -> None:
    done = command("runs", "plot", "adam-1", "--metric", "loss", "--log", "--x", "TIME")

    assert done.lines[0] == "loss (log)"
    assert "time (s)" in done.lines[-2]


def test_runs_of_one_name_are_told_apart_by_their_ids(command: Command) -> None:
    done = command("runs", "plot", "adam-1", "adam-2", "sgd-1", "--metric", "loss")

    assert done.lines[-3:] == ["a adam (adam-1)", "b adam (adam-2)", "c sgd"]
    assert done.err == "run 'adam-2' has no loss\n"


def test_a_metric_that_no_run_has_is_refused_with_those_that_they_have(command: Command) -> None:
    done = command("runs", "plot", "adam-1", "sgd-1", "--metric", "los")

    assert (done.code, done.out) == (USAGE, "")
    assert done.err == "error: --metric has no 'los', but accuracy, loss\n"


def test_without_a_metric_those_that_there_are_are_named(command: Command) -> None:
    done = command("runs", "plot", "adam-1")

    assert (done.code, done.out) == (USAGE, "")
    assert done.err == "error: --metric must be given; there are accuracy, loss\n"


@pytest.mark.parametrize("options", [(), ("--metric", "loss")])
def test_where_nothing_was_logged_it_says_so(options: tuple[str, ...], command: Command) -> None:
    done = command("runs", "plot", "empty-1", *options)

    assert (done.code, done.out) == (USAGE, "")
    assert done.err == "error: --metric has nothing to draw: no metric has been logged\n"


@pytest.mark.parametrize(
    ("metric", "options", "said"),
    [
        ("broken", (), "NaN, infinite"),
        ("negative", ("--log",), "NaN, infinite, not positive"),
    ],
)
def test_where_nothing_can_be_drawn_it_says_why(
    metric: str, options: tuple[str, ...], said: str, command: Command
) -> None:
    done = command("runs", "plot", "adam-2", "--metric", metric, *options)

    assert done.code == 0
    assert done.err == f"nothing of {metric} can be drawn: all values are {said}\n"


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_is_written_instead(suffix: str, command: Command) -> None:
    path = Path(f"loss{suffix}")
    path.write_text("another")

    done = command("runs", "plot", "adam-1", "--metric", "loss", "--output", str(path))

    assert (done.code, done.out, done.err) == (0, "", "")
    assert path.read_bytes()[:4] in (b"\x89PNG", b"<?xm", b"%PDF")


def test_a_picture_has_all_metrics_and_one_legend(command: Command) -> None:
    metrics = ["--metric", "loss", "--metric", "accuracy"]

    command("runs", "plot", "adam-1", "sgd-1", *metrics, "--output", "both.svg")

    root = ET.parse("both.svg")  # noqa: S314 (ours)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [texts.count(word) for word in ("loss", "accuracy", "adam", "sgd")] == [1, 1, 1, 1]


@pytest.mark.parametrize(("output", "code"), [("loss.jpg", USAGE), ("none/loss.png", FAILED)])
def test_a_picture_that_cannot_be_written_is_an_error(
    output: str, code: int, command: Command
) -> None:
    done = command("runs", "plot", "adam-1", "--metric", "loss", "--output", output)

    assert (done.code, done.out) == (code, "")


@pytest.mark.parametrize(("columns", "rows"), [(40, 20), (120, 60)])
def test_a_plot_fills_a_terminal_in_colours(columns: int, rows: int) -> None:
    plot = ("runs", "plot", "adam-1", "sgd-1", "--metric", "loss", "--store", STORE)
    with Terminal(*plot, columns=columns, LINES=str(rows), COLUMNS=str(columns)) as terminal:
        code = terminal.end()

    assert code == 0
    assert len(terminal.lines) == rows - 1
    assert max(map(len, terminal.lines)) == columns
    assert terminal.lines[-2:] == ["━ adam", "━ sgd"]
    assert b"\x1b[36m" in terminal.raw


def test_without_colours_a_terminal_shows_letters() -> None:
    plot = ("runs", "plot", "adam-1", "sgd-1", "--metric", "loss", "--store", STORE)
    with Terminal(*plot, NO_COLOR="1") as terminal:
        code = terminal.end()

    assert code == 0
    assert terminal.lines[-2:] == ["a adam", "b sgd"]
    assert b"\x1b[3" not in terminal.raw


def test_a_terminal_that_shows_ascii_only_gets_it(capfd: pytest.CaptureFixture[str]) -> None:
    with _ascii_terminal() as shown:
        code = main(["runs", "plot", "adam-1", "--metric", "loss", "--height", "9"])

    assert (code, capfd.readouterr()) == (0, ("", ""))
    text = b"".join(shown).decode("ascii")
    assert "- adam" in text
    assert "     1+\x1b[36m':.." in text


def test_dots_and_frames_have_their_place_in_ascii() -> None:
    text = Text.assemble("1┤⠁⡀⣿⠂⠠ ⠀", ("━ a…", "red"))

    ascii_text = in_ascii(text)

    assert ascii_text.plain == "1+'.:'.  - a~"
    assert ascii_text.spans == text.spans


@contextmanager
def _ascii_terminal() -> Iterator[list[bytes]]:
    """Have standard output be a terminal of 80 columns whose encoding is ASCII."""
    shown: list[bytes] = []
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (24, 80))

    def read() -> None:
        try:
            while data := os.read(master, 65_536):
                shown.append(data)
        except OSError:  # as Linux ends it
            return

    reader = Thread(target=read)
    reader.start()
    before = sys.stdout
    try:
        with os.fdopen(slave, "w", encoding="ascii") as terminal:
            sys.stdout = terminal
            yield shown
    finally:
        sys.stdout = before
        reader.join()
        os.close(master)
