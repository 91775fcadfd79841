"""What an import costs is what it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module", ["sqlalchemy", "sqlite3", "lark", "psycopg", "asyncio", "platformdirs", "hypothesis"]
)
def test_importing_the_library_does_not_load(module: str, loaded: frozenset[str]) -> None:
    assert module not in loaded


def test_importing_the_library_loads_the_library(loaded: frozenset[str]) -> None:
    assert {"experiment_store", "experiment_store.store", "attrs"} <= loaded


def test_importing_the_library_loads_no_backend(loaded: frozenset[str]) -> None:
    assert {name for name in loaded if name.startswith("experiment_store_")} == set()


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    """The modules that a fresh interpreter has loaded after the import, and not before it."""
    program = (
        "import sys; before = set(sys.modules); import experiment_store; "
        "print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True
    )
    return frozenset(done.stdout.split())
