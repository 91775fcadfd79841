"""Calls of a store as values: to be written down, made, and made again on a model.

Times, ids and etags come from the operation, so that a repetition makes the same
records, and each record tells by its etag which operation wrote it last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from threading import local
from typing import Any

from attrs import asdict, frozen

from experiment_store import (
    BackendError,
    ExperimentStore,
    ExperimentStoreError,
    NewExperiment,
    NewRun,
    UnavailableError,
)
from experiment_store.backend import Backend
from experiment_store.records import Labels
from experiment_store.values import from_micros

LOAD_EXPERIMENTS = "load experiments"
LOAD_RUNS = "load runs"

DONE = "done"
REFUSED = "refused"
UNKNOWN = "unknown"
FAILED = "failed"


@frozen
class Operation:
    """One call: its name in the API, or a bulk load; all that it makes lies in *scope*."""

    key: str
    scope: str
    at: int
    call: str
    arguments: Mapping[str, Any]

    @property
    def parents(self) -> Sequence[str]:
        """The experiments that a bulk load fills, or a single call puts a record into."""
        given = self.arguments
        return given["parents"] if "parents" in given else [given["experiment_id"]]

    def made(self) -> Mapping[str, str]:
        """The experiments of the records that the call makes below experiments, by id."""
        match self.call:
            case "runs.create" | "jobs.create":
                return {self.arguments.get("id", self.key): self.arguments["experiment_id"]}
            case "load runs":
                return {run.id: run.experiment_id for run in new_runs(self) if run.id}
            case _:
                return {}


@frozen
class Answer:
    """What the store answered: an outcome, and a description that JSON can hold."""

    outcome: str
    what: Any = None

    @property
    def is_settled(self) -> bool:
        """Whether the answer says what has happened."""
        return self.outcome in (DONE, REFUSED)


class Sources(local):
    """The clock, the ids and the etags of the operation that this thread performs."""

    operation = Operation("reading", "", 0, "", {})

    def now(self) -> datetime:
        """Return the time of the operation."""
        return from_micros(self.operation.at)

    def key(self) -> str:
        """Return the key of the operation, as an id or etag."""
        return self.operation.key


class Performer:
    """A store, and the source of what its operations make."""

    def __init__(self, backend: Backend) -> None:
        """Open the store that *backend* keeps."""
        self._sources = sources = Sources()
        self.store = ExperimentStore(
            backend, clock=sources.now, new_id=sources.key, new_etag=sources.key
        )

    def perform(self, operation: Operation) -> Answer:
        """Make the call."""
        self._sources.operation = operation
        try:
            return Answer(DONE, _describe(self._call(operation)))
        except UnavailableError as error:
            return Answer(UNKNOWN, str(error))
        except BackendError as error:
            return Answer(FAILED, str(error))
        except ExperimentStoreError as error:
            return Answer(REFUSED, type(error).__name__)

    def _call(self, operation: Operation) -> Any:
        store = self.store
        if operation.call == LOAD_EXPERIMENTS:
            return store.create_many(_new_experiments(operation))
        if operation.call == LOAD_RUNS:
            return store.runs.create_many(new_runs(operation))
        collection, _, method = operation.call.rpartition(".")
        target = getattr(store, collection) if collection else store
        return getattr(target, method)(**operation.arguments)


def new_runs(operation: Operation) -> Sequence[NewRun]:
    """Return the runs of a bulk load, in turn for each of its experiments."""
    parents = operation.parents
    return [
        NewRun(parents[number % len(parents)], name, labels={"of": operation.key}, id=name)
        for number, name in enumerate(_names(operation))
    ]


def _new_experiments(operation: Operation) -> Sequence[NewExperiment]:
    return [
        NewExperiment(name, namespace=operation.scope, labels={"of": operation.key}, id=name)
        for name in _names(operation)
    ]


def _names(operation: Operation) -> Sequence[str]:
    return [f"{operation.key}-{number}" for number in range(operation.arguments["count"])]


def _describe(result: Any) -> Any:
    match result:
        case None:
            return None
        case Sequence():
            texts = json.dumps([_describe(record) for record in result], sort_keys=True)
            return f"{len(result)} records, {sha256(texts.encode()).hexdigest()}"
        case record:
            return asdict(record, recurse=False, value_serializer=_plain)


def _plain(_: Any, __: Any, value: Any) -> Any:
    return dict(value) if isinstance(value, Labels) else str(value)
