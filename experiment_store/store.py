"""The store: its life, its experiments, and the door to their runs and jobs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from os import PathLike, fspath
from types import TracebackType
from typing import Any, Self

from experiment_store.backend import Backend
from experiment_store.capabilities import BackedUp, Joinable
from experiment_store.errors import InvalidArgumentError, UnsupportedError
from experiment_store.experiments import Experiments
from experiment_store.jobs import Jobs
from experiment_store.observing import STORE, none, observed
from experiment_store.page_sizes import largest_page
from experiment_store.runs import Runs
from experiment_store.services import Services, key_id
from experiment_store.sources import Uuid7, random_etag, utc_now
from experiment_store.tracking.endings import end_all
from experiment_store.values import is_storable


class ExperimentStore(Experiments):
    """Experiments, and through `runs` and `jobs` their children, in one backend.

    Every call is one atomic step. Share one store per process: any thread may
    call at any time. Use it as a context manager, or call `close`.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] | None = None,
        new_etag: Callable[[], str] = random_etag,
        token_key: bytes | None = None,
        max_page_size: int = 1000,
    ) -> None:
        """Open the store that *backend* keeps, and create it if there is none.

        Args:
            backend: Where the records are; the store closes it.
            clock: Tells the time, aware.
            new_id: Makes ids: 1 to 64 visible ASCII characters; UUIDs of version 7 by default.
            new_etag: Makes etags; never the same twice.
            token_key: Authenticates page tokens, at least 16 bytes; by default a random
                key that the store keeps, so that tokens outlive the process.
            max_page_size: The most items that a page may have, at most 1,000,000.

        Raises:
            InvalidArgumentError: A key that is too short, a page size below 1.
            BackendError: The backend cannot be set up.
        """
        largest = largest_page(max_page_size)
        services = Services(backend, clock, new_id or Uuid7(), new_etag, largest)
        if token_key is not None:
            services.use_token_key(token_key)
        self._serve(services)
        backend.setup()

    def _serve(self, services: Services) -> None:
        super().__init__(services)
        self.runs = Runs(services)
        self.jobs = Jobs(services)

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store; runs that are still active end as *error* says."""
        self._close(error)

    def close(self) -> None:
        """Finish active runs, and release the backend's connections and files.

        Idempotent; no other call may follow.

        Raises:
            ExperimentStoreError: What a run has logged cannot be written.
        """
        self._close(None)

    def _close(self, error: BaseException | None) -> None:
        try:
            end_all(error, self.runs)
        finally:
            self._backend.close()

    @observed(kind=STORE)
    def key(self, name: str) -> bytes:
        """Return 32 random bytes that the store keeps under *name*, the same for every caller.

        A program that embeds the store seals its own tokens with them.

        Raises:
            UnavailableError: The backend did not keep them.
        """
        return self._services.key(key_id(name))

    @observed(none, kind=STORE)
    def backup(self, path: str | PathLike[str]) -> None:
        """Write a copy of the store, as of one moment, to a new file at *path*.

        The copy is a store that can be opened, with the keys of this one. Others
        may read and write meanwhile. The file is there when it is whole, or not at all.

        Raises:
            InvalidArgumentError: *path* is no path, or empty.
            AlreadyExistsError: There is something at *path*.
            UnsupportedError: The backend has no files to copy, or a tool of its own.
            BackendError: The file cannot be written.
        """
        text = path if isinstance(path, str) or not isinstance(path, PathLike) else fspath(path)
        if not is_storable(text) or not text:
            raise InvalidArgumentError("path", "must be the name of a file")
        if not isinstance(self._backend, BackedUp):
            raise UnsupportedError("backup", type(self._backend).__name__)
        self._backend.backup(text)

    def bound(self, connection: Any) -> ExperimentStore:
        """Return this store inside the transaction that a host has on *connection*.

        What it does is committed and rolled back by the host, together with what the host
        does; a call that fails has done nothing, and the host's transaction goes on.
        It is good for as long as the connection is, on one thread at a time, and need
        not be closed. With a total, a listing sees one snapshot only if the host's
        transaction does.

        Args:
            connection: SQLAlchemy's, to the database of this store; with its asyncio, that
                which ``AsyncConnection.run_sync`` hands to its function.

        Raises:
            InvalidArgumentError: It is another thing, or in AUTOCOMMIT mode.
            UnsupportedError: The backend has no such transactions.
        """
        if not isinstance(self._backend, Joinable):
            raise UnsupportedError("bound", type(self._backend).__name__)
        return _BoundStore(self._services.bound(self._backend.bound(connection)))


class _BoundStore(ExperimentStore):
    """A store inside a transaction of a host's."""

    def __init__(self, services: Services) -> None:
        self._serve(services)
