"""The memory backend keeps the contract."""

from __future__ import annotations

import pytest

from experiment_store.backend import Backend
from experiment_store.testing import BackendContract
from experiment_store_memory import MemoryBackend


class TestMemory(BackendContract):
    @pytest.fixture
    def backend(self) -> Backend:
        return MemoryBackend()
