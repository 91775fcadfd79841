"""Ranges of text: what starts with a prefix lies between it and its successor."""

from __future__ import annotations

_LAST = 0x10FFFF
_BEFORE_SURROGATES, _AFTER_SURROGATES = 0xD7FF, 0xE000


def successor(prefix: str) -> str | None:
    """Return the least text, by code point, that is greater than all that starts with *prefix*.

    There is none, and the answer is ``None``, where every code point is the last one.
    """
    stem = prefix.rstrip(chr(_LAST))
    if not stem:
        return None
    code = ord(stem[-1])
    following = _AFTER_SURROGATES if code == _BEFORE_SURROGATES else code + 1
    return stem[:-1] + chr(following)
