"""A run is executed: what it logs is kept bit for bit, and its end is told."""

from __future__ import annotations

import asyncio
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count
from math import inf, nan
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiment_store import (
    BackendError,
    ExperimentStore,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OutcomeUnknownError,
    RunState,
    UnavailableError,
    UnsupportedError,
)
from experiment_store.points import History, Point
from experiment_store.records import Metric
from experiment_store.registry import open_backend
from experiment_store.summaries import summary
from experiment_store.tracking import ActiveRun, active
from experiment_store.values import MAX_INTEGER
from experiment_store_memory import MemoryBackend
from tests.tracking.wired import PATIENCE, WiredBackend, cut, fill, lose
from tests.watching import listening

LONG = 3_000.0  # seconds: only who asks for it writes
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def test_the_example_of_the_documentation_works_as_it_stands(store: ExperimentStore) -> None:
    with store.runs.start("mnist", params={"lr": 0.01, "layers": 3, "opt": "adam"}) as run:
        for step in range(1000):
            run.log(step=step, loss=1 / (step + 1), accuracy=step / 1000)

    found = store.runs.get(run.id)
    assert found == run.run
    assert (found.state, found.error) == (RunState.SUCCEEDED, "")
    assert found.params == {"lr": 0.01, "layers": 3, "opt": "adam"}
    assert found.metrics["loss"] == Metric(1 / 1000, 1 / 1000, 1.0, 999, 1000)
    assert found.started_at is not None
    assert found.finished_at is not None
    assert found.heartbeat_at is not None
    assert found.started_at <= found.heartbeat_at <= found.finished_at
    history = store.runs.history(run.id, "loss")
    assert history.steps.tolist() == list(range(1000))
    assert history.values.tolist() == [1 / (step + 1) for step in range(1000)]
    assert store.get_by_name("mnist").id == found.experiment_id


def test_starting_gets_the_experiment_there_is(store: ExperimentStore) -> None:
    made = store.create("mnist", namespace="vision")

    with store.runs.start("mnist", "mine", namespace="vision", id="r-1") as run:
        assert store.runs.get("r-1").state == RunState.RUNNING

    assert (run.run.experiment_id, run.run.name, run.id) == (made.id, "mine", "r-1")


def test_those_who_start_at_once_share_one_experiment(store: ExperimentStore) -> None:
    gate = Barrier(4)

    def start(_: int) -> str:
        gate.wait()
        with store.runs.start("mnist") as run:
            return run.run.experiment_id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(start, range(4)))) == 1


def test_nothing_starts_in_an_archived_experiment(store: ExperimentStore) -> None:
    store.archive(store.create("mnist").id)

    with pytest.raises(FailedPreconditionError, match="is archived"):
        store.runs.start("mnist")


class _UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


ENDS: list[tuple[BaseException, RunState, str]] = [
    (ValueError("no such file"), RunState.FAILED, "ValueError: no such file"),
    (KeyboardInterrupt(), RunState.CANCELED, "KeyboardInterrupt"),
    (asyncio.CancelledError(), RunState.CANCELED, "asyncio.exceptions.CancelledError"),
    (SystemExit(), RunState.SUCCEEDED, ""),
    (SystemExit(0), RunState.SUCCEEDED, ""),
    (SystemExit(3), RunState.FAILED, "SystemExit: 3"),
    (SystemExit("bad"), RunState.FAILED, "SystemExit: bad"),
    (ExceptionGroup("both", [KeyError(1)]), RunState.FAILED, "ExceptionGroup: both (1 sub-excep"),
    (ValueError("a\0b"), RunState.FAILED, "ValueError: ab"),
    (ValueError("a\ud800b"), RunState.FAILED, "ValueError: a?b"),
    (
        _UnspeakableError(),
        RunState.FAILED,
        "tests.tracking.test_active._UnspeakableError: <exception str()",
    ),
]


