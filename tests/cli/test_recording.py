"""The session that the README shows is what happens."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from tests.cli.people import ROOT, Terminal

_BLOCK = re.compile(
    r"^```console\n(\$ export EXPERIMENT_STORE_URL=.*?)^```", re.DOTALL | re.MULTILINE
)
_QUESTION = "[y/N] "


def _recorded() -> Iterator[tuple[str, list[str]]]:
    """Yield each command of the README with the lines that it has printed there."""
    found = _BLOCK.search((ROOT / "README.md").read_text())
    assert found is not None
    for part in found[1].split("$ ")[1:]:
        command, *lines = part.splitlines()
        yield command, lines


def test_the_session_of_the_readme_happens_so() -> None:
    variables: dict[str, str] = {}
    seen = 0
    for command, expected in _recorded():
        program, *arguments = shlex.split(command)
        if program == "export":
            variables |= dict(word.split("=", 1) for word in arguments)
            continue
        assert program == "experiment-store"

        with Terminal(*arguments, columns=80, **variables) as terminal:
            for line in expected:
                if _QUESTION in line:
                    terminal.until(_QUESTION.strip())
                    terminal.type(line.partition(_QUESTION)[2])
            terminal.end()

        assert terminal.lines == expected
        seen += 1
    assert seen > 5
