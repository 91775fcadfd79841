"""The one connection to a SQLite database in memory, which is gone with it."""

from __future__ import annotations

from collections.abc import Callable
from sqlite3 import Connection

from experiment_store.errors import BackendError


class MemoryConnection:
    """Lends the same connection to everybody; the dialect's lock keeps them apart."""

    def __init__(self, opening: Callable[[], Connection]) -> None:
        """Open it at once."""
        self._connection: Connection | None = opening()

    def borrow(self) -> Connection:
        """Return it."""
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
