"""A backend in memory behind a wire that can be cut, which tells of what is done to runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

from experiment_store.backend import Change, Parent, Refusal
from experiment_store.errors import BackendError, OutcomeUnknownError, UnavailableError
from experiment_store.schema import CHUNK, Kind, R
from experiment_store_memory import MemoryBackend

PATIENCE = 30.0  # seconds; only what hangs waits so long

Fate = Callable[[Callable[[], Any]], Any]


def cut(_: Callable[[], Any]) -> Any:
    """Lose the question."""
    raise UnavailableError("insert", "failed: the wire is cut")


def lose(work: Callable[[], Any]) -> Any:
    """Lose the answer."""
    work()
    raise OutcomeUnknownError("insert", "failed: the wire was cut")


def fill(_: Callable[[], Any]) -> Any:
    """Have no room."""
    raise BackendError("insert", "failed: the disk is full")


class WiredBackend(MemoryBackend):
    """Does to histories what *fates* say, one after the other, and then what is asked."""

    def __init__(self) -> None:
        """Have no fates yet."""
        super().__init__()
        self.fates: list[Fate] = []
        self.writes: SimpleQueue[int] = SimpleQueue()
        self.failures: SimpleQueue[BackendError] = SimpleQueue()
        self.beats: SimpleQueue[str] = SimpleQueue()

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        """Tell of every write of chunks and of every failure."""
        if kind is not CHUNK:
            return super().insert(kind, records, parent)

        def work() -> Refusal | None:
            return super(WiredBackend, self).insert(kind, records, parent)

        try:
            refusal: Refusal | None = self.fates.pop(0)(work) if self.fates else work()
        except BackendError as error:
            self.failures.put(error)
            raise
        if refusal is None:
            self.writes.put(len(records))
        return refusal

    def update(self, kind: Kind[R], id: str, change: Change) -> R | Refusal:
        """Tell of every beat."""
        updated = super().update(kind, id, change)
        if change.assign.keys() == {"heartbeat_at"}:
            self.beats.put(id)
        return updated
