"""Histories in which runs are executed: points are logged, life is shown, processes die."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from struct import pack, unpack
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from experiment_store.points import Point
from experiment_store.records import Artifact, Run, RunState
from experiment_store.schema import CHUNK
from experiment_store.testing import histories
from experiment_store.testing.executions import Execution, Logged, Start
from experiment_store.testing.samples import everything
from experiment_store.testing.twins import Twins
from experiment_store.tracking import ActiveRun

LONG = 3_600.0  # seconds: nothing is written but by the calls of a history
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ExecutingMachine(RuleBasedStateMachine):
    """Does to runs what those do who execute them; whoever inherits it has the twins."""

    _twins: Twins

    @rule(data=st.data(), points=histories.points)
    def append(self, data: st.DataObject, points: Mapping[str, Sequence[Logged]]) -> None:
        """Log to a run, whatever state it is in, perhaps nothing."""
        id = self._run(data)
        given = {name: [*map(Point._make, some)] for name, some in points.items()}
        self._twins.both(
            lambda: self._twins.store.runs.append(id, given),
            lambda _: self._twins.model.append(id, points),
        )

    @rule(data=st.data(), metric=histories.metric_names)
    def read_a_history(self, data: st.DataObject, metric: str) -> None:
        """Read all points of a metric, if there is one."""
        id = self._run(data)

        def read() -> Any:
            history = list(self._twins.store.runs.history(id, metric))
            order = [(point.step, point.time) for point in history]
            assert order == sorted(order)
            return _rows(history)

        self._twins.both(read, lambda _: _rows(self._twins.model.history(id, metric)))

    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        """Show that somebody executes a run."""
        id = self._run(data)
        self._twins.both(
            lambda: self._twins.store.runs.beat(id), lambda _: self._twins.model.beat(id)
        )

    @rule(data=st.data(), link=histories.artifact)
    def link(self, data: st.DataObject, link: Artifact) -> None:
        """Record a link, perhaps of a name that there is."""
        id = self._run(data)
        self._twins.both(
            lambda: self._twins.store.runs.link(id, link),
            lambda _: self._twins.model.link(id, link),
        )

    @rule(age=st.sampled_from([timedelta(microseconds=1), timedelta(minutes=5)]))
    def reap(self, age: timedelta) -> None:
        """Mark what nobody executes any more."""
        self._twins.both(
            lambda: self._twins.store.runs.reap(age=age), lambda _: self._twins.model.reap(age)
        )

    @rule(start=histories.starts, execution=histories.executions)
    def start(self, start: Start, execution: Execution) -> None:
        """Start a run, log, and finish it."""
        twins, names = self._twins, start.experiment
        key = {"name": names["name"], "namespace": names["namespace"]}

        def call() -> Any:
            place = {"experiment": key["name"], "namespace": key["namespace"]}
            return _executed(twins.store.runs.start(**place, **start.run, interval=LONG), execution)

        def model(outcome: Any) -> Any:
            parent = twins.store.get_by_name(**key)  # which is made even where the run is refused
            made = "none" if isinstance(outcome, Exception) else outcome.id
            return twins.model.start(start, execution, [parent.id, made])

        twins.both(call, model)

    @rule(data=st.data(), execution=histories.executions)
    def resume(self, data: st.DataObject, execution: Execution) -> None:
        """Go on with a run, log, and finish it."""
        id = self._run(data)
        self._twins.both(
            lambda: _executed(self._twins.store.runs.resume(id, interval=LONG), execution),
            lambda _: self._twins.model.resume(id, execution),
        )

    @invariant()
    def the_chunks_are_those_of_the_runs(self) -> None:
        """Compare all points that are kept with those logged, however they are put together."""
        kept: Counter[Any] = Counter()
        for chunk in everything(self._twins.backend, CHUNK):
            columns = _columns(b64decode(chunk.points))
            kept.update((chunk.run_id, chunk.metric, *point) for point in columns)
        logged = Counter(
            (row["id"], metric, *_bits(point))
            for row in self._twins.model.rows["run"]
            for metric, points in row["points"].items()
            for point in points
        )

        assert kept == logged

    def _run(self, data: st.DataObject) -> str:
        """Choose a run that is there, or perhaps one that was or never has been."""
        return data.draw(st.sampled_from(self._twins.refs("run")), "run")[1]


def _executed(active: ActiveRun, execution: Execution) -> Run:
    for said in execution.calls:
        active.log(said.values, step=said.step, time=said.time)
    return active.finish(RunState(execution.end["state"]), error=execution.end["error"])


def _columns(data: bytes) -> list[tuple[int, bytes, int]]:
    """Return the steps, the bits of the values and the microseconds that are packed in *data*."""
    count = len(data) // 24
    steps, times = (
        unpack(f"<{count}q", data[start : start + 8 * count]) for start in (0, 16 * count)
    )
    bits = [data[8 * place : 8 * place + 8] for place in range(count, 2 * count)]
    return list(zip(steps, bits, times, strict=True))


def _bits(point: Logged) -> tuple[int, bytes, int]:
    step, value, time = point
    return step, pack("<d", value), (time - _EPOCH) // timedelta(microseconds=1)


def _rows(points: Sequence[Logged]) -> list[Any]:
    """Return *points* as rows, those of the same step and time by their bits."""
    names = ("step", "bits", "micros")
    return [dict(zip(names, row, strict=True)) for row in sorted(map(_bits, points))]
