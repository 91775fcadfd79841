"""Where times, ids and etags come from, unless the caller brings sources of its own."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from os import urandom  # what `secrets` calls, which loads a tenth of all that we load
from threading import Lock

_RANDOM_BITS = 74
_STEP_BITS = 32


def utc_now() -> datetime:
    """Read the system's clock."""
    return datetime.now(UTC)


def random_etag() -> str:
    """Return a text that no earlier state of a record had: 64 random bits."""
    return urandom(8).hex()


class Uuid7:
    """Makes UUIDs of version 7 (RFC 9562), each greater than the one before.

    Within a millisecond, and while the clock is behind, the 74 random bits are
    a counter that grows by random steps (section 6.2, method 2); should it ever
    run over, the time part moves on.
    """

    def __init__(self) -> None:
        """Start below every UUID of today."""
        self._lock = Lock()
        self._last = 0

    def __call__(self) -> str:
        """Return the next one, in lower case."""
        bits = urandom(10)
        fresh = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | (
            int.from_bytes(bits) >> (80 - _RANDOM_BITS + 1)  # top bit 0: room to count
        )
        with self._lock:
            if fresh >> _RANDOM_BITS <= self._last >> _RANDOM_BITS:
                fresh = self._last + 1 + int.from_bytes(bits[: _STEP_BITS // 8])
            self._last = fresh
        moment, high, low = fresh >> _RANDOM_BITS, fresh >> 62 & 0xFFF, fresh & (1 << 62) - 1
        text = f"{moment << 80 | 7 << 76 | high << 64 | 2 << 62 | low:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
