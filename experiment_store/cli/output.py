"""What goes to the terminal or into a pipe: records on stdout, all else on stderr.

Rich says whether a stream is a terminal and has colours, so that ``NO_COLOR``,
``FORCE_COLOR`` and ``COLUMNS`` mean here what they mean elsewhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn

from experiment_store.cli.texts import escaped, escaped_json
from experiment_store.schema import Kind

if TYPE_CHECKING:
    from rich.console import Console


class ReaderGoneError(Exception):
    """Whoever read the output has closed it; no OSError, which Typer would answer itself."""


def console(*, stderr: bool = False) -> Console:
    """Return a console for stdout or stderr that reads nothing out of the text it is given."""
    return _console_class()(stderr=stderr, highlight=False, markup=False, emoji=False)


@cache
def _console_class() -> type[Console]:
    from rich.console import Console  # noqa: PLC0415 (`--help` needs none)

    class QuietConsole(Console):
        def on_broken_pipe(self) -> NoReturn:
            raise ReaderGoneError

    return QuietConsole


def make_streams_safe() -> None:
    """Have pipes take UTF-8, as JSON has to be, and terminals show an escape for what they lack."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # not where a program has put something else
            encoding = stream.encoding if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def say(line: str) -> None:
    """Write a line to stdout as it is."""
    with reader_may_go():
        sys.stdout.write(f"{line}\n")


def finish() -> None:
    """Write what waits for stdout.

    Raises:
        ReaderGoneError: Nobody reads it.
        OSError: It cannot be written, as on a full disk.
    """
    with reader_may_go():
        sys.stdout.flush()


@contextmanager
def reader_may_go() -> Iterator[None]:
    """Say so if whoever reads stdout has gone: Typer makes a failure of a broken pipe."""
    try:
        yield
    except BrokenPipeError:
        raise ReaderGoneError from None


def silence() -> None:
    """Let what still waits for stdout go nowhere: the interpreter would complain at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def record_line(kind: Kind[Any], record: Any, *, terminal: bool) -> str:
    """Return the canonical JSON of *record*; on a terminal without controls that JSON allows."""
    line = _writer(kind)(record).decode()
    return escaped_json(line) if terminal else line


def complain(message: str) -> None:
    """Write an error to stderr: its first line in red, those of a filter below it."""
    first, *others = message.split("\n")
    target = console(stderr=True)
    target.print(f"error: {escaped(first)}", style="red", soft_wrap=True)
    for line in others:
        target.print(escaped(line), soft_wrap=True)


def remark(sentence: str) -> None:
    """Write what is no result to stderr."""
    console(stderr=True).print(escaped(sentence), style="dim", soft_wrap=True)


@cache
def _writer(kind: Kind[Any]) -> Callable[[Any], bytes]:
    from experiment_store.moving.wire import writer  # noqa: PLC0415 (json, and only if asked for)

    return writer(kind)
