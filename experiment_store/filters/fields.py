"""Which field, or which entry of one, a path means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from experiment_store.errors import quote
from experiment_store.filters.lexis import Source
from experiment_store.filters.predicates import Label, MetricValue, Operand, Param
from experiment_store.filters.syntax import Literal, Path
from experiment_store.schema import Field, Kind, Type

_VALUES = {
    Type.LABELS: Field("value", optional=True),
    Type.PARAMS: Field("value", Type.PARAMS, optional=True),
    Type.METRICS: Field("value", Type.METRICS, optional=True),
}
_STATISTICS = ("min", "max")


@frozen
class Map:
    """How errors speak of the *key* of an entry, and what one is *written* like."""

    key: str
    written: str


MAPS: Mapping[Type, Map] = {
    Type.LABELS: Map("a label key", "labels.KEY"),
    Type.PARAMS: Map("a parameter key", "params.KEY"),
    Type.METRICS: Map("a metric name", "metrics.NAME"),
}
"""The types of the fields that have entries."""


@frozen
class Target:
    """What a restriction or a sort key is about; an entry has a field's properties too."""

    operand: Operand
    field: Field

    @property
    def type(self) -> Type:
        """The type of its values."""
        return self.field.type


def resolve(source: Source, path: Path, kind: Kind[Any]) -> Target:
    """Return what *path* means among the fields of *kind*.

    Raises:
        InvalidTextError: No such field, or it has no such part.
    """
    first, *rest = path.segments
    field = kind.by_word.get(first.written)
    if field is None:
        problem = f"unknown field {quote(first.written)}"
        hint = suggestion(first.written, kind.by_word) or _entries_named(first.written, kind)
        raise source.schema(first.position, problem + hint)
    if not rest:
        return Target(field.name, field)
    if field.type not in MAPS:
        raise source.schema(rest[0].position, f"{quote(first.written)} has no parts")
    return Target(_entry(source, field, rest), _VALUES[field.type])


def operand_of(type: Type, key: str) -> Operand:
    """Return the entry with the key *key* in the field of that *type*."""
    match type:
        case Type.PARAMS:
            return Param(key)
        case Type.METRICS:
            return MetricValue(key)
        case _:
            return Label(key)


def key_of(source: Source, type: Type, literal: Literal) -> str:
    """Return the key that *literal* spells.

    Raises:
        InvalidTextError: It has a wildcard.
    """
    parts = source.decode(literal.written, literal.position)
    if len(parts) > 1:
        problem = rf'{MAPS[type].key} has no wildcards; "\*" is an asterisk'
        raise source.schema(literal.position, problem)
    return parts[0]


def _entry(source: Source, field: Field, rest: list[Literal]) -> Operand:
    first, *others = rest
    operand = operand_of(field.type, key_of(source, field.type, first))
    if not others:
        return operand
    last = others[0]
    if isinstance(operand, MetricValue) and len(others) == 1 and last.written in _STATISTICS:
        return MetricValue(operand.name, last.written)
    problem = f'{MAPS[field.type].key} with a dot needs quotes: {field.name}."a.b"'
    if field.type is Type.METRICS:
        problem = f"only .min and .max may follow; {problem}"
    raise source.schema(last.position, problem)


def _entries_named(word: str, kind: Kind[Any]) -> str:
    """Return what to write where *word* is that of a parameter or a metric, if *kind* has such."""
    found = [field.name for field in kind.fields if field.type in (Type.PARAMS, Type.METRICS)]
    return f"; write {' or '.join(f'{name}.{word}' for name in found)}" if found else ""


def suggestion(word: str, names: Iterable[str]) -> str:
    """Return a question after the one of *names* that is most like *word*, if any is."""
    import difflib  # noqa: PLC0415 (only a mistake needs it)

    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), by_lower, 1)
    return f"; did you mean {quote(by_lower[near[0]])}?" if near else ""
