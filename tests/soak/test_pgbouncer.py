"""All of it through PgBouncer in transaction mode; the races are in tests/test_races.py.

Only `make soak` collects this module, and says so where PgBouncer is not installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from typing import Any

import pytest

from experiment_store import ExperimentStore
from experiment_store.backend import Backend
from experiment_store.registry import open_backend
from experiment_store.testing import BackendContract, StoreContract
from experiment_store_postgres import connect


class TestContract(BackendContract):
    @pytest.fixture
    def backend(self, pooled_schema_url: str) -> Backend:
        return connect(pooled_schema_url)


class TestHistories(StoreContract):
    @pytest.fixture
    def backend(self, pooled_schema_url: str) -> Iterator[Backend]:
        with closing(connect(pooled_schema_url)) as backend:
            yield backend


def test_one_connection_to_the_pooler_meets_several_sessions(pooled_schema_url: str) -> None:
    backend: Any = open_backend(pooled_schema_url)
    with ExperimentStore(backend) as store, ThreadPoolExecutor(4) as threads:
        barrier = Barrier(4)

        def hold(work: Any) -> int:
            [[session]] = work.execute("SELECT pg_backend_pid()")
            barrier.wait()
            return int(session)

        list(threads.map(lambda _: backend._steps.read("test", hold), range(4)))

        def ask(work: Any) -> list[int]:
            return [work.execute("SELECT pg_backend_pid()")[0][0] for _ in range(8)]

        assert len(set(backend._steps.look("test", ask))) > 1
        assert [store.create(f"e-{n}").name for n in range(20)] == [f"e-{n}" for n in range(20)]
