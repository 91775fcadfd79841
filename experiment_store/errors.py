"""Every way in which a call can fail, and the words for it.

Call sites pass data; each class words its own message. Programs act on the
class and its attributes, people read the text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import accumulate
from typing import Any

from attrs import define, field

from experiment_store.reports import Digest

_ECHO = 200  # never echo more of what a caller sent


def quote(text: str) -> str:
    """Quote *text* for a message, cut to a length that a log can bear."""
    return repr(text if len(text) <= _ECHO else text[: _ECHO - 1] + "…")


def shown(value: Any) -> str:
    """Return what to show of an argument that should have been text."""
    return value if isinstance(value, str) else f"<{type(value).__name__}>"


class ExperimentStoreError(Exception):
    """The base of every error that this library raises on purpose."""


@define(eq=False, slots=False)
class InvalidArgumentError(ExperimentStoreError, ValueError):
    """An argument that no state of the store could make acceptable."""

    argument: str
    problem: str

    def __str__(self) -> str:
        return f"{self.argument} {self.problem}"


class ErrorCode(StrEnum):
    """Why a text was refused: its form, its names and types, or its size."""

    SYNTAX = "syntax"
    SCHEMA = "schema"
    LIMIT = "limit"


@define(eq=False, slots=False)
class InvalidTextError(InvalidArgumentError):
    """A filter or an order that means nothing, with the place that shows why.

    *position* counts code points from 0, *line* and *column* from 1.
    """

    text: str
    code: ErrorCode
    position: int

    @property
    def message(self) -> str:
        """What is wrong, in one fragment."""
        return self.problem

    @property
    def line(self) -> int:
        """The line of the offending place; a line ends at LF."""
        return self.text.count("\n", 0, self.position) + 1

    @property
    def column(self) -> int:
        """The column of the offending place, in code points."""
        return self.position - (self.text.rfind("\n", 0, self.position) + 1) + 1

    @property
    def rendering(self) -> str:
        """The offending line, cut around the place, and a caret below it."""
        return render_caret(self.text, self.position, self.problem)

    def __str__(self) -> str:
        return f"invalid {self.argument}\n{self.rendering}"


class InvalidFilterError(InvalidTextError):
    """A filter that is not well formed, not well typed, or too large."""


class InvalidOrderByError(InvalidTextError):
    """An order_by that is not well formed or names no sortable field."""


@define(eq=False, slots=False)
class InvalidPageTokenError(InvalidArgumentError):
    """A page token that is damaged, or was issued for another listing."""

    argument: str = "page_token"
    problem: str = "was not issued for this listing"


@define(eq=False, slots=False)
class InvalidLineError(InvalidArgumentError):
    """A line of an import that is damaged, or that the store could not have written.

    *line* counts from 1. What stands before the line has been imported.
    """

    line: int

    def __str__(self) -> str:
        return f"{self.argument} line {self.line} {self.problem}"


@define(eq=False, slots=False)
class NotFoundError(ExperimentStoreError, LookupError):
    """No record of that kind has that id, or that name in that namespace."""

    kind: str
    key: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.kind} {_words(self.key)} not found"


@define(eq=False, slots=False)
class AlreadyExistsError(ExperimentStoreError):
    """The id or the name is taken by a record with other content."""

    kind: str
    key: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.kind} {_words(self.key)} already exists"


class Obstacle(StrEnum):
    """Why a record stands in the way of an operation that is valid as such."""

    ARCHIVED = "is archived"
    MISSING = "no longer exists"
    HAS_CHILDREN = "has children"
    FINISHED = "is finished, or was started by another process"


@define(eq=False, slots=False)
class FailedPreconditionError(ExperimentStoreError):
    """The state of an experiment, the record's own or its parent, forbids the operation.

    *children* counts the records in the way, by kind, where they are the obstacle.
    """

    kind: str
    id: str
    obstacle: Obstacle
    children: Mapping[str, int] = field(factory=dict)

    def __str__(self) -> str:
        counts = ", ".join(f"{kind}: {count}" for kind, count in self.children.items())
        return f"{self.kind} {quote(self.id)} {self.obstacle}{counts and f' ({counts})'}"


@define(eq=False, slots=False)
class ConflictError(ExperimentStoreError):
    """The record has changed since the etag was read (AIP-154)."""

    kind: str
    id: str
    etag: str

    def __str__(self) -> str:
        return f"{self.kind} {quote(self.id)} has changed since etag {quote(self.etag)}"


@define(eq=False, slots=False)
class CopyDiffersError(ExperimentStoreError):
    """All was copied, and still source and target differ in the records of this kind.

    Either the source has changed meanwhile, so that another copy brings the
    rest, or the target has records of its own.
    """

    kind: str
    source: Digest
    target: Digest

    def __str__(self) -> str:
        return (
            f"copy of {self.kind}: {self.source} in the source, {self.target} in the target:"
            " the source has changed meanwhile, or the target has records of its own"
        )


@define(eq=False, slots=False)
class BackendError(ExperimentStoreError):
    """The backend failed; the driver's own error is the cause."""

    operation: str
    problem: str = "failed"

    def __str__(self) -> str:
        return f"{self.operation} {self.problem}"


