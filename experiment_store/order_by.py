"""order_by: from its text to the sort keys of a total order (AIP-132).

The text is small and flat, so it needs no grammar beyond the tokens that it
shares with filters, and a listing with an order does not load lark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from experiment_store.errors import InvalidOrderByError, quote
from experiment_store.filters.fields import MAPS, resolve
from experiment_store.filters.lexis import BLANK, STRING, TEXT_CHARACTER, Source
from experiment_store.filters.patterns import fold
from experiment_store.filters.predicates import Operand
from experiment_store.filters.syntax import Literal, Path
from experiment_store.ordering import Order, SortKey
from experiment_store.schema import Kind

MAX_FIELDS = 16
DEFAULT = "created_at"

_SEGMENT = re.compile(rf"{TEXT_CHARACTER}+|(?<=\.){STRING}")
_BLANKS = re.compile(f"[{BLANK}]*")
_WORD = re.compile(f"{TEXT_CHARACTER}+")


def parse_order_by(text: str, kind: Kind[Any]) -> Order:
    """Return the order of records of *kind* that *text* asks for.

    Fields are separated by commas, each with ``asc`` or ``desc`` if need be; names
    of fields and directions are read in any case. Blank text means ``created_at``.
    The id is added in the direction of the last field unless it is there, so that
    every order is total.

    Raises:
        InvalidArgumentError: *text* is not a ``str``.
        InvalidOrderByError: It is not well formed, names no field that can be
            sorted by, names one twice, or has over 16 fields.
    """
    source = Source("order_by", text, InvalidOrderByError)
    if not text.strip(BLANK):
        return (SortKey(DEFAULT), SortKey("id"))
    keys: dict[Operand, SortKey] = {}
    for item in _items(source):
        if len(keys) == MAX_FIELDS:
            raise source.limit(item.position, f"more than {MAX_FIELDS} fields")
        key = _key(source, item, kind)
        if key.operand in keys:
            raise source.schema(item.position, "this field is given twice")
        keys[key.operand] = key
    last = next(reversed(keys.values()))
    keys.setdefault("id", SortKey("id", descending=last.descending))
    return tuple(keys.values())


@frozen
class _Item:
    path: Path
    descending: bool

    @property
    def position(self) -> int:
        return self.path.segments[0].position


def _key(source: Source, item: _Item, kind: Kind[Any]) -> SortKey:
    target = resolve(source, item.path, kind)
    if isinstance(target.operand, str) and target.type in MAPS:
        problem = f"{target.operand} have no order; name one: {MAPS[target.type].written}"
        raise source.schema(item.position, problem)
    return SortKey(target.operand, item.descending, target.field.sort_length)


def _items(source: Source) -> Iterator[_Item]:
    text, position = source.text, 0
    while True:
        path, position = _path(source, _skip(text, position))
        direction = _WORD.match(text, after := _skip(text, position))
        descending = False
        if direction and after > position:
            word = fold(direction[0])
            if word not in ("asc", "desc"):
                raise source.syntax(after, f"{quote(direction[0])} is neither asc nor desc")
            descending, after = word == "desc", _skip(text, direction.end())
        yield _Item(path, descending)
        if after == len(text):
            return
        if text[after] != ",":
            raise source.unexpected(after)
        position = after + 1


def _path(source: Source, position: int) -> tuple[Path, int]:
    segments: list[Literal] = []
    while True:
        found = _SEGMENT.match(source.text, position)
        if found is None:
            raise source.unexpected(position)
        # Only the field is read in any case: the keys of its entries are data.
        segments.append(Literal(found[0] if segments else fold(found[0]), position))
        position = found.end() + 1
        if source.text[found.end() : position] != ".":
            return Path(tuple(segments)), found.end()


def _skip(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position
