"""KFP's filters: predicates in JSON become a predicate of this library.

The words are those of the messages ``Filter`` of v1beta1 and v2beta1, which
differ in the name of one member; either is read in both. Times compare by whole
seconds, as KFP keeps no finer ones, and text compares by code point.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any
from urllib.parse import unquote_plus

from attrs import frozen

from experiment_store.errors import InvalidArgumentError, quote
from experiment_store.filters.check import MAX_TERMS
from experiment_store.filters.costs import MAX_COST, cost
from experiment_store.filters.lexis import BLANK, MAX_LENGTH
from experiment_store.filters.patterns import containing
from experiment_store.filters.predicates import (
    ALWAYS,
    NEVER,
    All,
    AnyOf,
    Compare,
    Match,
    OneOf,
    Op,
    Predicate,
    Present,
    all_of,
    any_of,
    negate,
)
from experiment_store.kfp.proto import Node, NotJsonError, parse
from experiment_store.records import StorageState
from experiment_store.schema import EXPERIMENT, Type
from experiment_store.values import from_micros

KEYS: Mapping[str, str] = {
    "id": "id",
    "experiment_id": "id",
    "name": "name",
    "display_name": "name",
    "created_at": "created_at",
    "last_run_created_at": "last_run_created_at",
    "description": "description",
    "namespace": "namespace",
    "storage_state": "storage_state",
}
"""The keys of filters and of ``sort_by``, in both versions, and the fields they mean."""


class _Operation(IntEnum):
    EQUALS = 1
    NOT_EQUALS = 2
    GREATER_THAN = 3
    GREATER_THAN_EQUALS = 5
    LESS_THAN = 6
    LESS_THAN_EQUALS = 7
    IN = 8
    IS_SUBSTRING = 9


_NUMBERS: Mapping[str, int] = {operation.name: operation for operation in _Operation}
_ORDERS: Mapping[_Operation, Op] = {
    _Operation.GREATER_THAN: Op.GT, _Operation.GREATER_THAN_EQUALS: Op.GE,
    _Operation.LESS_THAN: Op.LT, _Operation.LESS_THAN_EQUALS: Op.LE,
}  # fmt: skip
_COMPARISONS: Mapping[_Operation, Callable[[int, int], bool]] = {
    _Operation.EQUALS: operator.eq, _Operation.IN: operator.eq, _Operation.NOT_EQUALS: operator.ne,
    _Operation.GREATER_THAN: operator.gt, _Operation.GREATER_THAN_EQUALS: operator.ge,
    _Operation.LESS_THAN: operator.lt, _Operation.LESS_THAN_EQUALS: operator.le,
}  # fmt: skip
_EQUALITIES = (_Operation.EQUALS, _Operation.NOT_EQUALS, _Operation.IN)

_SCALARS: Mapping[str, Callable[[Node], str | int]] = {
    "int_value": lambda node: node.integer(32),
    "long_value": lambda node: node.integer(64),
    "string_value": Node.text,
    "timestamp_value": lambda node: node.timestamp() // 1_000_000_000,
}
_LISTS: Mapping[str, Callable[[Node], str | int]] = {
    "int_values": _SCALARS["int_value"],
    "long_values": _SCALARS["long_value"],
    "string_values": _SCALARS["string_value"],
}
_STATES: Mapping[str, StorageState | None] = {
    "AVAILABLE": StorageState.AVAILABLE,
    "ARCHIVED": StorageState.ARCHIVED,
    "STORAGE_STATE_UNSPECIFIED": None,
    "STORAGESTATE_AVAILABLE": StorageState.AVAILABLE,
    "STORAGESTATE_ARCHIVED": StorageState.ARCHIVED,
    "STORAGESTATE_UNSPECIFIED": None,
}

_MICROS = 1_000_000
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799  # the seconds of the years 1 to 9999
_LONGEST_ENCODING = 12  # of one character: four bytes, three characters each
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def translate(text: str) -> Predicate:
    """Return what *text*, the parameter ``filter`` of KFP's list calls, means for experiments.

    It is JSON or URL-encoded JSON, since the web UI encodes what the HTTP layer decodes
    once more than the SDK does. What is JSON already is never decoded, so that ``+`` and
    ``%`` in names survive. Blank text and no predicates admit every record. At most
    10,000 characters of JSON, 500 comparisons (an equal time is two), and a cost of 100.

    Raises:
        InvalidArgumentError: It is not such a text, or too large.
    """
    node = _read(text)
    if node is None or (predicates := node.members("predicates").get("predicates")) is None:
        return ALWAYS
    translated = all_of(map(_predicate, predicates.items()))
    if _size(translated) > MAX_TERMS:
        raise node.refusal(f"has more than {MAX_TERMS} comparisons")
    if cost(translated) > MAX_COST:
        raise node.refusal(f"costs more than {MAX_COST}: too many substrings or comparisons")
    return translated


def _read(text: str) -> Node | None:
    if len(text) > MAX_LENGTH * _LONGEST_ENCODING:
        raise _too_long()
    try:
        return _parse(text)
    except NotJsonError:
        return _parse(_decode(text))


def _parse(text: str) -> Node | None:
    if not text.strip(BLANK):
        return None
    node = parse("filter", text)
    if len(text) > MAX_LENGTH:
        raise _too_long()
    return node


def _decode(text: str) -> str:
    try:
        if not _BAD_ESCAPE.search(text):
            return unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        pass
    raise InvalidArgumentError("filter", "is neither JSON nor URL-encoded JSON")


def _too_long() -> InvalidArgumentError:
    return InvalidArgumentError("filter", f"has more than {MAX_LENGTH} characters")


def _size(predicate: Predicate) -> int:
    match predicate:
        case All(terms) | AnyOf(terms):
            return sum(map(_size, terms))
        case OneOf(_, values):
            return len(values)
        case _:
            return 1


def _predicate(node: Node) -> Predicate:
    members = node.members("key", "op", "operation", *_SCALARS, *_LISTS)
    test = _Test(*_key(node, members), _operation(node, members))
    given = [member for name, member in members.items() if name in _SCALARS or name in _LISTS]
    if len(given) != 1:
        raise node.refusal("must have exactly one value")
    return test.predicate(given[0], given[0].path.rpartition(".")[2])


def _key(node: Node, members: Mapping[str, Node]) -> tuple[str, Type]:
    if "key" not in members:
        raise node.refusal("must have a key")
    key = members["key"].text()
    if key not in KEYS:
        raise members["key"].refusal(f"must be one of {', '.join(KEYS)}, not {quote(key)}")
    return KEYS[key], EXPERIMENT.by_name[KEYS[key]].type


def _operation(node: Node, members: Mapping[str, Node]) -> _Operation:
    given = [members[name] for name in ("operation", "op") if name in members]
    if len(given) != 1:
        raise node.refusal("must have exactly one operation")
    number = given[0].enum(_NUMBERS)
    if number not in _NUMBERS.values():
        raise given[0].refusal(f"must be one of {', '.join(_NUMBERS)}, not {number}")
    return _Operation(number)


@frozen
class _Test:
    """What a predicate does with each of its values."""

    field: str
    type: Type
    operation: _Operation

    def predicate(self, node: Node, member: str) -> Predicate:
        """Compare the field with the value, or the values, that *member* has."""
        if member in _SCALARS:
            values = [_SCALARS[member](node)]
        else:
            listed = node.members("values").get("values")
            values = [] if listed is None else [_LISTS[member](item) for item in listed.items()]
        self.check(node, member)
        # In order and without repetitions, so that one meaning has one form.
        return any_of(self.one(node, value) for value in sorted(set(values)))

    def check(self, node: Node, member: str) -> None:
        """Refuse operations that take no such value, or no such field."""
        operation = self.operation
        if (operation is _Operation.IN) is not (member in _LISTS):
            raise node.refusal(f"is not for {operation.name}")
        if (self.type is not Type.TIME) is not member.startswith("string"):
            raise node.refusal(f"is not for {self.field}")
        if (
            (self.type is Type.TIME and operation is _Operation.IS_SUBSTRING)
            or (self.type is Type.ENUM and operation not in _EQUALITIES)
        ):  # fmt: skip
            raise node.refusal(f"is not for {operation.name} of {self.field}")

    def one(self, node: Node, value: Any) -> Predicate:
        match self.type:
            case Type.TIME:
                return self.time(value)
            case Type.ENUM:
                return self.state(node, value)
            case _:
                return self.text(value)

    def text(self, value: str) -> Predicate:
        match self.operation:
            case _Operation.EQUALS | _Operation.IN:
                return Compare(self.field, Op.EQ, value)
            case _Operation.NOT_EQUALS:
                return Compare(self.field, Op.EQ, value, expected=False)
            case _Operation.IS_SUBSTRING:
                return Match(self.field, containing(value)) if value else ALWAYS
            case _:
                return Compare(self.field, _ORDERS[self.operation], value)

    def state(self, node: Node, word: str) -> Predicate:
        if word not in _STATES:
            raise node.refusal(f"must be one of {', '.join(_STATES)}, not {quote(word)}")
        state = _STATES[word]
        equal = NEVER if state is None else Compare(self.field, Op.EQ, state.value)
        return negate(equal) if self.operation is _Operation.NOT_EQUALS else equal

    def time(self, second: int) -> Predicate:
        """Compare whole seconds; no time at all counts as second 0, which is what KFP keeps."""
        ranged = self.seconds(second)
        if not EXPERIMENT.by_name[self.field].optional or ranged == ALWAYS:
            return ranged
        if not _COMPARISONS[self.operation](0, second):
            return ranged
        return any_of((ranged, Present(self.field, expected=False)))

    def seconds(self, second: int) -> Predicate:
        match self.operation:
            case _Operation.NOT_EQUALS:
                return any_of((self.bound(Op.LT, second), self.bound(Op.GE, second + 1)))
            case _Operation.GREATER_THAN:
                return self.bound(Op.GE, second + 1)
            case _Operation.GREATER_THAN_EQUALS:
                return self.bound(Op.GE, second)
            case _Operation.LESS_THAN:
                return self.bound(Op.LT, second)
            case _Operation.LESS_THAN_EQUALS:
                return self.bound(Op.LT, second + 1)
            case _:
                return all_of((self.bound(Op.GE, second), self.bound(Op.LT, second + 1)))

    def bound(self, op: Op, second: int) -> Predicate:
        if _EARLIEST < second <= _LATEST:
            return Compare(self.field, op, from_micros(second * _MICROS))
        return ALWAYS if (op is Op.GE) is (second <= _EARLIEST) else NEVER
