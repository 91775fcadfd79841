"""What ends the runs of a process that ends, and is forgotten in a process that is forked.

At exit every run that is still active is finished. SIGTERM and SIGHUP, where the program
leaves them to the system, are made to raise SystemExit meanwhile, so that the run is
told of them like of any other end. Only the main thread can arrange for that.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from threading import current_thread, main_thread
from types import FrameType
from typing import Protocol

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_Handler = Callable[[int, FrameType | None], object] | signal.Handlers
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

    @property
    def owner(self) -> object:
        """By whom it was started."""

    def end(self, error: BaseException | None) -> None:
        """Finish as *error* says."""

    def abandon(self) -> None:
        """Do nothing any more, finished or not."""

    def forget(self) -> None:
        """Be what a forked process has copied: locks may be held by threads that it has not."""


_active: set[Ending] = set()
_raised: list[Terminated] = []
_survived: list[object] = [None]


def watch(run: Ending) -> None:
    """Tell *run* of the end of the process, until `unwatch`."""
    _hook_in()
    _raised.clear()  # whatever was raised before this, the program has survived it
    _survived[:] = [getattr(sys, "last_value", None)]  # as interactive ones do
    _active.add(run)
    catch_signals()


def catch_signals() -> None:
    """See to it that signals end the active runs, if this is the main thread."""
    if _active:
        _replace(signal.SIG_DFL, _raise)


def unwatch(run: Ending) -> None:
    """Leave *run* alone; after the last one, leave the signals to the system again."""
    _active.discard(run)
    if not _active:
        _leave_signals()


def end_all(error: BaseException | None, owner: object = None) -> None:
    """Tell all active runs of the end, or those of *owner*, whatever comes of telling the others.

    None of them is active after that.
    """
    with ExitStack() as stack:
        for run in list(_active):
            if owner is None or run.owner is owner:
                stack.callback(run.abandon)
                stack.callback(run.end, error)


def _raise(number: int, frame: FrameType | None) -> None:
    del frame
    if not _active:  # the last run was finished by another thread, which could not undo this
        _leave_signals()
        signal.raise_signal(number)
        return
    _raised.append(Terminated(number))
    raise _raised[-1]


def _leave_signals() -> None:
    _replace(_raise, signal.SIG_DFL)


def _replace(handler: _Handler, other: _Handler) -> None:
    if current_thread() is main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) == handler:
                signal.signal(number, other)


@cache
def _hook_in() -> None:
    atexit.register(_end_at_exit)
    if hasattr(os, "register_at_fork"):  # pragma: no branch (Windows has no forks)
        os.register_at_fork(after_in_child=_forget_all)


def _end_at_exit() -> None:
    # What the program died of, if it did, has been printed and is remembered by the
    # interpreter; a SystemExit is not, so we remember our own.
    last = getattr(sys, "last_value", None)
    error = _raised[-1] if _raised else None if last is _survived[0] else last
    with _signals_held_back():
        end_all(error)


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Let nothing be raised where nobody would try again; afterwards signals do what they do."""
    held: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        del frame
        held.append(number)

    _replace(_raise, hold)
    try:
        yield
    finally:
        _replace(hold, signal.SIG_DFL)
        if held:
            signal.raise_signal(held[0])


def _forget_all() -> None:
    for run in list(_active):
        run.forget()
    _active.clear()
    _leave_signals()
