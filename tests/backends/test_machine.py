"""Any history of calls matches the model, on every backend of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings

from experiment_store.backend import Backend
from experiment_store.testing.machine import StoreContract
from experiment_store_memory import MemoryBackend
from experiment_store_postgres import connect as connect_postgres
from experiment_store_sqlite import connect as connect_sqlite
from tests.emitted import emitted


class TestMemory(StoreContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()


class TestSqliteFile(StoreContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Iterator[Backend]:
        # What a loss of power would take is nothing to this test, and waiting for disks is slow.
        with closing(connect_sqlite(f"sqlite:///{tmp_path}/lab.db?synchronous=normal")) as backend:
            yield backend


class TestSqliteInMemory(StoreContract):
    @pytest.fixture
    def backend(self) -> Iterator[Backend]:
        with closing(connect_sqlite("sqlite:///:memory:")) as backend:
            yield backend


class TestPostgres(StoreContract):
    @pytest.fixture
    def backend(self, postgres_schema_url: str, tmp_path: Path) -> Iterator[Backend]:
        with emitted(tmp_path), closing(connect_postgres(postgres_schema_url)) as backend:
            yield backend


class TestSerializablePostgres(StoreContract):
    @pytest.fixture
    def backend(self, serializable_schema_url: str, *, soaking: bool) -> Iterator[Backend]:
        before = settings.get_current_profile_name()
        settings.register_profile("few", settings.get_profile(before), max_examples=5)
        if not soaking:
            settings.load_profile("few")
        with closing(connect_postgres(serializable_schema_url)) as backend:
            yield backend
        settings.load_profile(before)