class UnavailableError(BackendError):
    """The backend could not be reached or was busy too long; worth a retry."""


class OutcomeUnknownError(UnavailableError):
    """The connection was lost while a write was being committed: it has happened or it has not.

    A create with an id of the caller's may be repeated; before any other write, look.
    """


@define(eq=False, slots=False)
class MissingDriverError(BackendError, ImportError):
    """The package that speaks to the database is not installed."""

    operation: str
    problem: str

    @classmethod
    def of(cls, operation: str, extra: str, *, what: str = "a driver") -> MissingDriverError:
        """Say which *extra* brings *what* is needed for a scheme or another operation."""
        return cls(operation, f"needs {what}: pip install 'experiment-store[{extra}]'")


@define(eq=False, slots=False)
class MigrationNeededError(BackendError):
    """The store was made by an older release of the library; nothing in it was changed."""

    operation: str
    found: str
    needed: str
    problem: str = "failed"

    def __str__(self) -> str:
        return (
            f"{self.operation} {self.problem}: the store has schema {self.found}, not "
            f"{self.needed}; to bring it up to date: python -m experiment_store.migrate apply URL"
        )


@define(eq=False, slots=False)
class UnsupportedError(ExperimentStoreError, NotImplementedError):
    """The backend cannot do this, whatever the arguments; another one can."""

    operation: str
    backend: str

    def __str__(self) -> str:
        return f"{self.operation} is not supported by {self.backend}"


def render_caret(
    text: str,
    position: int,
    problem: str,
    *,
    width: int = _ECHO // 2,
    cells: Callable[[str], int] = len,
) -> str:
    """Show the line of *text* that holds *position* with a caret under it.

    A long line is cut around the place to *width* cells, between ellipses, and white space
    that would move the caret is shown as a blank. *cells* measures; by default code points.
    """
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    whole = text[start : len(text) if end < 0 else end]
    line = "".join(char if char.isprintable() else " " for char in whole)
    left, right = line[: position - start], line[position - start :]
    first = len(left) - _fitting(left[::-1], max(width // 2, width - cells(right)), cells)
    shown = left[first:]
    last = _fitting(right, width - cells(shown), cells)
    before, after = "…" * (first > 0), "…" * (last < len(right))
    return f"{before}{shown}{right[:last]}{after}\n{' ' * cells(before + shown)}^ {problem}"


def _fitting(text: str, width: int, cells: Callable[[str], int]) -> int:
    """Return how many characters at the beginning of *text* have room in *width*."""
    return bisect_right(list(accumulate(map(cells, text))), width)


def _words(key: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {quote(value)}" for name, value in key.items())
