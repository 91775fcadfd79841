"""All checks of a store in SQL, in the order in which one needs the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from experiment_store.backend import Backend
from experiment_store.capabilities import SchemaStatus
from experiment_store.errors import BackendError, quote
from experiment_store.findings import Finding, guarded, ok, problem, unseen
from experiment_store.schema import SETTING
from experiment_store_sql.backend import SqlBackend
from experiment_store_sql.examining.contents import (
    KEYS,
    LABELS,
    ORPHANS,
    ROWS,
    check_labels,
    check_rows,
)
from experiment_store_sql.examining.speed import SPEED, check_speed
from experiment_store_sql.examining.structure import (
    INDEXES,
    TABLES,
    check_indexes,
    check_tables,
)
from experiment_store_sql.examining.subject import Subject
from experiment_store_sql.tables import SCHEMA_VERSION, SCHEMA_VERSION_ID

VERSION = "version"


class Reader(SqlBackend):
    """A backend on steps that only read."""

    def setup(self) -> None:
        """Do nothing: it is for a store as it is."""

    def _is_there(self) -> bool:
        return True


def examination(
    subject: Subject, meaning: Callable[[Backend], Iterable[Finding]]
) -> Iterator[Finding]:
    """Make the checks that all databases have in common; the tables are there."""
    version = list(guarded(VERSION, partial(check_version, subject)))
    yield from version
    if not _all_ok(version):
        yield from map(unseen, (TABLES, INDEXES, ROWS, LABELS, KEYS, SPEED))
        return
    tables = list(guarded(TABLES, partial(check_tables, subject)))
    yield from tables
    if not _all_ok(tables):
        yield from map(unseen, (INDEXES, ROWS, LABELS, KEYS, SPEED))
        return
    yield from guarded(INDEXES, partial(check_indexes, subject))
    yield from guarded(SPEED, partial(check_speed, subject))
    rows = list(guarded(ROWS, partial(check_rows, subject)))
    yield from rows
    made = {finding.check for finding in rows}
    yield from (unseen(check) for check in (LABELS, KEYS) if check not in made)
    yield from guarded(ORPHANS, partial(check_labels, subject))
    if _all_ok(finding for finding in rows if finding.check == ROWS):
        yield from meaning(subject.reader)


def check_version(subject: Subject) -> Iterator[Finding]:
    """Compare the version of the tables with that of this release."""
    found = subject.reader.get(SETTING, SCHEMA_VERSION_ID)
    version = found.value if found else ""
    if version == SCHEMA_VERSION:
        yield ok(VERSION, f"the store has schema {version}, as this release")
    elif SchemaStatus(version, SCHEMA_VERSION).is_behind:
        what = f"the store has schema {version}, and this release needs {SCHEMA_VERSION}"
        yield problem(VERSION, what, "run: python -m experiment_store.migrate apply URL")
    elif version.isdecimal():
        what = f"the store has schema {version}, and this release knows up to {SCHEMA_VERSION}"
        yield problem(VERSION, what, "install a newer experiment-store")
    else:
        yield problem(VERSION, f"the store has {quote(version)} for its schema", "restore a backup")


def place_problem(check: str, error: BackendError) -> Finding:
    """Return that the store cannot be reached, for a reason that the error's words tell."""
    return problem(check, str(error), "do this first: nothing else can be looked at before")


def _all_ok(findings: Iterable[Finding]) -> bool:
    return all(finding.is_ok for finding in findings)
