"""Predicates in SQL: a shape, which is compiled once, and the values that fill it.

`shape` takes the literals out of a predicate, `Conditions` builds the SQL of a
shape with a placeholder for each. Both walk the same way, so that the n-th value
belongs to the n-th placeholder; property tests hold them together.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Any, assert_never

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Text,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)

from experiment_store.filters.patterns import Pattern
from experiment_store.filters.predicates import (
    All,
    AnyOf,
    Compare,
    Label,
    Match,
    OneOf,
    Op,
    Operand,
    Predicate,
    Present,
    Search,
)
from experiment_store.schema import Kind, Type
from experiment_store_sql.codec import absent, encode
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.ranges import successor
from experiment_store_sql.tables import Tables

_COMPARE: Mapping[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: operator.eq, Op.LT: operator.lt, Op.LE: operator.le,
    Op.GT: operator.gt, Op.GE: operator.ge,
}  # fmt: skip
_OPPOSITE: Mapping[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: operator.ne, Op.LT: operator.ge, Op.LE: operator.gt,
    Op.GT: operator.le, Op.GE: operator.lt,
}  # fmt: skip
_SEARCHED = ("name", "description")

Columns = ColumnElement[Any]


class Binds:
    """Hands out placeholders, numbered in the order of their values."""

    def __init__(self) -> None:
        """Start at the first."""
        self._count = 0

    def text(self) -> BindParameter[str]:
        """The next value, which is text."""
        return self._next(Text())

    def integer(self) -> BindParameter[int]:
        """The next value, which is an integer."""
        return self._next(BigInteger())

    def like(self, column: Columns) -> BindParameter[Any]:
        """The next value, of the type of *column*."""
        return self.text() if isinstance(column.type, Text) else self.integer()

    def plain(self) -> BindParameter[Any]:
        """The next value, whose type is the dialect's business."""
        return self._next(None)

    def _next(self, type_: Any) -> BindParameter[Any]:
        self._count += 1
        return bindparam(f"p{self._count - 1}", type_=type_, required=True)


def shape(predicate: Predicate, dialect: Dialect, values: list[Any]) -> Hashable:
    """Return what *predicate* is without its literals, which are appended to *values*."""
    match predicate:
        case Compare(operand, op, value, expected):
            mark = _operand_shape(operand, values)
            values.append(encode(value))
            return Compare, mark, op, expected
        case OneOf(operand, members, expected):
            mark = _operand_shape(operand, values)
            values.append(dialect.bind_list([encode(member) for member in members]))
            return OneOf, mark, expected
        case Match(operand, pattern, expected):
            mark = _operand_shape(operand, values)
            return Match, mark, _pattern_shape(pattern, dialect, values), expected
        case Search(pattern, expected):
            forms = [_pattern_shape(pattern, dialect, values) for _ in (*_SEARCHED, "labels")]
            return Search, forms[0], expected
        case Present(operand, expected):
            return Present, _operand_shape(operand, values), expected
        case All(terms) | AnyOf(terms):
            return type(predicate), tuple(shape(term, dialect, values) for term in terms)
        case _:
            assert_never(predicate)


def _operand_shape(operand: Operand, values: list[Any]) -> Hashable:
    if isinstance(operand, Label):
        values.append(operand.key)
        return Label
    return operand


def _pattern_shape(pattern: Pattern, dialect: Dialect, values: list[Any]) -> Hashable:
    """A pattern that starts with text is a range of it, which an index can answer."""
    ranged = _upper_bound(pattern) is not None
    if ranged:
        values.extend((pattern.parts[0], _upper_bound(pattern)))
    if not (ranged and pattern.parts[1:] == ("",)):
        values.append(dialect.bind_pattern(pattern.parts))
    return pattern.folded, ranged, pattern.parts[1:] == ("",)


def _upper_bound(pattern: Pattern) -> str | None:
    prefix, *others = pattern.parts
    return successor(prefix) if prefix and others and not pattern.folded else None


