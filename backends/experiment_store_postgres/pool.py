"""Connections to PostgreSQL from SQLAlchemy's pool."""

from __future__ import annotations

from sqlalchemy import Engine, PoolProxiedConnection

from experiment_store.errors import BackendError


class EngineConnections:
    """The connections of an engine."""

    def __init__(self, engine: Engine) -> None:
        """Use *engine*, and dispose of it at the end."""
        self._engine = engine
        self._is_closed = False

    def borrow(self) -> PoolProxiedConnection:
        """Wait for a connection, if all are in use."""
        if self._is_closed:
            raise BackendError("call", "failed: the store is closed")
        return self._engine.raw_connection()

    def give_back(self, connection: PoolProxiedConnection, *, usable: bool) -> None:
        """Let the next one have it, or have the pool forget it."""
        if not usable:
            connection.invalidate()
        connection.close()

    def close(self) -> None:
        """Close those that are not in use."""
        self._is_closed = True
        self._engine.dispose()
