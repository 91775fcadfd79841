"""The checks of what the records mean, the same for every backend.

They read page by page what others may change meanwhile. So what looks wrong is read
again, one record at a time, before it is called so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from attrs import define, field

from experiment_store.backend import Backend
from experiment_store.errors import quote
from experiment_store.filters.evaluate import matches
from experiment_store.filters.predicates import OneOf, Predicate
from experiment_store.findings import Finding, Verdict, guarded, ok, problem
from experiment_store.lifecycle import ARCHIVED, AVAILABLE, ENABLED
from experiment_store.moving.walking import walk
from experiment_store.plan import Plan
from experiment_store.schema import EXPERIMENT, JOB, KINDS, RUN, Kind

ORPHANS, LIFECYCLE = "orphans", "lifecycle"
CHECKS = (ORPHANS, LIFECYCLE)

ACTIVE: tuple[tuple[Kind[Any], Predicate, str], ...] = (
    (RUN, AVAILABLE, "archive them"),
    (JOB, ENABLED, "disable them"),
)
"""What no archived experiment has below it, and what to do about those that are."""

_NAMED = 5  # ids in a sentence


@define
class Found:
    """Records that were found by a check: how many, and the first ids."""

    count: int = 0
    ids: list[str] = field(factory=list)

    def add(self, id: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.ids) < _NAMED:
            self.ids.append(id)

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.ids) else ""
        return f"{self.count} ({', '.join(map(quote, self.ids))}{more})"


def check_meaning(backend: Backend) -> Iterator[Finding]:
    """Make all checks on the records that *backend* keeps."""
    children = [kind for kind in KINDS if kind.parent is not None]
    for kind in children:
        yield from guarded(ORPHANS, partial(check_orphans, backend, kind))
    for kind, active, advice in ACTIVE:
        yield from guarded(LIFECYCLE, partial(check_lifecycle, backend, kind, active, advice))


def check_orphans(backend: Backend, kind: Kind[Any]) -> Iterator[Finding]:
    """Count the records whose parent is not there.

    To delete an experiment keeps its runs and jobs, unless the caller says otherwise;
    what is owned goes with its owner.
    """
    total, orphans, parent_kind = 0, Found(), kind.parent or EXPERIMENT
    for page in walk(backend, kind):
        total += len(page)
        there = {parent.id for parent in _parents(backend, kind, page)}
        for record in page:
            # Its parent may have gone with it since.
            if getattr(record, kind.parent_field) not in there and backend.get(kind, record.id):
                orphans.add(record.id)
    if not orphans.count:
        yield ok(ORPHANS, f"{total} {kind.name}s, all below {parent_kind.name}s that are there")
    elif not kind.owned:
        found = f"of {total} {kind.name}s, {orphans} outlive their {parent_kind.name}"
        yield ok(ORPHANS, f"{found}, as a delete that keeps children leaves them")
    else:
        found = f"of {total} {kind.name}s, {orphans} have no {parent_kind.name}"
        yield problem(ORPHANS, found, f"delete these {kind.name}s: nothing finds them any more")


def check_lifecycle(
    backend: Backend, kind: Kind[Any], active: Predicate, advice: str
) -> Iterator[Finding]:
    """Look for records that are *active* below an archived experiment, which none may be."""
    faults = Found()
    for page in walk(backend, kind):
        live = [record for record in page if matches(active, record)]
        archived = {
            parent.id: parent
            for parent in _parents(backend, kind, live)
            if matches(ARCHIVED, parent)
        }
        for record in live:
            parent = archived.get(getattr(record, kind.parent_field))
            if parent is not None and _is_still(backend, kind, record.id, active, parent):
                faults.add(record.id)
    if not faults.count:
        yield ok(LIFECYCLE, f"no archived experiment has {_word(kind)}")
        return
    cause = "if a copy to this store was interrupted, repeat it; otherwise"
    yield Finding(
        LIFECYCLE,
        Verdict.PROBLEM,
        f"{_word(kind)} below archived experiments: {faults}",
        f"{cause} {advice}, or unarchive their experiments",
    )


def _is_still(backend: Backend, kind: Kind[Any], id: str, active: Predicate, parent: Any) -> bool:
    """Tell whether a record is active while its *parent* has not changed in between.

    The parent was read before the record is, and is read again after it.
    """
    record = backend.get(kind, id)
    if record is None or not matches(active, record):
        return False
    return bool(backend.get(EXPERIMENT, parent.id) == parent)


def _parents(backend: Backend, kind: Kind[Any], page: Iterable[Any]) -> Sequence[Any]:
    ids = frozenset(getattr(record, kind.parent_field) for record in page)
    if not ids:
        return ()
    return backend.select(Plan(kind.parent or EXPERIMENT, OneOf("id", ids), limit=len(ids))).items


def _word(kind: Kind[Any]) -> str:
    return "available runs" if kind is RUN else "enabled jobs"
