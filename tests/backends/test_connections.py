"""What becomes of a connection whose step did not end well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from experiment_store import BackendError, ExperimentStore
from experiment_store.registry import open_backend
from experiment_store_sql import SqlBackend


@pytest.fixture(params=["sqlite", "sqlite in memory", "postgres"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlBackend]:
    match request.param:
        case "sqlite":
            url = f"sqlite:///{tmp_path}/store.db"
        case "sqlite in memory":
            url = "sqlite://"
        case _:
            url = request.getfixturevalue("postgres_schema_url")
    backend = open_backend(url)
    assert isinstance(backend, SqlBackend)
    yield backend
    backend.close()


def test_an_interrupted_step_is_undone_and_the_next_one_works(
    backend: SqlBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ExperimentStore(backend)
    experiment = store.create("mnist")
    run = store.runs.create(experiment.id, "run")

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(backend, "_cascade", interrupt)
        with pytest.raises(KeyboardInterrupt):
            store.archive(experiment.id)

    assert store.get(experiment.id).storage_state == "AVAILABLE"
    assert store.archive(experiment.id).storage_state == "ARCHIVED"
    assert store.runs.get(run.id).storage_state == "ARCHIVED"


def test_a_closed_store_says_so(backend: SqlBackend) -> None:
    store = ExperimentStore(backend)

    store.close()

    with pytest.raises(BackendError, match="closed"):
        store.get("e-1")


def test_a_connection_interrupted_in_the_middle_of_a_command_is_given_up(
    postgres_schema_url: str,
) -> None:
    backend = open_backend(postgres_schema_url)
    assert isinstance(backend, SqlBackend)
    with ExperimentStore(backend) as store:
        experiment = store.create("mnist")

        with pytest.raises(KeyboardInterrupt):
            interrupt_a_command(backend)

        assert store.get(experiment.id) == experiment


def interrupt_a_command(backend: Any) -> None:
    def step(work: Any) -> None:
        work.connection.pgconn.send_query(b"SELECT pg_sleep(0)")
        raise KeyboardInterrupt

    backend._steps.look("test", step)


def test_who_owns_the_schema_need_not_own_the_database(
    postgres_url: str, postgres_schema_url: str
) -> None:
    url = make_url(postgres_schema_url)
    schema, role = url.query["schema"], f"owner_{url.query['schema']}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
    try:
        owned = url.set(username=role).render_as_string(hide_password=False)
        with ExperimentStore(open_backend(owned)) as store:
            assert store.create("mnist").name == "mnist"
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"DROP OWNED BY {role} CASCADE")
            connection.execute(f"DROP ROLE {role}")