@pytest.mark.parametrize(("error", "state", "text"), ENDS, ids=lambda value: type(value).__name__)
def test_a_block_ends_its_run_as_it_ends_itself(
    store: ExperimentStore, error: BaseException, state: RunState, text: str
) -> None:
    with pytest.raises(type(error)), store.runs.start("mnist") as run:
        run.log(loss=1.0)
        raise error

    found = store.runs.get(run.id)
    assert (found.state, found.error[: len(text)]) == (state, text)
    assert bool(found.error) == (state is not RunState.SUCCEEDED)
    assert found.finished_at is not None
    assert len(store.runs.history(run.id, "loss")) == 1


def test_a_long_text_is_cut(store: ExperimentStore) -> None:
    with pytest.raises(ValueError, match="x"), store.runs.start("mnist") as run:
        raise ValueError("x" * 10_000)

    assert store.runs.get(run.id).error == ("ValueError: " + "x" * 10_000)[:4096]


def test_cancellation_is_known_where_asyncio_was_never_loaded(
    wired: ExperimentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "asyncio")

    with pytest.raises(KeyboardInterrupt), wired.runs.start("mnist") as run:
        raise KeyboardInterrupt

    assert wired.runs.get(run.id).state == RunState.CANCELED


def test_a_run_can_be_finished_by_hand_once(wired: ExperimentStore) -> None:
    with wired.runs.start("mnist") as run:
        run.log(loss=1.0)

        done = run.finish(RunState.FAILED, error="diverged")

        assert (done.state, done.error, done.metrics["loss"].count) == ("FAILED", "diverged", 1)
        assert run.finish() == done
        assert run.finish(RunState.CANCELED, error="late") == done
    assert wired.runs.get(run.id) == done


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"state": RunState.RUNNING}, "state must be one of SUCCEEDED, FAILED, CANCELED"),
        ({"state": "GONE"}, "state must be one of"),
        ({"error": 1}, "error must be text, not int"),
    ],
)
def test_an_end_that_is_none_is_refused(
    wired: ExperimentStore, arguments: Mapping[str, Any], problem: str
) -> None:
    with wired.runs.start("mnist") as run:
        with pytest.raises(InvalidArgumentError, match=problem):
            run.finish(**arguments)

        run.log(loss=1.0)
    assert wired.runs.get(run.id).state == RunState.SUCCEEDED


def test_nothing_can_be_logged_after_the_end(wired: ExperimentStore) -> None:
    with wired.runs.start("mnist") as run:
        pass

    with pytest.raises(FailedPreconditionError, match="is finished"):
        run.log(loss=1.0)
    run.flush()


def test_steps_count_on_from_the_last_that_was_given(wired: ExperimentStore) -> None:
    with wired.runs.start("mnist") as run:
        run.log(loss=0.0)
        run.log(loss=1.0, accuracy=1.0)
        run.log(accuracy=2.0, step=7)
        run.log(loss=8.0)
        run.log(loss=-5.0, step=-5)
        run.log(loss=-4.0)
        run.log(loss=9.0, step=np.int64(9))  # type: ignore[arg-type]  # an integer all the same
        run.log(step=20)
        run.log(loss=21.0)

    history = wired.runs.history(run.id, "loss")
    assert history.steps.tolist() == history.values.tolist() == [-5, -4, 0, 1, 8, 9, 21]
    assert wired.runs.history(run.id, "accuracy").steps.tolist() == [1, 7]


def test_a_run_that_goes_on_counts_on_even_at_the_last_step(wired: ExperimentStore) -> None:
    with wired.runs.start("mnist") as run:
        run.log(loss=0.0, step=4)
        run.log(accuracy=0.0, step=2)
    with wired.runs.resume(run.id) as run:
        assert wired.runs.get(run.id).finished_at is None
        run.log(loss=5.0)
        run.log(loss=6.0, step=MAX_INTEGER)
        run.log(loss=7.0)
    with wired.runs.resume(run.id) as run:
        run.log(loss=8.0)

    history = wired.runs.history(run.id, "loss")
    assert history.steps.tolist() == [4, 5, *[MAX_INTEGER] * 3]
    assert wired.runs.get(run.id).metrics["loss"] == summary(history)


