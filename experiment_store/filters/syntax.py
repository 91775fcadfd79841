"""Syntax: what was written in a filter, with positions, before it means anything.

Names are not looked up, literals are not decoded, and parentheses are gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeAlias, TypeVar, assert_never

from attrs import frozen

from experiment_store.filters.lexis import QUOTES

T = TypeVar("T")


@frozen
class Literal:
    """A quoted string with its quotes, a time, or text that may have dots in it."""

    written: str
    position: int

    @property
    def quoted(self) -> bool:
        """Whether it is a string, not a word."""
        return self.written[0] in QUOTES


@frozen
class Path:
    """A field and what comes after its dots."""

    segments: tuple[Literal, ...]


@frozen
class Conjunction(Generic[T]):
    """Things joined by AND or by mere white space."""

    terms: tuple[T, ...]


@frozen
class Disjunction(Generic[T]):
    """Things joined by OR."""

    terms: tuple[T, ...]


@frozen
class Values:
    """A list of values in parentheses."""

    content: Element
    position: int


Element: TypeAlias = "Literal | Values | Conjunction[Element] | Disjunction[Element]"
"""What a list of values is made of."""


@frozen
class Call:
    """A function of at most one literal, in the place of a value."""

    name: Literal
    argument: Literal | None = None


@frozen
class Restriction:
    """A field compared with one value or a list."""

    path: Path
    comparator: str
    value: Literal | Values | Call


@frozen
class Test:
    """A function of a field and a literal, in the place of a restriction."""

    name: Literal
    path: Path
    argument: Literal


@frozen
class Bare:
    """A literal in the place of a restriction."""

    segments: tuple[Literal, ...]


@frozen
class Negation:
    """NOT or a minus sign before a term."""

    term: Condition


Term: TypeAlias = Restriction | Test | Bare
Condition: TypeAlias = "Term | Negation | Conjunction[Condition] | Disjunction[Condition]"
"""A filter or a part of one."""


def terms(node: Condition | Element) -> Iterator[int]:
    """Yield the position of every restriction and every element of a list, in order."""
    match node:
        case Conjunction(parts) | Disjunction(parts):
            for part in parts:
                yield from terms(part)
        case Negation(term):
            yield from terms(term)
        case Values(content):
            yield from terms(content)
        case Literal(_, position):
            yield position
        case Bare(segments):
            yield segments[0].position
        case Test(name):
            yield name.position
        case Restriction(path, _, value):
            yield path.segments[0].position
            if isinstance(value, Values):
                yield from terms(value)
        case _:
            assert_never(node)
