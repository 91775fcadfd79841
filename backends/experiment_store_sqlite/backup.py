"""Writes a copy of a database that is in use: SQLite's own, inside of one snapshot.

Every other write makes SQLite begin again, unless the copy is made inside of a
transaction, where nothing changes: so it always ends, and nobody waits for it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from experiment_store.errors import AlreadyExistsError
from experiment_store_sqlite.failures import failure, is_about_writing, system_failure
from experiment_store_sqlite.looking import as_uri

_PAGES = 4_096  # of 4 KiB, a step: between two steps, Ctrl-C is heard
_PRIVATE = 0o777


def copy_database(
    source: sqlite3.Connection,
    path: str,
    *,
    mode: int,
    pages: int = _PAGES,
    progress: Callable[[int, int, int], object] = lambda *_: None,
) -> None:
    """Write what *source* sees in its transaction to a new file at *path*, whole or not at all.

    Raises:
        AlreadyExistsError: There is a file.
        UnavailableError: The disk is full.
        BackendError: The file cannot be written.
    """
    try:
        with _new_file(path, mode) as draft, closing(_target(draft)) as target:
            source.backup(target, pages=pages, progress=progress)
    except OSError as error:
        raise system_failure("backup", error, path) from error
    except sqlite3.Error as error:
        if is_about_writing(error):
            raise failure("backup", error, path) from error
        raise


def _target(draft: str) -> sqlite3.Connection:
    """Open a file that is nobody else's: without locks, so that it may be anywhere."""
    target = sqlite3.connect(as_uri(draft, "nolock=1"), uri=True, isolation_level=None)
    target.execute("PRAGMA journal_mode = OFF")
    target.execute("PRAGMA synchronous = OFF")  # once, at the end, by the one who made the file
    return target


@contextmanager
def _new_file(path: str, mode: int) -> Iterator[str]:
    """Lend the name of a draft beside *path*, which gets its name when it is whole and safe."""
    if os.path.lexists(path):
        raise _exists(path)
    folder = os.path.dirname(os.path.abspath(path))
    draft = os.path.join(folder, f".{os.urandom(8).hex()}.partial")
    try:
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode & _PRIVATE)
        try:
            yield draft
            os.fsync(handle)
        finally:
            os.close(handle)
        _give_name(draft, path)
    finally:
        with suppress(FileNotFoundError):
            os.remove(draft)
    _sync_folder(folder)


def _give_name(draft: str, path: str) -> None:
    """Name a file, unless another has the name: a second name never replaces, as renaming does."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise _exists(path) from None
    except OSError:  # the file system knows no second names: hold the name, then replace
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            raise _exists(path) from None
        os.replace(draft, path)


def _sync_folder(folder: str) -> None:
    """Make a new name survive a loss of power, where folders can be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _exists(path: str) -> AlreadyExistsError:
    return AlreadyExistsError("file", {"path": path})
