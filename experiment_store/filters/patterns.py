"""Patterns: text with gaps, the one form behind wildcards, prefix, suffix and substring."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen


def fold(text: str) -> str:
    """Fold A-Z to a-z and nothing else.

    It is the one folding that SQLite's ``lower()``, PostgreSQL's
    ``lower(x COLLATE "C")`` and Python can do identically.
    """
    if text.isascii():
        return text.lower()
    # Of bytes, lower() changes only ASCII, at many times the speed of a table of characters.
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


@frozen
class Pattern:
    """Text parts with any run of characters, also none, between two of them.

    ``("", "x", "")`` is "contains x", ``("x", "")`` is "starts with x". With
    *folded*, the parts are folded already and the text is folded before it is
    looked at.
    """

    parts: tuple[str, ...]
    folded: bool = False

    @property
    def word(self) -> str | None:
        """The text of a pattern that contains it and asks for nothing else."""
        match self.parts:
            case ("", text, ""):
                return text
            case _:
                return None

    @property
    def gaps(self) -> int:
        """How often any run of characters may stand between two texts."""
        return max(0, len(self.parts) - 1 - (not self.parts[0]) - (not self.parts[-1]))

    def matches(self, text: str) -> bool:
        """Decide whether all of *text* has this form; white space and line breaks count."""
        if self.folded:
            text = fold(text)
        first, *middle = self.parts
        if not middle:
            return text == first
        last = middle.pop()
        if not text.startswith(first) or len(text) < len(first) + len(last):
            return False
        # Taking each part at its first occurrence leaves the most for the rest.
        position, end = len(first), len(text) - len(last)
        for part in middle:
            position = text.find(part, position, end)
            if position < 0:
                return False
            position += len(part)
        return text.endswith(last)


def matcher(pattern: Pattern) -> Callable[[str], bool]:
    """Return what does as `Pattern.matches`, at once where *pattern* is a mere word."""
    word = pattern.word
    if word is None:
        return pattern.matches
    if pattern.folded:
        return lambda text: word in fold(text)
    return lambda text: word in text


def containing(text: str) -> Pattern:
    """The pattern of everything that contains *text* literally."""
    return Pattern(("", text, ""))


def starting(text: str) -> Pattern:
    """The pattern of everything that starts with *text* literally."""
    return Pattern((text, ""))


def ending(text: str) -> Pattern:
    """The pattern of everything that ends with *text* literally."""
    return Pattern(("", text))
