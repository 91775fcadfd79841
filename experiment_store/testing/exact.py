"""What tells values apart that Python takes for equal: their types, and the bits of floats."""

from __future__ import annotations

from collections.abc import Mapping
from struct import pack
from typing import Any

from attrs import astuple, has


def exactly(value: Any) -> Any:
    """Return what equals that of another value only if both are the same, to the last bit."""
    match value:
        case bool() | int():
            return type(value).__name__, value
        case float():
            return pack("<d", value)
        case Mapping():
            return {key: exactly(held) for key, held in value.items()}
        case tuple() | list():
            return [*map(exactly, value)]
        case _ if has(type(value)):
            return [*map(exactly, astuple(value, recurse=False))]
        case _:
            return value
