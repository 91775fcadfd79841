"""A pool: connections kept between steps.

Its parts are atomic in themselves, so that an interrupt (Ctrl-C) in the middle of
a method leaves no lock taken; that is why it is not SQLAlchemy's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from experiment_store.errors import BackendError, UnavailableError


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
        self._permits: SimpleQueue[None] | None = None
        if most is not None:
            self._permits = SimpleQueue()
            for _ in range(most):
                self._permits.put(None)
        self._is_closed = False

    def borrow(self) -> Any:
        """Return the connection last given back, or a new one.

        Raises:
            UnavailableError: None came back in time.
            BackendError: The pool is closed.
        """
        if self._is_closed:
            raise BackendError("call", "failed: the store is closed")
        if self._permits is not None:
            self._wait(self._permits)
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._open()
            if self._is_alive(connection):
                return connection
            connection.close()

    def give_back(self, connection: Any, *, usable: bool) -> None:
        """Keep a connection, unless there are enough."""
        if usable and len(self._idle) < self._most_idle and not self._is_closed:
            self._idle.append(connection)
        else:
            connection.close()
        if self._permits is not None:
            self._permits.put(None)

    def close(self) -> None:
        """Close those that wait; the others are closed when they come back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    def _wait(self, permits: SimpleQueue[None]) -> None:
        try:
            permits.get(timeout=self._timeout)
        except Empty:
            problem = f"waited over {self._timeout:g} seconds for a connection"
            raise UnavailableError("call", problem) from None

    def _open(self) -> Any:
        is_open = False
        try:
            connection = self._opening()
            is_open = True
        finally:
            if not is_open and self._permits is not None:
                self._permits.put(None)
        return connection
