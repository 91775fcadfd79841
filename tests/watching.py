"""Every call of a store, on a small laboratory, and ears for what is told of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import frozen
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

from experiment_store import (
    Experiment,
    ExperimentStore,
    Job,
    NewExperiment,
    NewJob,
    NewRun,
    Run,
    tracing,
)
from experiment_store.backend import Backend
from experiment_store.records import Artifact


@frozen
class Lab:
    """A store with an experiment, two runs and three jobs."""

    store: ExperimentStore
    experiment: Experiment
    run: Run
    job: Job

    @classmethod
    def over(cls, backend: Backend) -> Lab:
        """Furnish the store that *backend* keeps."""
        store = ExperimentStore(backend)
        experiment = store.create("mnist")
        runs = store.runs.create_many([NewRun(experiment.id, "run")] * 2)
        jobs = store.jobs.create_many([NewJob(experiment.id, "job")] * 3)
        return cls(store, experiment, runs[0], jobs[0])


Call = Callable[[Lab], object]

CALLS: Mapping[tuple[str, str], tuple[int, Call]] = {
    ("experiment", "create"): (1, lambda lab: lab.store.create("new")),
    ("experiment", "create_many"): (
        2,
        lambda lab: lab.store.create_many([NewExperiment("a"), NewExperiment("b")]),
    ),
    ("experiment", "get"): (1, lambda lab: lab.store.get(lab.experiment.id)),
    ("experiment", "get_by_name"): (1, lambda lab: lab.store.get_by_name("mnist")),
    ("experiment", "get_many"): (2, lambda lab: lab.store.get_many([lab.experiment.id] * 2)),
    ("experiment", "list"): (1, lambda lab: lab.store.list()),
    ("experiment", "iterate"): (1, lambda lab: list(lab.store.iterate())),
    ("experiment", "update"): (1, lambda lab: lab.store.update(lab.experiment.id, name="new")),
    ("experiment", "archive"): (1, lambda lab: lab.store.archive(lab.experiment.id)),
    ("experiment", "unarchive"): (1, lambda lab: lab.store.unarchive(lab.experiment.id)),
    ("experiment", "delete"): (
        1,
        lambda lab: lab.store.delete(lab.experiment.id, children="delete"),
    ),
    ("store", "key"): (1, lambda lab: lab.store.key("mine")),
    ("run", "create"): (1, lambda lab: lab.store.runs.create(lab.experiment.id, "new")),
    ("run", "create_many"): (0, lambda lab: lab.store.runs.create_many([])),
    ("run", "get"): (1, lambda lab: lab.store.runs.get(lab.run.id)),
    ("run", "get_many"): (1, lambda lab: lab.store.runs.get_many([lab.run.id])),
    ("run", "list"): (2, lambda lab: lab.store.runs.list()),
    ("run", "iterate"): (2, lambda lab: list(lab.store.runs.iterate(page_size=1))),
    ("run", "update"): (1, lambda lab: lab.store.runs.update(lab.run.id)),
    ("run", "archive"): (1, lambda lab: lab.store.runs.archive(lab.run.id)),
    ("run", "unarchive"): (1, lambda lab: lab.store.runs.unarchive(lab.run.id)),
    ("run", "delete"): (1, lambda lab: lab.store.runs.delete(lab.run.id)),
    ("run", "start"): (1, lambda lab: lab.store.runs.start("mnist").abandon()),
    ("run", "resume"): (1, lambda lab: lab.store.runs.resume(lab.run.id).abandon()),
    ("run", "append"): (1, lambda lab: lab.store.runs.append(lab.run.id, {})),
    ("run", "history"): (0, lambda lab: lab.store.runs.history(lab.run.id, "loss")),
    ("run", "link"): (
        1,
        lambda lab: lab.store.runs.link(lab.run.id, Artifact("model", "file:///model.pt")),
    ),
    ("run", "beat"): (1, lambda lab: lab.store.runs.beat(lab.run.id)),
    ("run", "reap"): (0, lambda lab: lab.store.runs.reap()),
    ("job", "create"): (1, lambda lab: lab.store.jobs.create(lab.experiment.id, "new")),
    ("job", "create_many"): (
        3,
        lambda lab: lab.store.jobs.create_many([NewJob(lab.experiment.id, "new")] * 3),
    ),
    ("job", "get"): (1, lambda lab: lab.store.jobs.get(lab.job.id)),
    ("job", "get_many"): (0, lambda lab: lab.store.jobs.get_many([])),
    ("job", "list"): (2, lambda lab: lab.store.jobs.list(page_size=2)),
    ("job", "iterate"): (3, lambda lab: list(lab.store.jobs.iterate())),
    ("job", "update"): (1, lambda lab: lab.store.jobs.update(lab.job.id, schedule="* * * * *")),
    ("job", "enable"): (1, lambda lab: lab.store.jobs.enable(lab.job.id)),
    ("job", "disable"): (1, lambda lab: lab.store.jobs.disable(lab.job.id)),
    ("job", "delete"): (1, lambda lab: lab.store.jobs.delete(lab.job.id)),
}
"""By kind and verb: of how many records the call tells, and the call."""

EACH = [pytest.param(*name, *call, id=".".join(name)) for name, call in CALLS.items()]

REFUSED: Mapping[str, Call] = {
    "NotFoundError": lambda lab: lab.store.runs.get("nowhere"),
    "AlreadyExistsError": lambda lab: lab.store.create("mnist"),
    "ConflictError": lambda lab: lab.store.archive(lab.experiment.id, etag="stale"),
    "FailedPreconditionError": lambda lab: lab.store.delete(lab.experiment.id, children="refuse"),
    "InvalidFilterError": lambda lab: lab.store.jobs.list(filter="secret ="),
    "InvalidArgumentError": lambda lab: lab.store.iterate(page_size=-1),
    "UnsupportedError": lambda lab: lab.store.backup("copy.db"),
}
"""By the error's class: a call that fails so."""


class _Ears(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record)


@contextmanager
def listening(least: int = logging.DEBUG) -> Iterator[list[logging.LogRecord]]:
    """Collect what the library logs at the level *least* and above."""
    logger, ears = logging.getLogger("experiment_store"), _Ears()
    level = logger.level
    logger.addHandler(ears)
    logger.setLevel(least)
    try:
        yield ears.heard
    finally:
        logger.setLevel(level)
        logger.removeHandler(ears)


@contextmanager
def traced(sampler: Sampler = ALWAYS_ON) -> Iterator[Callable[[], list[ReadableSpan]]]:
    """Be a program that traces; what is yielded returns the spans that have ended.

    OpenTelemetry takes one provider per process, so this one is put in by force.
    """
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "_TRACER_PROVIDER", provider)
        tracing._tracer.cache_clear()
        try:
            yield lambda: list(exporter.get_finished_spans())
        finally:
            tracing._tracer.cache_clear()
            provider.shutdown()


def told(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a program can read from *record* and cannot from any other."""
    plain = vars(logging.makeLogRecord({})).keys() | {"message", "asctime", "taskName"}
    return {name: value for name, value in vars(record).items() if name not in plain}
