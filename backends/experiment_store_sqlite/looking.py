"""Looks at a file before SQLite may touch it.

To open a database is to change it, where its last user died: SQLite undoes what
is half done, or moves the log into the file. Of another program's database that is
none of our business, so the first look is at the file as it lies there. Nor may
`open` be used: to close a file drops all locks that this process has on it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from experiment_store.errors import BackendError
from experiment_store_sql import Work
from experiment_store_sqlite.failures import failure
from experiment_store_sqlite.places import log_of, real, size_of

APPLICATION_ID = 0x45585053  # "EXPS", in the file's header: `file` and others can tell

_SMALLEST = 512  # bytes of a page, of which a database has at least one


def as_uri(path: str, parameters: str) -> str:
    """Return the URI by which SQLite opens *path* with *parameters*."""
    absolute = os.path.abspath(path).replace(os.sep, "/").lstrip("/")
    for special in "%?#":  # the percent sign first, as it begins what replaces the others
        absolute = absolute.replace(special, f"%{ord(special):02x}")
    return f"file:///{absolute}?{parameters}"


def refuse_others(path: str) -> None:
    """Refuse a file that is neither a store nor empty, without changing anything.

    Raises:
        BackendError: It is neither.
    """
    file = real(path)
    # The log is looked at first: a store has one only after its file is known as ours.
    is_logged = size_of(log_of(file)) > 0
    size = size_of(file)
    if size == 0 and is_logged:
        lost = f"{log_of(file)!r} is the log of a database that is not there"
        raise BackendError("open", f"failed: {lost}: put the database back, or delete the log")
    if 0 < size < _SMALLEST:  # of which SQLite would read the rest as zeros
        raise BackendError("open", f"failed: {path!r} is not a database: name another file")
    if size and not _may_be_ours(path, is_logged=is_logged):
        raise another_program(path)


def _may_be_ours(path: str, *, is_logged: bool) -> bool:
    try:
        with closing(sqlite3.connect(as_uri(path, "immutable=1"), uri=True)) as connection:
            connection.execute("PRAGMA writable_schema = ON")  # to see a file that was cut, too
            [application] = connection.execute("PRAGMA application_id").fetchone()
            if application:
                return bool(application == APPLICATION_ID)
            [tables] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return not (tables or is_logged)
    except sqlite3.Error as error:
        raise failure("open", error, path) from error


def another_program(path: str) -> BackendError:
    """Return the error about a file that somebody else uses."""
    return BackendError(
        "open", f"failed: {path!r} is a database of another program: name another file"
    )


def check_owner(work: Work, path: str) -> bool:
    """Tell whether the file is a store; if not, it is empty. Asked in a transaction.

    Raises:
        BackendError: It belongs to another program, has another encoding, or is cut short.
    """
    application = work.execute("PRAGMA application_id")[0][0]
    tables = work.execute("SELECT count(*) FROM sqlite_master")[0][0]
    if application != APPLICATION_ID and (application or tables):
        raise another_program(path)
    encoding = work.execute("PRAGMA encoding")[0][0]
    if encoding != "UTF-8":
        # In UTF-16, SQLite would compare text by code unit and not by code point.
        raise BackendError("open", f"failed: {path!r} is encoded in {encoding}, not in UTF-8")
    return bool(application == APPLICATION_ID)


def check_whole(work: Work, path: str) -> None:
    """Refuse a file that lacks a part of its last page, which SQLite would read as zeros.

    Asked in a transaction that has read, and only where nothing is in the log:
    then the file has all its pages.

    Raises:
        BackendError: It does.
    """
    file = real(path)
    [[pages]], [[page]] = work.execute("PRAGMA page_count"), work.execute("PRAGMA page_size")
    if not size_of(log_of(file)) and size_of(file) < pages * page:
        raise BackendError("open", f"failed: {path!r} is cut short: restore a backup")
