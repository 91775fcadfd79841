"""Times and durations as they are written in filters.

Times are RFC 3339 to the letter. `datetime.fromisoformat` takes other forms
too, and cuts what is finer than a microsecond instead of refusing it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from experiment_store.errors import quote

NOW_WORDS = ("now", "ago")
"""The functions that tell the time: a filter without them means the same at any instant."""

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]+))?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<hours>[01][0-9]|2[0-3]):(?P<minutes>[0-5][0-9]))"
)
_DURATION = re.compile(r"0*(?P<whole>[0-9]+)(?:(?:\.(?P<fraction>[0-9]+))?s|(?P<unit>[mhdw]))")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOST_DIGITS = 12  # in seconds, more are more than 10,000 years


def parse_time(text: str) -> datetime:
    """Return the instant that *text* denotes, in UTC.

    An offset is mandatory; digits after the sixth of a fraction must be zero.

    Raises:
        ValueError: It denotes none, or one outside the years 1 to 9999.
    """
    found = _TIME.fullmatch(text)
    try:
        if not found:
            raise ValueError  # noqa: TRY301 (one wording for whatever is wrong with the form)
        local = datetime(*map(int, found.groups()[:6]), tzinfo=UTC)  # type: ignore[arg-type,misc]  # six integers
    except ValueError:
        raise ValueError(
            f"{quote(text)} is not an RFC 3339 time, such as 2024-05-31T12:00:00Z"
        ) from None
    offset = timedelta(hours=int(found["hours"] or 0), minutes=int(found["minutes"] or 0))
    try:
        return (
            local + _fraction(text, found["fraction"])
            + (offset if found["sign"] == "-" else -offset)
        )  # fmt: skip
    except OverflowError:
        raise ValueError(f"{quote(text)} is outside the years 1 to 9999") from None


def format_time(time: datetime) -> str:
    """Return the RFC 3339 form of *time* in UTC, with six digits of a fraction."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def before(now: datetime, text: str) -> datetime:
    """Return the instant that lies the duration *text* before *now*.

    A duration is that of AIP-160, a decimal number and ``s``, or an integer and
    one of ``m h d w``.

    Raises:
        ValueError: It is no duration, negative, or leads out of the years 1 to 9999.
    """
    if text.startswith("-"):
        raise ValueError(f"{quote(text)} is negative")
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"{quote(text)} is not a duration, such as 90s, 1.5s, 15m, 12h, 7d or 2w")
    whole = found["whole"]
    try:
        if len(whole) > _MOST_DIGITS:
            raise OverflowError  # noqa: TRY301 (int() refuses digits by the thousand otherwise)
        unit = _UNITS.get(found["unit"], "seconds")
        return now - timedelta(**{unit: int(whole)}) - _fraction(text, found["fraction"])
    except OverflowError:
        raise ValueError(f"{quote(text)} ago is outside the years 1 to 9999") from None


def _fraction(text: str, digits: str | None) -> timedelta:
    digits = digits or ""
    if digits[6:].strip("0"):
        raise ValueError(f"{quote(text)} is finer than a microsecond")
    return timedelta(microseconds=int(digits[:6].ljust(6, "0")))
