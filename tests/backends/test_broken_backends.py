"""The contract catches every backend that is broken on purpose, and passes a sound one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

_BROKEN = Path(__file__).parents[1] / "broken.py"

# The same examples in every run, and no search for smaller ones: that they exist is enough.
_PROFILE = """
from hypothesis import Phase, settings

settings.register_profile(
    "broken",
    derandomize=True,
    database=None,
    max_examples=250,
    phases=(Phase.explicit, Phase.generate),
)
settings.load_profile("broken")
"""


def _faults() -> Mapping[str, tuple[str, ...]]:
    spec = spec_from_file_location("broken", _BROKEN)
    assert spec is not None
    assert spec.loader is not None
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    return {fault.__name__: tests for fault, tests in module.FAULTS.items()}


FAULTS = _faults()


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], bool]:
    """Whether a test failed, by the name of its class and its own."""
    folder = tmp_path_factory.mktemp("broken")
    Path(folder, "profile_of_broken.py").write_text(_PROFILE, encoding="utf-8")
    Path(folder, "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    chosen = [f"Test{fault}::{test}" for fault, tests in FAULTS.items() for test in tests]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", "pytest.ini", "--noconftest", "-q"),
            *("-p", "profile_of_broken", "-p", "no:cacheprovider", "--junit-xml=report.xml"),
            *("--tb=no", "--import-mode=importlib"),
            *(f"{_BROKEN}::{test}" for test in ("TestSound", *chosen)),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": "0"},  # or strategies would draw from sets as they lie
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    outcomes: dict[tuple[str, str], bool] = {}
    # Written by the run above, hence to be trusted.
    for case in ET.parse(Path(folder, "report.xml")).iter("testcase"):  # noqa: S314 (as said)
        assert case.find("error") is None, case.attrib
        suite, test = case.attrib["classname"].split(".")[-1], case.attrib["name"].split("[")[0]
        outcomes[suite, test] = outcomes.get((suite, test), False) or (
            case.find("failure") is not None
        )
    return outcomes


@pytest.mark.parametrize(
    ("fault", "test"), [(fault, test) for fault, tests in FAULTS.items() for test in tests]
)
def test_a_broken_backend_is_caught(
    failed: Mapping[tuple[str, str], bool], fault: str, test: str
) -> None:
    assert failed[f"Test{fault}", test]


def test_a_sound_backend_passes(failed: Mapping[tuple[str, str], bool]) -> None:
    outcomes = {test: outcome for (suite, test), outcome in failed.items() if suite == "TestSound"}

    assert len(outcomes) > 80
    assert [test for test, has_failed in outcomes.items() if has_failed] == []
