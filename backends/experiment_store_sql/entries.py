"""Parameters and metrics in SQL: tests of their sort keys, which stand in columns as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, assert_never

from experiment_store.filters.predicates import (
    ENTRIES,
    Compare,
    Entry,
    Leaf,
    Match,
    MetricValue,
    OneOf,
    Op,
    Param,
    Predicate,
    Present,
    Search,
    Test,
    leaves,
)
from experiment_store.sort_keys import TEXT, limits
from experiment_store_sql.codec import STATISTICS, encode, spell_key
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.tables import Storage, keys_column


class Entries:
    """Words tests of parameters and metrics, and collects the values for them by *bind*."""

    def __init__(self, dialect: Dialect, bind: Callable[[Any], str]) -> None:
        """Begin with columns of which none is read once."""
        self._dialect = dialect
        self._bind = bind
        self._once: Sequence[str] = ()

    def read_once(self, predicate: Predicate) -> Sequence[str]:
        """Take the columns that *predicate* needs for ready to be read, and return them."""
        self._once = sorted(set(_columns(predicate)))
        return self._once

    def value(self, operand: Entry, *, once: bool = False) -> str:
        """Return the sort key of *operand*, NULL where it is absent."""
        match operand:
            case Param(key):
                place = None
            case MetricValue(key, statistic):
                place = STATISTICS.index(statistic)
            case _:
                assert_never(operand)
        column, spelt = _column(operand), spell_key(key)
        text, parameter = self._dialect.entry(column, spelt, place, once=once)
        self._bind(parameter)
        return text

    def word(self, operand: Entry, test: Test) -> str:
        """Return the condition, never NULL, that *test* of *operand* states."""
        condition = self._condition(operand, test)
        truth = condition if isinstance(test, Present) else f"({condition}) IS TRUE"
        return truth if test.expected else f"NOT ({truth})"

    def _condition(self, operand: Entry, test: Test) -> str:
        key = self._value(operand)
        match test:
            case Compare(_, Op.EQ, value):
                return f"{key} = {self._bind(encode(value))}"
            case Compare(_, op, value):
                within = f"{key} {op.value} {self._bind(encode(value))}"
                least, most = limits(str(value))
                sign, limit = (">", least) if op in (Op.LT, Op.LE) else ("<", most)
                return f"{within} AND {self._value(operand)} {sign} {self._bind(limit)}"
            case OneOf(_, members):
                self._bind(self._dialect.bind_list([encode(member) for member in members]))
                return self._dialect.one_of(key, Storage.TEXT)
            case Match(_, pattern):
                first, *others = pattern.parts
                self._bind(self._dialect.bind_pattern((TEXT + first, *others)))
                return self._dialect.like(f"lower({key})" if pattern.folded else key)
            case Present():
                return f"{key} IS NOT NULL"
            case _:
                assert_never(test)

    def _value(self, operand: Entry) -> str:
        return self.value(operand, once=_column(operand) in self._once)


def is_entry(leaf: Leaf) -> bool:
    """Tell whether *leaf* tests a parameter or a metric."""
    return not isinstance(leaf, Search) and isinstance(leaf.operand, ENTRIES)


def _column(operand: Entry) -> str:
    return keys_column("params" if isinstance(operand, Param) else "metrics")


def _columns(predicate: Predicate) -> Iterator[str]:
    for leaf in leaves(predicate):
        if not isinstance(leaf, Search) and isinstance(leaf.operand, ENTRIES):
            yield _column(leaf.operand)
