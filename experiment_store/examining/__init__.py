"""Examining a store: what is wrong with it, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial

from experiment_store.backend import Backend
from experiment_store.capabilities import Examinable
from experiment_store.errors import InvalidArgumentError
from experiment_store.findings import Finding, unseen
from experiment_store.registry import default_url, open_backend
from experiment_store.sources import utc_now
from experiment_store.store import ExperimentStore


def examine(store: ExperimentStore | str | None = None) -> Sequence[Finding]:
    """Make all checks that the store's backend knows, and those of what the records mean.

    Nothing is written, made or migrated: a store that `connect` refuses is examined
    too, and one that is not there is a finding. All records are read, a few at a time;
    others may go on reading and writing. Every check has a finding at least, good or bad.

    Args:
        store: A store, or a URL as for `connect`; by default that of `connect`.

    Raises:
        InvalidArgumentError: A URL that no backend takes.
        MissingDriverError: The backend's driver is not installed.
    """
    # Loaded by the first call: most programs make none.
    from experiment_store.examining.meaning import (  # noqa: PLC0415 (see above)
        CHECKS,
        check_meaning,
    )

    with _backend(store) as (backend, now):
        meaning = partial(check_meaning, now=now)
        if isinstance(backend, Examinable):
            findings = list(backend.examine(meaning))
        else:
            findings = list(meaning(backend))
    seen = {finding.check for finding in findings}
    return [*findings, *(unseen(check) for check in CHECKS if check not in seen)]


@contextmanager
def _backend(store: ExperimentStore | str | None) -> Iterator[tuple[Backend, datetime]]:
    """Lend the backend of *store*, as it is, with the time; what a URL opens is closed again."""
    if isinstance(store, ExperimentStore):
        services = store._services  # noqa: SLF001 (it goes below the store, and programs do not)
        yield services.backend, services.now()
    elif store is None or isinstance(store, str):
        with closing(open_backend(store or default_url())) as backend:
            yield backend, utc_now()
    else:
        raise InvalidArgumentError("store", f"must be a store or a URL, not {type(store).__name__}")
