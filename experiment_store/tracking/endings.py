"""What ends the runs of a process that ends, and is forgotten in a process that is forked.

At exit every run that is still active is finished. SIGTERM and SIGHUP, where the program
leaves them to the system, are made to raise SystemExit meanwhile, so that the run is
told of them like of any other end.
"""

from __future__ import annotations

import atexit
import signal
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from functools import cache
from os import register_at_fork
from threading import current_thread, main_thread
from types import FrameType
from typing import Protocol
from weakref import WeakSet

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_SHELL = 128  # what a shell adds to the number of the signal that ended a program


class Terminated(SystemExit):
    """A signal ends the program; *name* is that of the signal."""

    def __init__(self, number: int) -> None:
        """Exit with the code by which a shell tells of signals."""
        super().__init__(_SHELL + number)
        self.name = signal.Signals(number).name

    def __str__(self) -> str:
        return f"terminated by {self.name}"


class Ending(Protocol):
    """What is told of the end."""

    def end(self, error: BaseException | None) -> None:
        """Finish as *error* says."""

    def forget(self) -> None:
        """Do nothing any more: this is another process."""


_active: WeakSet[Ending] = WeakSet()


def watch(run: Ending) -> None:
    """Tell *run* of the end of the process, until `unwatch`."""
    _hook_in()
    _active.add(run)
    if current_thread() is main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _raise)


def unwatch(run: Ending) -> None:
    """Leave *run* alone; after the last one, leave the signals to the system again."""
    _active.discard(run)
    if not _active and current_thread() is main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) == _raise:
                signal.signal(number, signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:
    del frame
    raise Terminated(number)


@cache
def _hook_in() -> None:
    atexit.register(_end_all)
    register_at_fork(after_in_child=_forget_all)


def _end_all() -> None:
    # What the program died of, if it did, has been printed, and is remembered there.
    end_all(list(_active), getattr(sys, "last_value", None))


def end_all(runs: Iterable[Ending], error: BaseException | None) -> None:
    """Tell all *runs* of the end, whatever comes of telling the others."""
    with ExitStack() as stack:
        for run in runs:
            stack.callback(run.end, error)


def _forget_all() -> None:
    for run in list(_active):
        run.forget()
    _active.clear()
