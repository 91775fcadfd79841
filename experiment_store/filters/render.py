"""From a predicate to its canonical filter, for digests, logs and tests.

Compiling the filter gives the predicate again, if it was compiled from one and
the filter is within the limit of length.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias, assert_never

from attrs import frozen

from experiment_store.filters.lexis import MAX_NESTING, MAX_WILDCARDS, encode, nesting
from experiment_store.filters.patterns import Pattern
from experiment_store.filters.predicates import (
    ALWAYS,
    ENTRIES,
    All,
    AnyOf,
    Compare,
    Label,
    Leaf,
    Match,
    MetricValue,
    OneOf,
    Op,
    Operand,
    Param,
    Predicate,
    Present,
    Search,
)
from experiment_store.filters.times import format_time
from experiment_store.mappings import ParamValue
from experiment_store.schema import KINDS, Type
from experiment_store.sort_keys import from_sort_key
from experiment_store.values import Value

_STAR = ("", "")

Joint: TypeAlias = type[All | AnyOf]


def render(predicate: Predicate) -> str:
    """Return the canonical filter that means *predicate*; ALWAYS is blank.

    Folded patterns are the two forms that functions make: ``iequals`` and ``icontains``.
    """
    if predicate == ALWAYS:
        return ""
    text = _Renderer(explicit=True).text(predicate)
    if any(depth > MAX_NESTING for _, depth in nesting(text)):
        # Without the parentheses that AIP-160's precedence makes redundant, the
        # result is nested no deeper than what the predicate was compiled from.
        text = _Renderer(explicit=False).text(predicate)
    return text


@frozen
class _Renderer:
    explicit: bool

    def text(self, predicate: Predicate, *, within: Joint | None = None) -> str:
        match predicate:
            case All(()):
                return "*"
            case AnyOf(()):
                return "-*"
            case All(terms):
                return _joined(" AND ", self.terms(terms, All), closed=within is AnyOf)
            case AnyOf(terms):
                texts = self.terms(terms, AnyOf)
                return _joined(" OR ", texts, closed=within is All and self.explicit)
            case OneOf(operand, values, expected) if not self.explicit:
                # A list would be a level deeper than the equalities it may have been.
                sign, joint = ("", " OR ") if expected else ("-", " AND ")
                texts = [
                    f"{sign}{_path(operand)} = {_value(operand, value)}" for value in sorted(values)
                ]
                return _joined(joint, texts, closed=within is AnyOf and not expected)
            case _:
                return _leaf(predicate)

    def terms(self, terms: tuple[Predicate, ...], joint: Joint) -> list[str]:
        texts = []
        while terms:
            difference = _difference(terms[:2], expected=joint is All)
            texts.append(difference or self.text(terms[0], within=joint))
            terms = terms[2 if difference else 1 :]
        return texts


def _joined(joint: str, texts: list[str], *, closed: bool) -> str:
    return f"({joint.join(texts)})" if closed and len(texts) > 1 else joint.join(texts)


def _difference(pair: tuple[Predicate, ...], *, expected: bool) -> str:
    """Render the two leaves that ``!=`` makes of an operand that can be absent, if it is them."""
    match pair:
        case (
            Present(operand, present),
            Compare(other, Op.EQ, _, equal) | Match(other, _, equal) as test,
        ) if operand == other and present is expected and equal is not expected:
            if isinstance(test, Compare):
                value = _value(operand, test.value)
            elif test.pattern.folded or len(test.pattern.parts) > MAX_WILDCARDS + 1:
                return ""
            else:
                value = encode(test.pattern.parts)
            return f"{'' if expected else '-'}{_path(operand)} != {value}"
        case _:
            return ""


def _leaf(leaf: Leaf) -> str:
    match leaf:
        case Compare(operand, op, value):
            text = f"{_path(operand)} {op.value} {_value(operand, value)}"
        case OneOf(operand, values):
            # Values of one operand have one type, so that they have an order.
            listed = [_value(operand, value) for value in sorted(values)]
            text = f"{_path(operand)} = ({' OR '.join(listed)})"
        case Match(operand, pattern):
            text = _match(operand, pattern)
        case Search(pattern):
            text = encode(pattern.parts[1:-1] or ("",))
        case Present(operand):
            text = (
                f"{_path(operand)} = {encode(_STAR)}"
                if _is_text(operand)
                else f"{_path(operand)}:*"
            )
        case _:
            assert_never(leaf)
    return text if leaf.expected else f"-{text}"


def _match(operand: Operand, pattern: Pattern) -> str:
    path, (first, *middle) = _path(operand), pattern.parts
    if pattern.folded and not middle:
        return f"iequals({path}, {encode((first,))})"
    if pattern.folded:
        return f"icontains({path}, {encode(('*'.join(middle[:-1]),))})"
    if len(middle) > 1 and not first and not middle[-1] and isinstance(operand, str):
        # This form has no wildcards at its ends; with them it could have too many.
        return f"{path}:{encode(tuple(middle[:-1]))}"
    return f"{path} = {encode(pattern.parts)}"


def _path(operand: Operand) -> str:
    match operand:
        case Label(key):
            return f"labels.{encode((key,))}"
        case Param(key):
            return f"params.{encode((key,))}"
        case MetricValue(name, "latest"):
            return f"metrics.{encode((name,))}"
        case MetricValue(name, statistic):
            return f"metrics.{encode((name,))}.{statistic}"
        case str():
            return operand
        case _:
            assert_never(operand)


def _value(operand: Operand, value: Value) -> str:
    match value:
        case str() if isinstance(operand, ENTRIES):
            return _literal(from_sort_key(value))
        case str():
            return encode((value,))
        case datetime():
            return format_time(value)
        case _:
            return _literal(bool(value))


def _literal(value: ParamValue) -> str:
    if isinstance(value, str):
        return encode((value,))
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _is_text(operand: Operand) -> bool:
    """Tell whether *operand* is a text field, of which ``:*`` means more than presence."""
    return any(
        field.name == operand and field.type is Type.TEXT for kind in KINDS for field in kind.fields
    )
