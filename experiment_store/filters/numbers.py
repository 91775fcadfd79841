"""Numbers as they are written in filters, for parameters and metrics."""

from __future__ import annotations

import re

from experiment_store.values import MAX_INTEGER

_NUMBER = re.compile(
    r"-?(?=[0-9])0*+(?P<whole>[0-9]*+)(?P<more>(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)"
)
_WORDS = ("inf", "-inf", "nan")
_MOST_DIGITS = 19  # of an integer of 64 bits


def read_number(text: str) -> int | float | None:
    """Return the number that *text* denotes, ``None`` if it denotes none.

    Without point and exponent it is an exact integer if that has 64 bits, else the
    nearest float.
    """
    if text in _WORDS:
        return float(text)
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    if found["more"] or len(found["whole"]) > _MOST_DIGITS:
        return float(text)  # of more digits than int() would read
    size = int(found["whole"] or 0)
    number = -size if text.startswith("-") else size
    return number if -MAX_INTEGER - 1 <= number <= MAX_INTEGER else float(text)
