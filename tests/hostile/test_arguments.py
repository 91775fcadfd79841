"""Every argument of every public call takes anything: it does, or it says why not.

A call that fails raises one of the errors that its docstring names, in few words,
and changes nothing. What is iterated (``ids``, ``experiments``) may raise a TypeError.
"""

from __future__ import annotations

import time
import tracemalloc
from collections import UserDict
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from attrs import frozen
from sqlalchemy import make_url

from experiment_store import (
    ExperimentStore,
    ExperimentStoreError,
    NewExperiment,
    NewJob,
    NewRun,
    connect,
)
from tests.hostile.inputs import Hostile

Call = Callable[[ExperimentStore, Any], Any]

_ID = "id-1"
_FILTERS = (
    'name = "a*" AND NOT storage_state = ARCHIVED', "labels.k = (v OR w) created_at > ago(7d)",
    "(a OR b) AND -(c labels:k)", 'icontains(name, "x") OR labels."a b" != \'\\u0041\'', "*",
    "created_at < 2026-01-01T00:00:00Z AND last_run_created_at = null", "name:(a OR (b c))",
    'timestamp("2026-01-01T00:00:00Z") = created_at', "experiment_id > a OR state = PENDING",
)  # fmt: skip
_ORDERS = ("created_at desc, name", 'labels."my key" desc, Display_Name', "id", "updated_at asc")
_TEXTS = ("name", "a name", "resnet-50", "\N{LATIN SMALL LETTER E WITH ACUTE}", "x" * 128)
_IDS = (_ID, "0b7e7b1c-6b0e-4c36-9d0a-0f3f7f3a1e11", "x" * 64)
_ETAGS = ("etag", "0123456789abcdef")
_TOKENS = (
    "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8w",
    "AfJ-_w", "A" * 200,
)  # fmt: skip

ARGUMENTS: dict[str, tuple[tuple[str, ...], Call]] = {
    "create name": (_TEXTS, lambda s, v: s.create(v)),
    "create namespace": (_TEXTS, lambda s, v: s.create("n", namespace=v)),
    "create description": (_TEXTS, lambda s, v: s.create("d", description=v)),
    "create labels": (_TEXTS, lambda s, v: s.create("l", labels=v)),
    "create label key": (_TEXTS, lambda s, v: s.create("l", labels=_Pair(v))),
    "create label value": (_TEXTS, lambda s, v: s.create("l", labels={"a": v})),
    "create id": (_IDS, lambda s, v: s.create("i", id=v)),
    "create if_exists": (("error", "return"), lambda s, v: s.create("one", if_exists=v)),
    "create_many": (_TEXTS, lambda s, v: s.create_many(v)),
    "create_many item": (_TEXTS, lambda s, v: s.create_many([v])),
    "create_many name": (_TEXTS, lambda s, v: s.create_many([NewExperiment(v)])),
    "get": (_IDS, lambda s, v: s.get(v)),
    "get_many": (_IDS, lambda s, v: s.get_many(v)),
    "get_many item": (_IDS, lambda s, v: s.get_many([_ID, v])),
    "get_by_name name": (_TEXTS, lambda s, v: s.get_by_name(v)),
    "get_by_name namespace": (_TEXTS, lambda s, v: s.get_by_name("one", namespace=v)),
    "list filter": (_FILTERS, lambda s, v: s.list(filter=v)),
    "list order_by": (_ORDERS, lambda s, v: s.list(order_by=v)),
    "list namespace": (_TEXTS, lambda s, v: s.list(namespace=v)),
    "list page_token": (_TOKENS, lambda s, v: s.list(page_token=v)),
    "list page_size": (("1", "20"), lambda s, v: s.list(page_size=v)),
    "iterate filter": (_FILTERS, lambda s, v: list(s.iterate(filter=v))),
    "iterate order_by": (_ORDERS, lambda s, v: list(s.iterate(order_by=v))),
    "iterate namespace": (_TEXTS, lambda s, v: list(s.iterate(namespace=v))),
    "iterate page_size": (("1", "20"), lambda s, v: list(s.iterate(page_size=v))),
    "update id": (_IDS, lambda s, v: s.update(v, description="d")),
    "update name": (_TEXTS, lambda s, v: s.update(_ID, name=v)),
    "update description": (_TEXTS, lambda s, v: s.update(_ID, description=v)),
    "update labels": (_TEXTS, lambda s, v: s.update(_ID, labels=v)),
    "update etag": (_ETAGS, lambda s, v: s.update(_ID, description="e", etag=v)),
    "archive id": (_IDS, lambda s, v: s.archive(v)),
    "archive etag": (_ETAGS, lambda s, v: s.archive(_ID, etag=v)),
    "unarchive id": (_IDS, lambda s, v: s.unarchive(v)),
    "delete id": (_IDS, lambda s, v: s.delete(v)),
    "delete children": (("refuse", "delete"), lambda s, v: s.delete(_ID, children=v)),
    "delete etag": (_ETAGS, lambda s, v: s.delete(_ID, etag=v)),
    "runs create experiment_id": (_IDS, lambda s, v: s.runs.create(v, "r")),
    "runs create name": (_TEXTS, lambda s, v: s.runs.create(_ID, v)),
    "runs create job_id": (_IDS, lambda s, v: s.runs.create(_ID, "r", job_id=v)),
    "runs create_many name": (_TEXTS, lambda s, v: s.runs.create_many([NewRun(_ID, v)])),
    "runs list experiment_id": (_IDS, lambda s, v: s.runs.list(experiment_id=v)),
    "runs list filter": (_FILTERS, lambda s, v: s.runs.list(filter=v)),
    "runs update state": (("RUNNING",), lambda s, v: s.runs.update("run-1", state=v)),
    "runs update started_at": (_TEXTS, lambda s, v: s.runs.update("run-1", started_at=v)),
    "jobs create schedule": (_TEXTS, lambda s, v: s.jobs.create(_ID, "j", schedule=v)),
    "jobs create enabled": (_TEXTS, lambda s, v: s.jobs.create(_ID, "j", enabled=v)),
    "jobs create_many name": (_TEXTS, lambda s, v: s.jobs.create_many([NewJob(_ID, v)])),
    "jobs list filter": (_FILTERS, lambda s, v: s.jobs.list(filter=v)),
    "jobs list order_by": (_ORDERS, lambda s, v: s.jobs.list(order_by=v)),
    "jobs enable id": (_IDS, lambda s, v: s.jobs.enable(v)),
}


