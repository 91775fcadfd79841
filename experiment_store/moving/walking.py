"""Walking through all records of a store in the order of their ids, in little memory.

A walk is no snapshot: it goes from row to row, and what others write behind it
is not seen. So nobody has to wait for it, however long it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from experiment_store.backend import Backend
from experiment_store.errors import ExperimentStoreError
from experiment_store.filters.predicates import ALWAYS, Predicate
from experiment_store.ordering import SortKey
from experiment_store.plan import Plan
from experiment_store.records import Artifact
from experiment_store.reports import PerKind, T
from experiment_store.schema import CHUNK, EXPERIMENT, JOB, RUN, Kind, R, Type

MOVED: tuple[Kind[Any], ...] = (EXPERIMENT, JOB, RUN, CHUNK)
"""What is copied, exported and imported: what others refer to comes first."""

ROWS = 128  # read at once: of the largest records there are, that is 25 MB of text
_BATCH = 1000  # written at once, if small: a commit may wait for the disk
_WEIGHT = 4_000_000  # written at once, of any size, in code points
_WEIGHT_OF_OTHERS = 100  # of a number, or of the numbers of a metric

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
    """Return *records* with their rough lengths as texts, in code points."""
    weights = [(field.name, _WEIGH[field.type]) for field in kind.fields if field.type in _WEIGH]
    for record in records:
        yield record, sum([weigh(getattr(record, name)) for name, weigh in weights])


def _weigh_text(text: str | None) -> int:
    return len(text or "")


def _weigh_entries(held: Mapping[str, Any]) -> int:
    return sum(
        [
            len(key) + (len(value) if isinstance(value, str) else _WEIGHT_OF_OTHERS)
            for key, value in held.items()
        ]
    )


def _weigh_artifacts(held: Iterable[Artifact]) -> int:
    return sum([len(link.name) + len(link.uri) + len(link.digest) for link in held])


_WEIGH: Mapping[Type, Callable[[Any], int]] = {
    Type.TEXT: _weigh_text,
    Type.LABELS: _weigh_entries,
    Type.PARAMS: _weigh_entries,
    Type.METRICS: _weigh_entries,
    Type.ARTIFACTS: _weigh_artifacts,
}


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
