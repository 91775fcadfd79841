r"""The lexical rules that filters and orders share, and how a text is refused.

White space is six characters of ASCII, unquoted text excludes every other
separator and control character, and a quoted string knows the escapes of CEL
and ``\*`` for a plain asterisk. An asterisk without a backslash, in quotes or
not, is a wildcard, so a literal is a tuple of the texts between wildcards.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from attrs import frozen

from experiment_store.errors import (
    ErrorCode,
    InvalidArgumentError,
    InvalidTextError,
    quote,
)

MAX_LENGTH = 10_000
MAX_NESTING = 20
MAX_WILDCARDS = 8

BLANK = " \t\n\r\f\v"
QUOTES = "\"'"
# A character of unquoted text: not Cc, Zs, Zl or Zp, and no mark of the syntax.
TEXT_CHARACTER = (
    r"""[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000(),.:=<>!"'\\]"""
)
STRING = r"""(?:"[^"\\]*(?:\\[\s\S][^"\\]*)*"|'[^'\\]*(?:\\[\s\S][^'\\]*)*')"""

_FORBIDDEN = re.compile("[\0\ud800-\udfff]")
_NESTING = re.compile(rf"{STRING}|[()\"']")
_TOKEN = re.compile(rf"{STRING}|{TEXT_CHARACTER}+|[{BLANK}]+|[\s\S]")
_PIECE = re.compile(
    r"""(?P<plain>[^\\*]+)|(?P<star>\*)|\\(?:(?P<simple>[abfnrtv\\?"'`*])"""
    r"""|[xX](?P<x>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2})"""
    r"""|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})|(?P<bad>))"""
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "*": r"\*", "\n": r"\n", "\r": r"\r"})


@frozen
class Source:
    """A text that a caller sent, and the error that refuses it."""

    argument: str
    text: str
    error: type[InvalidTextError]

    def __attrs_post_init__(self) -> None:
        """Refuse what is no text, too long, or holds what no backend can store.

        Raises:
            InvalidArgumentError: It is not a ``str``.
            InvalidTextError: It has over 10,000 code points, a NUL or a lone surrogate.
        """
        if not isinstance(self.text, str):
            found = type(self.text).__name__
            raise InvalidArgumentError(self.argument, f"must be text, not {found}")
        if len(self.text) > MAX_LENGTH:
            raise self.limit(MAX_LENGTH, f"more than {MAX_LENGTH} characters")
        if found := _FORBIDDEN.search(self.text):
            raise self.syntax(found.start(), "NUL and lone surrogates are not text")

    def syntax(self, position: int, problem: str) -> InvalidTextError:
        """The error for a text that is not well formed."""
        return self.error(self.argument, problem, self.text, ErrorCode.SYNTAX, position)

    def schema(self, position: int, problem: str) -> InvalidTextError:
        """The error for a wrong name or type."""
        return self.error(self.argument, problem, self.text, ErrorCode.SCHEMA, position)

    def limit(self, position: int, problem: str) -> InvalidTextError:
        """The error for a text that is too large."""
        return self.error(self.argument, problem, self.text, ErrorCode.LIMIT, position)

    def unexpected(self, position: int) -> InvalidTextError:
        """The error for whatever stands at *position*, or for the end of the text."""
        token = _TOKEN.match(self.text, position)
        if token is None:
            return self.syntax(position, "unexpected end")
        found = token[0]
        if found in QUOTES:
            return self.syntax(position, "string has no closing quote")
        if found in ("AND", "OR", "NOT"):
            return self.syntax(
                position, f"unexpected {found}: operators need white space, values need quotes"
            )
        return self.syntax(
            position, f"unexpected {quote(found) if found.strip(BLANK) else 'white space'}"
        )

    def decode(self, written: str, position: int) -> tuple[str, ...]:
        """Return the texts between the wildcards of a string or of unquoted text.

        Raises:
            InvalidTextError: An escape is unknown, or stands for what is not text.
        """
        if written[0] not in QUOTES:
            return tuple(written.split("*"))
        parts = [""]
        for piece in _PIECE.finditer(written, 1, len(written) - 1):
            if piece["star"]:
                parts.append("")
            else:
                parts[-1] += piece["plain"] or self._escaped(piece, position)
        return tuple(parts)

    def _escaped(self, piece: re.Match[str], position: int) -> str:
        if simple := piece["simple"]:
            return _SIMPLE.get(simple, simple)
        place = position + piece.start()
        if piece["bad"] is not None:
            raise self.syntax(place, "unknown escape")
        code = _code(piece)
        if code > sys.maxunicode or _FORBIDDEN.match(chr(code)):
            raise self.syntax(place, "escape does not stand for a character")
        return chr(code)


def _code(piece: re.Match[str]) -> int:
    if piece["octal"]:
        return int(piece["octal"], 8)
    return int(piece["x"] or piece["u"] or piece["U"], 16)


def encode(parts: tuple[str, ...]) -> str:
    """Return the quoted string that decodes to *parts*; it has no line break."""
    return '"' + "*".join(part.translate(_ESCAPES) for part in parts) + '"'


def nesting(text: str) -> Iterator[tuple[int, int]]:
    """Yield the position and the depth of every opening parenthesis outside strings.

    A string without an end ends the search: no filter goes on after it, and
    trying the rest from every further quote would take quadratic time.
    """
    depth = 0
    for found in _NESTING.finditer(text):
        if found[0] == "(":
            depth += 1
            yield found.start(), depth
        elif found[0] == ")":
            depth -= 1
        elif found[0] in QUOTES:
            return
