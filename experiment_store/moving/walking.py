"""Walking through all records of a store in the order of their ids, in little memory.

A walk is no snapshot: it goes from row to row, and what others write behind it
is not seen. So nobody has to wait for it, however long it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from experiment_store.backend import Backend
from experiment_store.errors import ExperimentStoreError
from experiment_store.filters.predicates import ALWAYS, Predicate
from experiment_store.ordering import SortKey
from experiment_store.plan import Plan
from experiment_store.reports import PerKind, T
from experiment_store.schema import CHUNK, EXPERIMENT, JOB, RUN, Kind, R, Type

MOVED: tuple[Kind[Any], ...] = (EXPERIMENT, JOB, RUN, CHUNK)
"""What is copied, exported and imported: what others refer to comes first."""

ROWS = 128  # read at once: of the largest records there are, that is 25 MB of text
_BATCH = 1000  # written at once, if small: a commit may wait for the disk
_WEIGHT = 4_000_000  # written at once, of any size, in code points

_BY_ID = (SortKey("id"),)


def walk(backend: Backend, kind: Kind[R], where: Predicate = ALWAYS) -> Iterator[Sequence[R]]:
    """Read all records of *kind* that *where* admits, a few at a time."""
    after = None
    while items := backend.select(Plan(kind, where, _BY_ID, after, ROWS)).items:
        yield items
        if len(items) < ROWS:
            return
        after = (items[-1].id,)


def count(backend: Backend, kind: Kind[Any], where: Predicate = ALWAYS) -> int:
    """Count the records of *kind* that *where* admits, without reading them."""
    return backend.select(Plan(kind, where, limit=0, total=True)).total or 0


def weighed(kind: Kind[R], records: Iterable[R]) -> Iterator[tuple[R, int]]:
    """Return *records* with the lengths of their texts, in code points."""
    texts = [field.name for field in kind.fields if field.type is Type.TEXT]
    for record in records:
        weight = sum(len(getattr(record, name) or "") for name in texts)
        for item in getattr(record, "labels", {}).items():
            weight += sum(map(len, item))
        yield record, weight


def batches(pairs: Iterable[tuple[R, int]]) -> Iterator[Sequence[R]]:
    """Put records with their weights together, as many as should be written at once.

    Whatever came before an error of ours comes before it here too.
    """
    batch: list[R] = []
    total = 0
    try:
        for record, weight in pairs:
            batch.append(record)
            total += weight
            if len(batch) == _BATCH or total > _WEIGHT:
                yield batch
                batch, total = [], 0
    except ExperimentStoreError:
        yield batch
        raise
    yield batch


def per_kind(make: Callable[[Kind[Any]], T]) -> PerKind[T]:
    """Make something of every kind that is moved."""
    return PerKind(*map(make, MOVED))
