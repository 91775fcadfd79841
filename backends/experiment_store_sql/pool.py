"""A pool: connections kept between steps.

Its parts are atomic in themselves, so that an interrupt (Ctrl-C) in the middle of
a method leaves no lock taken; that is why it is not SQLAlchemy's. What an interrupt
has kept from coming back is free again when nobody refers to it any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any
from weakref import WeakKeyDictionary, ref

from experiment_store.errors import BackendError, UnavailableError


class _Permit:
    """The right to one connection; forgotten by an interrupt, it is free again."""

    def __init__(self, free: _Free) -> None:
        # Weakly: a pool that is forgotten must not be revived by its permits.
        self._free = ref(free)

    def __del__(self) -> None:
        if (free := self._free()) is not None:
            free.put(_Permit(free))  # made to be called by destructors


class _Free(SimpleQueue[_Permit]):
    """The permits that nobody has."""


class Pool:
    """Connections from *opening*, of which as many as *idle* wait for their next step.

    If there is a limit, at most *most* are lent at a time; who wants one more
    waits for up to *timeout* seconds.
    """

    def __init__(
        self,
        opening: Callable[[], Any],
        *,
        idle: int,
        most: int | None = None,
        timeout: float = 30.0,
        is_alive: Callable[[Any], bool] = lambda _: True,
    ) -> None:
        """Open connections when they are needed; *is_alive* is asked before one is lent again."""
        self._opening = opening
        self._is_alive = is_alive
        self._most_idle = idle
        self._timeout = timeout
        self._idle: deque[Any] = deque()
        self._permits: _Free | None = None
        self._lent: WeakKeyDictionary[Any, _Permit] = WeakKeyDictionary()
        if most is not None:
            self._permits = _Free()
            for _ in range(most):
                self._permits.put(_Permit(self._permits))
        self._is_closed = False

    def borrow(self) -> Any:
        """Return the connection last given back, or a new one.

        Raises:
            UnavailableError: None came back in time.
            BackendError: The pool is closed.
        """
        if self._is_closed:
            raise BackendError("call", "failed: the store is closed")
        permits = self._permits
        permit = None if permits is None else self._wait(permits)
        connection = None
        try:
            connection = self._find() or self._opening()
        finally:
            # Now, and not by the destructor: the error that is raised refers to the permit,
            # and who tries again keeps the error.
            if connection is None and permits is not None and permit is not None:
                permits.put(permit)
        if permit is not None:
            self._lent[connection] = permit
        return connection

    def give_back(self, connection: Any, *, usable: bool) -> None:
        """Keep a connection, unless there are enough."""
        permits = self._permits
        permit = None if permits is None else self._lent.pop(connection)
        if usable and len(self._idle) < self._most_idle and not self._is_closed:
            self._idle.append(connection)
        else:
            connection.close()
        if permits is not None and permit is not None:
            permits.put(permit)  # not before: who gets it finds the connection

    def close(self) -> None:
        """Close those that wait; the others are closed when they come back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    def _wait(self, permits: _Free) -> _Permit:
        try:
            return permits.get(timeout=self._timeout)
        except Empty:
            problem = f"waited over {self._timeout:g} seconds for a connection"
            raise UnavailableError("call", problem) from None

    def _find(self) -> Any:
        """Return the connection last given back that is alive, if there is one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if self._is_alive(connection):
                return connection
            connection.close()
