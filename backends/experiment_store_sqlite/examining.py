"""The checks of a SQLite database, beside those that all databases have.

A file is opened for reading only. Where nobody has it open it is read as immutable:
else SQLite would make two files beside it. Should somebody come meanwhile, all is
done again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from time import perf_counter

from attrs import evolve

from experiment_store.backend import Backend
from experiment_store.errors import BackendError
from experiment_store.findings import Finding, guarded, ok, problem, warning
from experiment_store_sql import Dialect, Pool, PooledSteps, SqlBackend, Steps, Work
from experiment_store_sql.examining import Reader, Subject, examination, place_problem
from experiment_store_sqlite.catalogue import SqliteCatalogue
from experiment_store_sqlite.connections import Settings, open_connection
from experiment_store_sqlite.dialect import SqliteDialect
from experiment_store_sqlite.hosted import HOST
from experiment_store_sqlite.looking import check_owner
from experiment_store_sqlite.places import log_of, real, size_of

PLACE, INTEGRITY, JOURNAL, WAL, SPACE = "place", "integrity", "journal", "wal", "space"
LARGEST_LOG = 64 * 2**20
"""Bytes: four times as much as there is at a checkpoint."""

QUICK_FROM = 2**30
"""Bytes: to compare the indexes of a larger file with its tables takes minutes."""

NEARLY_FULL = 0.9
"""The share of the largest size there may be, from which on a file is too large."""

_FAULTS = 10
_MIB = 2**20
_ATTEMPTS = 2
_READ_ONLY, _AT_REST = "mode=ro", "mode=ro&immutable=1"
_FREE, _FREE_PAGES = 0.5, 4096
_RESTORE = (
    "close the store everywhere and restore a backup; what can still be read can be saved by"
    " experiment_store.copy to a new store"
)
_ABSENT = "name the file of a store, or make one, as experiment_store.connect does"
Meaning = Callable[[Backend], Iterable[Finding]]


def examine_file(
    settings: Settings, check_place: Callable[[], None], meaning: Meaning
) -> Iterator[Finding]:
    """Examine a file of our own."""
    file = real(settings.path)
    if not size_of(file) and not size_of(log_of(file)):
        yield problem(PLACE, f"there is no store at {settings.path!r}", _ABSENT)
        return
    try:
        check_place()
    except BackendError as error:
        yield place_problem(PLACE, error)
        return
    yield ok(PLACE, f"{settings.path!r} is on a local file system and may be written")
    yield from _at_rest(settings, meaning) or _read(
        evolve(settings, parameters=_READ_ONLY), meaning
    )


def examine_database(
    backend: SqlBackend,
    steps: Steps,
    dialect: Dialect,
    is_there: Callable[[], bool],
    meaning: Meaning,
) -> Iterator[Finding]:
    """Examine a store in a host's database, or in memory."""
    if not is_there():
        yield problem(PLACE, "there is no store in this database", _ABSENT)
        return
    yield ok(PLACE, "the store is in memory or in a database of the host")
    subject = Subject(backend, steps, dialect, SqliteCatalogue(dialect.prefix))
    yield from guarded(INTEGRITY, partial(check_integrity, steps, quick=False))
    yield from examination(subject, meaning)


def _at_rest(settings: Settings, meaning: Meaning) -> list[Finding]:
    """Examine a file that nobody has open; somebody who comes every time gets no findings."""
    file = real(settings.path)
    for _ in range(_ATTEMPTS):
        before = _signs(file)
        if any(_beside(file)):
            break
        findings = list(_read(evolve(settings, parameters=_AT_REST), meaning))
        if _signs(file) == before:
            return findings
    return []


