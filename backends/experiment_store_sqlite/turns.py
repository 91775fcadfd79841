"""A lock whose waiting ends: the writers of one process take turns."""

from __future__ import annotations

from _thread import RLock
from typing import Any

from experiment_store.errors import UnavailableError

_OwnedLock: Any = RLock


class Turns(_OwnedLock):  # type: ignore[misc]  # a base type in fact, if not to mypy
    """A lock to enter by `with`, for up to *timeout* seconds of waiting.

    It tells its owner, which a plain lock cannot: an interrupt (Ctrl-C) may come
    when the lock has just been had, before anybody could have noted that it was.
    To leave it is the original's, in C, which no interrupt can split.
    """

    def __init__(self, timeout: float) -> None:
        """Make the lock, free."""
        super().__init__()
        self._timeout = timeout

    def __enter__(self) -> bool:
        """Wait for the lock.

        Raises:
            UnavailableError: Another thread has kept it for too long, or this one
                has it: a signal handler or a destructor has called in the middle of a call.
        """
        if self._is_owned():
            raise UnavailableError("call", "failed: it was made in the middle of another one")
        is_ours = False
        try:
            is_ours = self.acquire(timeout=self._timeout)
        finally:
            if not is_ours and self._is_owned():
                self.release()
        if not is_ours:
            problem = f"waited over {self._timeout:g} seconds for other threads"
            raise UnavailableError("call", problem)
        return True
