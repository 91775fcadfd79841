"""Sort keys: texts that compare by code point as parameters and metrics compare.

Values of different types do not mix: false and true come first, then NaN, then the
numbers, whether integers or floats, by their exact size, then texts. Equal numbers have
equal keys: 1 and 1.0, 0.0 and -0.0.
"""

from __future__ import annotations

from struct import pack, unpack

from experiment_store.mappings import ParamValue

_BOOL, _NUMBER, _TEXT = "b", "n", "t"
_BIAS = 1 << 63
_LAST_EXACT = 1 << 53  # beyond it, a float may stand for several integers
_REST_BIAS = 1 << 15


def sort_key(value: ParamValue) -> str:
    """Return the sort key of *value*."""
    if isinstance(value, str):
        return _TEXT + value
    if isinstance(value, bool):
        return f"{_BOOL}{value:d}"
    return _number_key(value)


def _number_key(value: float) -> str:
    nearest = float(value) + 0.0  # which makes 0.0 of -0.0
    if nearest != nearest:  # noqa: PLR0124 (only NaN is not itself)
        return _NUMBER
    # Read as integers, the bits of floats are in the order of the floats, backwards below 0.
    [bits] = unpack("<q", pack("<d", nearest))
    place = bits if bits >= 0 else -_BIAS - bits - 1
    # What rounding to the nearest float has taken away; it keeps the order of integers.
    rest = value - int(nearest) if isinstance(value, int) and abs(value) > _LAST_EXACT else 0
    return f"{_NUMBER}{place + _BIAS:016x}{rest + _REST_BIAS:04x}"