VALUES: list[Any] = [
    *(0, 1, True, 10**300, -0.0, inf, -inf, nan, Decimal("0.1"), Fraction(1, 3)),
    *(np.float32(0.1), np.float64(0.1), np.int8(-1), np.bool_(True), np.float16(nan)),  # noqa: FBT003 (a value)
    *map(np.array, (0.5, 3)),
    *struct.unpack("<2d", struct.pack("<2Q", 0x7FF8_0000_0000_BEEF, 0xFFF0_0000_0000_0001)),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_of_any_kind_of_number_is_kept_bit_for_bit(
    store: ExperimentStore, value: Any
) -> None:
    with store.runs.start("mnist") as run:
        run.log(loss=value)

    [point] = store.runs.history(run.id, "loss")
    metric = store.runs.get(run.id).metrics["loss"]
    assert {bits(kept) for kept in (point.value, metric.latest, metric.min, metric.max)} == {
        bits(float(value))
    }


NAMES = ["loss", "a.b", '"', "100 % ☃", "\n", "self", "step", "x" * 128, "\U0001f4c9"]


def test_metrics_may_have_any_name(store: ExperimentStore) -> None:
    with store.runs.start("mnist") as run:
        run.log(dict.fromkeys(NAMES, 1.0))
        run.log({"loss": 2.0}, loss=3.0)

    assert store.runs.get(run.id).metrics.keys() == set(NAMES)
    assert store.runs.history(run.id, "loss").values.tolist() == [1.0, 3.0]
    assert all(store.runs.history(run.id, name).values[0] == 1.0 for name in NAMES)


class _Broken:
    def __float__(self) -> float:
        raise ValueError("broken")


REFUSED: list[tuple[Sequence[Any], Mapping[str, Any], str]] = [
    ([{"": 1.0}], {}, "metric must have 1 to 128 characters"),
    ([{"x" * 129: 1.0}], {}, "metric must have 1 to 128 characters"),
    ([{"a\0": 1.0}], {}, "metric must not contain NUL"),
    ([{"\ud800": 1.0}], {}, "metric must not contain NUL or lone surrogates"),
    ([{1: 1.0}], {}, "metric must be text, not int"),
    ([[1.0]], {}, "values must be a mapping, not list"),
    ([{str(number): 1.0 for number in range(1000)}], {}, "metrics must have at most 1000"),
    ([], {"b": "1.0"}, "metric value must be a number, not str"),
    ([], {"b": None}, "metric value must be a number, not NoneType"),
    ([], {"b": 10**400}, "metric value must be a number: int too large"),
    ([], {"b": _Broken()}, "metric value must be a number: broken"),
    ([], {"b": 1j}, "metric value must be a number, not complex"),
    ([], {"step": 1.0}, "step must be an integer, not float"),
    ([], {"step": True}, "step must be an integer, not bool"),
    ([], {"step": "1"}, "step must be an integer, not str"),
    ([], {"step": 2**63}, "step must lie in"),
    ([], {"time": datetime(2026, 1, 1)}, "time must have a time zone"),  # noqa: DTZ001 (wrong)
    ([], {"time": 0.0}, "time must be a datetime, not float"),
]


@pytest.mark.parametrize(("arguments", "named", "problem"), REFUSED)
def test_of_a_call_that_is_refused_nothing_is_logged(
    wired: ExperimentStore, arguments: Sequence[Any], named: Mapping[str, Any], problem: str
) -> None:
    with wired.runs.start("mnist") as run:
        run.log(a=0.0)
        with pytest.raises(InvalidArgumentError, match=problem):
            run.log(*arguments, **{"a": 1.0, "new": 1.0, **named})
        run.log(a=2.0)

    assert wired.runs.history(run.id, "a").values.tolist() == [0.0, 2.0]
    assert wired.runs.history(run.id, "a").steps.tolist() == [0, 1]
    assert wired.runs.get(run.id).metrics.keys() == {"a"}


def test_a_run_has_no_more_than_a_thousand_metrics_also_when_it_goes_on(
    wired: ExperimentStore,
) -> None:
    with wired.runs.start("mnist") as run:
        run.log({str(number): 1.0 for number in range(1000)})
    with wired.runs.resume(run.id) as run:
        with pytest.raises(InvalidArgumentError, match="metrics must have at most 1000 entries"):
            run.log(one_more=1.0)
        run.log({"0": 2.0})

    assert wired.runs.history(run.id, "0").values.tolist() == [1.0, 2.0]


def test_metrics_that_find_no_room_because_of_others_are_told_and_the_run_can_end(
    wired: ExperimentStore,
) -> None:
    with wired.runs.start("mnist", interval=LONG) as run:
        run.log(mine=1.0)
        wired.runs.append(run.id, {str(number): [Point(0, 1.0, NOON)] for number in range(1000)})

        with pytest.raises(InvalidArgumentError, match="metrics must have at most 1000 entries"):
            run.flush()

        run.log({"0": 2.0})
    assert wired.runs.get(run.id).state == RunState.SUCCEEDED
    assert wired.runs.history(run.id, "0").values.tolist() == [1.0, 2.0]


CALLS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abc"), st.floats(width=64), max_size=3),
        st.integers(-5, 5) | st.just(None),
        st.booleans(),
    ),
    max_size=20,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(threads=st.lists(CALLS, min_size=1, max_size=3))
