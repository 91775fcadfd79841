"""Curves as text: dots of Braille cells, a frame with labels, and a legend.

plotille draws the dots; nothing in it is global, it needs no terminal and no
compiled code. Colours are Rich's, which knows what the terminal can show.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import cycle, groupby, islice, pairwise
from math import isnan, log10, nan
from string import ascii_letters
from typing import TypeAlias

from attrs import frozen
from plotille import Canvas  # type: ignore[import-untyped]  # it has hints, but no py.typed
from rich.style import Style
from rich.text import Text

from experiment_store.cli.axes import x_axis, y_labels
from experiment_store.cli.curves import Curves, Drawing
from experiment_store.cli.texts import escaped
from experiment_store.thinning import PER_BUCKET

MIN_WIDTH = 40
"""Columns below which nothing can be read; a narrower terminal has to wrap."""
MIN_ROWS = 3
"""Rows of curves below which nothing can be seen."""

_COLOURS = ("cyan", "yellow", "magenta", "green", "red", "blue")
_COLUMNS_PER_LETTER = 12
_ACROSS, _DOWN = 2, 4  # dots of a Braille cell
_BLANK = 0x2800  # the Braille cell without dots
_UPPER = 0b0001_1011  # dots 1, 2, 4 and 5
_HALVES = {(True, True): ":", (True, False): "'", (False, True): ".", (False, False): " "}
_FRAME = str.maketrans("┤│└─━…", "+|+--~")

_Place: TypeAlias = tuple[int, int]
"""Row, from the top, and column of a cell."""


def plot(curves: Curves, *, width: int, height: int, colours: bool) -> Text:
    """Return *curves* as *height* lines of at most *width* columns, without the last line's end.

    Where many runs need the room for the legend there are more lines, and below
    `MIN_WIDTH` columns the lines are longer. The runs are told apart by colour;
    without *colours*, or with many runs, by letters that stand on the curves.
    """
    width = max(width, MIN_WIDTH)
    drawing = curves.drawing(PER_BUCKET * width)
    rows = max(MIN_ROWS, height - len(drawing.lines) - 3)  # a title, and two lines of x axis
    labels = y_labels(drawing.all_ys(), rows, log=curves.log)
    margin = max(map(len, labels))
    area = _Area(width - margin - 1, rows, curves.log)
    marks = _marks(len(drawing.lines), colours=colours)
    lines = [
        Text(escaped(curves.metric) + " (log)" * curves.log),
        *(
            Text(f"{label:>{margin}}{'┤' if label else '│'}") + row
            for label, row in zip(labels, area.drawn(drawing, marks), strict=True)
        ),
        Text(f"{'':{margin}}└{'─' * area.columns}"),
        Text(f"{'':{margin}} {x_axis(drawing, area.columns)}"),
        *(
            Text(f"{mark.letter or '━'} ", mark.style) + Text(escaped(line.name))
            for mark, line in zip(marks, drawing.lines, strict=True)
        ),
    ]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Text("\n", no_wrap=True, end="").join(lines)


def in_ascii(text: Text) -> Text:
    """Return a plot for a terminal that shows nothing else: two rows of dots a line, not four."""
    plain = text.plain.translate(_FRAME)
    text = text.copy()
    text.plain = "".join(map(_in_ascii, plain))
    return text


def _in_ascii(char: str) -> str:
    dots = ord(char) - _BLANK
    if not 0 <= dots < 1 << _ACROSS * _DOWN:
        return char
    return _HALVES[bool(dots & _UPPER), bool(dots & ~_UPPER)]


@frozen
class _Mark:
    """How a line is told from the others."""

    style: Style
    letter: str


@frozen
class _Cell:
    """What is shown in a cell."""

    dots: int
    mark: _Mark
    lettered: bool = False

    def __str__(self) -> str:
        if self.lettered and self.mark.letter:
            return self.mark.letter
        return chr(_BLANK + self.dots) if self.dots else " "


_EMPTY = _Cell(0, _Mark(Style.null(), ""))


def _marks(count: int, *, colours: bool) -> list[_Mark]:
    styles = [Style(color=colour) for colour in _COLOURS] if colours else [Style.null()]
    letters = ascii_letters if count > len(styles) else ("",)
    return [
        _Mark(style, letter)
        for style, letter in islice(zip(cycle(styles), cycle(letters), strict=False), count)
    ]


@frozen
class _Area:
    """The cells within the frame, *columns* by *rows*."""

    columns: int
    rows: int
    log: bool

    def drawn(self, drawing: Drawing, marks: Sequence[_Mark]) -> list[Text]:
        """Return the rows from the top, the later lines in front."""
        all_xs, all_ys = drawing.all_xs(), self._scaled(drawing.all_ys())
        shown: dict[_Place, _Cell] = {}
        for number, (line, mark) in enumerate(zip(drawing.lines, marks, strict=True)):
            mine = self._dots(
                _spread(line.xs, all_xs, self.columns * _ACROSS - 1),
                _spread(self._scaled(line.ys), all_ys, self.rows * _DOWN - 1),
            )
            lettered = _places_of_letters(mine, number * _COLUMNS_PER_LETTER // len(marks))
            for place, dots in mine.items():
                below = shown[place].dots if place in shown else 0
                shown[place] = _Cell(below | dots, mark, place in lettered)
        return [
            _row([shown.get((row, column), _EMPTY) for column in range(self.columns)])
            for row in range(self.rows)
        ]

    def _dots(self, xs: Sequence[float], ys: Sequence[float]) -> dict[_Place, int]:
        """Return the cells that a line through dots at *xs* and *ys* touches, with its dots."""
        # In a canvas of this size one dot is one unit.
        canvas = Canvas(self.columns, self.rows, 0, 0, self.columns * _ACROSS, self.rows * _DOWN)
        points = zip(xs, ys, strict=True)
        for (x, y), (next_x, next_y) in pairwise([*points, (0.0, nan)]):
            if not isnan(y):
                canvas.point(x, y)
                if not isnan(next_y):
                    canvas.line(x, y, next_x, next_y)
        return {
            (row, column): ord(cell) - _BLANK
            for row, cells in enumerate(canvas.plot(linesep="\n").split("\n"))
            for column, cell in enumerate(cells)
            if ord(cell) != _BLANK
        }

    def _scaled(self, ys: Sequence[float]) -> list[float]:
        return [log10(y) for y in ys] if self.log else list(ys)


def _row(cells: Sequence[_Cell]) -> Text:
    runs = groupby(cells, key=lambda cell: cell.mark.style)
    return Text.assemble(*(("".join(map(str, run)), style) for style, run in runs))


def _places_of_letters(cells: Collection[_Place], first: int) -> set[_Place]:
    """Return where the letter of a line stands: on its top in every so many columns."""
    tops = {column: row for row, column in sorted(cells, reverse=True)}
    regular = [column for column in tops if column % _COLUMNS_PER_LETTER == first]
    return {(tops[column], column) for column in regular or sorted(tops)[-1:]}


def _spread(values: Sequence[float], among: Sequence[float], most: int) -> list[float]:
    """Return *values* on a scale from 0 to *most*, the ends of *among*; if these meet, half-way."""
    low, high = min(among, default=0), max(among, default=0)
    if low == high:
        return [value if isnan(value) else most // 2 for value in values]
    return [(value - low) / (high - low) * most for value in values]