def _read(settings: Settings, meaning: Meaning) -> Iterator[Finding]:
    file = real(settings.path)
    dialect = SqliteDialect(settings.path, in_memory=False, timeout=settings.timeout)
    steps = PooledSteps(Pool(partial(open_connection, settings), idle=1), dialect)
    try:
        subject = Subject(Reader(steps, dialect, HOST), steps, dialect, SqliteCatalogue(""))
        try:
            is_ours = steps.read("examine", lambda work: check_owner(work, settings.path))
        except BackendError as error:
            yield place_problem(INTEGRITY, error)
            return
        if not is_ours:
            yield problem(PLACE, f"there is no store at {settings.path!r}", _ABSENT)
            return
        quick = size_of(file) > QUICK_FROM
        yield from guarded(INTEGRITY, partial(check_integrity, steps, quick=quick))
        at_rest = settings.parameters == _AT_REST
        yield from guarded(JOURNAL, partial(check_journal, steps, at_rest=at_rest))
        yield check_log(file)
        yield from guarded(SPACE, partial(check_space, steps))
        yield from examination(subject, meaning)
    finally:
        steps.close()


def check_integrity(steps: Steps, *, quick: bool) -> Iterator[Finding]:
    """Have SQLite look at all its pages; a large file without comparing indexes with tables."""
    pragma = "quick_check" if quick else "integrity_check"
    start = perf_counter()
    rows = steps.read("examine", lambda work: work.execute(f"PRAGMA {pragma}({_FAULTS})"))
    took = f"{perf_counter() - start:.1f} seconds"
    faults = [str(row[0]) for row in rows if row[0] != "ok"]
    for fault in faults:
        yield problem(INTEGRITY, f"{pragma}: {fault.strip()}", _RESTORE)
    if not faults:
        yield ok(INTEGRITY, f"{pragma} found nothing in {took}")


def check_journal(steps: Steps, *, at_rest: bool) -> Iterator[Finding]:
    """Look whether readers and writers are kept apart; who opens the file sees to it."""
    if at_rest:
        yield ok(JOURNAL, "nobody has the file open; who opens it uses a write-ahead log")
        return
    [[mode]] = steps.read("examine", lambda work: work.execute("PRAGMA journal_mode"))
    if mode == "wal":
        yield ok(JOURNAL, "the file is in use, with a write-ahead log")
    else:
        advice = "open the store once while nobody else has it open, which switches it back"
        yield warning(JOURNAL, f"the journal mode is {mode}, not wal", advice)


def check_log(file: str) -> Finding:
    """Look whether the log grows without end, which makes every read slower."""
    log, data = size_of(log_of(file)), size_of(file)
    figures = f"the log has {log / _MIB:.1f} MiB, the file {data / _MIB:.1f} MiB"
    if log <= LARGEST_LOG:
        return ok(WAL, figures)
    return warning(
        WAL,
        figures,
        "end what has been reading for long, since it keeps the log from being moved into the"
        " file; then write once, and close the store everywhere, which empties it",
    )


def check_space(steps: Steps) -> Iterator[Finding]:
    """Look how much of the file is free, and how near it is to the largest that SQLite can."""

    def step(work: Work) -> list[int]:
        names = ("page_count", "freelist_count", "max_page_count")
        return [int(work.execute(f"PRAGMA {name}")[0][0]) for name in names]

    pages, free, most = steps.read("examine", step)
    if pages > most * NEARLY_FULL:
        what = f"the file has {pages} pages, and may have {most}"
        yield problem(SPACE, what, "delete what is not needed, or copy the store to PostgreSQL")
    elif free > _FREE_PAGES and free > pages * _FREE:
        what = f"{free} of {pages} pages are free"
        yield warning(SPACE, what, "to make the file smaller, run VACUUM while nobody uses it")
    else:
        yield ok(SPACE, f"{free} of {pages} pages are free")


def _signs(file: str) -> object:
    """Return what changes when somebody opens or writes the file."""
    try:
        found = os.stat(file)
    except FileNotFoundError:
        return None
    return _beside(file), found.st_ino, found.st_size, found.st_mtime_ns


def _beside(file: str) -> list[bool]:
    """Tell which of the files are there that SQLite keeps beside one in use."""
    return [os.path.lexists(f"{file}{end}") for end in ("-wal", "-shm", "-journal")]
