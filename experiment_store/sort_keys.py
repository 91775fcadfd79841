"""Sort keys: texts that compare by code point as parameters and metrics compare.

Values of different types do not mix: false and true come first, then NaN, then the
numbers, whether integers or floats, by their exact size, then texts. Equal numbers have
equal keys: 1 and 1.0, 0.0 and -0.0.
"""

from __future__ import annotations

import re
from math import isfinite, nan
from struct import pack, unpack

from experiment_store.mappings import ParamValue

TEXT = "t"
"""What the key of a text begins with, and no other; the text itself follows."""

_BOOL, _NUMBER = "b", "n"
_NAN = _NUMBER
_BOOLS = {f"{_BOOL}{value:d}": value for value in (False, True)}
_BEFORE_TEXT, _AFTER_TEXT = "s", "u"
_BIAS = 1 << 63
_LAST_EXACT = 1 << 53  # beyond it, a float may stand for several integers
_REST_BIAS = 1 << 15
_PLACE_DIGITS, _REST_DIGITS = 16, 4  # hexadecimal
_NUMBER_KEY = re.compile(rf"{_NUMBER}[0-9a-f]{{{_PLACE_DIGITS + _REST_DIGITS}}}")


def sort_key(value: ParamValue) -> str:
    """Return the sort key of *value*."""
    if isinstance(value, str):
        return TEXT + value
    if isinstance(value, bool):
        return f"{_BOOL}{value:d}"
    return _number_key(value)


def from_sort_key(key: str) -> ParamValue:
    """Return a value with the sort key *key*; of equal numbers, the float if there is one.

    Raises:
        ValueError: No value has such a key.
    """
    if key.startswith(TEXT):
        return key[len(TEXT) :]
    if key in _BOOLS:
        return _BOOLS[key]
    if key == _NAN:
        return nan
    if _NUMBER_KEY.fullmatch(key):
        number = _number(key.removeprefix(_NUMBER))
        if _number_key(number) == key:
            return number
    raise ValueError("no sort key")


def limits(key: str) -> tuple[str, str]:
    """Return two texts; between them are the keys of all values that compare with that of *key*.

    It is a number or a text: truth values and NaN have no order.
    """
    return (_BEFORE_TEXT, _AFTER_TEXT) if key.startswith(TEXT) else (_NAN, _BEFORE_TEXT)


def _number_key(value: float) -> str:
    nearest = float(value) + 0.0  # which makes 0.0 of -0.0
    if nearest != nearest:  # noqa: PLR0124 (only NaN is not itself)
        return _NAN
    # Read as integers, the bits of floats are in the order of the floats, backwards below 0.
    [bits] = unpack("<q", pack("<d", nearest))
    place = bits if bits >= 0 else -_BIAS - bits - 1
    # What rounding to the nearest float has taken away; it keeps the order of integers.
    rest = value - int(nearest) if isinstance(value, int) and abs(value) > _LAST_EXACT else 0
    return f"{_NUMBER}{place + _BIAS:0{_PLACE_DIGITS}x}{rest + _REST_BIAS:0{_REST_DIGITS}x}"


def _number(digits: str) -> float:
    place = int(digits[:-_REST_DIGITS], 16) - _BIAS
    rest = int(digits[-_REST_DIGITS:], 16) - _REST_BIAS
    [nearest] = unpack("<d", pack("<q", place if place >= 0 else -_BIAS - place - 1))
    return int(nearest) + rest if rest and isfinite(nearest) else float(nearest)
