"""Connections to a SQLite file: opened, and set up."""

from __future__ import annotations

import sqlite3
import time
from random import uniform

from attrs import frozen

from experiment_store.errors import BackendError, UnavailableError
from experiment_store_sql import Work
from experiment_store_sqlite.looking import as_uri

_OLDEST = (3, 37, 0)  # STRICT tables
_CACHED_STATEMENTS = 512

# A write touches a page of every index. With SQLite's own 2 MB, 100,000 records are
# loaded a fifth slower; with its own 1,000 pages, create waits a tenth longer.
_CACHE_KIB = 16 * 1024
_CHECKPOINT_PAGES = 4_000


@frozen
class Settings:
    """What a URL says: the file, what a commit waits for, and seconds to wait for others.

    With *anywhere*, the file may be where other machines can reach it. *parameters* are
    those of SQLite's URI, such as ``mode=ro``.
    """

    path: str
    synchronous: str
    timeout: float
    anywhere: bool = False
    parameters: str = ""

    @property
    def in_memory(self) -> bool:
        """Whether there is no file."""
        return self.path == ":memory:"


def check_library() -> None:
    """Refuse a SQLite that is too old.

    Raises:
        BackendError: It is.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise BackendError("open", f"needs SQLite {oldest}, not {sqlite3.sqlite_version}")


def open_connection(settings: Settings) -> sqlite3.Connection:
    """Open a connection in autocommit mode, which any thread may use.

    Raises:
        sqlite3.Error: The file cannot be opened.
    """
    connection = sqlite3.connect(
        as_uri(settings.path, settings.parameters) if settings.parameters else settings.path,
        uri=bool(settings.parameters),
        timeout=settings.timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_CACHED_STATEMENTS,
    )
    try:
        connection.execute(f"PRAGMA synchronous = {settings.synchronous}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    except sqlite3.Error:  # a damaged file: its log must not stay open as long as the error is kept
        connection.close()
        raise
    return connection


def use_wal(work: Work, timeout: float) -> None:
    """Switch the file to write-ahead logging: readers and the writer do not wait for each other.

    SQLite does not wait for others here, as it does everywhere else, hence the loop.

    Raises:
        UnavailableError: Others kept the file busy for *timeout* seconds.
        BackendError: The file system has no shared memory.
    """
    deadline = time.monotonic() + timeout
    mode = None
    while mode is None:
        try:
            [[mode]] = work.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() > deadline:
                raise UnavailableError("open", "waited too long for another process") from error
            time.sleep(uniform(0.001, 0.01))  # noqa: S311 (no secret: others should not wait in step)
    if mode != "wal":
        raise BackendError("open", "failed: no shared memory for the file's log: use a local disk")
