"""The checks of what the records mean, the same for every backend.

They read page by page what others may change meanwhile. So what looks wrong is read
again, one record at a time, before it is called so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from experiment_store.backend import Backend
from experiment_store.examining.orphans import ORPHANS, check_orphans, parents
from experiment_store.filters.evaluate import matches
from experiment_store.filters.predicates import Predicate, all_of
from experiment_store.findings import NAMED, Finding, Found, guarded, ok, problem, warning
from experiment_store.lifecycle import ARCHIVED, AVAILABLE, ENABLED
from experiment_store.moving.walking import walk
from experiment_store.ordering import SortKey
from experiment_store.plan import Plan
from experiment_store.recording import lost_runs
from experiment_store.runs import LOST_AFTER
from experiment_store.schema import EXPERIMENT, JOB, KINDS, RUN, Kind

LIFECYCLE, LOST = "lifecycle", "lost"
CHECKS = (ORPHANS, LIFECYCLE, LOST)

ACTIVE: tuple[tuple[Kind[Any], Predicate, str], ...] = (
    (RUN, AVAILABLE, "archive these runs"),
    (JOB, ENABLED, "disable these jobs"),
)
"""What no archived experiment has below it, and what to do about those that are."""


def check_meaning(backend: Backend, now: datetime) -> Iterator[Finding]:
    """Make all checks on the records that *backend* keeps."""
    children = [kind for kind in KINDS if kind.parent is not None]
    for kind in children:
        yield from guarded(ORPHANS, partial(check_orphans, backend, kind))
    for kind, active, advice in ACTIVE:
        yield from guarded(LIFECYCLE, partial(check_lifecycle, backend, kind, active, advice))
    yield from guarded(LOST, partial(check_lost, backend, now))


def check_lifecycle(
    backend: Backend, kind: Kind[Any], active: Predicate, advice: str
) -> Iterator[Finding]:
    """Look for records that are *active* below an archived experiment, which none may be."""
    faults = Found()
    for page in walk(backend, kind, active):
        archived = {
            parent.id: parent
            for parent in parents(backend, kind, page)
            if matches(ARCHIVED, parent)
        }
        for record in page:
            parent = archived.get(getattr(record, kind.parent_field))
            if parent is not None and _is_still(backend, kind, record.id, active, parent):
                faults.add(record.id)
    if not faults:
        yield ok(LIFECYCLE, f"no archived experiment has {_word(kind)}")
        return
    cause = "if a copy to this store was interrupted, repeat it; otherwise"
    yield problem(
        LIFECYCLE,
        f"{_word(kind)} below archived experiments: {faults}",
        f"{cause} {advice}, or unarchive their experiments",
    )


def check_lost(backend: Backend, now: datetime) -> Iterator[Finding]:
    """Look for runs that are said to be running, and that nobody executes any more."""
    minutes = f"{LOST_AFTER.total_seconds() / 60:g} minutes"
    where = all_of(lost_runs(now - LOST_AFTER))
    rows = backend.select(Plan(RUN, where, (SortKey("id"),), limit=NAMED, total=True))
    if rows.items:
        lost = Found(rows.total or 0, [run.id for run in rows.items])
        what = f"runs that are RUNNING without a sign of life for {minutes}: {lost}"
        yield warning(LOST, what, "run: experiment-store runs reap, which marks them FAILED")
    else:
        yield ok(LOST, f"no run is RUNNING without a sign of life for {minutes}")


def _is_still(backend: Backend, kind: Kind[Any], id: str, active: Predicate, parent: Any) -> bool:
    """Tell whether a record is active while its *parent* has not changed in between.

    The parent was read before the record is, and is read again after it.
    """
    record = backend.get(kind, id)
    if record is None or not matches(active, record):
        return False
    return bool(backend.get(EXPERIMENT, parent.id) == parent)


def _word(kind: Kind[Any]) -> str:
    return "available runs" if kind is RUN else "enabled jobs"
