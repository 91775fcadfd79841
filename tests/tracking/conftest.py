"""A store on each backend, in which runs are executed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from experiment_store import ExperimentStore
from experiment_store.registry import open_backend
from experiment_store.tracking import endings
from tests.tracking.wired import WiredBackend


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store may be, and is not yet."""
    if request.param == "memory":
        return "memory://"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    postgres: str = request.getfixturevalue("postgres_schema_url")
    return postgres


@pytest.fixture
def store(url: str) -> Iterator[ExperimentStore]:
    """An empty store on each backend."""
    with ExperimentStore(open_backend(url)) as opened:
        yield opened


@pytest.fixture
def backend() -> WiredBackend:
    """What the store `wired` keeps its records in."""
    return WiredBackend()


@pytest.fixture
def wired(backend: WiredBackend) -> Iterator[ExperimentStore]:
    """A store in memory behind a wire that can be cut."""
    with ExperimentStore(backend) as opened:
        yield opened
        backend.fates.clear()


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    yield
    assert not endings._active
