"""Statements: the words for one database, and the values for their parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

from experiment_store.backend import Assignments, Max
from experiment_store.filters.predicates import All, Predicate
from experiment_store.plan import Plan
from experiment_store.schema import Field, Kind
from experiment_store_sql.codec import Row, encode, encode_field, encode_keys
from experiment_store_sql.dialect import Dialect, table_name
from experiment_store_sql.listing import Listing, is_pin
from experiment_store_sql.predicates import Conditions
from experiment_store_sql.tables import (
    LABELLED,
    RECORDS,
    Index,
    Table,
    all_tables,
    has_keys,
    keys_column,
)


class Call(NamedTuple):
    """A statement and the values for its parameters."""

    text: str
    parameters: Sequence[Any] = ()


class Statements:
    """Words all statements on the records of one store, for one database."""

    def __init__(self, dialect: Dialect) -> None:
        """Speak as *dialect* has it."""
        self._dialect = dialect
        self._by_id = cache(partial(self._word_lookup, by="id"))
        self._by_key = cache(self._word_lookup)

    def create(self) -> Iterator[Call]:
        """Create all tables and indexes."""
        dialect = self._dialect
        for table in all_tables():
            columns = [f"{name} {dialect.types[of]}" for name, of in table.columns.items()]
            columns.append(f"PRIMARY KEY ({', '.join(table.primary_key)})")
            form = dialect.clustered if table.clustered else dialect.plain
            yield Call(f"CREATE TABLE {self._name(table)} ({', '.join(columns)}){form}")
            for index in table.indexes:
                yield self.create_index(table, index)

    def create_index(self, table: Table, index: Index) -> Call:
        """Create one index of a table."""
        unique = "UNIQUE " if index.unique else ""
        name, listed = f"{self._dialect.prefix}{index.name}", ", ".join(index.columns)
        return Call(f"CREATE {unique}INDEX {name} ON {self._name(table)} ({listed})")

    def get(self, kind: Kind[Any], id: str) -> Call:
        """Read one record."""
        return Call(self._by_id(kind), (encode(id),))

    def select(self, plan: Plan[Any]) -> Call:
        """Read the rows of a page, or the record that has a natural key."""
        if (key := _natural_key(plan)) is not None:
            return Call(self._by_key(plan.kind), key)
        listing = Listing(plan, self._dialect)
        return Call(listing.page(), listing.values)

    def count(self, plan: Plan[Any]) -> Call:
        """Count what matches."""
        listing = Listing(plan, self._dialect)
        return Call(listing.count(), listing.values)

    def explain(self, plan: Plan[Any]) -> Call:
        """Describe how the rows of a page would be read."""
        call = self.select(plan)
        return call._replace(text=f"{self._dialect.explain} {call.text}")

    def lock(self, kind: Kind[Any], where: Predicate, *, shared: bool = False) -> Call:
        """Read the ids of records in their order, and keep others from changing them."""
        values: list[Any] = []
        lock = self._dialect.for_share if shared else self._dialect.for_update
        return Call(f"{self._ids(kind, where, values)} ORDER BY r.id{lock}", values)

    def lock_all(self, kind: Kind[Any], where: Predicate) -> Call:
        """Keep others from changing records; only their count is read."""
        values: list[Any] = []
        locked = f"{self._ids(kind, where, values)}{self._dialect.for_update}"
        return Call(f"SELECT count(*) FROM ({locked}) AS locked", values)

    def any(self, kind: Kind[Any], where: Predicate) -> Call:
        """Look for one record."""
        values: list[Any] = []
        return Call(f"{self._ids(kind, where, values)} LIMIT 1", values)

    def insert(self, kind: Kind[Any], row: Row, labels: Iterable[Row] = ()) -> Call:
        """Add one record, and labels where statements chain, unless one of its keys is taken."""
        record = insert_text(self._dialect, RECORDS[kind.name])
        columns = list(zip(*labels, strict=True))
        if not columns:
            return Call(record, row)
        mark, owned = self._dialect.mark, LABELLED[kind.name]
        _, keys, values, _, terms = columns
        return Call(
            f"WITH r AS ({record} RETURNING id, created_at) "
            f"INSERT INTO {self._name(owned)} ({owned.written}) "
            "SELECT r.id, l.key, l.value, r.created_at, l.term "
            f"FROM r, unnest({mark}::text[], {mark}::text[], {mark}::bigint[]) "
            "AS l (key, value, term)",
            (*row, list(keys), list(values), list(terms)),
        )

    def update(
        self, kind: Kind[Any], where: Predicate, assign: Assignments, *, returning: bool = False
    ) -> Call:
        """Assign to all records that match, and return them if asked."""
        values: list[Any] = []
        table = RECORDS[kind.name]
        conditions = Conditions(kind, self._dialect, values)
        assigned = [
            f"{column} = {mark}"
            for name, value in assign.items()
            for column, mark in self._assigned(conditions, kind.by_name[name], value)
        ] or ["id = id"]  # SET needs something
        text = (
            f"UPDATE {self._name(table)} AS r SET {', '.join(assigned)} "
            f"WHERE {conditions.word(where)}"
        )
        return Call(f"{text} RETURNING {', '.join(table.read)}" if returning else text, values)

    def delete(self, kind: Kind[Any], where: Predicate) -> Call:
        """Remove all records that match."""
        values: list[Any] = []
        condition = Conditions(kind, self._dialect, values).word(where)
        return Call(f"DELETE FROM {self._name(RECORDS[kind.name])} AS r WHERE {condition}", values)

    def disown(self, kind: Kind[Any], owner: Kind[Any], where: Predicate) -> Call:
        """Remove all records of an owned *kind* whose owners match."""
        values: list[Any] = []
        owners = self._ids(owner, where, values)
        name = self._name(RECORDS[kind.name])
        return Call(f"DELETE FROM {name} WHERE {kind.parent_field} IN ({owners})", values)

    def unlabel(self, kind: Kind[Any], where: Predicate) -> Call:
        """Remove the labels of all records that match."""
        values: list[Any] = []
        owners = self._ids(kind, where, values)
        return Call(f"DELETE FROM {self._name(LABELLED[kind.name])} WHERE id IN ({owners})", values)

    def _name(self, table: Table) -> str:
        return table_name(self._dialect, table)

    def _ids(self, kind: Kind[Any], where: Predicate, values: list[Any]) -> str:
        condition = Conditions(kind, self._dialect, values).word(where)
        return f"SELECT r.id FROM {self._name(RECORDS[kind.name])} AS r WHERE {condition}"

    def _word_lookup(self, kind: Kind[Any], by: str = "") -> str:
        table, mark = RECORDS[kind.name], self._dialect.mark
        pins = " AND ".join([f"{name} = {mark}" for name in ((by,) if by else kind.unique)])
        return f"SELECT {', '.join(table.read)} FROM {self._name(table)} WHERE {pins}"

    def _assigned(
        self, conditions: Conditions, field: Field, value: Any
    ) -> Iterator[tuple[str, str]]:
        """Yield the columns that are assigned to for a field, and what."""
        if isinstance(value, Max):
            mark = conditions.bind(encode_field(field, value.value))
            yield field.name, f"{self._dialect.greatest}(r.{field.name}, {mark})"
            return
        yield field.name, conditions.bind(encode_field(field, value))
        if has_keys(field):
            yield keys_column(field.name), conditions.bind(encode_keys(value))


def insert_text(dialect: Dialect, table: Table) -> str:
    """Add a row, unless one of its keys is taken."""
    marks = ", ".join([dialect.mark] * len(table.columns))
    return (
        f"INSERT INTO {table_name(dialect, table)} ({table.written}) VALUES ({marks}) "
        "ON CONFLICT DO NOTHING"
    )


def _natural_key(plan: Plan[Any]) -> Sequence[Any] | None:
    """Return the natural key of the one record that *plan* asks for, if it does nothing else."""
    unique = plan.kind.unique
    terms = plan.where.terms if isinstance(plan.where, All) else ()
    if plan.order or plan.after is not None or plan.limit != 1 or len(terms) != len(unique):
        return None
    key = []
    for name, term in zip(unique, terms, strict=True):
        if not is_pin(term) or term.operand != name:
            return None
        key.append(encode(term.value))
    return key or None
