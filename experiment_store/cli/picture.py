"""Curves as a picture, drawn by Matplotlib, with the extra ``plot``.

A figure and its canvas, never pyplot, which keeps its figures and may open a
window. The same curves make the same file.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

from experiment_store.cli.curves import Curves, Line
from experiment_store.cli.texts import escaped
from experiment_store.errors import InvalidArgumentError, MissingDriverError
from experiment_store.thinning import PER_BUCKET

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


def save(curves: Curves, path: Path) -> None:
    """Write *curves* to *path*, as PNG, SVG or PDF, as its ending says.

    Raises:
        InvalidArgumentError: It has another ending.
        MissingDriverError: Matplotlib is not installed.
        OSError: The file cannot be written.
    """
    path.write_bytes(drawn(curves, path.suffix.lower()))


def drawn(curves: Curves, suffix: str) -> bytes:
    """Return the contents of a file with *suffix* that shows *curves*.

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

    drawing = curves.drawing(_POINTS)
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
        height += _INCHES_PER_NAME * len(drawing.lines)
        figure = Figure((width, height), dpi=_DPI, layout="constrained")
        axes = figure.add_subplot()
        handles = [
            axes.plot(line.xs, line.ys, marker=".", markevery=line.alone())[0]
            for line in drawing.lines
        ]
        if curves.log and drawing.all_ys():
            axes.set_yscale("log")
        axes.set_xlabel(drawing.across)
        axes.set_ylabel(escaped(curves.metric), parse_math=False)
        axes.grid(visible=True, alpha=0.3)
        legend = figure.legend(
            handles,
            [_name(line) for line in drawing.lines],
            loc="outside lower center",
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
        file = BytesIO()
        figure.savefig(file, format=suffix[1:], metadata=_UNDATED[suffix])
    return file.getvalue()


def _name(line: Line) -> str:
    name = escaped(line.name)
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
