"""Histories that are written at a stroke or read in part, links and signs of life of any run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiment_store import (
    AlreadyExistsError,
    BackendError,
    ExperimentStore,
    InvalidArgumentError,
    NotFoundError,
    RunState,
)
from experiment_store.backend import Parent
from experiment_store.points import History, Point
from experiment_store.records import Chunk
from experiment_store.schema import CHUNK, RUN
from experiment_store.summaries import summary
from tests.tracking.wired import WiredBackend, cut, lose

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AGE = timedelta(minutes=5)


def made(store: ExperimentStore, **fields: Any) -> str:
    experiment = store.create("mnist", if_exists="return")
    return store.runs.create(experiment.id, "run", **fields).id


def ticking(numbers: Sequence[float]) -> list[Point]:
    return [
        Point(step, value, NOON + timedelta(seconds=step)) for step, value in enumerate(numbers)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(parts=st.lists(st.lists(st.floats(width=64), max_size=2100), max_size=3))
def test_a_server_appends_histories_in_parts(
    store: ExperimentStore, parts: list[list[float]]
) -> None:
    id = made(store)
    whole = History.of(ticking([value for part in parts for value in part]))

    start = 0
    for part in parts:
        store.runs.append(id, {"loss": whole[start : start + len(part)], "none": []})
        start += len(part)

    assert store.runs.history(id, "loss") == whole
    found = store.runs.get(id)
    assert found.metrics == ({"loss": summary(whole)} if whole else {})
    assert found.state == RunState.PENDING


def test_a_history_is_thinned_on_request(store: ExperimentStore) -> None:
    id = made(store)
    store.runs.append(id, {"loss": ticking([float(number % 97) for number in range(2500)])})

    whole, thinned = store.runs.history(id, "loss"), store.runs.history(id, "loss", points=100)

    assert len(whole) == 2500
    assert len(thinned) <= 100
    assert thinned == whole.thinned(100)
    assert (thinned[0], thinned[-1]) == (whole[0], whole[-1])
    assert {0.0, 96.0} <= set(thinned.values)


def test_appending_returns_the_run_as_it_became_and_is_a_sign_of_life(
    store: ExperimentStore,
) -> None:
    id = made(store)

    appended = store.runs.append(id, {"loss": ticking([1.0])})

    assert appended == store.runs.get(id)
    assert appended.heartbeat_at is not None
    assert store.runs.append(id, {}) == appended


WRONG: list[tuple[Any, str]] = [
    ([("loss", [])], "points must be a mapping, not list"),
    ({"": []}, "metric must have 1 to 128 characters"),
    ({"loss": 1}, "points must be an iterable of steps, values and times"),
    ({"loss": [1.0]}, "points must be an iterable of steps, values and times"),
    ({"loss": [(1, 2.0)]}, "points must be an iterable of steps, values and times"),
    ({"loss": [(1.5, 2.0, NOON)]}, "points must be integers of 64 bits"),
    ({"loss": [(2**63, 2.0, NOON)]}, "points must be integers of 64 bits"),
    ({"loss": [(1, "x", NOON)]}, "points must be numbers"),
    ({"loss": [(1, 2.0, "now")]}, "time must be a datetime, not str"),
    ({"loss": [(1, 2.0, NOON.replace(tzinfo=None))]}, "time must have a time zone"),
    ({str(number): ticking([1.0]) for number in range(1001)}, "metrics must have at most 1000"),
]


@pytest.mark.parametrize(("points", "problem"), WRONG, ids=[problem for _, problem in WRONG])
def test_points_that_are_none_are_refused(
    wired: ExperimentStore, points: Any, problem: str
) -> None:
    id = made(wired)

    with pytest.raises(InvalidArgumentError, match=problem):
        wired.runs.append(id, points)

    assert wired.runs.get(id).metrics == {}


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", 1, None])
def test_a_history_of_what_is_no_metric_is_refused(store: ExperimentStore, name: Any) -> None:
    id = made(store)

    with pytest.raises(InvalidArgumentError, match="metric must"):
        store.runs.history(id, name)


@pytest.mark.parametrize("points", [3, 0, 4.0, "9"])
def test_too_few_points_are_refused(store: ExperimentStore, points: Any) -> None:
    id = made(store)

    with pytest.raises(InvalidArgumentError, match="points must be an integer of at least 4"):
        store.runs.history(id, "loss", points=points)


@pytest.mark.parametrize("id", ["nowhere", "no id", ""])
def test_a_run_that_is_not_there_has_nothing(store: ExperimentStore, id: str) -> None:
    with pytest.raises(NotFoundError):
        store.runs.history(id, "loss")
    with pytest.raises(NotFoundError):
        store.runs.append(id, {"loss": ticking([1.0])})
    with pytest.raises(NotFoundError):
        store.runs.beat(id)
    with pytest.raises(NotFoundError):
        store.runs.resume(id)


def test_a_damaged_chunk_is_told(store: ExperimentStore) -> None:
    id = made(store)
    store.runs.append(id, {"loss": ticking([1.0])})
    broken = Chunk("broken", id, "loss", NOON, "AAAA")
    store._backend.insert(CHUNK, [broken], Parent(RUN, frozenset({id})))

    with pytest.raises(BackendError, match="history failed: chunk 'broken' is damaged; restore"):
        store.runs.history(id, "loss")


def test_a_chunk_takes_no_id_of_another(wired: ExperimentStore, backend: WiredBackend) -> None:
    wired.runs.append(made(wired), {"loss": ticking([1.0])})
    [chunk] = backend.select(_all_chunks()).items
    second = made(wired)
    other = ExperimentStore(backend, new_id=lambda: chunk.id)

    with pytest.raises(AlreadyExistsError, match="chunk id"):
        other.runs.append(second, {"loss": ticking([1.0])})

    assert wired.runs.get(second).metrics == {}


@pytest.mark.parametrize("fates", [[lose], [lose, lose]])
def test_what_is_appended_is_there_once_whatever_is_heard(
    wired: ExperimentStore, backend: WiredBackend, fates: list[Any]
) -> None:
    id = made(wired)
    backend.fates = fates

    try:
        wired.runs.append(id, {"loss": ticking([1.0])})
    except BackendError:
        assert len(fates) == 0

    assert len(wired.runs.history(id, "loss")) == 1
    assert wired.runs.get(id).metrics["loss"].count == 1


def test_what_fails_has_appended_nothing(wired: ExperimentStore, backend: WiredBackend) -> None:
    id = made(wired)
    backend.fates = [cut]

    with pytest.raises(BackendError):
        wired.runs.append(id, {"loss": ticking([1.0])})

    assert not wired.runs.history(id, "loss")
    assert wired.runs.get(id).metrics == {}


def test_a_run_that_is_deleted_while_it_is_read_back_is_not_found(
    wired: ExperimentStore, backend: WiredBackend
) -> None:
    id = made(wired)

    def deleted(work: Any) -> Any:
        refusal = work()
        wired.runs.delete(id)
        return refusal

    backend.fates = [deleted]
    with pytest.raises(NotFoundError):
        wired.runs.append(id, {"loss": ticking([1.0])})
    assert not backend.select(_all_chunks()).items


def test_a_beat_changes_nothing_but_its_time(store: ExperimentStore) -> None:
    id = made(store)
    before = store.runs.get(id)

    store.runs.beat(id)

    after = store.runs.get(id)
    assert after.heartbeat_at is not None
    assert evolve(after, heartbeat_at=None) == before


def lost(store: ExperimentStore, age: timedelta = 2 * AGE, **fields: Any) -> str:
    heartbeat = store._services.now() - age
    return made(store, **{"state": "RUNNING", "heartbeat_at": heartbeat, **fields})


def test_runs_that_nobody_executes_any_more_are_marked_as_failed(store: ExperimentStore) -> None:
    gone = [store.runs.get(lost(store)) for _ in range(3)]
    others = [lost(store, AGE / 2), lost(store, state="PENDING"), lost(store, state="SUCCEEDED")]
    others.append(made(store, state="RUNNING"))
    before = store.runs.get_many(others)

    reaped = store.runs.reap()

    assert {run.id for run in reaped} == {run.id for run in gone}
    for run, was in zip(sorted(reaped, key=lambda run: run.id), gone, strict=True):
        assert run == store.runs.get(was.id)
        assert (run.state, run.finished_at) == (RunState.FAILED, was.heartbeat_at)
        assert run.error == "lost: its process shows no sign of life any more"
        assert run.etag != was.etag
    assert store.runs.get_many(others) == before
    assert store.runs.reap() == []


def test_the_age_is_the_callers(store: ExperimentStore) -> None:
    id = lost(store, timedelta(minutes=2))

    assert store.runs.reap(age=timedelta(minutes=3)) == []
    assert [run.id for run in store.runs.reap(age=timedelta(minutes=1))] == [id]


@pytest.mark.parametrize("age", [timedelta(0), -AGE, 5, None, timedelta.max])
def test_an_age_that_is_none_is_refused(store: ExperimentStore, age: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="age must"):
        store.runs.reap(age=age)


@pytest.mark.parametrize("meanwhile", ["finish", "beat", "delete", "reap"])
def test_a_run_that_gives_a_sign_of_life_meanwhile_is_left_alone(
    wired: ExperimentStore, meanwhile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = lost(wired)
    acts: Any = {
        "finish": lambda: wired.runs.update(id, state="SUCCEEDED"),
        "beat": lambda: wired.runs.beat(id),
        "delete": lambda: wired.runs.delete(id),
        "reap": wired.runs.reap,
    }
    update = WiredBackend.update

    def late(self: WiredBackend, *arguments: Any) -> Any:
        monkeypatch.undo()
        acts[meanwhile]()
        return update(self, *arguments)

    monkeypatch.setattr(WiredBackend, "update", late)

    assert wired.runs.reap() == []
    if meanwhile != "delete":
        state = wired.runs.get(id).state
        assert state == {"finish": "SUCCEEDED", "beat": "RUNNING", "reap": "FAILED"}[meanwhile]


def test_of_those_who_reap_at_once_each_marks_its_own(store: ExperimentStore) -> None:
    ids = [lost(store) for _ in range(8)]
    gate = Barrier(3)
    reaped: list[str] = []

    def reap() -> None:
        gate.wait()
        reaped.extend(run.id for run in store.runs.reap())

    threads = [Thread(target=reap) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(reaped) == sorted(ids)


def test_a_run_that_was_reaped_can_go_on(store: ExperimentStore) -> None:
    id = lost(store)
    store.runs.append(id, {"loss": ticking([1.0, 2.0])})
    store.runs.update(id, state="FAILED", error="lost")

    with store.runs.resume(id) as run:
        running = store.runs.get(id)
        run.log(loss=3.0)

    assert (running.state, running.error, running.finished_at) == (RunState.RUNNING, "", None)
    assert store.runs.history(id, "loss").steps.tolist() == [0, 1, 2]
    assert store.runs.get(id).state == RunState.SUCCEEDED


def test_who_was_taken_for_lost_has_the_last_word(wired: ExperimentStore) -> None:
    with wired.runs.start("mnist") as run:
        wired.runs.update(run.id, state="FAILED", error="lost: its process has not been heard of")

        run.log(loss=1.0)

    found = wired.runs.get(run.id)
    assert (found.state, found.error, found.metrics["loss"].count) == ("SUCCEEDED", "", 1)


def _all_chunks() -> Any:
    from experiment_store.filters.predicates import ALWAYS  # noqa: PLC0415 (of two tests)
    from experiment_store.plan import Plan  # noqa: PLC0415 (as above)

    return Plan(CHUNK, ALWAYS, limit=10)


def test_a_long_history_is_read_in_order(wired: ExperimentStore) -> None:
    id = made(wired)
    count = 101_000
    whole = History(range(count), [0.5] * count, range(count))

    wired.runs.append(id, {"loss": whole})

    assert wired.runs.history(id, "loss") == whole
