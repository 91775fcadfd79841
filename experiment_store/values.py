"""What a field, a literal or a sort key may hold, and the checks that make it so.

Text is any run of Unicode scalar values except NUL: PostgreSQL cannot store a
NUL, SQLite's functions stop at one, and no driver takes a lone surrogate.
Times are aware, in UTC, to the microsecond, in the years 1 to 9999. Integers and floats
have 64 bits.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from operator import index
from typing import Any, TypeAlias

from experiment_store.errors import InvalidArgumentError

Value: TypeAlias = str | int | float | datetime
"""A present value; ``bool`` is an ``int``. An absent one is ``None``."""

MAX_INTEGER = 2**63 - 1  # and its opposite less one

_FORBIDDEN = re.compile("[\0\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def is_storable(text: Any) -> bool:
    """Tell whether *text* is one that every backend can keep: no NUL, no lone surrogate."""
    if not isinstance(text, str):
        return False
    if text.isascii():
        return "\0" not in text
    return _FORBIDDEN.search(text) is None


def check_text(argument: str, value: Any, *, least: int = 0, most: int) -> str:
    """Return *value* if it is text of *least* to *most* code points.

    Raises:
        InvalidArgumentError: It is not.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(argument, f"must be text, not {type(value).__name__}")
    if not least <= len(value) <= most:
        raise InvalidArgumentError(
            argument, f"must have {least} to {most} characters, not {len(value)}"
        )
    if not is_storable(value):
        raise InvalidArgumentError(argument, "must not contain NUL or lone surrogates")
    return str.__str__(value)  # of a subclass too: str() would ask an enum for another text


def check_time(argument: str, value: Any) -> datetime:
    """Return *value* in UTC if it is an aware datetime in the years 1 to 9999.

    Raises:
        InvalidArgumentError: It is not.
    """
    if not isinstance(value, datetime):
        raise InvalidArgumentError(argument, f"must be a datetime, not {type(value).__name__}")
    if type(value) is datetime and value.tzinfo is UTC:
        return value  # as it should be, and mostly is
    if value.utcoffset() is None:
        raise InvalidArgumentError(argument, "must have a time zone")
    try:
        return from_micros(to_micros(value))  # of a subclass too, a plain one
    except OverflowError as error:
        raise InvalidArgumentError(argument, "must lie in the years 1 to 9999") from error


def check_integer(argument: str, value: Any, *, least: int = -MAX_INTEGER - 1) -> int:
    """Return *value* if it is an integer of 64 bits, of at least *least*.

    Raises:
        InvalidArgumentError: It is not.
    """
    if not hasattr(value, "__index__") or isinstance(value, bool):
        raise InvalidArgumentError(argument, f"must be an integer, not {type(value).__name__}")
    try:
        whole = index(value)  # NumPy's too
    except TypeError as error:  # all arrays and tensors have the method, few an integer
        raise InvalidArgumentError(argument, f"must be an integer: {error}") from error
    if not least <= whole <= MAX_INTEGER:
        raise InvalidArgumentError(argument, f"must lie in {least} to {MAX_INTEGER}")
    return whole


def check_float(argument: str, value: Any) -> float:
    """Return *value*, which is a number of any kind, as a float of 64 bits.

    Raises:
        InvalidArgumentError: It is no number, or too large.
    """
    if isinstance(value, str | bytes) or not (
        hasattr(value, "__float__") or hasattr(value, "__index__")
    ):
        raise InvalidArgumentError(argument, f"must be a number, not {type(value).__name__}")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgumentError(argument, f"must be a number: {error}") from error


def to_micros(time: datetime) -> int:
    """Count the microseconds from 1970 to *time*, which is aware."""
    return (time - _EPOCH) // _TICK


def from_micros(micros: int) -> datetime:
    """Return the time that lies *micros* microseconds after 1970.

    Raises:
        OverflowError: It lies outside the years 1 to 9999.
    """
    return _EPOCH + timedelta(microseconds=micros)
