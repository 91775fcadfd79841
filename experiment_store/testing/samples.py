"""What the contract's tests have in common: sample records, and ways to fill and read a backend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, TypeVar, cast

import pytest
from attrs import astuple, has
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiment_store.backend import Backend, Change
from experiment_store.filters.predicates import ALWAYS, Predicate
from experiment_store.mappings import NO_METRICS, NO_PARAMS
from experiment_store.ordering import Order, SortKey, sort_values
from experiment_store.plan import Plan
from experiment_store.records import (
    Chunk,
    Experiment,
    Job,
    Labels,
    Run,
    RunState,
    Setting,
    StorageState,
)
from experiment_store.schema import CHUNK, EXPERIMENT, JOB, RUN, SETTING, Kind, R
from experiment_store.values import Value

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)

SEARCHED: tuple[Kind[Any], ...] = (EXPERIMENT, RUN, JOB)
"""The kinds that are filtered and sorted as callers like."""

LISTED: tuple[Kind[Any], ...] = (*SEARCHED, CHUNK)
"""The kinds that are listed; a backend may keep settings of its own beside the store's.

Nobody filters or sorts chunks: they are read by their run and their metric, in the default order.
"""

BY_ID: Order = (SortKey("id"),)
EVERYTHING = 1_000_000  # more rows than a test has
MOST_PAGES = 100  # more than any listing of a test has

Contents: TypeAlias = Mapping[str, Sequence[Any]]
"""All that a backend keeps, settings excepted, by the name of the kind."""

NOTHING: Contents = {kind.name: [] for kind in LISTED}

T = TypeVar("T")
Test = TypeVar("Test", bound=Callable[..., None])


def for_all(**strategies: st.SearchStrategy[Any]) -> Callable[[Test], Test]:
    """Run a test of the contract for examples of what the strategies make.

    The number of examples is that of the active profile.
    """
    relaxed = settings(
        deadline=None,  # the backend may be anywhere
        suppress_health_check=[
            *settings().suppress_health_check,
            # All examples share the fixture's backend; each one empties it with `refill`.
            HealthCheck.function_scoped_fixture,
            # The classes that inherit a test share it, and nothing else.
            HealthCheck.differing_executors,
            HealthCheck.too_slow,
        ],
    )

    def decorate(test: Test) -> Test:
        decorated: Any = relaxed(given(**strategies)(test))
        return cast("Test", decorated)

    return decorate


def of_any_kind(
    strategy: Callable[[Kind[Any]], st.SearchStrategy[T]], among: Sequence[Kind[Any]] = SEARCHED
) -> st.SearchStrategy[T]:
    """Choose a kind, and what *strategy* makes for it."""
    # One strategy per kind is made once; with `flatmap` every example would make its own.
    return st.one_of([strategy(kind) for kind in among])


def experiment(id: str = "e", **given: Any) -> Experiment:
    """An experiment whose name is its id."""
    defaults: dict[str, Any] = {
        "namespace": "",
        "name": id,
        "description": "",
        "labels": Labels(),
        "storage_state": StorageState.AVAILABLE,
        "created_at": NOON,
        "updated_at": NOON,
        "last_run_created_at": None,
        "etag": "1",
    }
    return Experiment(id, **(defaults | given))


def run(id: str = "r", of: str = "e", **given: Any) -> Run:
    """A run of the experiment with the id *of*."""
    defaults: dict[str, Any] = {
        "namespace": "",
        "name": "run",
        "description": "",
        "labels": Labels(),
        "storage_state": StorageState.AVAILABLE,
        "state": RunState.PENDING,
        "created_at": NOON,
        "updated_at": NOON,
        "started_at": None,
        "finished_at": None,
        "job_id": None,
        "params": NO_PARAMS,
        "metrics": NO_METRICS,
        "artifacts": (),
        "error": "",
        "heartbeat_at": None,
        "etag": "1",
    }
    return Run(id, of, **(defaults | given))


def job(id: str = "j", of: str = "e", **given: Any) -> Job:
    """A job of the experiment with the id *of*."""
    defaults: dict[str, Any] = {
        "namespace": "",
        "name": "job",
        "description": "",
        "labels": Labels(),
        "enabled": True,
        "schedule": "",
        "created_at": NOON,
        "updated_at": NOON,
        "etag": "1",
    }
    return Job(id, of, **(defaults | given))


def chunk(id: str = "c", of: str = "r", **given: Any) -> Chunk:
    """A chunk of a history of the run with the id *of*."""
    defaults: dict[str, Any] = {"metric": "loss", "created_at": NOON, "points": "A" * 32}
    return Chunk(id, of, **(defaults | given))


def sample(kind: Kind[Any], id: str) -> Any:
    """A record of any kind."""
    makers: Mapping[str, Callable[[str], Any]] = {
        EXPERIMENT.name: experiment,
        RUN.name: run,
        JOB.name: job,
        CHUNK.name: chunk,
        SETTING.name: lambda id: Setting(id, "value"),
    }
    return makers[kind.name](id)


def keep(backend: Backend, kind: Kind[R], *records: R) -> None:
    """Add records that nothing stands in the way of."""
    assert backend.insert(kind, records) is None


def refill(backend: Backend, contents: Contents) -> None:
    """Remove everything from a backend, then add *contents*."""
    for kind in LISTED:
        for record in everything(backend, kind):
            assert backend.delete(kind, record.id, Change()) is None
    for kind in LISTED:
        if records := contents.get(kind.name):
            keep(backend, kind, *records)


def everything(backend: Backend, kind: Kind[R]) -> Sequence[R]:
    """Read all records of *kind*."""
    return select(backend, kind)


def dump(backend: Backend) -> Contents:
    """Read all records of every kind, settings excepted."""
    return {kind.name: list(everything(backend, kind)) for kind in LISTED}


def select(
    backend: Backend, kind: Kind[R], where: Predicate = ALWAYS, order: Order = BY_ID
) -> Sequence[R]:
    """Read all records that match, as one page."""
    return backend.select(Plan(kind, where, order, limit=EVERYTHING)).items


def ids(records: Iterable[Any]) -> list[str]:
    """Return the ids of *records*, in their order."""
    return [record.id for record in records]


def found(backend: Backend, kind: Kind[Any], where: Predicate) -> list[str]:
    """Return the ids of the records that match, in the order of ids."""
    return ids(select(backend, kind, where))


def pages(
    backend: Backend, kind: Kind[R], order: Order, size: int, where: Predicate = ALWAYS
) -> Iterator[Sequence[R]]:
    """Read pages of *size* until one is not full."""
    after: tuple[Value | None, ...] | None = None
    for _ in range(MOST_PAGES):
        items = backend.select(Plan(kind, where, order, after, size)).items
        yield items
        if len(items) < size:
            return
        after = sort_values(order, items[-1])
    pytest.fail("the pages do not end")


def assert_same(actual: Any, expected: Any) -> None:
    """Compare records, and the types of their values: an enum's member is no mere text."""
    assert actual == expected
    assert types(actual) == types(expected)
    left = astuple(actual, recurse=False)
    assert all(v.utcoffset() == timedelta() for v in left if isinstance(v, datetime))


def types(value: Any) -> Any:
    """Return the types of *value* and of all that is in it: 1 equals 1.0 and true."""
    if isinstance(value, Mapping):
        return type(value), {key: types(held) for key, held in value.items()}
    if isinstance(value, tuple):
        return type(value), [*map(types, value)]
    if has(type(value)):
        return type(value), [*map(types, astuple(value, recurse=False))]
    return type(value)
