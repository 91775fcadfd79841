"""What tests of parameters and metrics mean, in Python.

Leaves have sort keys, records have values: this compares values, by the rules that the
keys obey, and so says what the keys have to be.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, assert_never

from experiment_store.filters.patterns import matcher
from experiment_store.filters.predicates import Compare, Match, OneOf, Op, Present, Test
from experiment_store.sort_keys import from_sort_key

Holds: TypeAlias = Callable[[Any], bool]
"""Whether a present value passes a test."""

COMPARE: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq, Op.LT: operator.lt, Op.LE: operator.le,
    Op.GT: operator.gt, Op.GE: operator.ge,
}  # fmt: skip
"""What comparisons of values of one type mean."""

_ALIKE: Mapping[type, tuple[type, ...]] = {
    str: (str,), bool: (bool,), int: (int, float), float: (int, float),
}  # fmt: skip


def entry_test(leaf: Test) -> Holds:
    """Return what decides *leaf*, of a parameter or a metric."""
    match leaf:
        case Compare(_, Op.EQ, key):
            return _is_one_of([str(key)])
        case Compare(_, op, key):
            return _compares(op, from_sort_key(str(key)))
        case OneOf(_, keys):
            return _is_one_of(map(str, keys))
        case Match(_, pattern):
            has_form = matcher(pattern)
            return lambda actual: type(actual) is str and has_form(actual)
        case Present():
            return lambda _: True
        case _:
            assert_never(leaf)


def _compares(op: Op, value: Any) -> Holds:
    # Python compares an integer with a float by their exact sizes, and nothing with NaN.
    compare, alike = COMPARE[op], _ALIKE[type(value)]
    return lambda actual: type(actual) in alike and compare(actual, value)


def _is_one_of(keys: Iterable[str]) -> Holds:
    values = [from_sort_key(key) for key in keys]
    # By type, since Python takes 1 for true.
    equal = {
        of: frozenset(value for value in values if type(value) in alike)
        for of, alike in _ALIKE.items()
    }
    if any(value != value for value in values):  # noqa: PLR0124 (only NaN is not itself)
        return lambda actual: actual != actual or actual in equal[type(actual)]  # noqa: PLR0124 (as above)
    return lambda actual: actual in equal[type(actual)]
