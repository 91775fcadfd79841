"""Brings a store that an older release has made to the schema of this one.

Nothing else does: `connect` refuses an older store and leaves it as it is.
``python -m experiment_store.migrate --help`` is the same as a program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from experiment_store.capabilities import Migratable, Migration, Migrations
from experiment_store.errors import UnsupportedError
from experiment_store.registry import default_url, open_backend

WAIT = 300.0
"""Seconds to wait for another process that migrates the same store."""


def migrate(
    url: str | None = None,
    *,
    wait: float = WAIT,
    progress: Callable[[str], None] | None = None,
) -> Migration:
    """Bring the store at *url* to this library's schema; create it if there is none.

    Every step to a version happens as a whole or can be taken again, so a call
    that was interrupted, however, is repeated. Several processes may call at
    once: one works, the others wait and find nothing to do.

    Args:
        url: The store, as for `connect`.
        wait: How many seconds to wait for another process.
        progress: Is called with a sentence about each thing that was done.

    Raises:
        InvalidArgumentError: No backend has the URL's scheme, or it refuses the URL.
        UnsupportedError: The backend has no schema, such as that for memory.
        MissingDriverError: The driver is not installed, or there are steps to take
            and Alembic is not installed (extra ``migrate``).
        UnavailableError: Another process is still at work, or has taken over.
        BackendError: The store is newer than the library, or a step has failed.
    """
    with opened(url) as migrations:
        return migrations.apply(wait=wait, progress=progress or _nobody)


@contextmanager
def opened(url: str | None) -> Iterator[Migrations]:
    """Lend the migrations of the store at *url*, and close its backend afterwards.

    Raises:
        InvalidArgumentError, UnsupportedError, MissingDriverError: As `migrate` does.
    """
    with closing(open_backend(url or default_url())) as backend:
        if not isinstance(backend, Migratable):
            raise UnsupportedError("migrate", type(backend).__name__)
        yield backend.migrations()


def _nobody(_: str) -> None:
    """Tell nobody."""
