"""A clean place to work in, and the program inside of this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from attrs import frozen

from experiment_store.cli.__main__ import main

STORE = "lab.db"


@frozen
class Ended:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What it has printed, by lines."""
        return self.out.splitlines()


Command: TypeAlias = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an empty folder, a store that the environment names, and no wishes about colours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXPERIMENT_STORE_URL", STORE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the program with these arguments, as in a pipe."""

    def run(*arguments: str) -> Ended:
        capfd.readouterr()
        code = main(arguments)
        told = capfd.readouterr()
        return Ended(code, told.out, told.err)

    return run


@pytest.fixture
def terminal(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the program as on a terminal of that many columns; Rich takes it for one."""

    def run(columns: int, *arguments: str) -> Ended:
        with monkeypatch.context() as patch:
            patch.setenv("FORCE_COLOR", "1")
            patch.setenv("NO_COLOR", "1")
            patch.setenv("COLUMNS", str(columns))
            return command(*arguments)

    return run
