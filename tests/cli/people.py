"""A person at a terminal: the program in a process, on a pseudo-terminal that pyte shows.

Not pexpect: it forks, which Python 3.12 and later warn of in a process with threads.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from select import select
from types import TracebackType
from typing import Self

import pyte

ROOT = Path(__file__).parent.parent.parent
PROGRAM = (sys.executable, "-W", "error", "-m", "experiment_store.cli")
_ROWS = 60
_PATIENCE = 60.0  # seconds


def surroundings(**more: str) -> Mapping[str, str]:
    """Return the environment of the process: what it needs, and *more*."""
    needed = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": ":".join((str(ROOT), str(ROOT / "backends"))),
        "XDG_DATA_HOME": os.environ["XDG_DATA_HOME"],
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "TZ": "UTC",
    }
    return {**needed, **more}


class Terminal:
    """A process on a terminal of its own; leave it to end the process."""

    def __init__(self, *arguments: str, columns: int = 80, **more: str) -> None:
        """Start the program with *arguments*, and with *more* in its environment."""
        self._screen = pyte.Screen(columns, _ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self._master, slave = os.openpty()
        termios.tcsetwinsize(slave, (_ROWS, columns))
        # Who runs the tests in the background has SIGINT ignored, and so would the process.
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            self._process = subprocess.Popen(
                [*PROGRAM, *arguments],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=surroundings(**more),
            )
        finally:
            signal.signal(signal.SIGINT, before)
            os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    @property
    def lines(self) -> list[str]:
        """What the screen shows, without blanks and lines at the end."""
        shown = [line.rstrip() for line in self._screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    def until(self, text: str) -> None:
        """Read until the screen shows *text*."""
        while not any(text in line for line in self.lines):
            assert self._read(), f"ended without {text!r}: {self.lines}"

    def type(self, text: str) -> None:
        """Type *text* and the return key."""
        os.write(self._master, f"{text}\n".encode())

    def interrupt(self) -> None:
        """Do what the terminal does when somebody presses Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Read until the process ends; return its exit code."""
        while self._read():
            pass
        return self._process.wait()

    def _read(self) -> bool:
        ready, _, _ = select([self._master], [], [], _PATIENCE)
        assert ready, f"nothing happens: {self.lines}"
        try:
            data = os.read(self._master, 65_536)
        except OSError:  # Linux says so when the last process has closed its side
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)


@contextmanager
def typing(answer: str) -> Iterator[None]:
    """Have standard input be a terminal where somebody has typed *answer*."""
    master, slave = os.openpty()
    with os.fdopen(slave, encoding="utf-8") as terminal:
        os.write(master, f"{answer}\n".encode())
        before, sys.stdin = sys.stdin, terminal
        try:
            yield
        finally:
            sys.stdin = before
            os.close(master)
