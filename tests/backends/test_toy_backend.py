"""docs/writing-a-backend.md is enough to write a backend from, and its example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiment_store import ExperimentStore
from experiment_store.backend import Backend
from experiment_store.testing import BackendContract, StoreContract
from tests.toy_backend import connect

TESTS = Path(__file__).parents[1]
FEW = """from hypothesis import settings
settings.register_profile("few", max_examples=5, stateful_step_count=10)
settings.load_profile("few")
"""
PAGE = (TESTS.parent / "docs" / "writing-a-backend.md").read_text("utf-8")


class TestToy(BackendContract, StoreContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Backend:
        return connect(f"toy://{tmp_path}/lab.json")


def test_a_file_outlives_the_store_that_wrote_it(tmp_path: Path) -> None:
    url = f"toy://{tmp_path}/lab.json"
    with ExperimentStore(connect(url)) as store:
        made = store.create("mnist", labels={"team": "cv"})
        store.create("cifar")
        token = store.list(page_size=1).next_page_token

    with ExperimentStore(connect(url)) as store:
        assert store.get(made.id) == made
        assert [found.name for found in store.list(page_token=token).items] == ["cifar"]


def test_the_test_file_on_the_page_runs_the_suite(tmp_path: Path) -> None:
    [example] = re.findall(r"^```python\n(import pytest.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    file = tmp_path / "test_my_backend.py"
    file.write_text(example)
    (tmp_path / "conftest.py").write_text(FEW)
    options = ["-p", "no:cacheprovider", "-q", "-k", "setup_keeps or any_history_matches"]

    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, file.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout
    assert "2 passed" in run.stdout
