"""Two callers at one moment, released by a barrier, on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import settings

from experiment_store import (
    ExperimentStore,
    ExperimentStoreError,
    FailedPreconditionError,
    NewExperiment,
    NewRun,
    NotFoundError,
    StorageState,
)
from experiment_store.registry import open_backend
from tests.pgbouncer import PROGRAM

SERIALIZABLE = "postgres, serializable"
POOLED = "postgres, pgbouncer"
SOAKS = settings.get_current_profile_name() == "soak"
STORES = ("memory", "sqlite", "sqlite in memory", "postgres", SERIALIZABLE,
          *((POOLED,) if SOAKS and PROGRAM else ()))  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "round_" in metafunc.fixturenames:
        counts = {store: 5 if store == SERIALIZABLE and not SOAKS else 25 for store in STORES}
        rounds = [(store, n) for store, count in counts.items() for n in range(count)]
        metafunc.parametrize(("store", "round_"), rounds, indirect=["store"])
    else:
        metafunc.parametrize("store", STORES, indirect=True)


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ExperimentStore]:
    match request.param:
        case "memory":
            url = "memory://"
        case "sqlite":
            url = f"sqlite:///{tmp_path}/store.db?synchronous=normal"
        case "sqlite in memory":
            url = "sqlite://"
        case kind if kind == SERIALIZABLE:
            url = request.getfixturevalue("serializable_schema_url")
        case kind if kind == POOLED:
            url = request.getfixturevalue("pooled_schema_url")
        case _:
            url = request.getfixturevalue("postgres_schema_url")
    with ExperimentStore(open_backend(url)) as store:
        yield store


def at_once(*calls: Callable[[], Any]) -> Sequence[Any]:
    """Make all calls at one moment; return what each returned, or its error."""
    barrier = Barrier(len(calls))

    def released(call: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return call()
        except ExperimentStoreError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(released, calls))


def kinds(outcomes: Sequence[Any]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def test_archiving_while_a_run_is_made_leaves_no_active_run(
    store: ExperimentStore, round_: int
) -> None:
    experiment = store.create(f"e-{round_}")

    archived, run = at_once(
        lambda: store.archive(experiment.id),
        lambda: store.runs.create(experiment.id, "late"),
    )

    assert archived.storage_state is StorageState.ARCHIVED
    runs = store.runs.list(experiment_id=experiment.id).items
    assert all(found.storage_state is StorageState.ARCHIVED for found in runs)
    assert len(runs) == (not isinstance(run, FailedPreconditionError))


def test_archiving_while_a_job_is_enabled_leaves_no_enabled_job(
    store: ExperimentStore, round_: int
) -> None:
    experiment = store.create(f"e-{round_}")
    job = store.jobs.create(experiment.id, "nightly", enabled=False)

    at_once(lambda: store.archive(experiment.id), lambda: store.jobs.enable(job.id))

    assert not store.jobs.get(job.id).enabled


def test_of_two_creates_of_one_name_one_succeeds(store: ExperimentStore, round_: int) -> None:
    def create() -> Any:
        return store.create(f"e-{round_}", labels={"a": "b"})

    assert kinds(at_once(create, create)) == {"Experiment": 1, "AlreadyExistsError": 1}


def test_of_two_updates_with_one_etag_one_succeeds(store: ExperimentStore, round_: int) -> None:
    experiment = store.create(f"e-{round_}")

    outcomes = at_once(
        lambda: store.update(experiment.id, description="left", etag=experiment.etag),
        lambda: store.update(experiment.id, labels={"side": "right"}, etag=experiment.etag),
    )

    assert kinds(outcomes) == {"Experiment": 1, "ConflictError": 1}


def test_of_two_renames_to_one_name_one_succeeds(store: ExperimentStore, round_: int) -> None:
    left, right = store.create(f"l-{round_}"), store.create(f"r-{round_}")

    outcomes = at_once(
        lambda: store.update(left.id, name=f"n-{round_}"),
        lambda: store.update(right.id, name=f"n-{round_}", labels={"a": "b"}),
    )

    assert kinds(outcomes) == {"Experiment": 1, "AlreadyExistsError": 1}


def test_deleting_while_archiving_does_both_or_only_the_delete(
    store: ExperimentStore, round_: int
) -> None:
    experiment = store.create(f"e-{round_}")
    run = store.runs.create(experiment.id, "run")

    deleted, archived = at_once(
        lambda: store.delete(experiment.id),
        lambda: store.archive(experiment.id),
    )

    assert deleted is None
    expected = (
        StorageState.AVAILABLE if isinstance(archived, NotFoundError) else StorageState.ARCHIVED
    )
    assert store.runs.get(run.id).storage_state is expected


def test_deleting_with_its_children_while_a_run_is_made_leaves_no_run(
    store: ExperimentStore, round_: int
) -> None:
    experiment = store.create(f"e-{round_}")

    deleted, run = at_once(
        lambda: store.delete(experiment.id, children="delete"),
        lambda: store.runs.create(experiment.id, "late", labels={"a": "b"}),
    )

    assert deleted is None
    assert not store.runs.list(experiment_id=experiment.id).items
    assert kinds([run]) in ({"Run": 1}, {"NotFoundError": 1})


def test_a_delete_that_children_prevent_never_leaves_orphans(
    store: ExperimentStore, round_: int
) -> None:
    experiment = store.create(f"e-{round_}")

    deleted, run = at_once(
        lambda: store.delete(experiment.id, children="refuse"),
        lambda: store.runs.create(experiment.id, "late"),
    )

    assert (deleted is None) == isinstance(run, NotFoundError)
    assert isinstance(deleted, FailedPreconditionError) == (kinds([run]) == {"Run": 1})


def test_labels_changed_while_their_record_goes_do_not_outlive_it(
    store: ExperimentStore, round_: int
) -> None:
    experiment = store.create(f"e-{round_}")
    run = store.runs.create(experiment.id, "run", labels={"old": "1"}, id=f"r-{round_}")

    at_once(
        lambda: store.runs.update(run.id, labels={"new": "1"}),
        lambda: store.delete(experiment.id, children="delete"),
    )

    again = store.create(f"e-{round_}")
    store.runs.create(again.id, "run", id=run.id)
    found = store.runs.list(filter="labels.new:* OR labels.old:*", experiment_id=again.id)
    assert found.items == []


def test_get_or_create_from_eight_threads_returns_one_id(store: ExperimentStore) -> None:
    for number in range(5):
        outcomes = at_once(*[lambda name=f"e-{number}": store.create(name, if_exists="return")] * 8)

        assert len({experiment.id for experiment in outcomes}) == 1


def test_eight_threads_share_a_store(store: ExperimentStore) -> None:
    def work(thread: int) -> int:
        for number in range(20):
            experiment = store.create(f"{thread}-{number}", labels={"thread": str(thread)})
            store.runs.create(experiment.id, "run")
            store.list(filter=f"labels.thread = {thread}", page_size=5, with_total=True)
        return store.list(filter=f"labels.thread = {thread}", with_total=True).total_size or 0

    assert at_once(*[lambda thread=thread: work(thread) for thread in range(8)]) == [20] * 8


def test_batches_that_share_their_experiments_do_not_wait_for_each_other_forever(
    store: ExperimentStore,
) -> None:
    ids = [store.create(f"e-{number}").id for number in range(20)]

    def work(turn: int) -> int:
        mine = ids if turn % 2 else ids[::-1]
        return len(store.runs.create_many(NewRun(id, f"run-{turn}") for id in mine))

    assert at_once(*[lambda turn=turn: work(turn) for turn in range(8)]) == [20] * 8


def test_batches_of_the_same_names_do_not_wait_for_each_other_forever(
    store: ExperimentStore,
) -> None:
    names = [f"name-{number}" for number in range(300)]

    outcomes = at_once(
        lambda: store.create_many(NewExperiment(name) for name in names),
        lambda: store.create_many(NewExperiment(name) for name in reversed(names)),
    )

    assert kinds(outcomes) == {"list": 1, "AlreadyExistsError": 1}


@pytest.mark.parametrize("_", range(3))
def test_of_two_batches_with_the_same_names_in_opposite_orders_one_is_created(
    store: ExperimentStore, _: int
) -> None:
    batch = [NewExperiment(f"e-{number:04}") for number in range(2000)]

    outcomes = at_once(lambda: store.create_many(batch), lambda: store.create_many(reversed(batch)))

    assert kinds(outcomes) == {"list": 1, "AlreadyExistsError": 1}
    assert sum(1 for _ in store.iterate()) == 2000
