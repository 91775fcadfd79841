"""Between records and rows: plain values that every driver takes and gives as they are.

Many are converted a column at a time, which keeps Python's own loops out of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import repeat
from json import JSONDecoder, JSONEncoder, loads
from operator import attrgetter
from typing import Any, Generic, cast

from attrs import frozen, make_class

from experiment_store.mappings import Labels, Metrics, Params
from experiment_store.plain import FROM_PLAIN, to_plain
from experiment_store.schema import Field, Kind, R, Type
from experiment_store.sort_keys import sort_key
from experiment_store.values import to_micros
from experiment_store_sql.tables import ABSENT_TEXT, ABSENT_TIME, has_keys

Plain = str | int
"""What a column holds."""

Row = tuple[Any, ...]

STATISTICS = ("latest", "min", "max")
"""Of which a metric has sort keys, in this order."""

_NOTHING = "{}"
_ODD = re.compile(r'[\x00-\x1f"%\\]|\A\Z')  # what no path of SQLite's can spell, and our own mark
_NONE = (_NOTHING, "[]")
_MANY = 4  # rows from which on it pays to convert columns
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_write_json = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_labels_json = JSONDecoder(object_hook=Labels)


def encode(value: Any) -> Plain:
    """Return a present *value* as a column holds it."""
    if isinstance(value, str):
        return str.__str__(value)  # the characters, of enum members and other subclasses too
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(value, Labels):
        return _write_json(value)
    if isinstance(value, int):
        return int(value)
    return _write_json(to_plain(value))


def encode_field(field: Field, value: Any) -> Plain:
    """Return *value*, perhaps absent, as the column of *field* holds it."""
    return absent(field) if value is None else encode(value)


def encode_keys(value: Params | Metrics) -> str:
    """Return the sort keys of the entries of *value*; those of a metric are in a list.

    Equal values have equal texts, in whatever order their entries came.
    """
    if not value:
        return _NOTHING
    if isinstance(value, Params):
        return _write_json({spell_key(key): sort_key(held) for key, held in sorted(value.items())})
    return _write_json(
        {
            spell_key(name): [sort_key(getattr(metric, statistic)) for statistic in STATISTICS]
            for name, metric in sorted(value.items())
        }
    )


def spell_key(key: str) -> str:
    """Return *key* as it stands beside its sort keys: every path in JSON can spell it."""
    return _ODD.sub(lambda odd: f"%{ord(odd[0]) if odd[0] else 0:02x}", key)


def absent(field: Field) -> Plain:
    """What the column of *field* holds where the value is absent."""
    return ABSENT_TIME if field.type is Type.TIME else ABSENT_TEXT


def term(namespace: str, key: str, value: str) -> int:
    """Digest a label of a namespace to 64 bits; different ones may share them.

    Two of the texts are not joined by a character of their own: none holds NUL.
    """
    from hashlib import blake2b  # noqa: PLC0415 (it loads OpenSSL; many records have no labels)

    text = f"{namespace}\0{key}\0{value}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), signed=True)


def key_in_json(key: str) -> str:
    """Return what stands in the column of the labels where one has this *key*."""
    return f"{_write_json(key)}:"


def label_rows(records: Iterable[Any]) -> Iterator[Row]:
    """Return the rows of the labels of *records*, if they have such."""
    for record in records:
        for key, value in getattr(record, "labels", {}).items():
            place = to_micros(record.created_at)
            yield record.id, key, value, place, term(record.namespace, key, value)


@frozen(eq=False)
class Codec(Generic[R]):
    """Encodes and decodes the records of one kind, in the order of its fields."""

    _kind: Kind[R]
    _read: Callable[[R], Row]
    _draft: Callable[..., Any]
    _encoders: tuple[Callable[[Any], Plain], ...]
    _decoders: tuple[tuple[int, Callable[[Any], Any]], ...]
    _labels: int | None
    _times: tuple[int, ...]
    _keyed: tuple[int, ...]

    def rows(self, records: Iterable[R]) -> list[Row]:
        """Return *records*, of which there is at least one, as rows."""
        columns = list(zip(*map(self._read, records), strict=True))
        columns += [columns[position] for position in self._keyed]
        return list(zip(*map(map, self._encoders, columns), strict=True))

    def record(self, row: Row) -> R:
        """Return the record in *row*."""
        values = list(row)
        for position, decode in self._decoders:
            values[position] = decode(values[position])
        return self._kind.record(*values)

    def records(self, rows: Sequence[Row]) -> Sequence[R]:
        """Return the records in *rows*."""
        if len(rows) < _MANY:
            return [self.record(row) for row in rows]
        columns: list[Any] = list(zip(*rows, strict=True))
        times = _times(columns[position] for position in self._times)
        for position, decode in self._decoders:
            column = columns[position]
            if position in self._times:
                columns[position] = map(times, column)
            elif position == self._labels:
                columns[position] = _labels_json.decode(f"[{','.join(column)}]")
            else:
                columns[position] = map(decode, column)
        drafts = list(map(self._draft, *columns))
        record: Any = self._kind.record
        for draft in drafts:
            draft.__class__ = record
        return drafts


@cache
def codec(kind: Kind[R]) -> Codec[R]:
    """Return the codec of *kind*."""
    names = [field.name for field in kind.fields]
    decoders = [_decoder(field) for field in kind.fields]
    types = [field.type for field in kind.fields]
    keyed = tuple(position for position, field in enumerate(kind.fields) if has_keys(field))
    return Codec(
        kind,
        attrgetter(*names),
        # Frozen classes fill their slots one call each, which takes four times as
        # long. So a record is made as another class of the same slots.
        make_class("Draft", names, slots=True, weakref_slot=False, eq=False, repr=False),
        (*map(_encoder, kind.fields), *(encode_keys for _ in keyed)),
        tuple((position, decode) for position, decode in enumerate(decoders) if decode is not None),
        types.index(Type.LABELS) if Type.LABELS in types else None,
        tuple(position for position, type in enumerate(types) if type is Type.TIME),
        keyed,
    )


def _times(columns: Iterable[Sequence[int]]) -> Callable[[int], datetime | None]:
    """Return what decodes the times in *columns*, of which many stand there twice."""
    distinct = set[int]().union(*columns) - {ABSENT_TIME}
    lengths = map(timedelta, repeat(0), repeat(0), distinct)
    known: dict[int, datetime | None] = dict(
        zip(distinct, map(_EPOCH.__add__, lengths), strict=True)
    )
    known[ABSENT_TIME] = None
    return known.__getitem__


def _encoder(field: Field) -> Callable[[Any], Plain]:
    if field.type in (Type.TEXT, Type.ENUM) and not field.optional:
        return str.__str__
    return partial(encode_field, field)


def _decoder(field: Field) -> Callable[[Any], Any] | None:
    match field.type:
        case Type.TEXT:
            return _optional_text if field.optional else None
        case Type.TIME:
            return _time
        case Type.BOOL:
            return bool
        case Type.ENUM:
            return {word.value: word for word in field.enum or ()}.__getitem__
        case Type.LABELS:
            return _read_labels
        case Type.PARAMS | Type.METRICS | Type.ARTIFACTS:
            return partial(_read_plain, FROM_PLAIN[field.type], field.default)


def _optional_text(text: str) -> str | None:
    return text or None


def _read_labels(text: str) -> Labels:
    labels, _ = _labels_json.raw_decode(text)
    return cast("Labels", labels)


def _read_plain(read: Callable[[Any], Any], none: Any, text: str) -> Any:
    return none if text in _NONE else read(loads(text))


def _time(micros: int) -> datetime | None:
    return None if micros == ABSENT_TIME else _EPOCH + timedelta(0, 0, micros)
