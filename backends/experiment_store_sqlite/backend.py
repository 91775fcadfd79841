"""The SQLite backend: from a URL to a pool of connections and a file with our tables."""

from __future__ import annotations

import re
from functools import partial

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from experiment_store.errors import InvalidArgumentError
from experiment_store_sql import Connections, SqlBackend, build_tables, create_statements
from experiment_store_sqlite.connections import (
    APPLICATION_ID,
    Settings,
    check_library,
    check_owner,
    open_connection,
    use_wal,
)
from experiment_store_sqlite.dialect import SqliteDialect
from experiment_store_sqlite.pools import FileConnections, MemoryConnection

_SYNCHRONOUS = ("full", "normal")
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]+)?")
_PARAMETERS = {"synchronous", "timeout"}


def connect(url: str) -> SqliteBackend:
    """Open ``sqlite:///path/to/file``, or ``sqlite://`` for a database in memory.

    Parameters: ``synchronous=full`` (the default: what was written survives a loss
    of power) or ``normal`` (it survives the death of the process, and writes are
    faster); ``timeout=30``, how many seconds to wait for other writers.

    Raises:
        InvalidArgumentError: The URL has another form, or unknown parameters.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InvalidArgumentError("url", "must be sqlite:///path/to/file") from error
    if parsed.host:
        raise InvalidArgumentError("url", f"must have three slashes: sqlite:///{parsed.host}")
    if unknown := sorted(set(parsed.query) - _PARAMETERS):
        raise InvalidArgumentError("url", f"has the unknown parameter {unknown[0]!r}")
    synchronous = parsed.query.get("synchronous", "full")
    if synchronous not in _SYNCHRONOUS:
        raise InvalidArgumentError("url", f"must have synchronous={' or '.join(_SYNCHRONOUS)}")
    timeout = str(parsed.query.get("timeout", "30"))
    if _SECONDS.fullmatch(timeout) is None:
        raise InvalidArgumentError("url", "must have a timeout in seconds, at most 999999")
    path = parsed.database or ":memory:"
    return SqliteBackend(path, synchronous=str(synchronous), timeout=float(timeout))


class SqliteBackend(SqlBackend):
    """The backend contract over one SQLite database."""

    def __init__(
        self, path: str = ":memory:", *, synchronous: str = "full", timeout: float = 30.0
    ) -> None:
        """Prepare to use the file at *path*; nothing is opened before `setup`."""
        check_library()
        self._settings = Settings(path, synchronous, timeout)
        self._tables = build_tables()
        dialect = SqliteDialect(path, in_memory=self._settings.in_memory)
        opening = partial(open_connection, self._settings)
        connections: Connections = (
            MemoryConnection(opening) if self._settings.in_memory else FileConnections(opening)
        )
        super().__init__(connections, self._tables, dialect)

    def setup(self) -> None:
        """Create the file and its tables if there are none."""
        with self._reading("open", self._dialect.begin_read) as work:
            ours = check_owner(work, self._settings.path)
        if not self._settings.in_memory:
            with self._writing("open", atomic=False) as work:
                use_wal(work, self._settings.timeout)
        if not ours:
            with self._writing("open", atomic=True) as work:
                # Another process may have come first, while this one waited for its turn.
                if not check_owner(work, self._settings.path):
                    for text in create_statements(self._tables, self._dialect.wording):
                        work.execute(text)
                    self._record_version(work)
                    work.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._check_version()
