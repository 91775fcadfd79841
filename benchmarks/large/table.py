"""The tables of growth, as lines of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.harness import Measurement
from benchmarks.large.load import Report
from benchmarks.tables import duration

SMALL, LARGE = "small", "large"
"""The titles of the two sides."""

TARGET = 1.5
"""How much more an operation may cost in the large store than in the small one."""


def growth(small: int, large: int, measured: Sequence[Measurement]) -> Iterator[str]:
    """Return the lines about what should not grow."""
    yield f"| operation | at {small:,} | at {large:,} | ratio | target | reached |"
    yield "|---|---:|---:|---:|---:|---|"
    for one in measured:
        reached = "yes" if one.ratios[LARGE] <= TARGET else "**no**"
        yield f"{_line(one)} {TARGET} | {reached} |"


def scans(small: int, large: int, measured: Sequence[Measurement]) -> Iterator[str]:
    """Return the lines about what has to grow."""
    yield f"| scan | at {small:,} | at {large:,} | ratio |"
    yield "|---|---:|---:|---:|"
    yield from map(_line, measured)


def loading(reports: Sequence[Report]) -> Iterator[str]:
    """Return the lines about loads and walks."""
    yield "| step | rows | rows/s | peak MiB at 10 % | peak MiB at 100 % |"
    yield "|---|---:|---:|---:|---:|"
    for one in reports:
        speed = one.rows / one.seconds
        yield (
            f"| {one.step} | {one.rows:,} | {speed:,.0f} | {one.early_mib:.0f} | {one.mib:.0f} |"
        )


def _line(one: Measurement) -> str:
    small, large = duration(one.seconds[SMALL]), duration(one.seconds[LARGE])
    return f"| {one.scenario} | {small} | {large} | {one.ratios[LARGE]:.2f} |"
