"""How near to the floor the store wants to be, at 100,000 rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks import startup
from benchmarks.harness import Measurement

FLOOR, STORE = "floor", "store"
"""The titles of the two sides."""


@dataclass(frozen=True)
class Target:
    """At most so many times the floor's time, or so many seconds."""

    ratio: float | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.ratio:.1f}" if self.seconds is None else f"{self.seconds * 1000:.0f} ms"

    def is_reached(self, measured: Measurement) -> bool:
        """Tell whether the store is so fast."""
        if self.seconds is not None:
            return measured.seconds[STORE] <= self.seconds
        return self.ratio is None or measured.ratios[STORE] <= self.ratio


_SQL = {
    "bulk load": Target(2.0),
    "filtered list": Target(1.2),
    "walk": Target(2.0),
    "8 threads: get": Target(2.5),
    "8 threads: list": Target(1.5),
    "create": Target(1.5),
    "8 threads: create": Target(1.5),
    "archive with its runs": Target(1.3),
}
TARGETS: Mapping[str, Mapping[str, Target]] = {
    "memory": {
        name: Target(5.0)
        for name in ("get by id", "first page", "first page of 1,000 rows", "create")
    },
    "sqlite": {
        **_SQL,
        "get by id": Target(2.0),
        "get by name": Target(2.0),
        startup.IMPORT: Target(seconds=0.1),
        startup.OPEN: Target(5.0),
    },
    "postgresql": {**_SQL, "get by id": Target(1.3), "get by name": Target(1.3)},
}
