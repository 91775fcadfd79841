"""A program that has to type-check: how the public calls look to a reader's tools.

Never run. Each ignore stands where a tool has to complain; an idle one is an error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from gzip import GzipFile
from io import BytesIO, StringIO
from pathlib import Path
from typing import assert_type

import experiment_store
from experiment_store import (
    UNSET,
    AlreadyExistsError,
    BackendError,
    ConflictError,
    CopyDiffersError,
    Digest,
    ErrorCode,
    Experiment,
    ExperimentStore,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidFilterError,
    InvalidLineError,
    Job,
    Labels,
    Migration,
    MigrationNeededError,
    MissingDriverError,
    NewExperiment,
    NewJob,
    NewRun,
    NotFoundError,
    Obstacle,
    Page,
    PerKind,
    Progress,
    Run,
    RunState,
    StorageState,
    Tally,
    Unset,
    aio,
)
from experiment_store.backend import Backend
from experiment_store.capabilities import Migratable
from experiment_store.jobs import Jobs
from experiment_store.runs import Runs
from experiment_store_memory import MemoryBackend
from experiment_store_postgres import PostgresBackend
from experiment_store_sqlite import SqliteBackend

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def backends() -> Sequence[Backend]:
    """Every backend has the form that the store asks for."""
    return [MemoryBackend(), SqliteBackend("lab.db"), PostgresBackend("postgresql:///lab")]


def opening() -> None:
    """A store is opened by a URL or over a backend."""
    with experiment_store.connect("memory://", clock=lambda: _NOW, new_id=lambda: "e") as store:
        assert_type(store, ExperimentStore)
        assert_type(store.runs, Runs)
        assert_type(store.jobs, Jobs)
    assert_type(experiment_store.connect(), ExperimentStore)
    ExperimentStore(MemoryBackend(), token_key=b"0123456789abcdef", max_page_size=10)
    ExperimentStore("memory://")  # type: ignore[arg-type]  # a URL is no backend
    ExperimentStore(MemoryBackend(), lambda: _NOW)  # type: ignore[call-arg]  # options have names
    ExperimentStore(MemoryBackend(), clock=lambda: 0.0)  # type: ignore[arg-type, return-value]  # not a time


def migrating() -> None:
    """A store is brought up to date by its URL."""
    done = experiment_store.migrate("sqlite:///lab.db", wait=10, progress=print)
    assert_type(done, Migration)
    assert_type(done.before, str | None)
    assert_type(done.after, str)
    assert_type(done.steps, tuple[str, ...])
    assert_type(experiment_store.migrate(), Migration)
    try:
        experiment_store.connect()
    except MigrationNeededError as error:
        assert_type((error.found, error.needed), tuple[str, str])
    for backend in (SqliteBackend("lab.db"), PostgresBackend("postgresql:///lab")):
        migratable: Migratable = backend
        assert_type(migratable.migrations().status().store, str | None)
    experiment_store.migrate("sqlite:///lab.db", 10)  # type: ignore[call-arg]  # options have names


def experiments(store: ExperimentStore) -> None:
    """Calls of experiments give experiments."""
    made = store.create("mnist", namespace="vision", labels={"team": "cv"}, if_exists="return")
    assert_type(made, Experiment)
    assert_type(store.create_many([NewExperiment("a", id="e-1")]), Sequence[Experiment])
    assert_type(store.get(made.id), Experiment)
    assert_type(store.get_by_name("mnist", namespace="vision"), Experiment)
    assert_type(store.get_many([made.id]), Sequence[Experiment])
    assert_type(store.list(namespace="vision", with_total=True), Page[Experiment])
    assert_type(store.iterate(filter="name = a"), Iterator[Experiment])
    assert_type(store.update(made.id, name="b", labels={}, etag=made.etag), Experiment)
    assert_type(store.archive(made.id, etag=made.etag), Experiment)
    assert_type(store.unarchive(made.id), Experiment)
    store.delete(made.id, children="refuse")
    store.create("mnist", "vision")  # type: ignore[call-arg]  # what is no name has a name
    store.create("mnist", if_exists="replace")  # type: ignore[arg-type]  # nothing else to do
    store.delete(made.id, children="archive")  # type: ignore[arg-type]  # nothing else to do
    store.update(made.id, namespace="speech")  # type: ignore[call-arg]  # it never moves
    store.update(made.id, description=None)  # type: ignore[arg-type]  # it is never absent


def runs(store: ExperimentStore) -> None:
    """Calls of runs give runs."""
    made = store.runs.create("e-1", "run", state="RUNNING", started_at=_NOW, job_id="j-1")
    assert_type(made, Run)
    assert_type(
        store.runs.create_many([NewRun("e-1", "run", state=RunState.FAILED)]), Sequence[Run]
    )
    assert_type(store.runs.get(made.id), Run)
    assert_type(store.runs.get_many({made.id}), Sequence[Run])
    assert_type(store.runs.list(experiment_id="e-1"), Page[Run])
    assert_type(store.runs.list().items, Sequence[Run])
    assert_type(store.runs.list().total_size, int | None)
    assert_type(store.runs.iterate(experiment_id="e-1"), Iterator[Run])
    assert_type(store.runs.update(made.id, state=RunState.FAILED, finished_at=None), Run)
    assert_type(store.runs.archive(made.id), Run)
    assert_type(store.runs.unarchive(made.id), Run)
    store.runs.delete(made.id, etag=made.etag)
    store.runs.enable(made.id)  # type: ignore[attr-defined]  # what jobs do
    store.runs.create_many([NewJob("e-1", "job")])  # type: ignore[list-item]  # no run


def jobs(store: ExperimentStore) -> None:
    """Calls of jobs give jobs."""
    made = store.jobs.create("e-1", "job", enabled=False, schedule="@daily")
    assert_type(made, Job)
    assert_type(store.jobs.create_many([NewJob("e-1", "job")]), Sequence[Job])
    assert_type(store.jobs.get(made.id), Job)
    assert_type(store.jobs.get_many([made.id]), Sequence[Job])
    assert_type(store.jobs.list(page_size=1), Page[Job])
    assert_type(store.jobs.iterate(order_by="name"), Iterator[Job])
    assert_type(store.jobs.update(made.id, schedule=""), Job)
    assert_type(store.jobs.enable(made.id), Job)
    assert_type(store.jobs.disable(made.id), Job)
    store.jobs.delete(made.id)
    store.jobs.archive(made.id)  # type: ignore[attr-defined]  # what runs do


def moves(store: ExperimentStore, packed: GzipFile, lines: BytesIO) -> None:
    """Moves take stores or URLs, paths or files, and say what they did."""

    def tell(progress: Progress) -> None:
        assert_type((progress.done, progress.total), tuple[int, int])

    assert_type(experiment_store.copy(store, "memory://", progress=tell), PerKind[Tally])
    assert_type(experiment_store.digest(store).experiments, Digest)
    assert_type(experiment_store.export_lines(store, "lab.jsonl.gz"), PerKind[Digest])
    assert_type(experiment_store.import_lines(store, Path("lab.jsonl")).runs.inserted, int)
    experiment_store.export_lines(store, packed)
    experiment_store.import_lines(store, lines, progress=print)
    with Path("lab.jsonl").open("r+b") as opened:
        experiment_store.export_lines(store, opened)
        experiment_store.import_lines(store, opened)
    experiment_store.copy(store)  # type: ignore[call-arg]  # where to?
    experiment_store.copy(MemoryBackend(), store)  # type: ignore[arg-type]  # no store
    experiment_store.import_lines(store, StringIO())  # type: ignore[arg-type]  # text, not bytes


def left_out(store: ExperimentStore, name: str | None, finished_at: datetime | None) -> None:
    """An argument can be left out by a value, which ``None`` is not."""
    absent: Unset = UNSET
    store.update("e-1", name=absent if name is None else name)
    store.runs.update("r-1", finished_at=finished_at or UNSET)
    store.create(UNSET)  # type: ignore[arg-type]  # only updates leave things out


def records(experiment: Experiment, run: Run, job: Job) -> None:
    """Fields have types, and cannot be assigned."""
    assert_type(experiment.labels, Labels)
    assert_type(experiment.labels["team"], str)
    assert_type(experiment.storage_state, StorageState)
    assert_type(experiment.created_at, datetime)
    assert_type(experiment.last_run_created_at, datetime | None)
    assert_type(run.state, RunState)
    assert_type(run.job_id, str | None)
    assert_type(job.enabled, bool)
    experiment.name = "b"  # type: ignore[misc]  # frozen
    run.state = RunState.FAILED  # type: ignore[misc]  # frozen


def errors(store: ExperimentStore) -> None:
    """Errors carry data that programs act on."""
    try:
        store.get("e-1")
    except (NotFoundError, AlreadyExistsError) as error:
        assert_type(error.kind, str)
        assert_type(error.key, Mapping[str, str])
    except FailedPreconditionError as error:
        assert_type(error.obstacle, Obstacle)
        assert_type(error.children, Mapping[str, int])
    except ConflictError as error:
        assert_type(error.etag, str)
    except InvalidFilterError as error:
        assert_type(error.code, ErrorCode)
        assert_type((error.position, error.line, error.column), tuple[int, int, int])
        assert_type(error.rendering, str)
    except InvalidLineError as error:
        assert_type(error.line, int)
    except CopyDiffersError as error:
        assert_type(error.source, Digest)
    except InvalidArgumentError as error:
        assert_type(error.argument, str)
    except MissingDriverError as error:
        assert_type(error.problem, str)
    except BackendError as error:
        assert_type(error.operation, str)


async def awaiting() -> None:
    """The awaited calls give what their namesakes give."""
    opened = await aio.connect("memory://", max_page_size=10)
    assert_type(opened, aio.AsyncExperimentStore)
    await opened.close()
    async with aio.connect("memory://") as store:
        assert_type(store, aio.AsyncExperimentStore)
        made = await store.create("mnist", labels={"team": "cv"})
        assert_type(made, Experiment)
        assert_type(await store.list(page_size=1), Page[Experiment])
        assert_type(await store.get_many([made.id]), Sequence[Experiment])
        assert_type(store.iterate(), AsyncIterator[Experiment])
        assert_type(await store.runs.create(made.id, "run"), Run)
        assert_type(await store.runs.list(), Page[Run])
        assert_type(store.runs.iterate(experiment_id=made.id), AsyncIterator[Run])
        assert_type(await store.jobs.enable("j-1"), Job)
        assert_type(await store.jobs.create_many([NewJob(made.id, "job")]), Sequence[Job])
        assert_type([run async for run in store.runs.iterate()], list[Run])
        await store.delete(made.id, children="delete")
        await store.delete(made.id, children="archive")  # type: ignore[arg-type]  # nothing else
        await store.get(7)  # type: ignore[arg-type]  # no id
    async with aio.connect(7):  # type: ignore[arg-type]  # no URL
        pass
