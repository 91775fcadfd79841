"""What comparing a field with a literal means, by the type of the field.

This is the table of docs/filter-language.md, "What a restriction means"; the literals
of parameters and metrics have a type of their own.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from experiment_store.errors import quote
from experiment_store.filters.fields import MAPS, Target, key_of, operand_of
from experiment_store.filters.lexis import MAX_WILDCARDS, Source
from experiment_store.filters.numbers import read_number
from experiment_store.filters.patterns import Pattern
from experiment_store.filters.predicates import (
    ALWAYS,
    NEVER,
    Compare,
    Match,
    Op,
    Predicate,
    Present,
    all_of,
    negate,
)
from experiment_store.filters.syntax import Literal
from experiment_store.filters.times import parse_time
from experiment_store.mappings import ParamValue
from experiment_store.schema import Type
from experiment_store.sort_keys import sort_key
from experiment_store.values import Value

_STAR = ("", "")
_BOOLS = {"true": True, "false": False}
_TYPED = (Type.PARAMS, Type.METRICS)


def restrict(source: Source, target: Target, comparator: str, literal: Literal) -> Predicate:
    """Return the predicate that compares *target* with *literal*.

    Raises:
        InvalidFilterError: They cannot be compared so.
    """
    if isinstance(target.operand, str) and target.type in MAPS:
        return _has_key(source, target, comparator, literal)
    match comparator:
        case "=":
            return _equals(source, target, literal)
        case "!=" if _is_null(target, literal):
            return present(target)
        case "!=":
            return differing(target, _equals(source, target, literal))
        case ":":
            return _has(source, target, literal)
        case _:
            return _ordered(source, target, Op(comparator), literal)


def differing(target: Target, equal: Predicate) -> Predicate:
    """The target is present and *equal* is not true (AIP-160: an unset field matches no ``!=``)."""
    return all_of((present(target), negate(equal)))


def present(target: Target) -> Predicate:
    """The target is present, which most fields always are."""
    return Present(target.operand) if target.field.optional else ALWAYS


def matching(target: Target, pattern: Pattern) -> Predicate:
    """The target is present and has the form of *pattern*, of which there is one spelling."""
    pattern = without_idle_gaps(pattern)
    if pattern.parts == _STAR and target.type is Type.TEXT:
        return present(target)
    return Match(target.operand, pattern)


def without_idle_gaps(pattern: Pattern) -> Pattern:
    """Spell two wildcards in a row as one, which means the same."""
    first, *rest = pattern.parts
    if not rest:
        return pattern
    return evolve(pattern, parts=(first, *filter(None, rest[:-1]), rest[-1]))


def wildcards(source: Source, literal: Literal) -> tuple[str, ...]:
    """Return the texts between the wildcards of *literal*.

    Raises:
        InvalidFilterError: It has over eight wildcards.
    """
    parts = source.decode(literal.written, literal.position)
    if len(parts) > MAX_WILDCARDS + 1:
        raise source.limit(literal.position, f"more than {MAX_WILDCARDS} wildcards")
    return parts


def plain(source: Source, literal: Literal) -> str:
    """Return *literal* as text in which an asterisk is only an asterisk.

    Raises:
        InvalidFilterError: It has a bad escape.
    """
    return "*".join(source.decode(literal.written, literal.position))


def _has_key(source: Source, target: Target, comparator: str, literal: Literal) -> Predicate:
    name = target.field.name
    if comparator != ":":
        written = MAPS[target.type].written
        problem = (
            f"{name} takes no {comparator!r}; compare {written}, or write {name}:"
            f"{written.removeprefix(f'{name}.')}"
        )
        raise source.schema(literal.position, problem)
    if source.decode(literal.written, literal.position) == _STAR:
        return Present(name)
    return Present(operand_of(target.type, key_of(source, target.type, literal)))


def _equals(source: Source, target: Target, literal: Literal) -> Predicate:
    if _is_null(target, literal):
        return negate(present(target))
    if _may_be_text(target) and len(parts := wildcards(source, literal)) > 1:
        return matching(target, Pattern(parts))
    if target.type is Type.ENUM and plain(source, literal) == target.field.unspecified:
        return NEVER
    return Compare(target.operand, Op.EQ, _value(source, target, literal))


def _has(source: Source, target: Target, literal: Literal) -> Predicate:
    alone = source.decode(literal.written, literal.position) == _STAR
    is_text = target.type is Type.TEXT and isinstance(target.operand, str)
    if alone and is_text:
        return differing(target, Compare(target.operand, Op.EQ, ""))
    if alone:
        return present(target)
    if target.type is Type.TIME:
        raise source.schema(literal.position, f"{target.field.name} takes ':' only with *")
    if is_text:
        return matching(target, Pattern(("", *wildcards(source, literal), "")))
    return _equals(source, target, literal)  # AIP-160: m.foo:42 is true if m.foo is 42


def _ordered(source: Source, target: Target, op: Op, literal: Literal) -> Predicate:
    unordered = _unordered(target, literal)
    if unordered is not None:
        raise source.schema(literal.position, f"{unordered} has no order; use = or !=")
    return Compare(target.operand, op, _value(source, target, literal))


def _unordered(target: Target, literal: Literal) -> str | None:
    """Return what has no order, the field or the literal, if one of them has none."""
    if target.type in (Type.BOOL, Type.ENUM):
        return target.field.name
    if _is_null(target, literal):
        return "null"
    if target.type is Type.PARAMS and literal.written in _BOOLS:
        return literal.written
    return "nan" if target.type in _TYPED and literal.written == "nan" else None


def _may_be_text(target: Target) -> bool:
    return target.type in (Type.TEXT, Type.PARAMS)


def _is_null(target: Target, literal: Literal) -> bool:
    return target.type is Type.TIME and literal.written == "null"


def _value(source: Source, target: Target, literal: Literal) -> Value:
    text = plain(source, literal)
    match target.type:
        case Type.TEXT:
            return text
        case Type.PARAMS:
            return sort_key(_param(literal, text))
        case Type.METRICS:
            return sort_key(_number(source, literal, text))
        case Type.TIME:
            return _time(source, literal, text)
        case Type.BOOL:
            if text in _BOOLS:
                return _BOOLS[text]
            raise source.schema(literal.position, f"{quote(text)} is not one of true, false")
        case _:
            words = [] if target.field.enum is None else [word.value for word in target.field.enum]
            if text in words:
                return text
            problem = f"{quote(text)} is not one of {', '.join(words)}"
            raise source.schema(literal.position, problem)


def _param(literal: Literal, text: str) -> ParamValue:
    if literal.quoted:
        return text
    if text in _BOOLS:
        return _BOOLS[text]
    number = read_number(text)
    return text if number is None else number


def _number(source: Source, literal: Literal, text: str) -> float:
    number = read_number(text)
    if number is None:
        raise source.schema(literal.position, f"{quote(text)} is no number, as metrics are")
    if literal.quoted:
        raise source.schema(literal.position, f"metrics are numbers: write {text} without quotes")
    return number


def _time(source: Source, literal: Literal, text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError as error:
        raise source.schema(literal.position, str(error)) from None
