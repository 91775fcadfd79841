"""What an active run needs of the collection that has started it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from experiment_store.records import Artifact, Run, RunState


class Recorder(Protocol):
    """What an active run does to its record."""

    def beat(self, id: str) -> None:
        """Show that the run is being executed."""

    def link(self, id: str, artifact: Artifact) -> Run:
        """Record a link."""
        ...

    def update(self, id: str, *, state: RunState, error: str, finished_at: datetime | None) -> Run:
        """Tell of the end."""
        ...
