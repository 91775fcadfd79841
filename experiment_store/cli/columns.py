"""The columns of each kind of record: which are usual, and which one may ask for.

A column is a field of the record, ``experiment`` (the name, where it has one),
``duration`` of a run, or a dotted one such as ``labels.team``, which looks into a
field that is a mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from experiment_store.cli.liveness import duration_of, state_of
from experiment_store.cli.tables import Column
from experiment_store.errors import InvalidArgumentError, quote
from experiment_store.filters.predicates import OneOf
from experiment_store.schema import Kind
from experiment_store.store import ExperimentStore

PARENT = "experiment"
DOTTED = ("labels", "params", "metrics")
"""Fields that are mappings, whose entries may be columns."""

DIFFERING, SAME = 10, 30
"""How much entries of runs matter that tell runs apart, and others; the next one by 1 less."""

_PRIORITIES: Mapping[str, Mapping[str, int]] = {
    "experiment": {
        "id": 0,
        "name": 0,
        "namespace": 2,
        "storage_state": 3,
        "created_at": 1,
        "last_run_created_at": 4,
        "labels": 5,
        "description": 6,
    },
    "run": {
        "id": 0,
        "name": 0,
        PARENT: DIFFERING + 2,
        "state": 1,
        "metrics": DIFFERING,
        "params": DIFFERING,
        "created_at": DIFFERING + 6,
        "duration": DIFFERING + 10,
        "labels": 100,
        "storage_state": 101,
        "namespace": 102,
        "description": 103,
    },
    "job": {
        "id": 0,
        "name": 0,
        PARENT: 2,
        "enabled": 1,
        "schedule": 3,
        "created_at": 4,
        "labels": 5,
        "namespace": 6,
        "description": 7,
    },
}
"""What is shown, in this order, and how much it matters; the greatest number goes first."""

_TOLD: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "run": {"state": state_of, "duration": duration_of}
}
_LEAST = {"name": 16, PARENT: 16, "schedule": 12, "description": 30} | dict.fromkeys(DOTTED, 20)
_FOLDING = ("id", "name")  # who means one record; the others may end in an ellipsis


class Names:
    """The names of experiments by their ids, read for many records at once."""

    def __init__(self, store: ExperimentStore) -> None:
        self._store = store
        self._known: dict[str, str] = {}

    def learn(self, records: Iterable[Any]) -> None:
        """Read the names of the experiments that *records*, at most 1,000, belong to."""
        missing = {record.experiment_id for record in records} - self._known.keys()
        if missing:
            wanted = OneOf("id", frozenset(missing))
            found = self._store.list(filter=wanted, page_size=len(missing)).items
            self._known |= {id: id for id in missing}  # one that has gone keeps its children
            self._known |= {experiment.id: experiment.name for experiment in found}

    def of(self, record: Any) -> str:
        """Return the name of the experiment of a *record* that was among those to learn of."""
        return self._known[record.experiment_id]


def usual(kind: Kind[Any], names: Names) -> Sequence[Column[Any]]:
    """Return the columns that are shown if nobody asks for others."""
    return [_column(kind, name, names, rank) for name, rank in _PRIORITIES[kind.name].items()]


def chosen(kind: Kind[Any], text: str, names: Names) -> Sequence[Column[Any]]:
    """Return the columns that *text* names, between commas; all of them stay.

    Raises:
        InvalidArgumentError: There is no such column.
    """
    return [_column(kind, name.strip(), names, 0) for name in text.split(",")]


def told_of(kind: Kind[Any]) -> Mapping[str, Callable[[Any], Any]]:
    """Return what reads the columns of *kind* that show more than a field, or no field."""
    return _TOLD.get(kind.name, {})


def _column(kind: Kind[Any], name: str, names: Names, priority: int) -> Column[Any]:
    head = name.partition(".")[0]
    told = told_of(kind)
    get: Callable[[Any], Any]
    if name == PARENT and kind.parent is not None:
        get = names.of
    elif head in DOTTED and head != name and head in kind.by_name:
        get = entry(head, name[len(head) + 1 :])
    elif name in told:
        get = told[name]
    elif name in kind.by_name:
        get = attrgetter(name)
    else:
        raise InvalidArgumentError("columns", f"has no {quote(name)}, {_known(kind)}")
    numeric = head == "metrics" and head != name
    return Column(name, get, priority, _LEAST.get(head), folds=head in _FOLDING, numeric=numeric)


def entry(field: str, key: str) -> Callable[[Any], Any]:
    """Return what reads one entry of a mapping; of a metric also ``.min`` and ``.max``.

    As in a filter, a metric is its latest value.
    """
    name, _, end = key.rpartition(".")
    if field == "metrics" and name and end in ("min", "max"):
        return lambda run: getattr(run.metrics.get(name), end, None)
    return lambda record: getattr(record, field).get(key)


def _known(kind: Kind[Any]) -> str:
    parent = [PARENT] if kind.parent is not None else []
    dotted = [f"{name}.KEY" for name in DOTTED if name in kind.by_name]
    told = [name for name in told_of(kind) if name not in kind.by_name]
    return "but " + ", ".join([*kind.by_name, *parent, *told, *dotted])
