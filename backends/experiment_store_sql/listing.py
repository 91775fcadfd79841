"""Pages in SQL: how a plan finds its rows in the order of an index.

Uniform orders continue with one row comparison, mixed ones with its expansion.
A label that must have a value can lead: its index is in the default order, so
that neither a rare nor a frequent label costs more than the page.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from attrs import frozen
from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)

from experiment_store.filters.predicates import (
    ALWAYS,
    All,
    Compare,
    Label,
    Op,
    Predicate,
    all_of,
)
from experiment_store.ordering import SortKey
from experiment_store.plan import Plan
from experiment_store.values import Value
from experiment_store_sql.codec import Plain, encode_field
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.predicates import Binds, Conditions, shape
from experiment_store_sql.tables import Tables


@frozen
class Listing:
    """A plan taken apart: the label that leads, if one does, and the other conditions."""

    plan: Plan[Any]
    leader: tuple[str, Value] | None
    rest: Predicate

    def shape(self, dialect: Dialect, values: list[Any], *, page: bool) -> Hashable:
        """Return all but the literals, which are appended to *values*."""
        plan = self.plan
        if self.leader is not None:
            values.extend(self.leader)
        where = shape(self.rest, dialect, values)
        form = (plan.kind.name, self.leader is not None, where)
        if not page:
            return form
        if plan.after is not None:
            for key, value in zip(plan.order, plan.after, strict=True):
                values.extend(_place(plan, key, value))
        return (*form, plan.order, plan.after is not None, plan.limit)


def take_apart(plan: Plan[Any]) -> Listing:
    """Let a label lead where its index has the plan's order.

    Not among the children of one experiment: those are few, and in order too.
    """
    terms = plan.where.terms if isinstance(plan.where, All) else (plan.where,)
    if _is_default(plan.order) and not any(_pins(term, plan.kind.parent_field) for term in terms):
        for term in terms:
            if isinstance(term, Compare) and isinstance(term.operand, Label) and _pins(term):
                rest = all_of(other for other in terms if other is not term)
                return Listing(plan, (term.operand.key, term.value), rest)
    return Listing(plan, None, plan.where)


class Wording:
    """Words the statements of one listing."""

    def __init__(self, listing: Listing, tables: Tables, dialect: Dialect) -> None:
        """Prepare the tables and the placeholders."""
        plan = listing.plan
        self._plan = plan
        self._table = tables.records[plan.kind.name]
        self._binds = Binds()
        self._conditions = Conditions(plan.kind, tables, dialect, self._binds)
        self._leader = tables.labels[plan.kind.name].alias("leader") if listing.leader else None
        self._where: list[ColumnElement[bool]] = []
        if self._leader is not None:
            self._where.append(self._leader.c.key == self._binds.text())
            self._where.append(self._leader.c.value == self._binds.text())
        if listing.rest != ALWAYS:
            self._where.append(self._conditions.build(listing.rest))

    def page(self) -> Select[Any]:
        """Read the rows of the page."""
        keys = [
            (column, key.descending) for key in self._plan.order for column in self._columns(key)
        ]
        rows = self._from(select(self._table))
        if self._plan.after is not None:
            rows = rows.where(_follows(keys, [self._binds.like(column) for column, _ in keys]))
        ordered = rows.order_by(*(key.desc() if descending else key for key, descending in keys))
        # A bound limit would make PostgreSQL plan for a tenth of the table.
        return ordered.suffix_with(text(f"LIMIT {self._plan.limit:d}"))

    def count(self) -> Select[Any]:
        """Count what matches."""
        return self._from(select(func.count()).select_from(self._table))

    def _from(self, rows: Select[Any]) -> Select[Any]:
        if self._leader is not None:
            join = self._leader.join(self._table, self._leader.c.id == self._table.c.id)
            rows = rows.select_from(join)
        return rows.where(*self._where)

    def _columns(self, key: SortKey) -> tuple[ColumnElement[Any], ...]:
        """What to sort by, never NULL: a label by whether it is there, then by its value."""
        if isinstance(key.operand, Label):
            name = literal(key.operand.key, Text())  # a constant: the order is part of the shape
            value = self._conditions.label_value(name)
            return case((value.is_(None), 0), else_=1), func.coalesce(value, "")
        if self._leader is not None:  # its columns stand in the index
            return (self._leader.c[key.operand],)
        column = self._table.c[key.operand]
        if key.length is None:
            return (column,)
        return (func.substr(column, 1, literal_column(str(key.length)), type_=column.type),)


def _follows(keys: list[tuple[ColumnElement[Any], bool]], place: list[Any]) -> ColumnElement[bool]:
    if not keys:
        return false()  # at most one row can match, and it stood on the page before
    if len({descending for _, descending in keys}) == 1:
        left, right = tuple_(*(column for column, _ in keys)), tuple_(*place)
        return left < right if keys[0][1] else left > right
    same = [column == value for (column, _), value in zip(keys, place, strict=True)]
    later = [
        column < value if descending else column > value
        for (column, descending), value in zip(keys, place, strict=True)
    ]
    first, start = keys[0][0], place[0]
    return and_(
        # Implied by the rest, but only this lets an index start there.
        first <= start if keys[0][1] else first >= start,
        or_(*(and_(*same[:position], later[position]) for position in range(len(keys)))),
    )


def _place(plan: Plan[Any], key: SortKey, value: Value | None) -> tuple[Plain, ...]:
    """Where a row with *value* stands among the columns of *key*."""
    if isinstance(key.operand, Label):
        return (0, "") if value is None else (1, str(value))
    return (encode_field(plan.kind.by_name[key.operand], value),)


def _is_default(order: tuple[SortKey, ...]) -> bool:
    operands = [key.operand for key in order]
    return operands == ["created_at", "id"] and len({key.descending for key in order}) == 1


def _pins(term: Predicate, operand: str | None = None) -> bool:
    return (
        isinstance(term, Compare)
        and term.op is Op.EQ
        and term.expected
        and (operand is None or term.operand == operand)
    )
