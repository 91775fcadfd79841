"""The table of peers: ratios to the floor, a line for each product on each database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.peers.opening import OPEN
from benchmarks.peers.pair import LOAD

COLUMNS = {
    "create": "create",
    "get by id": "get by id",
    "get by name": "get by name",
    "filtered list": "list of 100 by a part of the name",
    "walk": "walk all by 1,000",
    "archive with its runs": "archive with {runs:,} runs",
    LOAD: "bulk load",
    OPEN: "import and open",
}
"""What is measured, and the head of its column."""

_FIRST_WITHOUT_FRACTION = 10


@dataclass
class Line:
    """What was measured of one product on one database, and why the rest was not."""

    title: str
    ratios: dict[str, float] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        cells = (_cell(name, self.ratios) for name in COLUMNS)
        return f"| {self.title} | {' | '.join(cells)} |"


def table(lines: Sequence[Line], runs: int) -> str:
    """Return Markdown: the table, and below it the remarks, in lines of their own."""
    heads = " | ".join(head.format(runs=runs) for head in COLUMNS.values())
    body = [f"| | {heads} |", f"|---|{'---:|' * len(COLUMNS)}", *map(str, lines)]
    remarks = [f"* {line.title}: {remark}" for line in lines for remark in line.remarks]
    return "\n".join([*body, *(["", *remarks] if remarks else [])])


def _cell(name: str, ratios: Mapping[str, float]) -> str:
    ratio = ratios.get(name)
    if ratio is None:
        return "—"
    about = "~" if name == LOAD else ""
    return f"{about}{ratio:.1f}" if ratio < _FIRST_WITHOUT_FRACTION else f"{about}{ratio:,.0f}"
