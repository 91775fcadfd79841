"""Pages in SQL: how a plan finds its rows in the order of an index.

Uniform orders continue with one row comparison, mixed ones with its expansion.
A label that must have a value can lead: its indexes are in the default order, so
that neither a rare nor a frequent label costs more than the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeGuard

from experiment_store.filters.predicates import (
    ALWAYS,
    ENTRIES,
    All,
    Compare,
    Label,
    Op,
    Predicate,
    all_of,
)
from experiment_store.ordering import Order, SortKey
from experiment_store.plan import Plan
from experiment_store.values import Value
from experiment_store_sql.codec import Plain, encode, encode_field, term
from experiment_store_sql.dialect import Dialect, table_name
from experiment_store_sql.predicates import FALSE, Conditions
from experiment_store_sql.tables import LABELLED, RECORDS


class Leader(NamedTuple):
    """A label, perhaps of one namespace, that all rows have."""

    namespace: str | None
    key: str
    value: str


class Part(NamedTuple):
    """What an order compares, never NULL; of a label first its presence, then its value."""

    key: SortKey
    descending: bool
    presence: bool = False


class Listing:
    """Words one statement of a listing, and collects the *values* for it."""

    def __init__(self, plan: Plan[Any], dialect: Dialect) -> None:
        """Let a label lead where one can."""
        self.values: list[Any] = []
        self._plan = plan
        self._parts = tuple(_parts(plan.order))
        self._dialect = dialect
        self._table = RECORDS[plan.kind.name]
        self._leader, self._rest = take_apart(plan)
        self._conditions = Conditions(plan.kind, dialect, self.values)

    def page(self) -> str:
        """Read the rows of the page."""
        plan = self._plan
        columns = ", ".join([f"r.{name}" for name in self._table.read])
        where = self._where()
        if plan.after is not None:
            where.append(self._follows(list(self._places(plan.after))))
        order = [
            f"{self._column(part)} DESC" if part.descending else self._column(part)
            for part in self._parts
        ]
        # A bound limit would make PostgreSQL plan for a tenth of the table.
        return (
            f"SELECT {columns} FROM {self._tables()}{_clause('WHERE', ' AND ', where)}"
            f"{_clause('ORDER BY', ', ', order)} LIMIT {plan.limit:d}"
        )

    def count(self) -> str:
        """Count what matches; where a label alone decides, without a look at the records."""
        alone = self._leader is not None and self._rest == ALWAYS
        tables = self._labels if alone else self._tables()
        return f"SELECT count(*) FROM {tables}{_clause('WHERE', ' AND ', self._where())}"

    def _tables(self) -> str:
        records = f"{table_name(self._dialect, self._table)} AS r"
        return f"{self._labels} JOIN {records} ON r.id = leader.id" if self._leader else records

    @property
    def _labels(self) -> str:
        return f"{table_name(self._dialect, LABELLED[self._plan.kind.name])} AS leader"

    def _where(self) -> list[str]:
        where = []
        bind = self._conditions.bind
        if (label := self._leader) is not None:
            same = f"leader.key = {bind(label.key)} AND leader.value = {bind(label.value)}"
            where.append(same if label.namespace is None else self._within(label, same))
        if self._rest != ALWAYS:
            where.append(f"({self._conditions.where(self._rest)})")
        return where

    def _within(self, label: Leader, same: str) -> str:
        """Find a label of one namespace by its term, and look whether it is the *same*.

        The term is spelt out, and the look is hidden from the planners: SQLite would
        rather use the index of key and value, and PostgreSQL takes the three for
        independent of each other, or a term that it does not know for a rare one.
        """
        digest = term(label.namespace or "", label.key, label.value)
        return f"leader.term = {digest:d} AND CASE WHEN {same} THEN TRUE ELSE FALSE END"

    def _follows(self, place: Sequence[Plain]) -> str:
        parts = self._parts
        if not parts:
            return FALSE  # at most one row can match, and it stood on the page before
        if len({part.descending for part in parts}) == 1:
            columns = ", ".join([self._column(part) for part in parts])
            marks = ", ".join([self._conditions.bind(value) for value in place])
            return f"({columns}) {_sign(parts[0])} ({marks})"
        # Implied by the rest, but only this lets an index start there.
        first = self._compare(parts[0], f"{_sign(parts[0])}=", place[0])
        later = [
            " AND ".join(
                [
                    *(self._compare(parts[n], "=", place[n]) for n in range(position)),
                    self._compare(part, _sign(part), place[position]),
                ]
            )
            for position, part in enumerate(parts)
        ]
        return f"{first} AND ({' OR '.join(later)})"

    def _compare(self, part: Part, sign: str, value: Plain) -> str:
        return f"{self._column(part)} {sign} {self._conditions.bind(value)}"

    def _column(self, part: Part) -> str:
        key = part.key
        if isinstance(key.operand, Label):
            value = self._conditions.label_value(key.operand.key)
            if part.presence:
                return f"CASE WHEN {value} IS NULL THEN 0 ELSE 1 END"
            return f"coalesce({value}, '')"
        if isinstance(key.operand, ENTRIES):
            return self._conditions.entry(key.operand)
        # The columns of a leader stand in its index.
        column = f"{'r' if self._leader is None else 'leader'}.{key.operand}"
        return column if key.length is None else f"substr({column}, 1, {key.length:d})"

    def _places(self, after: Sequence[Value | None]) -> Iterator[Plain]:
        """Where a row with these sort values stands among the parts."""
        fields = self._plan.kind.by_name
        for key, value in zip(self._plan.order, after, strict=True):
            if isinstance(key.operand, Label):
                yield from (0, "") if value is None else (1, encode(value))
            elif isinstance(key.operand, ENTRIES):
                yield "" if value is None else encode(value)
            else:
                yield encode_field(fields[key.operand], value)


def take_apart(plan: Plan[Any]) -> tuple[Leader | None, Predicate]:
    """Return the label that leads, if one can, and the other conditions.

    None does among the children of one experiment: those are few, and in order too.
    """
    terms = plan.where.terms if isinstance(plan.where, All) else (plan.where,)
    pinned = {term.operand: term for term in terms if is_pin(term)}
    labels = [operand for operand in pinned if isinstance(operand, Label)]
    if not labels or not _is_default(plan.order) or plan.kind.parent_field in pinned:
        return None, plan.where
    label, scope = pinned[labels[0]], pinned.get("namespace")
    namespace = None if scope is None else str(scope.value)
    leader = Leader(namespace, labels[0].key, str(label.value))
    return leader, all_of(other for other in terms if other is not label and other is not scope)


def is_pin(term: Predicate) -> TypeGuard[Compare]:
    """Tell whether *term* allows its operand a single value."""
    return isinstance(term, Compare) and term.op is Op.EQ and term.expected


def _is_default(order: Order) -> bool:
    operands = [key.operand for key in order]
    return operands == ["created_at", "id"] and len({key.descending for key in order}) == 1


def _parts(order: Order) -> Iterator[Part]:
    for key in order:
        if isinstance(key.operand, Label):
            yield Part(key, key.descending, presence=True)
        yield Part(key, key.descending)


def _sign(part: Part) -> str:
    return "<" if part.descending else ">"


def _clause(word: str, joint: str, items: Sequence[str]) -> str:
    return f" {word} {joint.join(items)}" if items else ""
