"""Writes whose answer was lost: look whether they have happened, and repeat what is safe to repeat.

Every write leaves a mark that no other one leaves: new records have their ids and
instants, and a changed one its new etag. A repeated insert cannot add anything twice; a repeated
update is safe where it depends on the etag of the state that the caller has seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from experiment_store.backend import Backend, Change, Parent, Refusal
from experiment_store.errors import OutcomeUnknownError
from experiment_store.filters.predicates import OneOf
from experiment_store.plan import Plan
from experiment_store.schema import Kind, R


def insert(
    backend: Backend, kind: Kind[R], records: Sequence[R], parent: Parent | None
) -> Refusal | None:
    """Insert *records*, once more if the answer is lost.

    Should others have changed the records since, they are nevertheless told of as new;
    should others have removed them, they come back.

    Raises:
        OutcomeUnknownError: It was lost twice.
    """
    try:
        return backend.insert(kind, records, parent)
    except OutcomeUnknownError:
        refusal = backend.insert(kind, records, parent)
        return None if refusal and are_there(backend, kind, records) else refusal


def update(
    backend: Backend, kind: Kind[R], id: str, change: Change, *, guarded: bool
) -> R | Refusal:
    """Update a record; if the answer is lost, look for the new etag.

    A *guarded* change, which depends on the etag before it, is then applied once more.

    Raises:
        OutcomeUnknownError: The record has another etag.
    """
    try:
        return backend.update(kind, id, change)
    except OutcomeUnknownError:
        if (changed := _changed(backend, kind, id, change)) is not None:
            return changed
        if not guarded:
            raise
        outcome = backend.update(kind, id, change)
        if not isinstance(outcome, Refusal):
            return outcome
        # Refused, perhaps because the first one was still on its way.
        if (changed := _changed(backend, kind, id, change)) is not None:
            return changed
        raise


def are_there(backend: Backend, kind: Kind[R], records: Sequence[R]) -> bool:
    """Tell whether just these records were stored, by what of them can never change."""
    wanted = {record.id: record.created_at for record in records}
    where = OneOf("id", frozenset(wanted))
    found = backend.select(Plan(kind, where, limit=len(wanted) + 1)).items
    return {record.id: record.created_at for record in found} == wanted


def _changed(backend: Backend, kind: Kind[R], id: str, change: Change) -> R | None:
    """Return the record, if *change* was the last to change it."""
    found = backend.get(kind, id)
    return found if found is not None and found.etag == change.assign.get("etag") else None
