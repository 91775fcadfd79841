"""The contract between the store and whatever keeps its records.

A backend stores and finds. It never validates, names, defaults, reads a clock,
makes an id or words an error: the store has done so before it calls. Every
method is one atomic step that other callers see entirely or not at all; a
write that has returned is visible to every later read; any thread may call.
Whatever goes wrong unexpectedly is raised as `BackendError`; where the answer to
a write was lost, as `OutcomeUnknownError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import Any, Protocol, TypeAlias

from attrs import field, frozen

from experiment_store.filters.predicates import ALWAYS, Predicate
from experiment_store.mappings import Labels, Metrics, Params
from experiment_store.plan import Plan, Rows
from experiment_store.records import Artifact
from experiment_store.schema import Kind, R
from experiment_store.values import Value


@frozen
class Max:
    """Assign this time unless a later one is there; an absent one is earlier."""

    value: datetime


Assignments: TypeAlias = Mapping[
    str, Value | Labels | Params | Metrics | tuple[Artifact, ...] | Max | None
]
"""New values by field; labels, parameters, metrics and artifacts are replaced as a whole.

An id, a namespace, a parent's id and ``created_at`` are never assigned; neither
labels nor natural keys are, to parents and children. Everything else may be: what is
logged is an insert of chunks that assigns metrics to their run.
"""


class Refusal(Enum):
    """An expected way for a write not to happen; the store words the error.

    Where several apply, the first in this order is returned. A refused write
    has changed nothing.
    """

    MISSING = auto()  # the record addressed, or the parent of a new one, is not there
    BLOCKED = auto()  # a stated condition on it, its parent or its children fails
    DUPLICATE = auto()  # the id or the natural key is taken


@frozen
class Parent:
    """The records that a write depends on: locked, checked and updated with it."""

    kind: Kind[Any]
    ids: frozenset[str]
    where: Predicate = ALWAYS
    assign: Assignments = field(factory=dict)


@frozen
class Cascade:
    """What becomes of the children that satisfy *where*.

    ``None`` removes them, and what they own.
    """

    kind: Kind[Any]
    assign: Assignments | None
    where: Predicate = ALWAYS


@frozen
class Change:
    """What happens to one record, and on what conditions.

    The record satisfies *where*, its *parent* exists and satisfies its
    condition, and there is no child of the kinds in *childless*; otherwise the
    change is blocked.
    """

    assign: Assignments = field(factory=dict)
    where: Predicate = ALWAYS
    parent: Parent | None = None
    childless: tuple[Kind[Any], ...] = ()
    cascades: tuple[Cascade, ...] = ()


class Backend(Protocol):
    """Seven methods: two for its life, two reads, three writes.

    A record of an owned kind (`schema.owned_by`) is part of its parent. It never
    changes, and goes with its parent in the same step, whether that is deleted or
    removed by a cascade. Children of any other kind stay unless a cascade takes them.
    """

    def setup(self) -> None:
        """Create what is missing, if anything. Idempotent, and safe to race."""

    def close(self) -> None:
        """Release everything. Idempotent; no other call follows."""

    def get(self, kind: Kind[R], id: str) -> R | None:
        """Read one record as it was last committed."""

    def select(self, plan: Plan[R]) -> Rows[R]:
        """Read at most ``plan.limit`` rows after ``plan.after``, and the total.

        Both come from one snapshot.
        """
        ...

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        """Add all *records* and update their parents, or do nothing."""

    def update(self, kind: Kind[R], id: str, change: Change) -> R | Refusal:
        """Apply *change* and its cascades, or do nothing; return the record as it became."""
        ...

    def delete(self, kind: Kind[R], id: str, change: Change) -> Refusal | None:
        """Remove the record and apply the cascades, or do nothing; nothing is assigned to it.

        What it owns goes with it, without a word: see `Backend`.
        """
