"""What a plot shows: the histories of one metric in several runs, and what of them is drawn.

Whoever draws gets lines of few enough points, in which NaN stands where
nothing can be drawn: at NaN, at an infinity, and at what is not positive where
the scale is logarithmic.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import chain
from math import isnan, nan

from attrs import frozen

from experiment_store.points import History

EXTREME = 1e200
"""What lies beyond it counts as infinite: next to it everything else would be a flat line."""

_UNITS = ((1, "s"), (60, "min"), (3_600, "h"), (86_400, "d"))
_ENOUGH = 100  # of a unit, before the next larger one is taken
_SECOND = 1_000_000  # microseconds


class Across(StrEnum):
    """What the points are drawn over."""

    STEP = "step"
    TIME = "time"


@frozen
class Series:
    """The history of the metric in one run, and the name by which it is told from others."""

    name: str
    history: History


@frozen
class Line:
    """A series as it is drawn; *ys* has NaN where the line is interrupted."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]

    def alone(self) -> list[int]:
        """Return the places of the points that no line leads to or from."""
        ends = [nan, *self.ys, nan]
        drawn = [not isnan(y) for y in ends]
        return [
            place
            for place in range(len(self.ys))
            if drawn[place + 1] and not drawn[place] and not drawn[place + 2]
        ]


@frozen
class Drawing:
    """Lines, and what their *xs* count."""

    lines: tuple[Line, ...]
    across: str

    def all_xs(self) -> list[float]:
        """Return the xs of all lines, those of interruptions too."""
        return [x for line in self.lines for x in line.xs]

    def all_ys(self) -> list[float]:
        """Return the ys of all lines that are drawn."""
        return [y for line in self.lines for y in line.ys if not isnan(y)]


@frozen
class Curves:
    """A plot of one *metric*.

    Over time the points of each run stand by the time since its first point, so
    that runs of different days can be compared. *log* asks for a logarithmic
    scale of the values.
    """

    metric: str
    series: tuple[Series, ...]
    across: Across = Across.STEP
    log: bool = False

    @property
    def has_points(self) -> bool:
        """Whether anything is drawn."""
        return any(map(self._is_drawn, chain(*(series.history.values for series in self.series))))

    def drawing(self, points: int) -> Drawing:
        """Return what is drawn, with at most *points* points a line.

        Raises:
            InvalidArgumentError: *points* is below 4.
        """
        histories = [self._drawable(series.history).thinned(points) for series in self.series]
        names = [series.name for series in self.series]
        if self.across is Across.STEP:
            columns: Sequence[Sequence[float]] = [list(history.steps) for history in histories]
            across = str(self.across)
        else:
            size, unit = _unit(max((_length(history) for history in histories), default=0))
            columns = [_elapsed(history, size) for history in histories]
            across = f"{self.across} ({unit})"
        lines = zip(names, columns, histories, strict=True)
        return Drawing(
            tuple(Line(name, xs, history.values.tolist()) for name, xs, history in lines), across
        )

    def _drawable(self, history: History) -> History:
        values = [value if self._is_drawn(value) else nan for value in history.values]
        if self.across is Across.STEP:
            return History(history.steps, values, history.times)
        by_time = sorted(zip(history.times, values, strict=True), key=lambda point: point[0])
        return History(range(len(by_time)), [y for _, y in by_time], [x for x, _ in by_time])

    def _is_drawn(self, value: float) -> bool:
        return (1 / EXTREME if self.log else -EXTREME) <= value <= EXTREME


def _length(history: History) -> float:
    return history.times[-1] - history.times[0] if history else 0


def _unit(micros: float) -> tuple[int, str]:
    for size, unit in _UNITS:
        if micros <= _ENOUGH * size * _SECOND:
            return size, unit
    return _UNITS[-1]


def _elapsed(history: History, size: int) -> list[float]:
    return [(time - history.times[0]) / (size * _SECOND) for time in history.times]
