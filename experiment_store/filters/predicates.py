"""Predicates: what is left of a filter once it can mean only one thing.

Fields exist and literals have the field's type. A leaf tests one operand and
is true only of a present value; *expected* says whether the test has to hold.
Negation therefore only flips leaves, every leaf is true or false, and SQL's
third truth value can never reach a result (AIP-160: ``NOT a`` is true if ``a``
is not true).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import TypeAlias, assert_never

from attrs import evolve, frozen

from experiment_store.filters.patterns import Pattern
from experiment_store.values import Value


@frozen
class Label:
    """The operand that is one label of a record; absent where the key is."""

    key: str


@frozen
class Param:
    """The operand that is one parameter of a run; absent where the key is."""

    key: str


@frozen
class MetricValue:
    """The operand that is the latest, the smallest or the largest value of a metric.

    *statistic* is ``latest``, ``min`` or ``max``.
    """

    name: str
    statistic: str = "latest"


Entry: TypeAlias = Param | MetricValue
"""An operand of which leaves have sort keys in place of values.

So 1, 1.0 and true, which Python takes for equal, are not taken for each other.
"""

ENTRIES = (Param, MetricValue)

Operand: TypeAlias = str | Label | Entry
"""A field, by name, a label, a parameter or a metric."""


class Op(Enum):
    """A comparison; text compares by code point."""

    EQ = "="
    LT, LE = "<", "<="
    GT, GE = ">", ">="


@frozen
class Compare:
    """The operand is present and compares so with a value.

    A parameter of another type does not; an order of those takes only numbers and texts.
    """

    operand: Operand
    op: Op
    value: Value
    expected: bool = True


@frozen
class OneOf:
    """The operand is present and equals one of the values."""

    operand: Operand
    values: frozenset[Value]
    expected: bool = True


@frozen
class Match:
    """The operand is present, a text, and has the pattern's form."""

    operand: Operand
    pattern: Pattern
    expected: bool = True


@frozen
class Search:
    """The name, the description or the value of some label has the pattern's form."""

    pattern: Pattern
    expected: bool = True


@frozen
class Present:
    """The operand is present; of ``"labels"``, ``"params"`` or ``"metrics"``: there is any."""

    operand: Operand
    expected: bool = True


@frozen
class All:
    """Every term is true."""

    terms: tuple[Predicate, ...] = ()


@frozen
class AnyOf:
    """At least one term is true."""

    terms: tuple[Predicate, ...] = ()


Test: TypeAlias = Compare | OneOf | Match | Present
"""A leaf about one operand."""

Leaf: TypeAlias = Test | Search
Predicate: TypeAlias = Leaf | All | AnyOf

PREDICATES = (Compare, OneOf, Match, Search, Present, All, AnyOf)
"""The classes of predicates."""

ALWAYS = All()
NEVER = AnyOf()


def negate(predicate: Predicate) -> Predicate:
    """Return what is true exactly where *predicate* is not."""
    match predicate:
        case Compare() | OneOf() | Match() | Search() | Present():
            return evolve(predicate, expected=not predicate.expected)
        case All(terms):
            return AnyOf(tuple(map(negate, terms)))
        case AnyOf(terms):
            return All(tuple(map(negate, terms)))
        case _:
            assert_never(predicate)


def leaves(predicate: Predicate) -> Iterator[Leaf]:
    """Yield the leaves, from left to right."""
    if isinstance(predicate, All | AnyOf):
        for term in predicate.terms:
            yield from leaves(term)
    else:
        yield predicate


def all_of(terms: Iterable[Predicate]) -> Predicate:
    """Join *terms* with AND; nested conjunctions become one, and no term stands there twice."""
    return _join(All, terms, expected=False)


def any_of(terms: Iterable[Predicate]) -> Predicate:
    """Join *terms* with OR; equalities of one operand become one, as its inequalities in AND do."""
    return _join(AnyOf, terms, expected=True)


def _join(joint: type[All | AnyOf], terms: Iterable[Predicate], *, expected: bool) -> Predicate:
    flat = tuple(_merge(dict.fromkeys(_flatten(joint, terms)), expected=expected))
    return flat[0] if len(flat) == 1 else joint(flat)


def _flatten(joint: type[All | AnyOf], terms: Iterable[Predicate]) -> Iterator[Predicate]:
    for term in terms:
        if isinstance(term, joint):
            yield from term.terms
        else:
            yield term


def _merge(terms: Iterable[Predicate], *, expected: bool) -> Iterator[Predicate]:
    """Put one test for all equalities of an operand, if *expected* so, in place of the first."""
    groups: dict[object, list[Predicate]] = {}
    for term in terms:
        equality = _as_equality(term)
        key = term if equality is None or equality.expected is not expected else equality.operand
        groups.setdefault(key, []).append(term)
    for first, *others in groups.values():
        yield _one_of(filter(None, map(_as_equality, (first, *others)))) if others else first


def _as_equality(term: Predicate) -> OneOf | None:
    match term:
        case Compare(operand, Op.EQ, value, expected):
            return OneOf(operand, frozenset({value}), expected)
        case OneOf():
            return term
        case _:
            return None


def _one_of(equalities: Iterable[OneOf]) -> Predicate:
    first, *others = equalities
    values = first.values.union(*(other.values for other in others))
    if len(values) == 1:
        [value] = values
        return Compare(first.operand, Op.EQ, value, first.expected)
    return evolve(first, values=values)
