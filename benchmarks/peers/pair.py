"""A contestant with two sets of rows: many, and few for peers to load by their own calls.

A peer that loads hundreds of times slower than the floor would take an hour for
all, so a load is timed by the row. Imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.scenarios import Answer
from benchmarks.session import Session
from benchmarks.subject import Subject
from benchmarks.workload import Workload

LOAD = "bulk load"
"""The scenario that is timed by the row, and whose answers are compared on the few."""


class Pair:
    """A contestant of two sessions, each of which is used for what it is meant for."""

    def __init__(
        self,
        title: str,
        factories: tuple[Callable[[], Subject], Callable[[], Subject]],
        workloads: tuple[Workload, Workload],
        folder: Path,
        *,
        loads: int,
    ) -> None:
        """Make two sessions, of what is first in the tuples and of what is second.

        Args:
            title: What the side is called.
            factories: Of subjects for many rows, and for few.
            workloads: Many rows, and few.
            folder: Where the databases go.
            loads: How many rows are loaded: all of the many, or all of the few.
        """
        self.title = title
        self._loads = loads
        self._many, self._few = (
            Session(title, factory, workload, folder / name)
            for factory, workload, name in zip(factories, workloads, ("many", "few"), strict=True)
        )
        self._loader = self._many if loads == workloads[0].rows else self._few

    def offers(self, scenario: str) -> bool:
        """Tell whether the subject can take part."""
        return self._session(scenario).offers(scenario)

    def answer(self, scenario: str) -> Answer:
        """Ask the question once, and describe what came back."""
        return self._session(scenario).answer(scenario)

    def time(self, scenario: str, count: int) -> float:
        """Ask it *count* times; return the seconds that one operation, or loading a row, took."""
        if scenario == LOAD:
            return self._loader.time(scenario, count) / self._loads
        return self._many.time(scenario, count)

    def close(self) -> None:
        """Close and remove all databases."""
        try:
            self._many.close()
        finally:
            self._few.close()

    def _session(self, scenario: str) -> Session:
        return self._few if scenario == LOAD else self._many