class _Pair(UserDict[Any, str]):
    """A mapping whose only key is anything, even what cannot be a key."""

    def __init__(self, key: Any) -> None:
        super().__init__()
        self._key = key

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        yield self._key

    def __getitem__(self, key: Any) -> str:
        return "a"


_ITERATED = ("create_many", "get_many")

_LONGEST_MESSAGE = 1_500
_SECONDS = 1.0  # of processor time, at most, for one call
_MEMORY = 50 * 1024 * 1024  # bytes at the most


@frozen
class Place:
    """A store that is filled anew after whatever was accepted."""

    store: ExperimentStore
    inputs: int  # for one argument, where there are no hours

    def fill(self) -> None:
        """Empty the store and put one of each kind there."""
        for experiment in list(self.store.iterate()):
            self.store.delete(experiment.id, children="delete")
        self.store.create("one", id=_ID, labels={"k": "v"})
        self.store.runs.create(_ID, "run", id="run-1")
        self.store.jobs.create(_ID, "job", id="job-1")

    def state(self) -> Any:
        """Return all that is there."""
        return [list(part.iterate()) for part in (self.store, self.store.runs, self.store.jobs)]


@pytest.fixture(scope="module", params=["memory://", "sqlite://", "postgresql://"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if not request.param.startswith("postgresql"):
        with connect(request.param) as store:
            yield Place(store, 200)
        return
    server: str = request.getfixturevalue("postgres_url")
    schema = f"hostile_{uuid4().hex}"
    url = make_url(server).update_query_dict({"schema": schema})
    with connect(url.render_as_string(hide_password=False)) as store:
        yield Place(store, 100)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP SCHEMA "{schema}" CASCADE'.encode())


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_an_argument_is_taken_or_refused_in_words(
    place: Place, argument: str, record_property: Callable[[str, object], None], *, soaking: bool
) -> None:
    samples, call = ARGUMENTS[argument]
    count = 8_000 if soaking else place.inputs
    place.fill()
    before = place.state()
    if soaking:
        tracemalloc.start()

    for value in Hostile(samples, seed=len(argument)).values(count):
        started = time.process_time()
        refusal = _refusal(place.store, call, value)
        if isinstance(refusal, TypeError):
            assert argument in _ITERATED, repr(value)[:200]
        assert len(str(refusal)) <= _LONGEST_MESSAGE
        after = place.state()
        assert refusal is None or after == before
        if after != before:
            place.fill()
            before = place.state()
        assert not soaking or time.process_time() - started < _SECONDS, repr(value)[:200]

    if soaking:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < _MEMORY
    record_property("inputs", count)


def _refusal(store: ExperimentStore, call: Call, value: Any) -> Exception | None:
    try:
        call(store, value)
    except (ExperimentStoreError, TypeError) as error:
        return error
    return None
