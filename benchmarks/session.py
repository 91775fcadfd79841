"""Takes one subject through scenarios, by calls that could come from another process.

Imports the standard library only. A subject that lives in another environment
has a `Session` there, and here a `Contestant` that passes the calls on: what
they take and return is JSON.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Protocol

from benchmarks.scenarios import SCENARIOS, Answer
from benchmarks.subject import Subject
from benchmarks.workbench import Workbench
from benchmarks.workload import Workload


class Contestant(Protocol):
    """What the harness asks of each side."""

    title: str

    def offers(self, scenario: str) -> bool:
        """Tell whether the subject can take part."""

    def answer(self, scenario: str) -> Answer:
        """Ask the question once, and describe what came back."""

    def time(self, scenario: str, count: int) -> float:
        """Ask it *count* times; return the seconds that one operation took."""

    def close(self) -> None:
        """Close and remove all databases."""


class Session:
    """The contestant for a subject in this process."""

    def __init__(
        self, title: str, factory: Callable[[], Subject], workload: Workload, folder: Path
    ) -> None:
        """Measure subjects that *factory* makes, with their files below *folder*."""
        self.title = title
        self._lacks = factory().lacks
        self._bench = Workbench(factory, workload, folder)
        self._scenarios = {scenario.name: scenario for scenario in SCENARIOS}

    def offers(self, scenario: str) -> bool:
        """Tell whether the subject can take part."""
        return scenario not in self._lacks

    def answer(self, scenario: str) -> Answer:
        """Ask the question once, and describe what came back."""
        return self._scenarios[scenario].answer(self._bench)

    def time(self, scenario: str, count: int) -> float:
        """Ask it *count* times; return the seconds that one operation took."""
        operation = self._scenarios[scenario].operations(self._bench, count)
        gc.collect()
        start = perf_counter()
        operation()
        return (perf_counter() - start) / count

    def close(self) -> None:
        """Close and remove all databases."""
        self._bench.close()
