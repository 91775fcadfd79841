"""What only some backends can do: optional protocols of one method each.

The store asks with `isinstance` and says `UnsupportedError` for the others. What
every backend owes the store is in `backend`, and nothing of it is optional.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from experiment_store.backend import Backend


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
