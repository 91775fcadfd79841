"""Curves as a picture, drawn by Matplotlib, with the extra ``plot``.

A figure and its canvas, never pyplot, which keeps its figures and may open a
window. The same curves make the same file.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiment_store.cli.curves import Curves
from experiment_store.cli.texts import escaped
from experiment_store.errors import InvalidArgumentError, MissingDriverError
from experiment_store.thinning import PER_BUCKET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UNDATED: dict[str, dict[str, Any]] = {
    ".png": {},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}
_INCHES = (8, 4.5)
_INCHES_PER_NAME = 0.25
_DPI = 150
_POINTS = PER_BUCKET * _INCHES[0] * _DPI  # of a line, no pixel of which changes with more
_LONGEST_NAME = 80  # characters that fit below the curves


def save(plots: Sequence[Curves], path: Path) -> None:
    """Write *plots* to *path*, as PNG, SVG or PDF, as its ending says.

    Raises:
        InvalidArgumentError: It has another ending.
        MissingDriverError: Matplotlib is not installed.
        OSError: The file cannot be written.
    """
    path.write_bytes(drawn(plots, path.suffix.lower()))


def drawn(plots: Sequence[Curves], suffix: str) -> bytes:
    """Return the contents of a file with *suffix* that shows *plots*, below each other.

    They are of the same runs in the same order, which a legend at the end names.

    Raises:
        InvalidArgumentError: The suffix is none of ``.png``, ``.svg`` and ``.pdf``.
        MissingDriverError: Matplotlib is not installed.
    """
    if suffix not in _UNDATED:
        raise InvalidArgumentError("output", f"must end with {', '.join(_UNDATED)}")
    try:
        import matplotlib as mpl  # noqa: PLC0415 (an extra, and slow to load)
        from matplotlib.figure import Figure  # noqa: PLC0415 (as above)
    except ModuleNotFoundError as error:
        raise MissingDriverError.of("plot", "plot", what="Matplotlib") from error

    names = [_name(series.name) for series in plots[0].series]
    with (
        mpl.rc_context(
            {
                "svg.fonttype": "none",  # names can be searched, and every script is shown
                "svg.hashsalt": "experiment-store",  # instead of a random one
            }
        ),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # it shows a box
        width, height = _INCHES
        height = height * len(plots) + _INCHES_PER_NAME * len(names)
        figure = Figure((width, height), dpi=_DPI, layout="constrained")
        handles: Sequence[Any] = ()
        for number, curves in enumerate(plots, start=1):
            handles = _plot(figure.add_subplot(len(plots), 1, number), curves)
        legend = figure.legend(handles, names, loc="outside lower center")
        for text in legend.get_texts():
            text.set_parse_math(False)
        file = BytesIO()
        figure.savefig(file, format=suffix[1:], metadata=_UNDATED[suffix])
    return file.getvalue()


def _plot(axes: Axes, curves: Curves) -> Sequence[Any]:
    """Draw *curves*; return what the legend is to show of each line."""
    drawing = curves.drawing(_POINTS)
    handles = [
        axes.plot(line.xs, line.ys, marker=".", markevery=line.alone())[0] for line in drawing.lines
    ]
    if curves.log and drawing.all_ys():
        axes.set_yscale("log")
    axes.set_xlabel(drawing.across)
    axes.set_ylabel(escaped(curves.metric), parse_math=False)
    axes.grid(visible=True, alpha=0.3)
    return handles


def _name(text: str) -> str:
    name = escaped(text)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
