"""Statements: SQLAlchemy words each shape once, calls only fill in values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Any

from attrs import field, frozen
from sqlalchemy import delete, func, select, update
from sqlalchemy.sql.base import Executable

from experiment_store.backend import Assignments, Max
from experiment_store.filters.predicates import Predicate
from experiment_store.plan import Plan
from experiment_store.schema import Kind
from experiment_store_sql.codec import encode, encode_field
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.listing import Wording, take_apart
from experiment_store_sql.predicates import Binds, Conditions, shape
from experiment_store_sql.tables import Tables

_CACHED_SHAPES = 256

Row = tuple[Any, ...]


@frozen
class Recipe:
    """How to word a statement; equal keys mean equal text."""

    key: Hashable
    build: Callable[[], Executable] = field(eq=False)


@frozen
class Statement:
    """The text of a statement, and which values stand at its placeholders.

    A place is the number of a value, or counts from the end of the constants.
    """

    text: str
    places: tuple[int, ...]
    constants: tuple[Any, ...]

    def fill(self, values: Sequence[Any]) -> Row:
        """Return the parameters that the driver expects."""
        pool = (*values, *self.constants)
        return tuple(pool[place] for place in self.places)


@frozen
class Call:
    """A statement and its parameters, or a row of them for each time it is run."""

    text: str
    parameters: Any
    many: bool = False


class Statements:
    """Words all statements on the records of one store, for one database."""

    def __init__(self, tables: Tables, dialect: Dialect) -> None:
        """Speak of *tables* in the words of *dialect*."""
        self._tables = tables
        self._dialect = dialect
        self._word = lru_cache(_CACHED_SHAPES)(self._compile)

    def get(self, kind: Kind[Any], id: str) -> Call:
        """Read one record."""
        table = self._tables.records[kind.name]
        recipe = Recipe(
            ("get", kind.name), lambda: select(table).where(table.c.id == Binds().text())
        )
        return self._call(recipe, [encode(id)])

    def select(self, plan: Plan[Any]) -> Call:
        """Read the rows of a page."""
        values: list[Any] = []
        listing = take_apart(plan)
        key = ("select", listing.shape(self._dialect, values, page=True))
        wording = Recipe(key, lambda: Wording(listing, self._tables, self._dialect).page())
        return self._call(wording, values)

    def explain(self, plan: Plan[Any]) -> Call:
        """Describe how the rows of a page would be read."""
        call = self.select(plan)
        return Call(f"{self._dialect.explain} {call.text}", call.parameters)

    def count(self, plan: Plan[Any]) -> Call:
        """Count what matches."""
        values: list[Any] = []
        listing = take_apart(plan)
        key = ("count", listing.shape(self._dialect, values, page=False))
        wording = Recipe(key, lambda: Wording(listing, self._tables, self._dialect).count())
        return self._call(wording, values)

    def lock(self, kind: Kind[Any], where: Predicate, *, shared: bool = False) -> Call:
        """Read the ids of records in their order, and keep others from changing them."""
        table = self._tables.records[kind.name]

        def build() -> Executable:
            ids = select(table.c.id).where(self._conditions(kind, Binds()).build(where))
            return ids.order_by(table.c.id).with_for_update(read=shared)

        values: list[Any] = []
        key = ("lock", kind.name, shape(where, self._dialect, values), shared)
        return self._call(Recipe(key, build), values)

    def lock_all(self, kind: Kind[Any], where: Predicate) -> Call:
        """Keep others from changing records; only their count is read."""
        table = self._tables.records[kind.name]

        def build() -> Executable:
            ids = select(table.c.id).where(self._conditions(kind, Binds()).build(where))
            return select(func.count()).select_from(ids.with_for_update().subquery())

        values: list[Any] = []
        key = ("lock all", kind.name, shape(where, self._dialect, values))
        return self._call(Recipe(key, build), values)

    def any(self, kind: Kind[Any], where: Predicate) -> Call:
        """Look for one record."""
        table = self._tables.records[kind.name]

        def build() -> Executable:
            found = self._conditions(kind, Binds()).build(where)
            return select(table.c.id).where(found).limit(1)

        values: list[Any] = []
        key = ("any", kind.name, shape(where, self._dialect, values))
        return self._call(Recipe(key, build), values)

    def insert(self, kind: Kind[Any], rows: Sequence[Row]) -> Call:
        """Add rows; those whose keys are taken are passed over, and not counted."""
        table = self._tables.records[kind.name]
        return self._many(Recipe(("insert", kind.name), lambda: self._insert(table)), rows)

    def update(
        self, kind: Kind[Any], where: Predicate, assign: Assignments, *, returning: bool = False
    ) -> Call:
        """Assign to all records that match, and return them if asked."""
        table = self._tables.records[kind.name]

        def build() -> Executable:
            binds = Binds()
            values: dict[str, Any] = {} if assign else {"id": table.c.id}  # SET needs something
            for name, value in assign.items():
                bound = binds.like(table.c[name])
                later = isinstance(value, Max)
                values[name] = self._dialect.later(table.c[name], bound) if later else bound
            changed = update(table).values(values)
            changed = changed.where(self._conditions(kind, binds).build(where))
            return changed.returning(*table.c) if returning else changed

        values = [
            encode_field(kind.by_name[name], value.value if isinstance(value, Max) else value)
            for name, value in assign.items()
        ]
        marks = tuple((name, isinstance(value, Max)) for name, value in assign.items())
        key = ("update", kind.name, marks, shape(where, self._dialect, values), returning)
        return self._call(Recipe(key, build), values)

    def delete(self, kind: Kind[Any], where: Predicate) -> Call:
        """Remove all records that match."""
        table = self._tables.records[kind.name]

        def build() -> Executable:
            return delete(table).where(self._conditions(kind, Binds()).build(where))

        values: list[Any] = []
        key = ("delete", kind.name, shape(where, self._dialect, values))
        return self._call(Recipe(key, build), values)

    def label(self, kind: Kind[Any], rows: Sequence[Row]) -> Call:
        """Add rows of labels."""
        table = self._tables.labels[kind.name]
        return self._many(Recipe(("label", kind.name), lambda: self._insert(table)), rows)

    def unlabel(self, kind: Kind[Any], where: Predicate) -> Call:
        """Remove the labels of all records that match."""
        table, labels = self._tables.records[kind.name], self._tables.labels[kind.name]

        def build() -> Executable:
            owners = select(table.c.id).where(self._conditions(kind, Binds()).build(where))
            return delete(labels).where(labels.c.id.in_(owners))

        values: list[Any] = []
        key = ("unlabel", kind.name, shape(where, self._dialect, values))
        return self._call(Recipe(key, build), values)

    def _conditions(self, kind: Kind[Any], binds: Binds) -> Conditions:
        return Conditions(kind, self._tables, self._dialect, binds)

    def _insert(self, table: Any) -> Executable:
        binds = Binds()
        values = {column.name: binds.like(column) for column in table.c}
        return self._dialect.insert_new(table).values(values)

    def _call(self, recipe: Recipe, values: Sequence[Any]) -> Call:
        statement = self._word(recipe)
        return Call(statement.text, statement.fill(values))

    def _many(self, recipe: Recipe, rows: Sequence[Row]) -> Call:
        statement = self._word(recipe)
        filled = [statement.fill(row) for row in rows]
        return (
            Call(statement.text, filled[0])
            if len(rows) == 1
            else Call(statement.text, filled, many=True)
        )

    def _compile(self, recipe: Recipe) -> Statement:
        statement: Any = recipe.build()
        compiled = statement.compile(dialect=self._dialect.wording)
        names: Sequence[str] = compiled.positiontup
        numbered = [name for name in compiled.params if name.startswith("p") and name[1:].isdigit()]
        constants = [name for name in compiled.params if name not in numbered]
        order = {name: int(name[1:]) for name in numbered}
        order |= {name: number - len(constants) for number, name in enumerate(constants)}
        return Statement(
            str(compiled),
            tuple(order[name] for name in names),
            tuple(compiled.params[name] for name in constants),
        )
