"""Curves in the terminal and in pictures: whatever was logged is drawn or left out."""

from __future__ import annotations

import sys
from io import StringIO
from math import exp, inf, isnan, nan, sin
from pathlib import Path
from typing import Any
from unicodedata import category
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from experiment_store.cli import picture
from experiment_store.cli.curves import EXTREME, Across, Curves, Line, Series
from experiment_store.cli.terminal_plot import MIN_ROWS, MIN_WIDTH, plot
from experiment_store.errors import InvalidArgumentError, MissingDriverError
from experiment_store.points import History

_TIMES = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
_STEPS = st.integers(0, 9) | st.integers(-(2**63), 2**63 - 1)
_POINTS = st.lists(st.tuples(_STEPS, st.floats(), st.integers(0, 9) | _TIMES), max_size=12)
_NAMES = st.text(max_size=30) | st.sampled_from(("adam", "$a_b$", "_hidden", "試験", "\x1b[31m"))


def _curves(*, runs: int = 4) -> st.SearchStrategy[Curves]:
    histories = _POINTS.map(lambda points: History(*zip(*points, strict=True)) if points else _of())
    series = st.lists(st.builds(Series, _NAMES, histories), max_size=runs).map(tuple)
    return st.builds(Curves, _NAMES, series, st.sampled_from(Across), st.booleans())


def _of(*values: float) -> History:
    return History(range(len(values)), values, range(0, 1_000_000 * len(values), 1_000_000))


def _one(*values: float, **given: Any) -> Curves:
    return Curves("loss", (Series("adam", _of(*values)),), **given)


def _lines(curves: Curves, *, width: int = 60, height: int = 12) -> list[str]:
    return plot(curves, width=width, height=height, colours=False).plain.split("\n")


_HUGE = sys.float_info.max
_EXTREMES = [
    _one(-_HUGE, _HUGE),
    _one(_HUGE),
    _one(-EXTREME, EXTREME),
    _one(1 / EXTREME, EXTREME, log=True),
    _one(EXTREME, log=True),
    _one(0.0, 5e-324),
    _one(0.0, -1.0, log=True),
    _one(inf, -inf, nan),
    _one(nan, nan, across=Across.TIME),
    Curves("loss", (Series("all", History([-(2**63), 2**63 - 1], [1.0, 2.0], [0, 0])),)),
    Curves("loss", tuple(Series(str(run), _of(1.0)) for run in range(60))),
]


class TestDrawing:
    @given(_curves(), st.integers(4, 20))
    def test_no_line_has_more_points_than_asked_for(self, curves: Curves, points: int) -> None:
        drawing = curves.drawing(points)

        assert all(len(line.xs) == len(line.ys) <= points for line in drawing.lines)
        assert [line.name for line in drawing.lines] == [each.name for each in curves.series]

    @given(_curves())
    def test_over_time_each_run_begins_at_its_first_point(self, curves: Curves) -> None:
        over_time = Curves(curves.metric, curves.series, Across.TIME)

        lines = [line for line in over_time.drawing(100).lines if line.xs]

        assert all(line.xs[0] == 0 and list(line.xs) == sorted(line.xs) for line in lines)

    @pytest.mark.parametrize(
        ("seconds", "across", "end"),
        [
            (0, "time (s)", 0),
            (100, "time (s)", 100),
            (101, "time (min)", 101 / 60),
            (6_000, "time (min)", 100),
            (36_000, "time (h)", 10),
            (864_000, "time (d)", 10),
            (864_000_000, "time (d)", 10_000),
        ],
    )
    def test_the_unit_of_time_is_that_of_the_longest_run(
        self, seconds: int, across: str, end: float
    ) -> None:
        long = History([0, 1], [1.0, 2.0], [7, 7 + seconds * 1_000_000])

        drawing = Curves("loss", (Series("a", long), Series("b", _of(1.0))), Across.TIME).drawing(4)

        assert (drawing.across, drawing.lines[0].xs[-1]) == (across, end)

    @pytest.mark.parametrize(
        ("value", "log", "drawn"),
        [
            (1.0, False, True),
            (-1.0, False, True),
            (-1.0, True, False),
            (0.0, True, False),
            (nan, False, False),
            (inf, False, False),
            (-inf, False, False),
            (EXTREME, False, True),
            (_HUGE, False, False),
            (-_HUGE, False, False),
        ],
    )
    def test_what_cannot_be_drawn_is_a_gap(self, value: float, log: bool, drawn: bool) -> None:  # noqa: FBT001 (a case)
        [line] = _one(1.0, value, 1.0, log=log).drawing(4).lines

        assert isnan(line.ys[1]) is not drawn

    def test_an_infinity_hides_no_peak(self) -> None:
        values = [0.0] * 1_000
        values[510], values[520] = inf, 7.0

        [line] = _one(*values).drawing(4).lines

        assert max(line.ys) == 7.0

    def test_points_without_neighbours_stand_alone(self) -> None:
        assert Line("a", range(6), [1.0, nan, 1.0, 1.0, nan, 1.0]).alone() == [0, 5]


