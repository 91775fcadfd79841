"""Fixtures: the two client environments, and a store that a server may serve."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kfp import clients


@pytest.fixture(scope="session")
def kfp_v1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The interpreter of the environment that has the v1beta1 client."""
    with clients.environment(_shared(tmp_path_factory) / "kfp-v1", clients.V1) as python:
        yield python


@pytest.fixture(scope="session")
def kfp_v2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The interpreter of the environment that has the v2beta1 client and the SDK."""
    with clients.environment(_shared(tmp_path_factory) / "kfp-v2", clients.V2) as python:
        yield python


@pytest.fixture(params=["sqlite", "postgresql"])
def served_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store that several processes may open: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'served.db'}"
    url: str = request.getfixturevalue("postgres_schema_url")
    return url


def _shared(factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers of this run have in common."""
    base = factory.getbasetemp()
    in_a_worker = "PYTEST_XDIST_WORKER" in os.environ  # its own folder is inside the common one
    return (base.parent if in_a_worker else base) / "kfp-clients"
