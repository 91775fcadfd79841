"""Tables of measurements, as lines of Markdown, and their places in the README."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness import Measurement
from benchmarks.targets import FLOOR, STORE, TARGETS

HEADER = (
    "| operation | floor | store | ratio | target | reached |",
    "|---|---:|---:|---:|---:|---|",
)


def line(backend: str, measured: Measurement) -> str:
    """Return the line of one measurement."""
    target = TARGETS[backend].get(measured.scenario)
    cells = (
        measured.scenario,
        duration(measured.seconds[FLOOR]),
        duration(measured.seconds[STORE]),
        f"{measured.ratios[STORE]:.2f}",
        "" if target is None else str(target),
        "" if target is None else ("yes" if target.is_reached(measured) else "**no**"),
    )
    return f"| {' | '.join(cells)} |"


def duration(seconds: float) -> str:
    """Return *seconds* with three digits and a fitting unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{_three_digits(seconds / 1e-6)} µs"


def write(readme: Path, backend: str, text: str) -> None:
    """Put *text* between the marks of *backend*, which *readme* has.

    Raises:
        ValueError: It has none.
    """
    begin, end = f"<!-- {backend} -->\n", f"<!-- end of {backend} -->"
    before, mark, rest = readme.read_text(encoding="utf-8").partition(begin)
    _, other, after = rest.partition(end)
    if not (mark and other):
        raise ValueError(f"{readme} has no {begin.strip()} … {end}")
    readme.write_text(f"{before}{begin}{text}\n{end}{after}", encoding="utf-8")


def _three_digits(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"  # noqa: PLR2004 (digits)
