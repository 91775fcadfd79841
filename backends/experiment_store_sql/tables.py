"""The tables, one per kind of record and one per kind's labels, and their indexes.

Storage is plain: text and 64-bit integers, times as microseconds since 1970.
No column is ever NULL: an absent value is stored as the smallest of its type,
so it sorts first, one row comparison continues any page, and SQL's third truth
value has nothing to stem from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from functools import cached_property
from typing import Any

from attrs import frozen

from experiment_store.schema import KINDS, Field, Kind, Type

ABSENT_TIME = -(2**63)
ABSENT_TEXT = ""  # no optional text may be empty

SCHEMA_VERSION = "2"
SCHEMA_VERSION_ID = "schema_version"  # of the setting that tells it; the same in every version

LABELS = "labels"


class Storage(Enum):
    """How a column is stored."""

    TEXT = auto()  # compared by code point
    INTEGER = auto()  # of 64 bits


@frozen
class Index:
    """An index over columns of a table, in ascending order."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False


@frozen(slots=False, eq=False)
class Table:
    """A table; the *clustered* ones consist of their primary key and little else.

    The last columns are *derived* from others, for conditions and orders: they are never read.
    """

    name: str
    columns: Mapping[str, Storage]
    primary_key: tuple[str, ...]
    indexes: tuple[Index, ...]
    clustered: bool = False
    derived: tuple[str, ...] = ()

    @cached_property
    def written(self) -> str:
        """The names of all columns, as statements list them."""
        return ", ".join(self.columns)

    @cached_property
    def read(self) -> Sequence[str]:
        """The names of the columns that a record is made of."""
        return list(self.columns)[: len(self.columns) - len(self.derived)]


# What listings read in order, without sorting: all records, those of a namespace,
# those of an experiment, those with a name. Within a namespace, the unique index
# orders experiments by name. Runs and jobs are many and seldom listed by name:
# they do without the further indexes.
# The name at the end of the first ones is not for the order: a condition on it is
# decided in the index, and only what matches is read from the table.
_CHILDREN = (
    ("created_at", "id", "name"),
    ("namespace", "created_at", "id"),
    ("experiment_id", "created_at", "id"),
    ("name", "created_at", "id"),
)
_INDEXES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "experiment": (
        ("created_at", "id", "name"),
        ("namespace", "created_at", "id"),
        ("name", "id"),
        ("name", "created_at", "id"),
        ("last_run_created_at", "id"),
        ("namespace", "last_run_created_at", "id"),
        ("namespace", "storage_state", "created_at", "id"),
    ),
    "run": _CHILDREN,
    "job": _CHILDREN,
    "chunk": (("run_id", "metric", "created_at", "id"),),
}


def _record_table(kind: Kind[Any]) -> Table:
    name = f"{kind.name}s"
    # The last one: of indexes that seem to cost the same, PostgreSQL takes the latest.
    unique = (Index(f"{name}_unique", kind.unique, unique=True),) if kind.unique else ()
    derived = tuple(keys_column(field.name) for field in kind.fields if has_keys(field))
    return Table(
        name,
        {field.name: storage(field) for field in kind.fields}
        | dict.fromkeys(derived, Storage.TEXT),
        ("id",),
        (*(_index(name, parts) for parts in _INDEXES.get(kind.name, ())), *unique),
        derived=derived,
    )


def _label_table(kind: Kind[Any]) -> Table:
    """Labels, findable by record and by value; with their record's place in the default order.

    The record keeps a copy of its labels as JSON text, so that reading it needs
    no other table. The *term* is a digest of namespace, key and value, which
    would together be too long for an index of PostgreSQL's.
    """
    name = f"{kind.name}_labels"
    text, integer = Storage.TEXT, Storage.INTEGER
    return Table(
        name,
        {"id": text, "key": text, "value": text, "created_at": integer, "term": integer},
        ("id", "key"),
        (
            Index(f"{name}_by_value", ("key", "value", "created_at", "id")),
            Index(f"{name}_by_term", ("term", "created_at", "id")),
        ),
        clustered=True,
    )


def storage(field: Field) -> Storage:
    """Tell how the values of *field* are stored."""
    return Storage.INTEGER if field.type in (Type.TIME, Type.BOOL) else Storage.TEXT


def has_keys(field: Field) -> bool:
    """Tell whether there are sort keys for the entries of *field*, in a column of their own."""
    return field.type in (Type.PARAMS, Type.METRICS)


def keys_column(name: str) -> str:
    """Return the name of the column that has the sort keys of the field *name*, as JSON."""
    return f"{name}_keys"


def _index(table: str, columns: tuple[str, ...]) -> Index:
    *order, _ = columns[: columns.index("id") + 1]
    return Index(f"{table}_by_{'_'.join(order)}", columns)


RECORDS: Mapping[str, Table] = {kind.name: _record_table(kind) for kind in KINDS}
"""The table of every kind, by the kind's name."""

LABELLED: Mapping[str, Table] = {
    kind.name: _label_table(kind) for kind in KINDS if LABELS in kind.by_name
}
"""The tables of the labels of the kinds that have them."""


def all_tables() -> Iterator[Table]:
    """All tables of a store."""
    yield from RECORDS.values()
    yield from LABELLED.values()
