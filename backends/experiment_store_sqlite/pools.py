"""Connections to SQLite, kept between steps.

Not SQLAlchemy's pools: an interrupt (Ctrl-C) in the middle of one can leave its
lock taken, or drop the one connection that is a database in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from sqlite3 import Connection

from experiment_store.errors import BackendError

_IDLE = 8


class FileConnections:
    """Any number of connections to one file, a few of which wait for their next step."""

    def __init__(self, opening: Callable[[], Connection]) -> None:
        """Open connections when they are needed."""
        self._opening = opening
        self._idle: deque[Connection] = deque()  # appends and pops are atomic
        self._is_closed = False

    def borrow(self) -> Connection:
        """Return the connection last given back, or a new one."""
        if self._is_closed:
            raise BackendError("call", "failed: the store is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return self._opening()

    def give_back(self, connection: Connection, *, usable: bool) -> None:
        """Keep a connection, unless there are enough."""
        if usable and len(self._idle) < _IDLE and not self._is_closed:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close those that wait; the others are closed when they come back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()


class MemoryConnection:
    """The one connection to a database in memory, which is gone with it."""

    def __init__(self, opening: Callable[[], Connection]) -> None:
        """Open it at once."""
        self._connection: Connection | None = opening()

    def borrow(self) -> Connection:
        """Return it; the dialect's lock keeps others away."""
        if self._connection is None:
            raise BackendError("call", "failed: the store is closed")
        return self._connection

    def give_back(self, connection: Connection, *, usable: bool) -> None:
        """Keep it in any case."""

    def close(self) -> None:
        """Close it, and drop the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
