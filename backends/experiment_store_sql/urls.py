"""URLs: what stands before the question mark, and the parameters after it."""

from __future__ import annotations


def split(url: str) -> tuple[str, dict[str, str]]:
    """Return *url* without its parameters, and these; the last one of a name counts."""
    location, _, query = url.partition("?")
    if not query:
        return location, {}
    from urllib.parse import parse_qsl  # noqa: PLC0415 (as much time as to open a SQLite file)

    return location, dict(parse_qsl(query, keep_blank_values=True))