def test_all_that_threads_log_in_any_batches_is_kept_in_order_and_summarised(
    store: ExperimentStore, threads: Sequence[Sequence[tuple[dict[str, float], int | None, bool]]]
) -> None:
    def log(run: ActiveRun, calls: Sequence[tuple[dict[str, float], int | None, bool]]) -> None:
        for values, step, flushes in calls:
            run.log(values, step=step)
            if flushes:
                run.flush()

    with (
        store.runs.start("mnist", interval=LONG) as run,
        ThreadPoolExecutor(len(threads)) as pool,
    ):
        list(pool.map(lambda calls: log(run, calls), threads))

    found = store.runs.get(run.id)
    for name in "abc":
        history = store.runs.history(run.id, name)
        logged = [
            bits(values[name]) for calls in threads for values, _, _ in calls if name in values
        ]
        assert sorted(map(bits, history.values)) == sorted(logged)
        order = list(zip(history.steps, history.times, strict=True))
        assert order == sorted(order)
        assert (name in found.metrics) == bool(logged)
        if logged:
            assert found.metrics[name] == summary(history)


def test_what_is_logged_is_in_the_store_after_a_flush(store: ExperimentStore) -> None:
    with store.runs.start("mnist", interval=LONG) as run:
        run.log(loss=1.0, time=NOON)
        assert not store.runs.history(run.id, "loss")

        run.flush()

        assert list(store.runs.history(run.id, "loss")) == [Point(0, 1.0, NOON)]
        etag = store.runs.get(run.id).etag
        run.flush()
        assert store.runs.get(run.id).etag == etag


def test_what_is_logged_is_written_within_the_interval(
    wired: ExperimentStore, backend: WiredBackend
) -> None:
    with wired.runs.start("mnist", interval=0.01) as run:
        run.log(loss=1.0)

        assert backend.writes.get(timeout=PATIENCE) == 1
        assert len(wired.runs.history(run.id, "loss")) == 1
        assert wired.runs.get(run.id).state == RunState.RUNNING


def test_many_points_are_written_at_once(wired: ExperimentStore, backend: WiredBackend) -> None:
    with wired.runs.start("mnist", interval=LONG) as run:
        for _ in range(10_000):
            run.log(loss=1.0)

        assert backend.writes.get(timeout=PATIENCE)
    assert len(wired.runs.history(run.id, "loss")) == 10_000


def test_at_a_million_points_logging_waits_or_is_refused(
    wired: ExperimentStore, backend: WiredBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "_TOO_MANY", 3)
    with wired.runs.start("mnist", interval=LONG) as run:
        for value in range(4):
            run.log(loss=value)
        assert len(wired.runs.history(run.id, "loss")) == 3

        run.log(loss=4, accuracy=4)
        backend.fates = [cut]
        with pytest.raises(UnavailableError):
            run.log(loss=5)
        run.log(loss=6)

    assert wired.runs.history(run.id, "loss").values.tolist() == [0, 1, 2, 3, 4, 6]