class TestTerminal:
    @given(_curves(runs=9), st.integers(0, 90), st.integers(0, 24), st.booleans())
    def test_the_text_has_the_size_asked_for(
        self,
        curves: Curves,
        width: int,
        height: int,
        colours: bool,  # noqa: FBT001 (drawn)
    ) -> None:
        text = plot(curves, width=width, height=height, colours=colours)

        lines = text.plain.split("\n")
        assert len(lines) == max(height, MIN_ROWS + len(curves.series) + 3)
        assert all(cell_len(line) <= max(width, MIN_WIDTH) for line in lines)

    @pytest.mark.parametrize("curves", _EXTREMES)
    def test_extremes_have_their_place(self, curves: Curves) -> None:
        lines = _lines(curves, height=80)

        assert len(lines) == 80

    @given(_curves())
    def test_no_name_steers_the_terminal(self, curves: Curves) -> None:
        text = plot(curves, width=40, height=6, colours=True)

        kinds = {category(char) for char in text.plain if char not in "\n\u200d"}
        assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})

    @given(_curves())
    def test_without_colours_there_are_none(self, curves: Curves) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FORCE_COLOR", "1")
            text = plot(curves, width=40, height=6, colours=False)

        assert _shown(text) == f"{text.plain}\n"

    def test_colours_tell_runs_from_each_other(self) -> None:
        curves = Curves("loss", (Series("a", _of(1.0, 2.0)), Series("b", _of(2.0, 1.0))))

        text = plot(curves, width=60, height=12, colours=True)

        assert "\x1b[36m━ a" in _shown(text)
        assert "\x1b[33m━ b" in _shown(text)

    def test_without_colours_letters_do(self) -> None:
        curves = Curves("loss", (Series("one", _of(1.0, 1.0)), Series("two", _of(2.0, 2.0))))

        lines = _lines(curves)

        assert "b" in lines[1]
        assert "a" in lines[7]
        assert lines[-2:] == ["a one", "b two"]

    def test_a_run_of_one_point_has_its_letter(self) -> None:
        curves = Curves("loss", (Series("one", _of(1.0, 1.0)), Series("two", _of(2.0))))

        assert _lines(curves)[1].endswith("┤b" + " " * 57)

    def test_many_runs_have_letters_beside_colours(self) -> None:
        curves = Curves("loss", tuple(Series(f"run {run}", _of(run)) for run in range(7)))

        lines = plot(curves, width=60, height=20, colours=True).plain.split("\n")

        assert lines[-1] == "g run 6"

    def test_one_run_looks_like_this(self) -> None:
        curves = _one(*(exp(-step / 30) * (1.2 + sin(step / 4)) for step in range(100)))

        assert [line.rstrip() for line in _lines(curves, width=44)] == [
            "loss",
            "  1.82┤⢀⠔⠣⡀",
            "      │⢸  ⢱",
            "      │⡎  ⠸⡀",
            "      │    ⢇",
            "      │    ⠘⡄    ⢠⠤⡄",
            "      │     ⡇   ⡔⠁ ⠈⢆",
            "      │     ⠸⡀ ⡰⠁   ⠘⢄   ⢀⡤⠒⠤⣄",
            "0.0088┤      ⠘⠚      ⠈⠢⠤⠔⠁    ⠓⢤⣀⡠⠤⠒⠒⠒⠲⠤⣄⣀⣀⣀",
            "      └─────────────────────────────────────",
            "       0               step               99",
            "━ adam",
        ]

    def test_a_gap_is_left_where_a_value_is_missing(self) -> None:
        lines = _lines(_one(1.0, 1.0, nan, 1.0, 1.0), width=43, height=7)

        assert lines[2] == "1┤" + "⠤" * 10 + "⠄" + " " * 19 + "⠠" + "⠤" * 10

    def test_a_logarithmic_scale_has_equal_steps_for_equal_factors(self) -> None:
        lines = _lines(_one(1.0, 10.0, 100.0, log=True), width=44, height=13)

        assert lines[0] == "loss (log)"
        assert [line[:4] for line in lines[1:10:4]] == ["100┤", " 10┤", "  1┤"]

    def test_labels_have_as_many_digits_as_they_need(self) -> None:
        lines = _lines(_one(1.0, 1.00001), height=8)

        assert lines[1].startswith("1.00001┤")
        assert lines[4].startswith("      1┤")

    def test_labels_that_no_few_digits_tell_apart_stay_short(self) -> None:
        lines = _lines(_one(1.0, 1.0000000001), height=8)

        assert lines[1].startswith("1┤")

    def test_the_ends_of_the_steps_are_whole_if_they_fit(self) -> None:
        history = History([1_234_567, 2**62], [1.0, 2.0], [0, 0])
        curves = Curves("loss", (Series("a", history),))

        wide, narrow = (_lines(curves, width=width, height=8)[6] for width in (80, 40))

        assert wide.split() == ["1234567", "step", str(2**62)]
        assert narrow.split() == ["1234567", "step", "4.61e+18"]

    def test_nothing_is_an_empty_frame(self) -> None:
        assert _lines(Curves("loss", ()), width=44, height=6) == [
            "loss",
            *["│" + " " * 43] * 3,
            "└" + "─" * 43,
            " " + "step".center(43),
        ]


