"""Values of records as text that is safe to show: no character steers a terminal.

What a record says comes from anybody. An escape sequence, a carriage return or
a change of the writing direction would show something else than what is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import category

from experiment_store.records import Artifact, Metric

# What is neither ASCII that prints nor a letter beyond it has to be looked at.
_SUSPECT = re.compile(r"[^ -~\u00a1-\u00ac\u00ae-\u05ff]")
_SIX_DIGITS = "{:.6g}".format
_FEW_SECONDS = 10  # of which tenths are shown
_HARMLESS = ("\u200d",)  # joins emoji; shows nothing of its own


def escaped(text: str) -> str:
    r"""Return *text* with ``\n``, ``\x1b``, ``\u202e`` and the like instead of controls."""
    return _SUSPECT.sub(_escape, text)


def escaped_json(line: str) -> str:
    """Return a line of JSON, equal as a value, in which no control character is left."""
    return _SUSPECT.sub(_escape_in_json, line)


def plain(value: Any) -> str:
    """Return *value* as it is shown where programs may read it: whole, in UTC, in seconds."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"
    if isinstance(value, timedelta):
        return repr(value.total_seconds())
    return _word(value, repr)


def short(value: Any) -> str:
    """Return *value* as people like it: local times to the minute, floats with six digits."""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, timedelta):
        return _span(value)
    return _word(value, _SIX_DIGITS)


def _word(value: Any, number: Callable[[float], str]) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return number(value)
        case Metric():
            return number(value.latest)
        case Artifact():
            return escaped(f"{value.name}={value.uri}")
        case Mapping():
            return ", ".join(f"{escaped(key)}={_word(value[key], number)}" for key in sorted(value))
        case tuple():
            return ", ".join(_word(part, number) for part in value)
        case _:
            return escaped(str(value))


def _span(span: timedelta) -> str:
    """Return *span*, which is not negative, in its two largest units."""
    seconds = span.total_seconds()
    if seconds < _FEW_SECONDS:
        return f"{int(seconds * 10) / 10}s"
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour:02}h"
    if hours:
        return f"{hours}h {minute:02}m"
    return f"{minutes}m {second:02}s" if minutes else f"{second}s"


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    return char if _is_harmless(char) else char.encode("unicode_escape").decode()


def _escape_in_json(found: re.Match[str]) -> str:
    char = found[0]
    if _is_harmless(char):
        return char
    units = char.encode("utf-16-be").hex()  # RFC 8259, 7: a pair beyond the basic plane
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _is_harmless(char: str) -> bool:
    """Tell whether *char* shows something, as no control, format or line separator does."""
    return char in _HARMLESS or category(char) not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")