@pytest.mark.parametrize("interval", [0.0, -1.0, 3601.0, nan, inf, "1"])
def test_an_interval_that_is_none_is_refused(store: ExperimentStore, interval: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="interval must be"):
        store.runs.start("mnist", interval=interval)
    assert not store.runs.list().items


def test_closing_the_store_finishes_what_is_active(url: str) -> None:
    backend = _Unclosed() if url == "memory://" else None
    with ExperimentStore(backend or open_backend(url)) as store:
        first, second = store.runs.start("mnist"), store.runs.start("mnist", interval=LONG)
        second.log(loss=1.0)

    with pytest.raises(FailedPreconditionError):
        first.log(loss=1.0)
    with ExperimentStore(backend or open_backend(url)) as store:
        assert {run.state for run in store.runs.iterate()} == {"SUCCEEDED"}
        assert len(store.runs.history(second.id, "loss")) == 1


def test_a_store_whose_block_fails_fails_what_is_active() -> None:
    backend = _Unclosed()
    with pytest.raises(KeyError), ExperimentStore(backend) as store:
        run = store.runs.start("mnist")
        raise KeyError("ours")

    with ExperimentStore(backend) as store:
        found = store.runs.get(run.id)
        assert (found.state, found.error) == ("FAILED", "KeyError: 'ours'")


def test_one_store_leaves_the_runs_of_another_alone(wired: ExperimentStore) -> None:
    with wired.runs.start("mnist") as run:
        with ExperimentStore(MemoryBackend()) as other:
            other.runs.start("mnist")

        run.log(loss=1.0)


def test_a_store_that_is_closed_out_of_reach_says_so_and_leaves_its_runs() -> None:
    backend = WiredBackend()
    store = ExperimentStore(backend)
    run = store.runs.start("mnist", interval=LONG)
    run.log(loss=1.0)
    backend.fates = [cut]

    with pytest.raises(UnavailableError):
        store.close()

    store.close()
    assert run.run.state == RunState.RUNNING
    with pytest.raises(FailedPreconditionError):
        run.log(loss=1.0)


def test_runs_that_log_into_one_another_lose_nothing(store: ExperimentStore) -> None:
    ticks = count()
    gate = Barrier(4)

    def execute(number: int) -> None:
        with store.runs.resume("shared", interval=0.001) as run:
            gate.wait()
            for step in range(50):
                run.log({"shared": next(ticks), str(number): step}, step=4 * step + number)
                if step % 10 == 0:
                    run.flush()

    with store.runs.start("mnist", id="shared", interval=LONG), ThreadPoolExecutor(4) as pool:
        list(pool.map(execute, range(4)))

    metrics = store.runs.get("shared").metrics
    history = store.runs.history("shared", "shared")
    assert history.steps.tolist() == list(range(200))
    assert sorted(history.values) == list(range(200))
    assert metrics["shared"] == summary(history)
    assert [metrics[str(number)].count for number in range(4)] == [50] * 4


@pytest.mark.parametrize(
    "fates", [[cut], [lose], [fill], [lose, lose], [cut, lose], [lose, lose, lose, fill]]
)
def test_points_wait_through_an_outage_and_are_written_once(
    wired: ExperimentStore, backend: WiredBackend, fates: list[Any]
) -> None:
    backend.fates = list(fates)
    with listening() as heard, wired.runs.start("mnist", interval=0.001) as run:
        for step in range(100):
            run.log(loss=step)
        for _ in fates:
            backend.failures.get(timeout=PATIENCE)
            run.log(loss=100)

    history = wired.runs.history(run.id, "loss")
    assert history.values.tolist() == [*range(100), *[100] * len(fates)]
    assert wired.runs.get(run.id).metrics["loss"] == summary(history)
    told = [record for record in heard if record.levelname == "WARNING"]
    assert len(told) <= len(fates)


