"""A store in memory whose clock ticks a second whenever it is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from experiment_store import ExperimentStore
from experiment_store_memory import MemoryBackend

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def backend() -> MemoryBackend:
    """What the store of the same test keeps its records in."""
    return MemoryBackend()


@pytest.fixture
def store(backend: MemoryBackend) -> Iterator[ExperimentStore]:
    """An empty store in which no two instants are equal."""
    ticks = count()
    with ExperimentStore(
        backend, clock=lambda: _NOON + timedelta(seconds=next(ticks)), max_page_size=50
    ) as opened:
        yield opened
