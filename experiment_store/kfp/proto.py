"""proto3 JSON, read strictly: the form of everything that KFP's clients send.

A `Node` is a JSON value that knows where it stands, so that whatever is wrong
with it can be said with its place. The rules are those of protobuf's "ProtoJSON
format"; where it leaves a choice, the parser of Go, which KFP uses, decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from attrs import evolve, frozen

from experiment_store.errors import InvalidArgumentError, quote
from experiment_store.filters.times import parse_time
from experiment_store.values import is_storable, to_micros

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TIMESTAMP = re.compile(r"(.{10}T.{8})(?:\.([0-9]{1,9}))?(Z|[+-].{5})")
_WORDS: Mapping[type, str] = {
    dict: "an object", list: "a list", str: "text", bool: "a bool", Decimal: "a number",
    type(None): "null",
}  # fmt: skip


class NotJsonError(InvalidArgumentError):
    """A text that is no JSON at all, rather than JSON of the wrong content."""


@frozen
class Node:
    """A JSON value of the request's *argument*; *path* leads to it from the outermost one.

    Its methods read it as a value of a proto3 type; each raises an
    `InvalidArgumentError` about *argument*, with the path, if it is none.
    """

    argument: str
    value: Any
    path: str = ""

    def refusal(self, problem: str) -> InvalidArgumentError:
        """The error that says that this value has *problem*."""
        return InvalidArgumentError(self.argument, f"{self.path} {problem}".lstrip())

    def members(self, *names: str) -> dict[str, Node]:
        """Read a message whose fields have *names*, in snake case; return those that are set.

        A member is named in snake or in lower camel case; one that is ``null`` is not set.

        Raises:
            InvalidArgumentError: It is no object, or a member is unknown or given in both forms.
        """
        spellings = {spelling: name for name in names for spelling in (name, _camel(name))}
        found: dict[str, Node] = {}
        for word, value in self._of(dict).items():
            name = spellings.get(word)
            if name is None:
                raise self.refusal(f"has an unknown member {quote(word)}")
            if name in found:
                raise self.refusal(f"has the member {name} twice")
            found[name] = evolve(self, value=value, path=f"{self.path}.{name}".lstrip("."))
        return {name: node for name, node in found.items() if node.value is not None}

    def items(self) -> list[Node]:
        """Read a repeated field.

        Raises:
            InvalidArgumentError: It is no list.
        """
        return [
            evolve(self, value=value, path=f"{self.path}[{index}]")
            for index, value in enumerate(self._of(list))
        ]

    def text(self) -> str:
        """Read a string.

        Raises:
            InvalidArgumentError: It is none, or has a NUL or a lone surrogate.
        """
        text: str = self._of(str)
        if not is_storable(text):
            raise self.refusal("must not contain NUL or lone surrogates")
        return text

    def integer(self, bits: int) -> int:
        """Read a signed integer of *bits* bits: a number, or text that holds one.

        ``1.0`` and ``1e2`` are integers too.

        Raises:
            InvalidArgumentError: It is none, or does not fit.
        """
        number = self.value
        if isinstance(number, str) and _NUMBER.fullmatch(number):
            number = _number(number)
        if not isinstance(number, Decimal):
            raise self.refusal(f"must be an integer, not {_describe(number)}")
        bound = 1 << (bits - 1)
        if not -bound <= number < bound:  # first, as int() of 1e999999 takes a lot of memory
            raise self.refusal(f"does not fit into {bits} bits")
        if number != int(number):
            raise self.refusal("must be an integer, not a fraction")
        return int(number)

    def enum(self, numbers: Mapping[str, int]) -> int:
        """Read a value of the enum with *numbers*, by exact name or by number.

        A number need not be among them: enums of proto3 are open.

        Raises:
            InvalidArgumentError: It is neither a known name nor a number of 32 bits.
        """
        match self.value:
            case str() as name if name in numbers:
                return numbers[name]
            case Decimal():
                return self.integer(32)
            case _:
                raise self.refusal(f"must be one of {', '.join(numbers)}")

    def timestamp(self) -> int:
        """Read a Timestamp, text of RFC 3339; return the nanoseconds from 1970 to it.

        Raises:
            InvalidArgumentError: It is none: there is no offset, ``t`` or ``z`` is in lower
                case, it is finer than a nanosecond, or lies outside the years 1 to 9999.
        """
        found = _TIMESTAMP.fullmatch(text := self.text())
        problem = f"must be an RFC 3339 time in the years 1 to 9999, not {quote(text)}"
        if found is None:
            raise self.refusal(problem)
        try:
            whole = parse_time(found[1] + found[3])
        except ValueError:
            raise self.refusal(problem) from None
        return to_micros(whole) * 1_000 + int((found[2] or "").ljust(9, "0"))

    def _of(self, expected: type) -> Any:
        if not isinstance(self.value, expected):
            raise self.refusal(f"must be {_WORDS[expected]}, not {_describe(self.value)}")
        return self.value


def parse(argument: str, text: str) -> Node:
    """Return the JSON value that *text* is.

    Raises:
        NotJsonError: It is no JSON (RFC 8259).
        InvalidArgumentError: It is JSON that has a member twice or is nested too deep, or
            it has one of the numbers that only Python's parser knows.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        problem = f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at character {error.pos}"
        raise NotJsonError(argument, problem) from None
    except RecursionError:
        raise InvalidArgumentError(argument, "is nested too deep") from None
    except ValueError as error:
        raise InvalidArgumentError(argument, str(error)) from None
    return Node(argument, value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"has the member {quote(name)} twice")
        members[name] = value
    return members


def _number(text: str) -> Decimal:
    # Not float, which rounds integers of 64 bits, nor int, which refuses digits by the thousand.
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of a size that no integer type can have
        return Decimal("Infinity")


def _constant(word: str) -> Any:
    raise ValueError(f"has a number {word}, which is not JSON")


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _describe(value: Any) -> str:
    return quote(value) if isinstance(value, str) else _WORDS[type(value)]
