"""Which field or label a path means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import frozen

from experiment_store.errors import quote
from experiment_store.filters.lexis import Source
from experiment_store.filters.predicates import Label, Operand
from experiment_store.filters.syntax import Literal, Path
from experiment_store.schema import Field, Kind, Type

_LABEL_VALUE = Field("value", optional=True)


@frozen
class Target:
    """What a restriction or a sort key is about; a label has a field's properties too."""

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
        raise source.schema(first.position, problem + suggestion(first.written, kind.by_word))
    if not rest:
        return Target(field.name, field)
    if field.type is not Type.LABELS:
        raise source.schema(rest[0].position, f"{quote(first.written)} has no parts")
    if len(rest) > 1:
        raise source.schema(rest[1].position, 'a label key with a dot needs quotes: labels."a.b"')
    return Target(Label(label_key(source, rest[0])), _LABEL_VALUE)


def label_key(source: Source, literal: Literal) -> str:
    """Return the key that *literal* spells.

    Raises:
        InvalidTextError: It has a wildcard.
    """
    parts = source.decode(literal.written, literal.position)
    if len(parts) > 1:
        raise source.schema(literal.position, r'a label key has no wildcards; "\*" is an asterisk')
    return parts[0]


def suggestion(word: str, names: Iterable[str]) -> str:
    """Return a question after the one of *names* that is most like *word*, if any is."""
    import difflib  # noqa: PLC0415 (only a mistake needs it)

    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), by_lower, 1)
    return f"; did you mean {quote(by_lower[near[0]])}?" if near else ""
