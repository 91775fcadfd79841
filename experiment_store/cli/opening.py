"""Which store is meant, and opening it: a typing error must not make an empty one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from experiment_store.capabilities import Migratable
from experiment_store.errors import NotFoundError
from experiment_store.registry import URL_VARIABLE, connect, open_backend
from experiment_store.store import ExperimentStore

_NAMED = "sqlite"  # its URLs hold no secret


def url_of(text: str) -> str:
    """Return *text* if it is a URL, else that of the SQLite file of this name."""
    return text if "://" in text else f"sqlite:///{text}"


def named_url(store: str | None) -> str | None:
    """Return the URL that *store* or the environment names, ``None`` for the default store."""
    named = store or os.environ.get(URL_VARIABLE)
    return url_of(named) if named else None


@contextmanager
def opened(store: str | None, *, may_make: bool = False) -> Iterator[ExperimentStore]:
    """Lend the store that *store*, the environment or nobody names, and close it afterwards.

    Args:
        store: A URL or a path; absent or empty for that of the environment.
        may_make: Whether to make the store if it is not there; the default one always is.

    Raises:
        NotFoundError: There is no such store, and it is not to be made.
        InvalidArgumentError, BackendError: As `connect` says.
    """
    url = named_url(store)
    with connect(url) if url is None or may_make else _existing(url) as found:
        yield found


def _existing(url: str) -> ExperimentStore:
    with ExitStack() as undo:
        backend = open_backend(url)
        undo.callback(backend.close)
        if isinstance(backend, Migratable) and backend.migrations().status().store is None:
            scheme, _, place = url.partition("://")
            key = (
                {"file": place.removeprefix("/")} if scheme == _NAMED else {"url": f"{scheme}://…"}
            )
            raise NotFoundError("store", key)
        store = ExperimentStore(backend)
        undo.pop_all()  # from here on, the store closes it
    return store
