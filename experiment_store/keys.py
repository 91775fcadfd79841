"""Records by their keys: who has those of others, and one statement for any number of them."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any

from experiment_store.backend import Backend
from experiment_store.filters.predicates import Compare, OneOf, Op, all_of
from experiment_store.plan import Plan
from experiment_store.schema import Kind, R


def room_for(wanted: Sized) -> int:
    """Return a limit that all *wanted* fit into: one of few, as each is a statement of its own."""
    return 1 << len(wanted).bit_length()


def holders(
    backend: Backend, kind: Kind[R], names: tuple[str, ...], records: Iterable[R]
) -> dict[tuple[str, ...], R]:
    """Return who has the keys of *records* in the fields *names*, by key."""
    *outer, last = names
    groups: dict[tuple[str, ...], set[str]] = {}
    for record in records:
        groups.setdefault(key_of(outer, record), set()).add(getattr(record, last))
    held: dict[tuple[str, ...], R] = {}
    for values, group in groups.items():
        pins = (Compare(name, Op.EQ, value) for name, value in zip(outer, values, strict=True))
        where = all_of((*pins, OneOf(last, frozenset(group))))
        found = backend.select(Plan(kind, where, limit=room_for(group))).items
        held.update((key_of(names, record), record) for record in found)
    return held


def key_of(names: Iterable[str], record: Any) -> tuple[str, ...]:
    """Return the values of *record* in the fields *names*."""
    return tuple(getattr(record, name) for name in names)
