"""Records whose parent is not there, found without reading the others.

All parents are walked through; of the children, those are counted whose parent's id
lies between those of a page and is none of them. An index decides that, so the
points of histories are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from experiment_store.backend import Backend
from experiment_store.filters.predicates import Compare, OneOf, Op, Predicate, all_of
from experiment_store.findings import Finding, Found, ok, problem
from experiment_store.moving.walking import count, walk
from experiment_store.plan import Plan
from experiment_store.schema import EXPERIMENT, Kind

ORPHANS = "orphans"


def check_orphans(backend: Backend, kind: Kind[Any]) -> Iterator[Finding]:
    """Count the records whose parent is not there.

    To delete an experiment keeps its runs and jobs, unless the caller says otherwise;
    what is owned goes with its owner.
    """
    orphans, parent = Found(), parent_of(kind).name
    for where in _gaps(backend, kind):
        if count(backend, kind, where):
            for id in _orphans(backend, kind, where):
                orphans.add(id)
    total = count(backend, kind)
    if not orphans:
        yield ok(ORPHANS, f"{total} {kind.name}s, all below {parent}s that are there")
    elif not kind.owned:
        found = f"of {total} {kind.name}s, {orphans} outlive their {parent}"
        yield ok(ORPHANS, f"{found}, as a delete that keeps children leaves them")
    else:
        found = f"of {total} {kind.name}s, {orphans} have no {parent}"
        yield problem(ORPHANS, found, f"delete these {kind.name}s: nothing finds them any more")


def parent_of(kind: Kind[Any]) -> Kind[Any]:
    """Return the kind of the parents; that of what has none is of no matter."""
    return kind.parent or EXPERIMENT


def parents(backend: Backend, kind: Kind[Any], page: Iterable[Any]) -> Sequence[Any]:
    """Read the parents of a page of records, which is not empty, as far as they are there."""
    ids = frozenset(getattr(record, kind.parent_field) for record in page)
    return backend.select(Plan(parent_of(kind), OneOf("id", ids), limit=len(ids))).items


def _gaps(backend: Backend, kind: Kind[Any]) -> Iterator[Predicate]:
    """Yield conditions: a record without a parent meets one of them."""
    beyond: tuple[Predicate, ...] = ()
    for page in walk(backend, parent_of(kind)):
        ids, last = frozenset(parent.id for parent in page), page[-1].id
        upto = Compare(kind.parent_field, Op.LE, last)
        yield all_of((*beyond, upto, OneOf(kind.parent_field, ids, expected=False)))
        beyond = (Compare(kind.parent_field, Op.GT, last),)
    yield all_of(beyond)


def _orphans(backend: Backend, kind: Kind[Any], where: Predicate) -> Iterator[str]:
    """Look again: a parent may have come since, or gone with its children."""
    for page in walk(backend, kind, where):
        there = {parent.id for parent in parents(backend, kind, page)}
        for record in page:
            if getattr(record, kind.parent_field) not in there and backend.get(kind, record.id):
                yield record.id
