"""Runs: what they report, and what they do to their experiment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve

from experiment_store import (
    AlreadyExistsError,
    Experiment,
    ExperimentStore,
    FailedPreconditionError,
    InvalidArgumentError,
    NewRun,
    Obstacle,
    RunState,
    StorageState,
)
from experiment_store_memory import MemoryBackend

_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def parent(store: ExperimentStore) -> Experiment:
    """An available experiment."""
    return store.create("mnist", id="e-1")


def test_a_new_run_is_available_and_pending(store: ExperimentStore, parent: Experiment) -> None:
    run = store.runs.create(parent.id, "run")

    assert (run.storage_state, run.state) == (StorageState.AVAILABLE, RunState.PENDING)
    assert (run.started_at, run.finished_at, run.job_id) == (None, None, None)


def test_a_run_keeps_what_is_reported_of_it(store: ExperimentStore, parent: Experiment) -> None:
    later = _TIME + timedelta(hours=1)
    zone = timezone(timedelta(hours=5))

    run = store.runs.create(
        parent.id,
        "run",
        state="FAILED",
        started_at=later.astimezone(zone),
        finished_at=_TIME,
        job_id="no-such-job",
    )

    assert store.runs.get(run.id) == run
    assert (run.state, run.job_id) == (RunState.FAILED, "no-such-job")
    assert (run.started_at, run.finished_at) == (later, _TIME)


@pytest.mark.parametrize(
    "content",
    [
        {"state": "failed"},
        {"state": None},
        {"started_at": _TIME.replace(tzinfo=None)},
        {"finished_at": "2026-01-01"},
        {"job_id": "a b"},
    ],
)
def test_a_report_out_of_bounds_is_refused(
    store: ExperimentStore, parent: Experiment, content: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{next(iter(content))} must"):
        store.runs.create(parent.id, "run", **content)

    assert list(store.runs.iterate()) == []


@pytest.mark.parametrize("content", [{"state": "RUNNING"}, {"job_id": "j"}, {"started_at": _TIME}])
def test_a_repeated_create_with_another_report_is_refused(
    store: ExperimentStore, parent: Experiment, content: dict[str, Any]
) -> None:
    made = store.runs.create(parent.id, "run", id="r-1")

    assert store.runs.create(parent.id, "run", state="PENDING", id="r-1") == made
    with pytest.raises(AlreadyExistsError):
        store.runs.create(parent.id, "run", id="r-1", **content)


@pytest.mark.parametrize("before", RunState)
@pytest.mark.parametrize("after", RunState)
def test_every_state_may_follow_every_other(
    store: ExperimentStore, parent: Experiment, before: RunState, after: RunState
) -> None:
    run = store.runs.create(parent.id, "run", state=before)

    assert store.runs.update(run.id, state=after).state is after


def test_none_makes_a_time_absent(store: ExperimentStore, parent: Experiment) -> None:
    run = store.runs.create(parent.id, "run", started_at=_TIME, finished_at=_TIME)

    assert store.runs.update(run.id, finished_at=None).finished_at is None
    assert store.runs.get(run.id).started_at == _TIME
    assert store.runs.update(run.id, started_at=None).started_at is None


def test_a_new_run_becomes_its_experiments_last(store: ExperimentStore, parent: Experiment) -> None:
    run = store.runs.create(parent.id, "run")

    after = store.get(parent.id)
    assert after == evolve(
        parent,
        last_run_created_at=run.created_at,
        updated_at=after.updated_at,
        etag=after.etag,
    )
    assert after.etag != parent.etag
    assert after.updated_at > parent.updated_at


def test_each_of_many_runs_marks_its_own_experiment(
    store: ExperimentStore, parent: Experiment
) -> None:
    other, third = store.create("cifar"), store.create("iris")

    made = store.runs.create_many([NewRun(other.id, "a"), NewRun(parent.id, "b")])

    assert store.get(parent.id).last_run_created_at == made[0].created_at
    assert store.get(other.id).last_run_created_at == made[0].created_at
    assert store.get(third.id) == third


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(0), timedelta(hours=-1)])
def test_the_time_of_the_last_run_never_moves_back(step: timedelta) -> None:
    now = [_TIME]
    store = ExperimentStore(MemoryBackend(), clock=lambda: now[0])
    parent = store.create("mnist")
    store.runs.create(parent.id, "first")
    now[0] += step

    second = store.runs.create(parent.id, "second")

    assert second.created_at == _TIME + step
    assert store.get(parent.id).last_run_created_at == max(_TIME, _TIME + step)


def test_the_time_of_the_last_run_survives_the_run(
    store: ExperimentStore, parent: Experiment
) -> None:
    run = store.runs.create(parent.id, "run")

    store.runs.delete(run.id)

    assert store.get(parent.id).last_run_created_at == run.created_at


def test_archiving_and_unarchiving_a_run_are_idempotent(
    store: ExperimentStore, parent: Experiment
) -> None:
    run = store.runs.create(parent.id, "run")

    assert store.runs.unarchive(run.id) == run
    archived = store.runs.archive(run.id)
    assert archived.storage_state is StorageState.ARCHIVED
    assert store.runs.archive(run.id) == store.runs.get(run.id) == archived
    back = store.runs.unarchive(run.id, etag=archived.etag)
    assert back.storage_state is StorageState.AVAILABLE
    assert len({run.etag, archived.etag, back.etag}) == 3


def test_archiving_a_run_leaves_its_experiment_alone(
    store: ExperimentStore, parent: Experiment
) -> None:
    run = store.runs.create(parent.id, "run")
    before = store.get(parent.id)

    store.runs.archive(run.id)
    store.runs.unarchive(run.id)

    assert store.get(parent.id) == before


def test_a_run_below_an_archived_experiment_cannot_be_unarchived(
    store: ExperimentStore, parent: Experiment
) -> None:
    run = store.runs.create(parent.id, "run")
    store.archive(parent.id)

    with pytest.raises(FailedPreconditionError) as caught:
        store.runs.unarchive(run.id)

    assert (caught.value.id, caught.value.obstacle) == (parent.id, Obstacle.ARCHIVED)
    assert store.runs.get(run.id).storage_state is StorageState.ARCHIVED
    store.unarchive(parent.id)
    assert store.runs.unarchive(run.id).storage_state is StorageState.AVAILABLE


def test_a_run_below_no_experiment_can_be_archived_for_good(
    store: ExperimentStore, parent: Experiment
) -> None:
    run = store.runs.create(parent.id, "run")
    store.delete(parent.id)

    assert store.runs.unarchive(run.id) == run
    archived = store.runs.archive(run.id)
    with pytest.raises(FailedPreconditionError) as caught:
        store.runs.unarchive(run.id)

    assert (caught.value.id, caught.value.obstacle) == (parent.id, Obstacle.MISSING)
    assert store.runs.get(run.id) == archived


def test_a_run_is_not_below_an_experiment_of_another_namespace_that_took_the_id(
    store: ExperimentStore, parent: Experiment
) -> None:
    run = store.runs.archive(store.runs.create(parent.id, "run").id)
    store.delete(parent.id)
    store.create("other", namespace="elsewhere", id=parent.id)

    with pytest.raises(FailedPreconditionError) as caught:
        store.runs.unarchive(run.id)

    assert (caught.value.id, caught.value.obstacle) == (parent.id, Obstacle.MISSING)
    assert store.runs.get(run.id) == run


def test_a_repeated_create_finds_the_run_even_if_its_experiment_is_archived_by_now(
    store: ExperimentStore, parent: Experiment
) -> None:
    store.runs.create(parent.id, "run", id="r-1")
    store.archive(parent.id)

    assert store.runs.create(parent.id, "run", id="r-1") == store.runs.get("r-1")
