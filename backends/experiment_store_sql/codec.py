"""Between records and rows: plain values that every driver takes and gives as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Generic

from attrs import frozen

from experiment_store.records import Labels
from experiment_store.schema import Field, Kind, R, Type
from experiment_store.values import from_micros, to_micros
from experiment_store_sql.tables import ABSENT_TEXT, ABSENT_TIME

Plain = str | int
"""What a column holds."""

NO_LABELS = Labels()


def encode(value: Any) -> Plain:
    """Return a present *value* as a column holds it."""
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return str.__str__(value)  # the characters, of enum members and other subclasses too
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    number: int = value
    return number


def encode_field(field: Field, value: Any) -> Plain:
    """Return *value*, perhaps absent, as the column of *field* holds it."""
    return absent(field) if value is None else encode(value)


def absent(field: Field) -> Plain:
    """What the column of *field* holds where the value is absent."""
    return ABSENT_TIME if field.type is Type.TIME else ABSENT_TEXT


@frozen(eq=False)
class Codec(Generic[R]):
    """Encodes and decodes the records of one kind, in the order of its fields."""

    kind: Kind[R]
    _encoders: tuple[Callable[[Any], Plain], ...]
    _decoders: tuple[tuple[int, Callable[[Any], Any]], ...]

    def row(self, record: R) -> tuple[Plain, ...]:
        """Return *record* as a row."""
        return tuple(
            encoder(getattr(record, field.name))
            for field, encoder in zip(self.kind.fields, self._encoders, strict=True)
        )

    def record(self, row: Sequence[Any]) -> R:
        """Return the record in *row*."""
        values = list(row)
        for position, decode in self._decoders:
            values[position] = decode(values[position])
        return self.kind.record(*values)


@cache
def codec(kind: Kind[R]) -> Codec[R]:
    """Return the codec of *kind*."""
    decoders = ((position, _decoder(field)) for position, field in enumerate(kind.fields))
    return Codec(
        kind,
        tuple(_encoder(field) for field in kind.fields),
        tuple((position, decode) for position, decode in decoders if decode is not None),
    )


def _encoder(field: Field) -> Callable[[Any], Plain]:
    if field.type is Type.TEXT and not field.optional:
        return str.__str__
    return lambda value: encode_field(field, value)


def _decoder(field: Field) -> Callable[[Any], Any] | None:
    match field.type:
        case Type.TEXT:
            return (lambda text: text or None) if field.optional else None
        case Type.TIME:
            return _optional_time if field.optional else from_micros
        case Type.BOOL:
            return bool
        case Type.ENUM:
            return {word.value: word for word in field.enum or ()}.__getitem__
        case Type.LABELS:
            return _labels


def _optional_time(micros: int) -> datetime | None:
    return None if micros == ABSENT_TIME else from_micros(micros)


def _labels(text: str) -> Labels:
    return Labels(json.loads(text)) if text != "{}" else NO_LABELS
