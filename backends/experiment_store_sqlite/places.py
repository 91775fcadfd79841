"""Where a file of a store may be: what stands in its way, in words that say what to do.

SQLite says no more than that it is unable to open a file, or that a database is
read-only. The folder matters as much as the file: the log and the shared memory
are beside it while it is in use.
"""

from __future__ import annotations

import os
import stat

_BESIDE = ("-wal", "-shm", "-journal")
_EFFECTIVE = os.access in os.supports_effective_ids


def real(path: str) -> str:
    """Return where *path* leads to: SQLite keeps its other files there."""
    return os.path.realpath(path)


def log_of(file: str) -> str:
    """Return where SQLite keeps what is not yet in *file*."""
    return f"{file}-wal"


def size_of(file: str) -> int:
    """Return the length of a file in bytes, 0 if there is none."""
    try:
        return os.stat(file).st_size
    except OSError:
        return 0


def obstacle(path: str) -> str | None:
    """Tell why no store can be kept at *path*, and what to do about it; ``None`` if one can."""
    file = real(path)
    try:
        return _no_folder(file) or _unusable_files(file) or _closed_folder(os.path.dirname(file))
    except OSError as error:  # the name is too long, or a link leads to itself
        return f"{path!r} is no name for a file ({error.strerror}): name another"


def _no_folder(file: str) -> str | None:
    folder = os.path.dirname(file)
    try:
        os.stat(file)
    except FileNotFoundError:
        if not os.path.isdir(folder):
            return f"the folder {folder!r} does not exist: make it, or name another"
    except NotADirectoryError:
        return f"{folder!r} is no folder: name another"
    except PermissionError:
        return f"the folder {folder!r} is closed to this user: change its permissions"
    return None


def _unusable_files(file: str) -> str | None:
    found = (_unusable(f"{file}{end}") for end in ("", *_BESIDE))
    return next(filter(None, found), None)


def _unusable(file: str) -> str | None:
    """Tell what is wrong with a file, if it is there."""
    try:
        mode = os.stat(file).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        return f"{file!r} is a folder: name a file in it"
    if not stat.S_ISREG(mode):
        return f"{file!r} is no regular file: name another"
    if not _may(file, os.R_OK):
        return f"{file!r} cannot be read by this user: change its permissions"
    if not _may(file, os.W_OK):
        copy = "or open a copy of it where you may write"
        return f"{file!r} is read-only to this user: change its permissions, {copy}"
    return None


def _closed_folder(folder: str) -> str | None:
    if _may(folder, os.W_OK | os.X_OK):
        return None
    why = "and SQLite keeps more files beside a store"
    return f"the folder {folder!r} is read-only to this user, {why}: change its permissions"


def _may(path: str, how: int) -> bool:
    """Ask for the user that opens files, who is another one where a program has changed it.

    A log may go while it is asked about: another process has closed the store.
    """
    return os.access(path, how, effective_ids=_EFFECTIVE) or not os.path.lexists(path)
