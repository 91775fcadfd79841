"""What only some backends can do: optional protocols of one method each.

The store asks with `isinstance` and says `UnsupportedError` for the others. What
every backend owes the store is in `backend`, and nothing of it is optional.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from attrs import frozen

from experiment_store.backend import Backend
from experiment_store.findings import Finding


@runtime_checkable
class Joinable(Protocol):
    """A backend whose steps can be parts of a transaction of the host's."""

    def bound(self, connection: Any) -> Backend:
        """Return a backend whose steps run on *connection*, and are committed with it."""
        ...


@runtime_checkable
class BackedUp(Protocol):
    """A backend that can write a copy of itself while others go on writing."""

    def backup(self, path: str) -> None:
        """Write all records, as of one moment, to a new file at *path*."""


@frozen
class Migration:
    """What a call of `migrate` has done.

    *before* is the version of the schema that the call found, ``None`` where there
    was no store; *after* the one that it left; *steps* the versions that this call
    has reached, not those that another process reached while it waited.
    """

    before: str | None
    after: str
    steps: tuple[str, ...] = ()


@frozen
class SchemaStatus:
    """Which version of the schema a store has, if it is there, and which the library needs."""

    store: str | None
    library: str

    @property
    def is_behind(self) -> bool:
        """Whether the store is there and older."""
        found = self.store or ""
        return found.isdecimal() and int(found) < int(self.library)


@frozen
class MigrationStep:
    """A step to *version*, and the statements of it that are known before it runs."""

    version: str
    summary: str
    statements: tuple[str, ...]


class Migrations(Protocol):
    """The way of one store from the version of its schema to that of the library."""

    def status(self) -> SchemaStatus:
        """Compare the two versions; nothing is written or made."""
        ...

    def plan(self) -> Sequence[MigrationStep]:
        """Return the steps that `apply` would take, without taking any."""
        ...

    def apply(self, *, wait: float, progress: Callable[[str], None]) -> Migration:
        """Take the steps, or create the store if there is none; atomic step by step.

        Of several processes, one works; the others wait for it, at most *wait*
        seconds. What was interrupted is taken up by the next call.

        Raises:
            UnavailableError: Another process is still at work, or has taken over.
            BackendError: The store is newer than the library, or a step has failed.
        """
        ...


@runtime_checkable
class Migratable(Protocol):
    """A backend whose stores outlive the release of the library that made them."""

    def migrations(self) -> Migrations:
        """Return the way to this library's version; `setup` need not have been called."""
        ...


@runtime_checkable
class Examinable(Protocol):
    """A backend that can tell what is wrong with its store, and with what the store is in."""

    def examine(self, meaning: Callable[[Backend], Iterable[Finding]]) -> Iterator[Finding]:
        """Make all checks of its own, and *meaning*'s where the records can be read.

        `setup` need not have been called. Nothing is written and no store is made; *meaning*
        gets a backend to read from, for as long as it runs. What goes wrong is a finding.
        """
        ...
