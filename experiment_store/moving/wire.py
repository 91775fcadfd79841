"""Records as JSON objects, and back: one canonical text for equal records.

The fields stand in the order of the schema, labels, parameters and metrics in that of
their keys; times are RFC 3339 in UTC with six digits. All of it is read from the kind's
fields, so a new field needs no change here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from json import JSONEncoder
from operator import attrgetter
from typing import Any

from experiment_store.errors import InvalidArgumentError, quote
from experiment_store.names import check_field
from experiment_store.plain import FROM_PLAIN, to_plain
from experiment_store.schema import Field, Kind, R, Type

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_NOTHING: frozenset[str] = frozenset()
_text = JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def to_text(plain: Mapping[str, Any]) -> bytes:
    """Return *plain* as JSON without white space, in UTF-8."""
    return _text(plain).encode()


@cache
def writer(kind: Kind[R], lacks: frozenset[str] = _NOTHING) -> Callable[[R], bytes]:
    """Return what makes the canonical text of a record of *kind* that *lacks* some fields."""
    fields = [field for field in kind.fields if field.name not in lacks]
    names = [field.name for field in fields]
    read = attrgetter(*names)
    words = [(field.name, _WRITE[field.type]) for field in fields if field.type in _WRITE]

    def write(record: R) -> bytes:
        plain = {"kind": kind.name, **dict(zip(names, read(record), strict=True))}
        for name, word in words:
            if (value := plain[name]) is not None:
                plain[name] = word(value)
        return to_text(plain)

    return write


def from_plain(kind: Kind[R], plain: Mapping[str, Any], lacks: frozenset[str] = _NOTHING) -> R:
    """Return the record of *kind* that *plain*, which *lacks* some fields, describes.

    Raises:
        InvalidArgumentError: A field is missing, unknown, or holds what the store would refuse.
    """
    if unknown := plain.keys() - (kind.by_name.keys() - lacks):
        raise InvalidArgumentError(kind.name, f"has the unknown field {quote(min(unknown))}")
    return kind.record(
        *(
            field.default if field.name in lacks else _given(kind, field, plain)
            for field in kind.fields
        )
    )


def _given(kind: Kind[Any], field: Field, plain: Mapping[str, Any]) -> Any:
    if field.name not in plain:
        raise InvalidArgumentError(kind.name, f"lacks the field {quote(field.name)}")
    return _value(field, plain[field.name])


def _value(field: Field, value: Any) -> Any:
    if value is None and not field.optional:
        raise InvalidArgumentError(field.name, "must not be null")
    if value is not None and field.type is Type.TIME:
        value = _read_time(field.name, value)
    if (read := FROM_PLAIN.get(field.type)) is not None:
        try:
            value = read(value)
        except (AttributeError, TypeError, ValueError) as error:
            raise InvalidArgumentError(field.name, "is not what an export has") from error
    return check_field(field.name, value)


def _read_time(name: str, value: Any) -> datetime:
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass  # its form is right, but there is no such day
    raise InvalidArgumentError(name, "must be a time as 2026-01-31T23:59:59.000000Z")


def _write_time(time: datetime) -> str:
    return f"{time.isoformat(timespec='microseconds')[:-6]}Z"


def _write_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    return dict(sorted(labels.items()))


_WRITE: Mapping[Type, Callable[[Any], Any]] = {
    Type.TIME: _write_time,
    Type.LABELS: _write_labels,
    Type.PARAMS: to_plain,
    Type.METRICS: to_plain,
    Type.ARTIFACTS: to_plain,
}
