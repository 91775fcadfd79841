"""A peer in its own process, as a contestant in this one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Self

from benchmarks.scenarios import Answer

_ROOT = Path(__file__).parents[2]
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
"""The environment of a peer that tells nobody that it is used."""


class PeerFailedError(Exception):
    """The process of a peer has ended before its work was done."""


class Remote:
    """A contestant: a process that runs `serve`; its messages go into a file."""

    def __init__(self, title: str, python: Path, folder: Path, **settings: Any) -> None:
        """Start the process in *folder*, with what `serve` takes."""
        self.title = title
        folder.mkdir(parents=True)
        self._messages = folder / "messages.txt"
        arguments = json.dumps({**settings, "folder": str(folder)})
        with self._messages.open("wb") as messages:
            self._process = subprocess.Popen(
                [python, "-m", "benchmarks.peers.serve", arguments],
                cwd=folder,  # MLflow makes folders where it stands
                env={**os.environ, **QUIET, "PYTHONPATH": str(_ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
                encoding="utf-8",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def offers(self, scenario: str) -> bool:
        """Do so always: what a peer lacks, its adapter does as its users have to."""
        return True

    def answer(self, scenario: str) -> Answer:
        """Ask the question once."""
        answer: Answer = self._call("answer", scenario)
        return answer

    def time(self, scenario: str, count: int) -> float:
        """Ask it *count* times; return the seconds that one operation took."""
        return float(self._call("time", scenario, count))

    def version(self) -> str:
        """Return the peer's version."""
        return str(self._call("version"))

    def program(self) -> str:
        """Return a program that imports the peer and opens a database that exists."""
        return str(self._call("program"))

    def close(self) -> None:
        """Have the process remove its databases, and wait for it."""
        self._process.communicate()

    def _call(self, *call: object) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("both were asked for")
        try:
            print(json.dumps(call), file=stdin, flush=True)
        except BrokenPipeError:
            line = ""
        else:
            line = stdout.readline()
        if not line:
            text = self._messages.read_text(encoding="utf-8")
            frames = "***"  # a crash of C++ is reported between lines that begin so
            lines = [said for said in text.splitlines() if said and not said.startswith(frames)]
            raise PeerFailedError((lines or ["it ended without a word"])[-1])
        return json.loads(line)
