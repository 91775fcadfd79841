"""Many processes, or threads, open one new store at once."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Barrier as ThreadBarrier
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from experiment_store import ExperimentStore
from experiment_store.registry import open_backend

PROCESSES = 8
ROUNDS = 20

_released: Barrier


def release_together(barrier: Barrier) -> None:
    """Remember, in a new process, what all wait for."""
    global _released  # noqa: PLW0603 (a pool hands its processes nothing else)
    _released = barrier


def open_and_use(url: str) -> str:
    """Open the store at the moment when all do; return an id that all should agree on."""
    _released.wait(60)
    with ExperimentStore(open_backend(url)) as store:
        store.create(f"of-{uuid4()}", labels={"a": "b"})
        return store.create("shared", if_exists="return").id


@pytest.fixture(scope="module")
def processes() -> Iterator[Pool]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    with context.Pool(PROCESSES, release_together, (barrier,)) as pool:
        yield pool
        pool.close()
        pool.join()


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_eight_processes_open_one_new_sqlite_file(
    processes: Pool, tmp_path: Path, round_: int
) -> None:
    path = tmp_path / f"store-{round_}.db"

    ids = processes.map(open_and_use, [f"sqlite:///{path}"] * PROCESSES, chunksize=1)

    assert len(set(ids)) == 1
    with ExperimentStore(open_backend(f"sqlite:///{path}")) as store:
        assert store.list(page_size=1, with_total=True).total_size == PROCESSES + 1
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_eight_processes_open_one_new_postgres_schema(
    processes: Pool, postgres_url: str, round_: int
) -> None:
    schema = f"opening_{round_}_{uuid4().hex}"
    url = make_url(postgres_url).update_query_dict({"schema": schema})
    text = url.render_as_string(hide_password=False)

    ids = processes.map(open_and_use, [text] * PROCESSES, chunksize=1)

    assert len(set(ids)) == 1
    with ExperimentStore(open_backend(text)) as store:
        assert store.list(page_size=1, with_total=True).total_size == PROCESSES + 1
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_eight_threads_open_one_new_store(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    sqlite = database == "sqlite"
    url = f"sqlite:///{tmp_path}/s.db" if sqlite else request.getfixturevalue("postgres_schema_url")
    barrier = ThreadBarrier(PROCESSES)

    def open_one() -> str:
        barrier.wait(60)
        with ExperimentStore(open_backend(url)) as store:
            return store.create("shared", if_exists="return").id

    with ThreadPoolExecutor(PROCESSES) as pool:
        opened = [pool.submit(open_one) for _ in range(PROCESSES)]

    assert len({future.result() for future in opened}) == 1


def test_page_tokens_work_in_another_process(processes: Pool, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    with ExperimentStore(open_backend(url)) as store:
        for number in range(3):
            store.create(f"e-{number}")
        page = store.list(page_size=2, order_by="name")

    rest = processes.apply(next_page, (url, page.next_page_token))

    assert rest == ["e-2"]


def next_page(url: str, token: str) -> list[str]:
    """Continue a listing."""
    with ExperimentStore(open_backend(url)) as store:
        page = store.list(page_size=2, order_by="name", page_token=token)
        return [experiment.name for experiment in page.items]
