"""URLs: what stands before the question mark, and the parameters after it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from experiment_store.errors import InvalidArgumentError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_NAME = 40
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


def check_names(names: Iterable[str], *, argument: str = "url") -> None:
    """Refuse *names* of parameters that are none, and do not repeat them.

    A second question mark, or one in a password, makes the rest of the URL a name.

    Raises:
        InvalidArgumentError: One has other characters than a name, or over 40 of them.
    """
    if not all(_IDENTIFIER.fullmatch(name) and len(name) <= _LONGEST_NAME for name in names):
        raise InvalidArgumentError(argument, "has a parameter that is none; write ?name=value&…")


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
