"""Writers as a test sees them: started, waited for, killed or ended."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.processes.journal import Entry, read_journal

PATIENCE = 60.0  # seconds; only what hangs waits so long
ROOT = Path(__file__).parents[2]


class Writer:
    """A process of tests/processes/writer.py."""

    def __init__(self, url: str, folder: Path, name: str, seed: str, threads: int) -> None:
        """Start it."""
        self._journal = folder / f"{name}.jsonl"
        self._errors = folder / f"{name}.txt"
        arguments = [url, str(self._journal), name, seed, str(threads)]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.processes.writer", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._reports = self._process.stdin, self._process.stdout

    def wait_for(self, reports: int) -> None:
        """Wait until it has reported so many times from now on: of what it does anew."""
        deadline = time.monotonic() + PATIENCE
        while reports > 0:
            ready, _, _ = select.select([self._reports], [], [], deadline - time.monotonic())
            assert ready, f"no report in {PATIENCE} seconds: {self._said()}"
            data = os.read(self._reports.fileno(), reports)
            assert data, f"it ended: {self._said()}"
            reports -= len(data)

    def pass_over(self) -> None:
        """Forget the reports that are there already."""
        while select.select([self._reports], [], [], 0)[0]:
            assert os.read(self._reports.fileno(), 4096), f"it ended: {self._said()}"

    def kill(self) -> None:
        """Kill it, which must have been alive."""
        self._process.send_signal(signal.SIGKILL)
        assert self._process.wait(PATIENCE) == -signal.SIGKILL, self._said()

    def finish(self) -> None:
        """Let it end what it does, and go."""
        self._input.close()
        assert self._process.wait(PATIENCE) == 0, self._said()

    def close(self) -> None:
        """Let nothing of it stay."""
        self._process.kill()
        self._process.wait()
        self._input.close()
        self._reports.close()

    def journal(self) -> Sequence[Entry]:
        """Return what it has written down."""
        return read_journal(self._journal) if self._journal.exists() else []

    def _said(self) -> str:
        return self._errors.read_text(encoding="utf-8")


@contextmanager
def writing(
    url: str, folder: Path, names: Sequence[str], seed: str, threads: int
) -> Iterator[Sequence[Writer]]:
    """Start writers; none outlives the block."""
    writers: list[Writer] = []
    try:
        for name in names:
            writers.append(Writer(url, folder, name, f"{seed}-{name}", threads))  # noqa: PERF401 (each must be closed, whatever happens to the next)
        yield writers
    finally:
        for writer in writers:
            writer.close()
