"""The labels of a plot in the terminal: a few values that can be told from each other."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

from experiment_store.cli.curves import Drawing

_ROWS_PER_LABEL = 4
_DIGITS = range(3, 9)  # that a label may have


def y_labels(ys: Sequence[float], rows: int, *, log: bool) -> list[str]:
    """Return what stands before *rows* rows, from the top, if *ys* fill them; mostly nothing."""
    if not ys:
        return [""] * rows
    low, high = min(ys), max(ys)
    if low == high:
        labels = {rows // 2: _written([low])[0]}
    else:
        count = max(2, 1 + (rows - 1) // _ROWS_PER_LABEL)
        places = [place * (rows - 1) // (count - 1) for place in range(count)]
        shares = [1 - place / (rows - 1) for place in places]
        values = [_between(low, high, share, log=log) for share in shares]
        labels = dict(zip(places, _written(values), strict=True))
    return [labels.get(row, "") for row in range(rows)]


def x_axis(drawing: Drawing, columns: int) -> str:
    """Return the ends of the x axis with what it counts between them, *columns* wide."""
    xs = drawing.all_xs()
    if not xs:
        return drawing.across.center(columns)
    most = columns // 3
    left, right = (_end(x, most) for x in (min(xs), max(xs)))
    if left == right:
        return f"{drawing.across} {left}".center(columns)
    return f"{left}{drawing.across.center(columns - len(left) - len(right))}{right}"


def _between(low: float, high: float, share: float, *, log: bool) -> float:
    if log:
        return float(10 ** _between(log10(low), log10(high), share, log=False))
    return low * (1 - share) + high * share


def _written(values: Sequence[float]) -> list[str]:
    """Return *values*, which differ, with as few digits as tell them apart, if a few do."""
    written: list[str] = []
    for digits in _DIGITS:
        written = [f"{value:.{digits}g}" for value in values]
        if len({*written}) == len(written):
            break
    return written


def _end(x: float, most: int) -> str:
    whole = str(x) if isinstance(x, int) else f"{x:.3g}"
    return whole if len(whole) <= most else f"{x:.3g}"
