"""The races that matter, with one caller held in the middle of its step.

The other caller starts only then. On PostgreSQL it has to be seen waiting for a
lock before the first one goes on; on SQLite it cannot get in anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest
from attrs import frozen
from sqlalchemy import make_url

from experiment_store import (
    Experiment,
    ExperimentStore,
    FailedPreconditionError,
    NotFoundError,
    StorageState,
)
from experiment_store.registry import open_backend
from experiment_store.schema import RUN
from experiment_store_sql import SqlBackend

PATIENCE = 30


@frozen
class Callers:
    """Two stores on one database, each with a thread."""

    first: ExperimentStore
    held: SqlBackend
    second: ExperimentStore
    wait_for_lock: Callable[[], None]

    def interleave(
        self,
        method: str,
        first: Callable[[ExperimentStore], Any],
        second: Callable[[ExperimentStore], Any],
        *,
        hold_before: bool = False,
        when: Callable[..., bool] = lambda *_: True,
    ) -> tuple[Future[Any], Future[Any]]:
        """Hold *first* at a method of its backend until *second* waits for it."""
        reached, go_on = Event(), Event()
        original = getattr(self.held, method)

        def held(*args: Any) -> Any:
            if not when(*args):
                return original(*args)
            outcome = None if hold_before else original(*args)
            reached.set()
            assert go_on.wait(PATIENCE)
            return original(*args) if hold_before else outcome

        setattr(self.held, method, held)
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(first, self.first)
            assert reached.wait(PATIENCE)
            two = pool.submit(second, self.second)
            try:
                self.wait_for_lock()
                assert not two.done()
            finally:
                go_on.set()
        return one, two


REPEATABLE = r"-c default_transaction_isolation=repeatable\ read"


@pytest.fixture(
    params=["sqlite", "postgres", "postgres, repeatable read", "postgres, serializable"]
)
def callers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callers]:
    if request.param == "sqlite":
        url, wait = f"sqlite:///{tmp_path}/store.db", lambda: None
    else:
        kind = "serializable" if "serializable" in request.param else "postgres"
        url = request.getfixturevalue(f"{kind}_schema_url")
        if "repeatable" in request.param:
            options = make_url(url).update_query_dict({"options": REPEATABLE})
            url = options.render_as_string(hide_password=False)
        server = request.getfixturevalue("postgres_url")
        wait = lambda: wait_until_one_waits(server)  # noqa: E731 (one of two)
    held, other = open_backend(url), open_backend(url)
    assert isinstance(held, SqlBackend)
    with ExperimentStore(held) as first, ExperimentStore(other) as second:
        yield Callers(first, held, second, wait)


def wait_until_one_waits(server: str) -> None:
    """Ask PostgreSQL until some connection waits for a lock."""
    question = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with psycopg.connect(server, autocommit=True) as connection:
        for _ in range(PATIENCE * 1000):
            row = connection.execute(question).fetchone()
            if row and row[0]:
                return
    raise AssertionError("nobody waits")


@pytest.fixture
def experiment(callers: Callers) -> Experiment:
    return callers.second.create("raced")


def test_a_run_made_while_its_experiment_is_archived_is_refused(
    callers: Callers, experiment: Experiment
) -> None:
    _, made = callers.interleave(
        "_cascade",
        lambda store: store.archive(experiment.id),
        lambda store: store.runs.create(experiment.id, "late"),
        hold_before=True,
    )

    assert isinstance(made.exception(), FailedPreconditionError)
    assert callers.first.runs.list(experiment_id=experiment.id).items == []


def test_an_archive_takes_along_the_run_that_is_just_being_made(
    callers: Callers, experiment: Experiment
) -> None:
    made, _ = callers.interleave(
        "_touch",
        lambda store: store.runs.create(experiment.id, "just in time"),
        lambda store: store.archive(experiment.id),
    )

    run = callers.second.runs.get(made.result().id)
    assert run.storage_state is StorageState.ARCHIVED


def test_an_archive_takes_along_the_job_that_is_just_being_enabled(
    callers: Callers, experiment: Experiment
) -> None:
    job = callers.second.jobs.create(experiment.id, "nightly", enabled=False)

    enabled, _ = callers.interleave(
        "_touch",
        lambda store: store.jobs.enable(job.id),
        lambda store: store.archive(experiment.id),
    )

    assert enabled.result().enabled
    assert not callers.second.jobs.get(job.id).enabled


def test_a_job_is_not_enabled_while_its_experiment_is_archived(
    callers: Callers, experiment: Experiment
) -> None:
    job = callers.second.jobs.create(experiment.id, "nightly", enabled=False)

    _, enabled = callers.interleave(
        "_cascade",
        lambda store: store.archive(experiment.id),
        lambda store: store.jobs.enable(job.id),
        hold_before=True,
    )

    assert isinstance(enabled.exception(), FailedPreconditionError)
    assert not callers.first.jobs.get(job.id).enabled


def test_a_run_made_while_its_experiment_goes_is_refused(
    callers: Callers, experiment: Experiment
) -> None:
    _, made = callers.interleave(
        "_cascade",
        lambda store: store.delete(experiment.id, children="delete"),
        lambda store: store.runs.create(experiment.id, "late", labels={"a": "b"}),
        hold_before=True,
    )

    assert isinstance(made.exception(), NotFoundError)
    assert callers.first.runs.list(experiment_id=experiment.id).items == []


def test_a_delete_takes_along_the_run_that_is_just_being_made(
    callers: Callers, experiment: Experiment
) -> None:
    made, deleted = callers.interleave(
        "_touch",
        lambda store: store.runs.create(experiment.id, "just in time", labels={"a": "b"}),
        lambda store: store.delete(experiment.id, children="delete"),
    )

    assert made.exception() is None
    assert deleted.exception() is None
    assert callers.second.runs.list(filter="labels.a = b").items == []


def test_the_run_that_is_just_being_made_prevents_a_delete(
    callers: Callers, experiment: Experiment
) -> None:
    _, deleted = callers.interleave(
        "_touch",
        lambda store: store.runs.create(experiment.id, "just in time"),
        lambda store: store.delete(experiment.id, children="refuse"),
    )

    assert isinstance(deleted.exception(), FailedPreconditionError)
    assert callers.second.get(experiment.id).name == "raced"


def test_labels_given_while_their_run_goes_do_not_outlive_it(
    callers: Callers, experiment: Experiment
) -> None:
    run = callers.second.runs.create(experiment.id, "run", labels={"old": "1"})

    _, relabelled = callers.interleave(
        "_remove",
        lambda store: store.delete(experiment.id, children="delete"),
        lambda store: store.runs.update(run.id, labels={"new": "1"}),
        hold_before=True,
        when=lambda _, kind, __: kind is RUN,
    )

    again = callers.first.create("raced")
    callers.first.runs.create(again.id, "run", id=run.id)
    assert callers.first.runs.list(filter="labels:(old OR new)").items == []
    assert relabelled.exception() is None or isinstance(relabelled.exception(), NotFoundError)


def test_an_archive_takes_along_the_job_that_is_just_being_made(
    callers: Callers, experiment: Experiment
) -> None:
    made, _ = callers.interleave(
        "_touch",
        lambda store: store.jobs.create(experiment.id, "just in time"),
        lambda store: store.archive(experiment.id),
    )

    assert not callers.second.jobs.get(made.result().id).enabled
