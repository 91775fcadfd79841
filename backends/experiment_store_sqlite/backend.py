"""The SQLite backend: our tables in a file of their own, or in a host's database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from experiment_store.backend import Backend
from experiment_store.errors import BackendError, InvalidArgumentError, UnsupportedError
from experiment_store.findings import Finding
from experiment_store_sql import (
    Call,
    Connections,
    EngineConnections,
    Pool,
    PooledSteps,
    SqlBackend,
    Work,
    check_names,
    check_prefix,
    seconds,
    split,
)
from experiment_store_sqlite.backup import copy_database
from experiment_store_sqlite.connections import Settings, check_library, open_connection, use_wal
from experiment_store_sqlite.dialect import SqliteDialect
from experiment_store_sqlite.filesystems import refuse_network
from experiment_store_sqlite.hosted import HOST, is_in_memory
from experiment_store_sqlite.looking import (
    APPLICATION_ID,
    check_owner,
    check_whole,
    refuse_others,
)
from experiment_store_sqlite.memory import MemoryConnection
from experiment_store_sqlite.places import obstacle

IN_MEMORY = ":memory:"
HOSTED_PREFIX = "experiment_store_"

_SYNCHRONOUS = ("full", "normal")
_IDLE = 8
_PARAMETERS = {"synchronous", "timeout", "network"}
_NETWORK = {"refuse": False, "allow": True}
_NEW = 0o666


def connect(url: str) -> SqliteBackend:
    """Open ``sqlite:///path/to/file``, or ``sqlite://`` for a database in memory.

    Parameters: ``synchronous=full`` (the default: what was written survives a loss
    of power) or ``normal`` (it survives the death of the process, and writes are
    faster); ``timeout=30``, how many seconds to wait for other writers;
    ``network=refuse`` or ``allow``, whether a file may be where other machines reach it.

    Raises:
        InvalidArgumentError: The URL has another form, or unknown parameters.
    """
    location, given = split(url)
    _, separator, location = location.partition("://")
    host, _, path = location.partition("/")
    if host or not separator:
        raise InvalidArgumentError("url", "must be sqlite:///path/to/file, with three slashes")
    check_names(given)
    if unknown := sorted(given.keys() - _PARAMETERS):
        raise InvalidArgumentError("url", f"has the unknown parameter {unknown[0]!r}")
    synchronous, timeout = given.get("synchronous", "full"), given.get("timeout", "30")
    if synchronous not in _SYNCHRONOUS:
        raise InvalidArgumentError("url", f"must have synchronous={' or '.join(_SYNCHRONOUS)}")
    network = given.get("network", "refuse")
    if network not in _NETWORK:
        raise InvalidArgumentError("url", f"must have network={' or '.join(_NETWORK)}")
    return SqliteBackend(
        path or IN_MEMORY,
        synchronous=synchronous,
        timeout=seconds("timeout", timeout),
        anywhere=_NETWORK[network],
    )


class SqliteBackend(SqlBackend):
    """The backend contract over one SQLite database."""

    def __init__(
        self,
        path: str | None = None,
        *,
        synchronous: str = "full",
        timeout: float = 30.0,
        anywhere: bool = False,
        engine: Any = None,
        prefix: str = HOSTED_PREFIX,
    ) -> None:
        """Prepare to use a database; nothing is opened before `setup`.

        Args:
            path: A file of the store's own, or ``:memory:``, as without an engine.
            synchronous: What a commit in that file waits for, ``full`` or ``normal``.
            timeout: For how many seconds to wait for other writers there.
            anywhere: Whether that file may be where other machines can reach it.
            engine: Instead, a SQLAlchemy engine of the host's; its database and
                connections stay as the host has set them up.
            prefix: What the names of our tables there begin with, at most 20 characters.

        Raises:
            InvalidArgumentError: An argument is none of these.
        """
        check_library()
        if path is not None and engine is not None:
            raise InvalidArgumentError("path", "must not be given with an engine")
        self._is_hosted = engine is not None
        if self._is_hosted:
            connections: Connections = EngineConnections(engine, HOST)
            self._settings = Settings(str(engine.url.database), synchronous, timeout)
            in_memory = is_in_memory(engine)
        else:
            self._settings = Settings(path or IN_MEMORY, synchronous, timeout, anywhere)
            opening = partial(open_connection, self._settings)
            in_memory = self._settings.in_memory
            connections = MemoryConnection(opening) if in_memory else Pool(opening, idle=_IDLE)
        dialect = SqliteDialect(
            self._settings.path,
            in_memory=in_memory,
            timeout=timeout,
            prefix=check_prefix(prefix) if self._is_hosted else "",
        )
        steps = PooledSteps(connections, dialect, autocommit=not self._is_hosted)
        super().__init__(steps, dialect, HOST)

    def setup(self) -> None:
        """Create the file and its tables if there are none.

        Raises:
            BackendError: The file is not ours, or cannot be used; it is as it was.
        """
        has_file = not self._is_hosted and not self._settings.in_memory
        if has_file:
            self._check_place()
        if not self._steps.read("open", self._is_ours):
            # Before there is a log: whoever finds one knows the file as ours by its header.
            self._steps.write("open", self._create, atomic=True)
        self._check_version()
        if has_file:
            self._steps.write("open", self._use_wal, atomic=False)

    def backup(self, path: str) -> None:
        """Write a copy of the database, as of one moment, to a new file at *path*.

        Writers do not wait for it, but of a database in memory they do.

        Raises:
            AlreadyExistsError: There is a file.
            UnsupportedError: The database is a host's, and not ours alone.
            BackendError: The file cannot be written; nothing is left of it.
        """
        if self._is_hosted:
            raise UnsupportedError("backup", "a store in the database of a host")

        def step(work: Work) -> None:
            work.execute("SELECT count(*) FROM sqlite_master")  # from here on, nothing changes
            copy_database(work.connection, path, mode=self._mode())

        self._steps.read("backup", step)

    def examine(self, meaning: Callable[[Backend], Iterable[Finding]]) -> Iterator[Finding]:
        """Make all checks: of a file of our own on connections that cannot write."""
        from experiment_store_sqlite.examining import (  # noqa: PLC0415 (few programs need it)
            examine_database,
            examine_file,
        )

        if self._is_hosted or self._settings.in_memory:
            yield from examine_database(self, self._steps, self._dialect, self._is_there, meaning)
        else:
            yield from examine_file(self._settings, self._check_place, meaning)

    def _check_place(self) -> None:
        path = self._settings.path
        if problem := obstacle(path):
            raise BackendError("open", f"failed: {problem}")
        if not self._settings.anywhere:
            refuse_network(path)
        refuse_others(path)

    def _mode(self) -> int:
        """Who may read and write the file: the copy is no more public."""
        return _NEW if self._settings.in_memory else os.stat(self._settings.path).st_mode

    def _is_ours(self, work: Work) -> bool:
        """Tell whether the tables are there; a file of our own is ours entirely."""
        if not self._is_hosted:
            ours = check_owner(work, self._settings.path)
            if ours and not self._settings.in_memory:
                check_whole(work, self._settings.path)
            return ours
        table = f"{self._dialect.prefix}settings"
        return bool(work.all(Call("SELECT 1 FROM sqlite_master WHERE name = ?", (table,))))

    def _use_wal(self, work: Work) -> None:
        use_wal(work, self._settings.timeout)

    def _create(self, work: Work) -> None:
        if self._is_ours(work):  # another process came first, while this one waited for its turn
            return
        for call in self.statements.create():
            work.run(call)
        self._record_version(work)
        if not self._is_hosted:
            work.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _is_there(self) -> bool:
        # SQLite would make a file that is not there; pathlib takes long to load.
        path = self._settings.path
        has_file = not self._is_hosted and not self._settings.in_memory
        if has_file and not os.path.exists(path):
            return False
        if has_file:
            self._check_place()
        return self._steps.read("open", self._is_ours)
