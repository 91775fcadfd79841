"""The tables, one per kind of record and one per kind's labels, and their indexes.

Storage is plain: text and 64-bit integers, times as microseconds since 1970.
No column is ever NULL: an absent value is stored as the smallest of its type,
so it sorts first, one row comparison continues any page, and SQL's third truth
value has nothing to stem from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.engine.interfaces import Dialect as Engine
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement
from sqlalchemy.types import Text

from experiment_store.schema import KINDS, Kind, Type

ABSENT_TIME = -(2**63)
ABSENT_TEXT = ""  # no optional text may be empty

SCHEMA_VERSION = "1"

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")

# What listings read in order, without sorting: all records, those of a namespace,
# those of an experiment, those with a name. Within a namespace, the unique index
# orders experiments by name. Runs and jobs are many and seldom listed by name:
# they do without the further indexes.
_CHILDREN = (
    ("created_at", "id"),
    ("namespace", "created_at", "id"),
    ("experiment_id", "created_at", "id"),
    ("name", "created_at", "id"),
)
_INDEXES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "experiment": (
        ("created_at", "id"),
        ("namespace", "created_at", "id"),
        ("name", "id"),
        ("name", "created_at", "id"),
        ("last_run_created_at", "id"),
        ("namespace", "last_run_created_at", "id"),
        ("namespace", "storage_state", "created_at", "id"),
    ),
    "run": _CHILDREN,
    "job": _CHILDREN,
}


@frozen(eq=False)
class Tables:
    """The tables of one store, by the name of the kind."""

    metadata: MetaData
    records: Mapping[str, Table]
    labels: Mapping[str, Table]


def build_tables(schema: str | None = None) -> Tables:
    """Describe the tables, in *schema* where the database has such."""
    metadata = MetaData(schema=schema)
    records = {kind.name: _record_table(kind, metadata) for kind in KINDS}
    labels = {kind.name: _label_table(kind, metadata) for kind in KINDS if "labels" in kind.by_name}
    return Tables(metadata, records, labels)


def create_statements(tables: Tables, engine: Engine) -> list[str]:
    """Word what creates all tables and indexes."""
    made: list[ExecutableDDLElement] = []
    for table in tables.metadata.sorted_tables:
        made.append(CreateTable(table))
        made.extend(
            CreateIndex(index) for index in sorted(table.indexes, key=lambda i: str(i.name))
        )
    return [str(statement.compile(dialect=engine)) for statement in made]


def _record_table(kind: Kind[Any], metadata: MetaData) -> Table:
    columns = [
        Column(
            field.name,
            INTEGER if field.type in (Type.TIME, Type.BOOL) else TEXT,
            primary_key=field.name == "id",
            nullable=False,
        )
        for field in kind.fields
    ]
    name = f"{kind.name}s"
    table = Table(name, metadata, *columns, sqlite_strict=True)
    if kind.unique:
        Index(f"{name}_unique", *(table.c[part] for part in kind.unique), unique=True)
    for parts in _INDEXES.get(kind.name, ()):
        Index(f"{name}_by_{'_'.join(parts[:-1])}", *(table.c[part] for part in parts))
    return table


def _label_table(kind: Kind[Any], metadata: MetaData) -> Table:
    """Labels, findable by record and by value; with their record's place in the default order.

    The record keeps a copy of its labels as JSON text, so that reading it needs
    no other table.
    """
    name = f"{kind.name}_labels"
    table = Table(
        name,
        metadata,
        Column("id", TEXT, nullable=False),
        Column("key", TEXT, nullable=False),
        Column("value", TEXT, nullable=False),
        Column("created_at", INTEGER, nullable=False),
        PrimaryKeyConstraint("id", "key"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    Index(f"{name}_by_value", table.c.key, table.c.value, table.c.created_at, table.c.id)
    return table
