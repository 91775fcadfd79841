"""SQLite's error codes, and those of the system, in words that say what to do.

What a repetition can cure is an `UnavailableError`, a full disk too: the step has
been undone, and succeeds when there is room.
"""

from __future__ import annotations

import errno
import sqlite3

from experiment_store.errors import BackendError, UnavailableError
from experiment_store_sqlite.places import obstacle

_PRIMARY = 0xFF  # the rest of a code refines it
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_NO_ACCESS = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}

# A quota or a limit on file sizes: SQLite knows a full disk as such, but not these.
_UNWRITTEN = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
_UNSHARED = {
    sqlite3.SQLITE_IOERR_LOCK, sqlite3.SQLITE_IOERR_RDLOCK, sqlite3.SQLITE_IOERR_UNLOCK,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK, sqlite3.SQLITE_IOERR_SHMLOCK,
    sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_SHMOPEN,
}  # fmt: skip

_FULL = "failed: the disk of {!r} is full: make room, and try again"
_QUOTA = (
    "failed: {!r} could not be written: look for a full disk, a quota or a limit on the size of"
    " files, make room, and try again"
)
_MOVED = "failed: {!r} was moved or deleted while it was open: close the store, and open it again"


def failure(operation: str, error: Exception, path: str) -> BackendError:
    """Return our error for one of SQLite's about the file at *path*."""
    code = getattr(error, "sqlite_errorcode", 0)
    primary = code & _PRIMARY
    if primary in _BUSY:
        return UnavailableError(operation, f"waited too long for others at {path!r}")
    if primary == sqlite3.SQLITE_FULL:
        return UnavailableError(operation, _FULL.format(path))
    if code in _UNWRITTEN:
        return UnavailableError(operation, _QUOTA.format(path))
    return BackendError(operation, _words(code, error, path))


def _words(code: int, error: Exception, path: str) -> str:
    primary = code & _PRIMARY
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return _MOVED.format(path)
    if primary in _NO_ACCESS:
        return f"failed: {obstacle(path) or f'{path!r} cannot be used ({error})'}"
    if primary == sqlite3.SQLITE_NOTADB:
        return f"failed: {path!r} is not a database: name another file"
    if primary == sqlite3.SQLITE_CORRUPT:
        return f"failed: {path!r} is damaged or cut short: restore a backup ({error})"
    if code in _UNSHARED:
        return f"failed: no locks or no shared memory for {path!r} ({error}): use a local disk"
    if primary == sqlite3.SQLITE_IOERR:
        return f"failed: the disk of {path!r} has errors: see the system's log ({error}, {code})"
    return f"failed on {path!r}: {error}"


def is_about_writing(error: sqlite3.Error) -> bool:
    """Tell whether SQLite failed to write, not to read."""
    code = getattr(error, "sqlite_errorcode", 0)
    return (
        code & _PRIMARY in _NO_ACCESS
        or code & _PRIMARY == sqlite3.SQLITE_FULL
        or code in _UNWRITTEN
        or code in (sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_FSYNC)
    )


def system_failure(operation: str, error: OSError, path: str) -> BackendError:
    """Return our error for one of the system's about the file at *path*."""
    if error.errno == errno.ENOSPC:
        return UnavailableError(operation, _FULL.format(path))
    if error.errno in (errno.EDQUOT, errno.EFBIG):
        return UnavailableError(operation, _QUOTA.format(path))
    why = obstacle(path) or f"{path!r} cannot be written ({error.strerror}): name another file"
    return BackendError(operation, f"failed: {why}")