def test_an_outage_is_told_once(wired: ExperimentStore, backend: WiredBackend) -> None:
    backend.fates = [cut, cut, cut]
    with listening() as heard, wired.runs.start("mnist", interval=0.001) as run:
        run.log(loss=1.0)
        assert backend.writes.get(timeout=PATIENCE) == 1

    [told] = [record for record in heard if record.levelname == "WARNING"]
    assert told.getMessage().startswith(f"run {run.id}: what is logged waits: insert failed")


@pytest.mark.parametrize("fate", [cut, fill])
def test_a_run_that_cannot_be_finished_goes_on_and_can_be_finished_later(
    wired: ExperimentStore, backend: WiredBackend, fate: Any
) -> None:
    run = wired.runs.start("mnist", interval=LONG)
    run.log(loss=1.0)
    backend.fates = [fate]
    with pytest.raises(BackendError):
        run.finish()

    run.log(loss=2.0)

    assert run.finish().metrics["loss"].count == 2


def test_an_error_of_the_program_is_not_hidden_by_one_of_the_store(
    wired: ExperimentStore, backend: WiredBackend
) -> None:
    with pytest.raises(KeyError) as caught, wired.runs.start("mnist", interval=LONG) as run:
        run.log(loss=1.0)
        backend.fates = [cut]
        raise KeyError("ours")

    assert caught.value.__notes__ == [
        f"run {run.id} could not be finished: insert failed: the wire is cut"
    ]
    assert run.finish().state == RunState.SUCCEEDED


def test_an_error_of_the_store_is_raised_where_there_is_no_other(
    wired: ExperimentStore, backend: WiredBackend
) -> None:
    with pytest.raises(OutcomeUnknownError), wired.runs.start("mnist", interval=LONG) as run:
        run.log(loss=1.0)
        backend.fates = [lose, lose]

    run.finish()
    assert len(wired.runs.history(run.id, "loss")) == 1


def test_a_run_that_is_deleted_meanwhile_ends_with_an_error_once(store: ExperimentStore) -> None:
    with pytest.raises(NotFoundError), store.runs.start("mnist", interval=LONG) as run:
        run.log(loss=1.0)
        store.runs.delete(run.id)

    assert run.finish().state == RunState.RUNNING
    with pytest.raises(FailedPreconditionError):
        run.log(loss=1.0)
    with pytest.raises(NotFoundError):
        store.runs.history(run.id, "loss")


def test_a_run_that_is_deleted_meanwhile_is_told_of(wired: ExperimentStore) -> None:
    with listening() as heard, wired.runs.start("mnist", interval=0.001) as run:
        wired.runs.delete(run.id)
        run.log(loss=1.0)
        while not [record for record in heard if record.levelname == "WARNING"]:
            run._thread.join(0.001)

        with pytest.raises(NotFoundError):
            run.finish()

    assert "not found" in next(r.getMessage() for r in heard if r.levelname == "WARNING")


def test_a_run_that_is_archived_meanwhile_goes_on(store: ExperimentStore) -> None:
    with store.runs.start("mnist") as run:
        store.archive(run.run.experiment_id)
        run.log(loss=1.0)

    found = store.runs.get(run.id)
    assert (found.storage_state, found.state) == ("ARCHIVED", "SUCCEEDED")
    assert found.metrics["loss"].count == 1


def test_an_active_run_shows_that_it_is_alive(
    wired: ExperimentStore, backend: WiredBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active, "HEARTBEAT", 0.01)

    with wired.runs.start("mnist", interval=LONG) as run:
        before = wired.runs.get(run.id)
        assert backend.beats.get(timeout=PATIENCE) == run.id
        after = wired.runs.get(run.id)

        run.log(loss=1.0)
        assert not wired.runs.history(run.id, "loss")

    assert before.heartbeat_at is not None
    assert after.heartbeat_at is not None
    assert after.heartbeat_at > before.heartbeat_at
    assert (after.etag, after.updated_at) == (before.etag, before.updated_at)


