"""Jobs: they are enabled or disabled, and leave their experiment alone."""

from __future__ import annotations

from typing import Any

import pytest

from experiment_store import (
    AlreadyExistsError,
    Experiment,
    ExperimentStore,
    FailedPreconditionError,
    InvalidArgumentError,
    NewJob,
    Obstacle,
)


@pytest.fixture
def parent(store: ExperimentStore) -> Experiment:
    """An available experiment."""
    return store.create("mnist", id="e-1")


def test_a_new_job_is_enabled_and_has_no_schedule(
    store: ExperimentStore, parent: Experiment
) -> None:
    job = store.jobs.create(parent.id, "nightly")

    assert (job.enabled, job.schedule) == (True, "")


@pytest.mark.parametrize("schedule", ["0 0 * * *", "not a schedule at all", "x" * 4096])
def test_a_schedule_means_nothing_to_the_store(
    store: ExperimentStore, parent: Experiment, schedule: str
) -> None:
    job = store.jobs.create(parent.id, "nightly", schedule=schedule, enabled=False)

    assert store.jobs.get(job.id).schedule == schedule
    assert store.jobs.update(job.id, schedule="").schedule == ""


@pytest.mark.parametrize(
    "content", [{"enabled": 1}, {"enabled": None}, {"schedule": None}, {"schedule": "x" * 4097}]
)
def test_a_job_out_of_bounds_is_refused(
    store: ExperimentStore, parent: Experiment, content: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{next(iter(content))} must"):
        store.jobs.create(parent.id, "nightly", **content)

    assert list(store.jobs.iterate()) == []


@pytest.mark.parametrize("content", [{"enabled": False}, {"schedule": "@daily"}])
def test_a_repeated_create_of_another_job_is_refused(
    store: ExperimentStore, parent: Experiment, content: dict[str, Any]
) -> None:
    store.jobs.create(parent.id, "nightly", id="j-1")

    with pytest.raises(AlreadyExistsError):
        store.jobs.create(parent.id, "nightly", id="j-1", **content)


def test_a_new_job_leaves_its_experiment_alone(store: ExperimentStore, parent: Experiment) -> None:
    store.jobs.create_many([NewJob(parent.id, "a"), NewJob(parent.id, "b")])

    assert store.get(parent.id) == parent


def test_enabling_and_disabling_are_idempotent(store: ExperimentStore, parent: Experiment) -> None:
    job = store.jobs.create(parent.id, "nightly")

    assert store.jobs.enable(job.id) == job
    disabled = store.jobs.disable(job.id)
    assert not disabled.enabled
    assert store.jobs.disable(job.id) == store.jobs.get(job.id) == disabled
    enabled = store.jobs.enable(job.id, etag=disabled.etag)
    assert enabled.enabled
    assert len({job.etag, disabled.etag, enabled.etag}) == 3


def test_a_job_below_an_archived_experiment_cannot_be_enabled(
    store: ExperimentStore, parent: Experiment
) -> None:
    job = store.jobs.create(parent.id, "nightly")
    store.archive(parent.id)

    with pytest.raises(FailedPreconditionError) as caught:
        store.jobs.enable(job.id)

    assert (caught.value.id, caught.value.obstacle) == (parent.id, Obstacle.ARCHIVED)
    assert not store.jobs.disable(job.id).enabled
    store.unarchive(parent.id)
    assert store.jobs.enable(job.id).enabled


def test_a_job_below_no_experiment_can_be_disabled_for_good(
    store: ExperimentStore, parent: Experiment
) -> None:
    job = store.jobs.create(parent.id, "nightly")
    store.delete(parent.id)

    disabled = store.jobs.disable(job.id)
    with pytest.raises(FailedPreconditionError) as caught:
        store.jobs.enable(job.id)

    assert (caught.value.id, caught.value.obstacle) == (parent.id, Obstacle.MISSING)
    assert store.jobs.get(job.id) == disabled


def test_a_disabled_job_may_be_made_but_not_below_an_archived_experiment(
    store: ExperimentStore, parent: Experiment
) -> None:
    assert not store.jobs.create(parent.id, "resting", enabled=False).enabled
    store.archive(parent.id)

    with pytest.raises(FailedPreconditionError):
        store.jobs.create(parent.id, "another", enabled=False)