class TestPicture:
    @settings(max_examples=6)  # a picture takes a tenth of a second
    @given(_curves())
    def test_whatever_was_logged_makes_a_picture(self, curves: Curves) -> None:
        assert picture.drawn([curves], ".png").startswith(b"\x89PNG\r\n\x1a\n")

    @pytest.mark.parametrize("curves", _EXTREMES)
    def test_extremes_make_a_picture(self, curves: Curves) -> None:
        assert ET.fromstring(picture.drawn([curves], ".svg")).tag.endswith("svg")  # noqa: S314 (ours)

    @pytest.mark.parametrize(
        ("suffix", "start"),
        [
            (".png", b"\x89PNG\r\n\x1a\n"),
            (".svg", b"<?xml"),
            (".pdf", b"%PDF-"),
            (".PNG", b"\x89PNG"),
        ],
    )
    def test_the_ending_says_what_the_file_is(
        self, suffix: str, start: bytes, tmp_path: Path
    ) -> None:
        path = tmp_path / f"loss{suffix}"

        picture.save([_one(1.0, 2.0)], path)

        assert path.read_bytes().startswith(start)

    @pytest.mark.parametrize("suffix", ["", ".jpg", ".txt"])
    def test_another_ending_is_refused(self, suffix: str, tmp_path: Path) -> None:
        path = tmp_path / f"loss{suffix}"

        with pytest.raises(InvalidArgumentError, match=r"^output must end with .png, .svg, .pdf$"):
            picture.save([_one(1.0)], path)
        assert not path.exists()

    @pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
    def test_the_same_curves_make_the_same_file(self, suffix: str) -> None:
        curves = _one(1.0, nan, 3.0)

        assert picture.drawn([curves], suffix) == picture.drawn([curves], suffix)

    def test_a_name_is_text_that_can_be_searched(self) -> None:
        names = ("$x^2$", "_hidden", "試験", "x" * 300, "a\nb")
        curves = Curves("$loss", tuple(Series(name, _of(1.0)) for name in names))

        root = ET.fromstring(picture.drawn([curves], ".svg"))  # noqa: S314 (ours)

        shown = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
        assert {"$loss", "$x^2$", "_hidden", "試験", "x" * 79 + "…", "a\\nb", "step"} <= shown

    def test_a_gap_interrupts_the_line(self) -> None:
        whole, broken = (
            picture.drawn([_one(*values)], ".svg") for values in ((1.0, 2.0, 3.0), (1.0, nan, 3.0))
        )

        assert whole != broken

    def test_no_global_figure_is_left(self) -> None:
        picture.drawn([_one(1.0)], ".png")

        assert "matplotlib.pyplot" not in sys.modules

    def test_without_matplotlib_the_extra_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)

        with pytest.raises(MissingDriverError, match=r"needs Matplotlib.*experiment-store\[plot\]"):
            picture.drawn([_one(1.0)], ".png")


def _shown(text: Text) -> str:
    file = StringIO()
    Console(
        file=file, force_terminal=True, color_system="standard", width=60, legacy_windows=False
    ).print(text)
    return file.getvalue()