class Conditions:
    """Builds the SQL of predicates on one table."""

    def __init__(self, kind: Kind[Any], tables: Tables, dialect: Dialect, binds: Binds) -> None:
        """Speak of the table of *kind*."""
        self._kind = kind
        self._tables = tables
        self._table = tables.records[kind.name]
        self._dialect = dialect
        self._binds = binds

    def build(self, predicate: Predicate) -> ColumnElement[bool]:
        """Return the condition, never NULL, that *predicate* states."""
        match predicate:
            case Compare(operand, op, _, expected):
                test = partial(self._compare, op=op)
                return self._leaf(operand, test, op, expected=expected)
            case OneOf(operand, _, expected):
                return self._leaf(operand, self._one_of, expected=expected)
            case Match(operand, pattern, expected):
                test = partial(self._match, pattern=pattern)
                return self._leaf(operand, test, expected=expected)
            case Search(pattern, expected):
                return _as_expected(self._search(pattern), expected=expected)
            case Present("labels", expected):
                return _as_expected(
                    self._table.c.labels != literal_column("'{}'"), expected=expected
                )
            case Present(operand, expected):
                return self._leaf(operand, lambda _: true(), expected=expected)
            case All(terms):
                return and_(true(), *map(self.build, terms))
            case AnyOf(terms):
                return or_(false(), *map(self.build, terms))
            case _:
                assert_never(predicate)

    def label(self, key: Columns, test: Callable[[Columns], Any]) -> ColumnElement[bool]:
        """Whether the record has the label *key* with a value that passes *test*.

        Not EXISTS: PostgreSQL would make a join of every one, and plan for minutes.
        """
        return self.label_value(key, test).is_(true())

    def label_value(
        self, key: Columns, of: Callable[[Columns], Any] = lambda value: value
    ) -> ColumnElement[Any]:
        """What *of* makes of the value of the label *key*; NULL without it."""
        labels = self._tables.labels[self._kind.name].alias()
        return (
            select(of(labels.c.value))
            .where(labels.c.id == self._table.c.id, labels.c.key == key)
            .correlate(self._table)
            .scalar_subquery()
        )

    def _leaf(
        self,
        operand: Operand,
        test: Callable[[Columns], ColumnElement[bool]],
        op: Op | None = None,
        *,
        expected: bool,
    ) -> ColumnElement[bool]:
        if isinstance(operand, Label):
            return _as_expected(self.label(self._binds.text(), test), expected=expected)
        column, field = self._table.c[operand], self._kind.by_name[operand]
        if not field.optional:
            if op is not None and not expected:
                return self._compare(column, op, _OPPOSITE)  # which an index can answer
            return _as_expected(test(column), expected=expected)
        holds = test(column)
        # An absent value is stored as the smallest, so it is never greater, and a
        # time is never equal to it.
        if not (field.type is Type.TIME and op in (Op.EQ, Op.GT, Op.GE)):
            holds = and_(column != absent(field), holds)
        return _as_expected(holds, expected=expected)

    def _compare(
        self, column: Columns, op: Op, comparisons: Mapping[Op, Any] = _COMPARE
    ) -> ColumnElement[bool]:
        compared: ColumnElement[bool] = comparisons[op](column, self._binds.like(column))
        return compared

    def _one_of(self, column: Columns) -> ColumnElement[bool]:
        return self._dialect.one_of(column, self._binds.plain())

    def _match(self, column: Columns, pattern: Pattern) -> ColumnElement[bool]:
        if pattern.folded:
            return self._dialect.like(func.lower(column), self._binds.text())
        if _upper_bound(pattern) is None:
            return self._dialect.like(column, self._binds.text())
        within = and_(column >= self._binds.text(), column < self._binds.text())
        if pattern.parts[1:] == ("",):
            return within
        return and_(within, self._dialect.like(column, self._binds.text()))

    def _search(self, pattern: Pattern) -> ColumnElement[bool]:
        labels = self._tables.labels[self._kind.name].alias()
        return or_(
            *(self._match(self._table.c[name], pattern) for name in _SEARCHED),
            select(literal_column("1"))
            .where(labels.c.id == self._table.c.id, self._match(labels.c.value, pattern))
            .correlate(self._table)
            .exists(),
        )


def _as_expected(condition: ColumnElement[bool], *, expected: bool) -> ColumnElement[bool]:
    return condition if expected else not_(condition)
