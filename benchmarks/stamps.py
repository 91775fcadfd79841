"""The id, the etag and the time of a new row, made as cheaply as may be by hand."""

from __future__ import annotations

from random import getrandbits
from time import time_ns


def new_id(micros: int) -> str:
    """Return a UUID of version 7 of this time: in order but for the rest of a millisecond."""
    moment = f"{micros // 1000:012x}"
    rest = f"{getrandbits(72):018x}"
    return f"{moment[:8]}-{moment[8:]}-7{rest[:3]}-8{rest[3:6]}-{rest[6:]}"


def new_etag() -> str:
    """Return 64 random bits."""
    return f"{getrandbits(64):016x}"


def now() -> int:
    """Return the microseconds since 1970."""
    return time_ns() // 1000
