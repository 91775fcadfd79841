"""Hostile values, without end and always the same: random ones, mutated good ones, wrong types.

A generator of our own and not Hypothesis: a soak run makes over a million of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

_CHARACTERS = (
    "a", "Z", "0", "_", "-", ".", " ", "\t", "\n", "\r", "\0", "\x01", "\x1b", "\x7f", '"', "'",
    "`", "\\", "*", "%", "?", "[", "]", "(", ")", "{", "}", "<", ">", "=", "!", ":", ";", ",", "/",
    "#", "$", "&", "@", "~", "|", "\N{NO-BREAK SPACE}", "\N{LINE SEPARATOR}",
    "\N{RIGHT-TO-LEFT OVERRIDE}", "\N{ARABIC LETTER ALEF}", "\N{COMBINING ACUTE ACCENT}",
    "\N{ZERO WIDTH JOINER}", "\N{BYTE ORDER MARK}", "\N{LATIN SMALL LETTER SHARP S}",
    "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "\N{FULLWIDTH APOSTROPHE}",
    "\N{RIGHT SINGLE QUOTATION MARK}", "\N{GRINNING FACE}", "\U0010ffff", "\ud800", "\udfff",
)  # fmt: skip

INJECTIONS = (
    "'", "''", '"', '";', "`", "\\", "\\'", "';--", "' OR '1'='1", "' OR 1=1 --", '" OR ""="',
    "'; DROP TABLE experiments; --", '"; DROP TABLE experiments; --', "'); DELETE FROM runs; --",
    "x' UNION SELECT key FROM settings --", "/* x */", "-- x", "# x", "%", "_", "%%", "%s", "%(x)s",
    "%(id)s", "?", "?1", ":name", "$1", "{}", "{0}", "{x}", "$$", "$$; DROP TABLE jobs; $$",
    "*", "[a-z]*", "[^a]", "E'\\x27'", "\u2019 OR \u20191\u2019=\u20191", "\uff07; DROP TABLE jobs",
    'public".experiments; DROP SCHEMA public CASCADE; --', "1; SELECT pg_sleep(10)", "\\x00",
    "x'; ATTACH DATABASE 'y' AS z; --", "CASE WHEN 1 THEN 1 ELSE load_extension('x') END",
)  # fmt: skip
"""What people try in order to have a database run their own words."""


class _Text(str):
    """Text that is not a plain ``str``, and says other than it is."""

    __slots__ = ()

    def __str__(self) -> str:
        return "another text"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class _Odd:
    """Equal to everything, and hashed differently every time."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return id(object())

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return "x" * 100_000


def _cyclic() -> list[Any]:
    cycle: list[Any] = []
    cycle.append(cycle)
    return cycle


_NAIVE = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
WRONG_TYPES: tuple[Any, ...] = (
    None, 0, 1, -1, True, False, 2**64, 1.5, math.nan, math.inf, b"", b"x", bytearray(b"x"),
    (), ("a",), [], ["a"], _cyclic(), {}, {"a": "b"}, {"a": 1}, {1: "a"}, {"a": None}, {"a": ["b"]},
    {"": "a"}, {"a": _cyclic()}, {None: "a"}, set(), object(), object, _Odd(), _Text("a"),
    _Text("'"), _Text("\0"), Ellipsis, print, range(3), _NAIVE, iter(()), 1j,
    datetime(1, 1, 1, tzinfo=UTC), {_Text("a"): _Text("b")}, {"a": "\ud800"}, {"\0": "a"},
)  # fmt: skip


class Hostile:
    """Makes hostile values, from *samples* of good ones too."""

    def __init__(self, samples: Sequence[str], seed: int) -> None:
        self._samples = samples
        self._random = Random(seed)

    def values(self, count: int) -> Iterator[Any]:
        """Yield *count* values; all wrong types and all injections come first."""
        known = (*WRONG_TYPES, *INJECTIONS)
        yield from known[:count]
        for _ in range(count - len(known)):
            yield self._value()

    def _value(self) -> Any:
        match self._random.randrange(20):
            case 0:
                return self._random.choice(WRONG_TYPES)
            case 1:
                return {self._text(): self._text() for _ in range(self._random.randrange(4))}
            case 2 | 3 | 4:
                return self._text()
            case 5:
                return self._text() * self._random.choice((10, 100, 5_000))
            case _:
                return self._mutated()

    def _text(self) -> str:
        return "".join(self._random.choices(_CHARACTERS, k=self._random.randrange(12)))

    def _mutated(self) -> str:
        text = self._random.choice(self._samples)
        for _ in range(self._random.choice((1, 1, 2, 5))):
            text = self._mutate(text)
        return text[:200_000]

    def _mutate(self, text: str) -> str:
        choose = self._random
        start, end = sorted(choose.randrange(len(text) + 1) for _ in range(2))
        match choose.randrange(8):
            case 0:
                return text[:start]
            case 1:
                return text[:start] + text[end:]
            case 2:
                return text[:end] + text[start:end] * choose.choice((1, 2, 50)) + text[end:]
            case 3:
                return text[:start] + choose.choice(_CHARACTERS) + text[start:]
            case 4:
                return text[:start] + choose.choice(INJECTIONS) + text[end:]
            case 5:
                return text[:start] + choose.choice(self._samples) + text[end:]
            case 6:
                return text[:start] + choose.choice(_CHARACTERS) + text[start + 1 :]
            case _:
                return text[:start] + text[start:end].swapcase() + text[end:]
