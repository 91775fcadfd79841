"""URLs: what stands before the question mark, and the parameters after it."""

from __future__ import annotations

import re

from experiment_store.errors import InvalidArgumentError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]+)?")

LONGEST_PREFIX = 20
"""The longest name of an index has 43 characters, and names in PostgreSQL have at most 63."""


def split(url: str) -> tuple[str, dict[str, str]]:
    """Return *url* without its parameters, and these; the last one of a name counts."""
    location, _, query = url.partition("?")
    if not query:
        return location, {}
    from urllib.parse import parse_qsl  # noqa: PLC0415 (as much time as to open a SQLite file)

    return location, dict(parse_qsl(query, keep_blank_values=True))


def seconds(name: str, text: str) -> float:
    """Return the number of seconds that the parameter *name* has.

    Raises:
        InvalidArgumentError: It is none, or above 999999.
    """
    if _SECONDS.fullmatch(text) is None:
        raise InvalidArgumentError("url", f"must have a {name} in seconds, at most 999999")
    return float(text)


def check_identifier(argument: str, name: str, *, most: int) -> str:
    """Return *name*, which statements will have between quotes or as it is.

    Raises:
        InvalidArgumentError: It has other characters than letters, digits and ``_``, or too many.
    """
    if _IDENTIFIER.fullmatch(name) is None or len(name) > most:
        problem = f"must be an identifier of at most {most} letters, digits and _"
        raise InvalidArgumentError(argument, problem)
    return name


def check_prefix(prefix: str) -> str:
    """Return *prefix*, which begins the names of all tables and indexes; it may be empty.

    Raises:
        InvalidArgumentError: It is no identifier, or longer than `LONGEST_PREFIX`.
    """
    return prefix and check_identifier("prefix", prefix.lower(), most=LONGEST_PREFIX)
