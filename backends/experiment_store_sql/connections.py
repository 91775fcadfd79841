"""Where connections come from, and go to when a step is done."""

from __future__ import annotations

from typing import Any, Protocol


class Connections(Protocol):
    """Lends connections of the driver, in autocommit mode; any thread may borrow."""

    def borrow(self) -> Any:
        """Return a connection that nobody else uses; may raise what the driver raises.

        Raises:
            BackendError: They are closed.
        """

    def give_back(self, connection: Any, *, usable: bool) -> None:
        """Take a connection back, or give it up if it is not usable."""

    def close(self) -> None:
        """Close all that are not in use, and lend no more. Idempotent."""
