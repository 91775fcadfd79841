"""The session that the README shows is what happens."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.cli.people import ROOT, Terminal, surroundings

_BLOCK = re.compile(
    r"^```console\n(\$ export EXPERIMENT_STORE_URL=.*?)^```", re.DOTALL | re.MULTILINE
)
_SECONDS = re.compile(r"\b\d\.\ds\b")
_QUESTION = "[y/N] "


def _recorded() -> Iterator[tuple[str, list[str]]]:
    """Yield each command of the README with the lines that it has printed there."""
    found = _BLOCK.search((ROOT / "README.md").read_text())
    assert found is not None
    for part in found[1].split("$ ")[1:]:
        command, *lines = part.splitlines()
        yield command, lines


def _run_script(arguments: list[str], variables: dict[str, str]) -> list[str]:
    """Let Python run what has been typed; return what it has printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        env=surroundings(**variables),
        capture_output=True,
        text=True,
        check=True,
    )
    return (done.stdout + done.stderr).splitlines()


def _run_program(arguments: list[str], variables: dict[str, str], expected: list[str]) -> list[str]:
    """Type the command, and what the README answers; return what the terminal shows."""
    with Terminal(*arguments, columns=80, **variables) as terminal:
        for line in expected:
            if _QUESTION in line:
                terminal.until(_QUESTION.strip())
                terminal.type(line.partition(_QUESTION)[2])
        terminal.end()
    return terminal.lines


def _timeless(lines: list[str]) -> list[str]:
    """Return *lines* with the same duration everywhere: how long a run took is never the same."""
    return [_SECONDS.sub("0.0s", line) for line in lines]


def test_the_session_of_the_readme_happens_so() -> None:
    variables: dict[str, str] = {}
    seen = 0
    for command, expected in _recorded():
        program, *arguments = shlex.split(command)
        match program:
            case "export":
                variables |= dict(word.split("=", 1) for word in arguments)
                continue
            case "cat":
                Path(arguments[0]).write_text("\n".join(expected))
                continue
            case "python":
                shown = _run_script(arguments, variables)
            case _:
                assert program == "experiment-store"
                shown = _run_program(arguments, variables, expected)

        assert _timeless(shown) == _timeless(expected)
        seen += 1
    assert seen > 5
