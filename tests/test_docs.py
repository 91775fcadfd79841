"""Every Python example of the documentation runs, and so does the demonstration."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiment_store.filters import compile_filter
from experiment_store.filters.predicates import ALWAYS, NEVER
from experiment_store.schema import EXPERIMENT, RUN
from experiment_store.sources import utc_now

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def examples() -> Iterator[object]:
    for page in PAGES:
        blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
        for number, block in enumerate(blocks, start=1):
            yield pytest.param(block, id=f"{page.name}-{number}")


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    """What an example lets log is not heard of after it."""
    logger = logging.getLogger("experiment_store")
    level, handlers = logger.level, [*logger.handlers]
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_of_the_documentation_runs(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    exec(compile(example, "example", "exec"), {"__name__": "example"})  # noqa: S102 (our own text)


@pytest.mark.parametrize(
    "text",
    re.findall(r"^\| `([^`]+)` \|", README.split("## Backends")[0], re.MULTILINE),
)
def test_a_filter_of_the_readme_means_something(text: str) -> None:
    kind = RUN if text.startswith(("params", "metrics")) else EXPERIMENT

    assert compile_filter(text, kind, utc_now()) not in (ALWAYS, NEVER)


def test_the_demonstration_runs_twice_on_one_file(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "docs" / "demo.py"), "demo.db"]

    first, second = (
        subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )

    assert first.count("\n> ") == second.count("\n> ")
    assert "did you mean 'storage_state'?" in first
    assert "ConflictError" in first
    assert "301 experiments" in second
