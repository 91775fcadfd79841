"""From a URL to a store: backends are found by their scheme, those of others as entry points.

This is the only module of the library that looks at its surroundings.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING

from experiment_store.backend import Backend
from experiment_store.errors import InvalidArgumentError, MissingDriverError, quote
from experiment_store.sources import random_etag, utc_now
from experiment_store.store import ExperimentStore
from experiment_store.values import is_storable

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

GROUP = "experiment_store.backends"
URL_VARIABLE = "EXPERIMENT_STORE_URL"

OWN = {
    "memory": "experiment_store_memory",
    "sqlite": "experiment_store_sqlite",
    "postgresql": "experiment_store_postgres",
}
"""Backends that are always there: to search what is installed takes longer than to open one."""

_EXTRAS = {"postgresql": "postgres"}


def connect(
    url: str | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
    new_id: Callable[[], str] | None = None,
    new_etag: Callable[[], str] = random_etag,
    token_key: bytes | None = None,
    max_page_size: int = 1000,
) -> ExperimentStore:
    """Open the store at *url*, and create it if there is none.

    ``memory://``, ``sqlite:///path/to/file`` and ``postgresql://…`` are known, and
    whatever other packages offer in the entry-point group of `GROUP`. Without a
    URL it is that of the environment variable ``EXPERIMENT_STORE_URL``, else a
    SQLite file in the user's data folder. The other arguments are those of
    `ExperimentStore`.

    Raises:
        InvalidArgumentError: No backend, or more than one, has the URL's scheme, or
            the URL is not what the backend expects.
        MissingDriverError: The backend's driver is not installed.
        BackendError: The store cannot be opened.
    """
    with ExitStack() as undo:
        if url is None or (isinstance(url, str) and not url):  # other than text is a mistake
            url = default_url()
        backend = open_backend(url)
        undo.callback(backend.close)
        store = ExperimentStore(
            backend,
            clock=clock,
            new_id=new_id,
            new_etag=new_etag,
            token_key=token_key,
            max_page_size=max_page_size,
        )
        undo.pop_all()  # from here on, the store closes it
    return store


def open_backend(url: str) -> Backend:
    """Find the backend for the scheme of *url* and let it open the URL.

    Raises:
        InvalidArgumentError: No backend, or more than one, has the scheme.
        MissingDriverError: The backend's driver is not installed.
    """
    scheme = _scheme(url)
    if scheme not in OWN:
        theirs: Callable[[str], Backend] = _entry_point(scheme).load()
        return theirs(url)
    try:
        ours = import_module(OWN[scheme])
    except ModuleNotFoundError as error:
        if scheme not in _EXTRAS:
            raise
        raise MissingDriverError.of(scheme, _EXTRAS[scheme]) from error
    backend: Backend = ours.connect(url)
    return backend


def _scheme(url: str) -> str:
    if not is_storable(url) or "://" not in url:
        raise InvalidArgumentError("url", f"must be scheme://…, with one of {_known()}")
    return url.partition("://")[0].partition("+")[0].lower()


def _entry_point(scheme: str) -> EntryPoint:
    found = _entry_points().select(name=scheme)
    if not found:
        raise InvalidArgumentError("url", f"has the scheme {quote(scheme)}, not one of {_known()}")
    # An editable install may list one distribution twice.
    owners = {point.value: str(point.dist and point.dist.name) for point in found}
    if len(owners) > 1:
        claims = ", ".join(f"{value} ({owner})" for value, owner in sorted(owners.items()))
        raise InvalidArgumentError("url", f"has the scheme {scheme!r}, claimed by {claims}")
    return next(iter(found))


def _entry_points() -> EntryPoints:
    from importlib.metadata import entry_points  # noqa: PLC0415 (a quarter of our import time)

    return entry_points(group=GROUP)


def _known() -> str:
    return ", ".join(sorted({point.name for point in _entry_points()}))


def default_url() -> str:
    """Return the URL of the store that is meant where none is given."""
    if named := os.environ.get(URL_VARIABLE):
        return named
    from platformdirs import user_data_path  # noqa: PLC0415 (the only use, and seldom)

    folder = user_data_path("experiment-store", appauthor=False, ensure_exists=True)
    return f"sqlite:///{(folder / 'experiments.db').as_posix()}"
