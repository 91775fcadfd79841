"""The SQLite backend: from a URL to a pool of connections and a file with our tables."""

from __future__ import annotations

import re
from functools import partial

from experiment_store.errors import InvalidArgumentError
from experiment_store_sql import Connections, Pool, SqlBackend, split
from experiment_store_sqlite.connections import (
    APPLICATION_ID,
    Settings,
    check_library,
    check_owner,
    open_connection,
    use_wal,
)
from experiment_store_sqlite.dialect import SqliteDialect
from experiment_store_sqlite.memory import MemoryConnection

_SYNCHRONOUS = ("full", "normal")
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]+)?")
_IDLE = 8
_PARAMETERS = {"synchronous", "timeout"}


def connect(url: str) -> SqliteBackend:
    """Open ``sqlite:///path/to/file``, or ``sqlite://`` for a database in memory.

    Parameters: ``synchronous=full`` (the default: what was written survives a loss
    of power) or ``normal`` (it survives the death of the process, and writes are
    faster); ``timeout=30``, how many seconds to wait for other writers.

    Raises:
        InvalidArgumentError: The URL has another form, or unknown parameters.
    """
    location, given = split(url)
    _, separator, location = location.partition("://")
    host, _, path = location.partition("/")
    if host or not separator:
        raise InvalidArgumentError("url", "must be sqlite:///path/to/file, with three slashes")
    if unknown := sorted(given.keys() - _PARAMETERS):
        raise InvalidArgumentError("url", f"has the unknown parameter {unknown[0]!r}")
    synchronous, timeout = given.get("synchronous", "full"), given.get("timeout", "30")
    if synchronous not in _SYNCHRONOUS:
        raise InvalidArgumentError("url", f"must have synchronous={' or '.join(_SYNCHRONOUS)}")
    if _SECONDS.fullmatch(timeout) is None:
        raise InvalidArgumentError("url", "must have a timeout in seconds, at most 999999")
    return SqliteBackend(path or ":memory:", synchronous=synchronous, timeout=float(timeout))


class SqliteBackend(SqlBackend):
    """The backend contract over one SQLite database."""

    def __init__(
        self, path: str = ":memory:", *, synchronous: str = "full", timeout: float = 30.0
    ) -> None:
        """Prepare to use the file at *path*; nothing is opened before `setup`."""
        check_library()
        self._settings = Settings(path, synchronous, timeout)
        dialect = SqliteDialect(path, in_memory=self._settings.in_memory)
        opening = partial(open_connection, self._settings)
        connections: Connections = (
            MemoryConnection(opening) if self._settings.in_memory else Pool(opening, idle=_IDLE)
        )
        super().__init__(connections, dialect)

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
                    for call in self.statements.create():
                        work.run(call)
                    self._record_version(work)
                    work.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._check_version()
