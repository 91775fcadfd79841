"""What an import costs is what it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "alembic",
        "argparse",
        "sqlalchemy",
        "sqlite3",
        "lark",
        "psycopg",
        "asyncio",
        "platformdirs",
        "logging",
        "opentelemetry",
        "hypothesis",
        "gzip",
        "hashlib",
        "json",
        "starlette",
        "uvicorn",
        "typer",
        "rich",
        "experiment_store.cli",
    ],
)
def test_importing_the_library_does_not_load(module: str, loaded: frozenset[str]) -> None:
    assert module not in loaded


def test_importing_the_library_loads_the_library(loaded: frozenset[str]) -> None:
    assert {"experiment_store", "experiment_store.store", "attrs"} <= loaded


def test_importing_the_library_loads_no_backend(loaded: frozenset[str]) -> None:
    assert {name for name in loaded if name.startswith("experiment_store_")} == set()


@pytest.mark.parametrize(
    "module",
    [
        "logging",
        "alembic",
        "argparse",
        "sqlalchemy",
        "lark",
        "hashlib",
        "importlib.metadata",
        "urllib.parse",
        "pathlib",
    ],
)
def test_opening_a_sqlite_file_does_not_load(module: str, opened_only: frozenset[str]) -> None:
    assert module not in opened_only


@pytest.mark.parametrize(
    "module",
    ["opentelemetry", "starlette", "uvicorn", "h11", "anyio", "httpx2", "fastapi", "typer", "rich"],
)
def test_opening_and_using_a_store_does_not_load(module: str, opened: frozenset[str]) -> None:
    assert module not in opened


@pytest.mark.parametrize("when", ["loaded", "opened"])
def test_neither_an_import_nor_a_store_loads_the_service(
    when: str, request: pytest.FixtureRequest
) -> None:
    names: frozenset[str] = request.getfixturevalue(when)

    assert {name for name in names if name.startswith("experiment_store.kfp")} == set()


def test_opening_a_store_loads_its_backend(opened: frozenset[str]) -> None:
    assert {"experiment_store_memory", "experiment_store_sqlite"} <= opened


@pytest.fixture(scope="module")
def opened_only() -> frozenset[str]:
    """The modules that a fresh interpreter has loaded once it has opened a store."""
    return _loaded_by("import experiment_store\nexperiment_store.connect('sqlite://').close()")


@pytest.fixture(scope="module")
def opened() -> frozenset[str]:
    """The modules that a fresh interpreter has loaded once it has used two stores."""
    return _loaded_by(
        "import experiment_store\n"
        "for url in ('memory://', 'sqlite://'):\n"
        "    with experiment_store.connect(url) as store:\n"
        "        store.list(filter='name:' + store.create('mnist').name)"
    )


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    """The modules that a fresh interpreter has loaded after the import, and not before it."""
    return _loaded_by("import experiment_store")


def _loaded_by(statements: str) -> frozenset[str]:
    program = (
        f"import sys\nbefore = set(sys.modules)\n{statements}\nprint(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True
    )
    return frozenset(done.stdout.split())