def test_a_write_that_takes_long_does_not_stop_the_others(
    wired: ExperimentStore, backend: WiredBackend
) -> None:
    with wired.runs.start("mnist", interval=0.001) as run:
        with run._writer._writing:
            run.log(loss=1.0)
            thread = run._thread
            thread.join(0.02)
            assert backend.writes.empty()

        assert backend.writes.get(timeout=PATIENCE) == 1


def test_links_are_recorded_and_replaced_by_name(store: ExperimentStore) -> None:
    with store.runs.start("mnist") as run:
        run.link("model", "file:///model.pt", digest="sha256:00", size=3)
        run.link("data", "s3://bucket/data")
        run.link("model", "file:///better.pt")

    found = store.runs.get(run.id).artifacts
    assert [(a.name, a.uri, a.digest, a.size) for a in found] == [
        ("data", "s3://bucket/data", "", None),
        ("model", "file:///better.pt", "", None),
    ]


def test_the_65th_link_is_refused(wired: ExperimentStore) -> None:
    with wired.runs.start("mnist") as run:
        for number in range(64):
            run.link(str(number), "file:///x")
        with pytest.raises(InvalidArgumentError, match="at most 64 entries"):
            run.link("64", "file:///x")
        run.link("63", "file:///y")
        with pytest.raises(InvalidArgumentError, match="artifact"):
            run.link("0", "")

    assert wired.runs.get(run.id).artifacts[-1].uri == "file:///y"


def test_links_that_are_recorded_at_once_are_all_kept(store: ExperimentStore) -> None:
    gate = Barrier(4)
    with store.runs.start("mnist") as run, ThreadPoolExecutor(4) as pool:

        def link(number: int) -> None:
            gate.wait()
            run.link(str(number), "file:///x")

        list(pool.map(link, range(4)))

    assert {artifact.name for artifact in store.runs.get(run.id).artifacts} == set("0123")


def test_a_link_gives_up_on_a_run_that_changes_all_the_time(
    wired: ExperimentStore, backend: WiredBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    with wired.runs.start("mnist") as run:
        get = type(backend).get

        def changing(self: WiredBackend, kind: Any, id: str) -> Any:
            found = get(self, kind, id)
            wired.runs.update(id, name=wired._services.new_etag())
            return found

        with monkeypatch.context() as patch, pytest.raises(UnavailableError, match="gave up"):
            patch.setattr(WiredBackend, "get", changing)
            run.link("model", "file:///x")
        with monkeypatch.context() as patch, pytest.raises(UnavailableError, match="gave up"):
            run.log(loss=1.0)
            patch.setattr(WiredBackend, "get", changing)
            run.flush()


@pytest.mark.parametrize("call", [lambda runs: runs.start("mnist"), lambda runs: runs.resume("r")])
def test_a_store_inside_a_transaction_executes_nothing(
    tmp_path: Any, call: Callable[[Any], ActiveRun]
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    engine = sqlalchemy.create_engine(url)
    with ExperimentStore(open_backend(url)) as store, engine.connect() as connection:
        bound = store.bound(connection)
        with pytest.raises(UnsupportedError, match="a store inside a transaction"):
            call(bound.runs)
    engine.dispose()


def test_a_run_without_a_name_has_the_time(wired: ExperimentStore) -> None:
    with wired.runs.start("mnist") as run:
        pass

    assert run.run.started_at is not None
    assert run.run.name == f"{run.run.started_at:%Y-%m-%d %H:%M:%S}"
    assert run.run.started_at - run.run.created_at < timedelta(seconds=PATIENCE)
    assert isinstance(wired.runs.history(run.id, "none"), History)


class _Unclosed(MemoryBackend):
    def close(self) -> None:
        """Keep everything for the next store."""


def test_what_is_refused_makes_no_experiment(store: ExperimentStore) -> None:
    with pytest.raises(InvalidArgumentError):
        store.runs.start("mnist", params={"lr": [0.1]})  # type: ignore[dict-item]  # that is the test

    assert store.list().items == []
