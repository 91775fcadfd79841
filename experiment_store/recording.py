"""Histories of metrics: how points get into a store, and out of it.

A batch is one atomic step, which adds chunks and brings the summaries of their run
up to date; nobody can log in between, since the step depends on the run's etag. A batch
that was written is recognised by its chunks, so it can be written again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from attrs import frozen

from experiment_store import certainty
from experiment_store.backend import Change, Max, Parent, Refusal
from experiment_store.errors import (
    AlreadyExistsError,
    BackendError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
    quote,
    shown,
)
from experiment_store.filters.predicates import Compare, Op, all_of
from experiment_store.lifecycle import unchanged_since
from experiment_store.mappings import Metric, Metrics
from experiment_store.names import MAX_METRICS, check_field, check_id, is_id
from experiment_store.ordering import SortKey, sort_values
from experiment_store.plan import Plan
from experiment_store.points import MAX_POINTS, History, Point, join, pack, unpack
from experiment_store.records import Chunk, Run, RunState
from experiment_store.schema import CHUNK, RUN
from experiment_store.services import Services
from experiment_store.summaries import merged, summary
from experiment_store.values import check_float

ATTEMPTS = 100  # of a step that others were quicker than: of eight one wins each time
_HOUR = 3600
_READ_AT_ONCE = 100  # chunks: three megabytes
_IN_ORDER = (SortKey("created_at"), SortKey("id"))


@frozen
class Batch:
    """Points of a run that are written together, ready to be written."""

    run_id: str
    chunks: tuple[Chunk, ...]
    metrics: Mapping[str, Metric]
    made_at: datetime


def make_batch(
    services: Services, run_id: str, points: Mapping[str, History | Iterable[Point]]
) -> Batch:
    """Pack *points*, which are given by metric; a metric without any is left out.

    Raises:
        InvalidArgumentError: A name or a point is out of bounds.
    """
    if not isinstance(points, Mapping):
        raise InvalidArgumentError("points", f"must be a mapping, not {type(points).__name__}")
    now = services.now()
    histories = {
        check_field("metric", name): given if isinstance(given, History) else History.of(given)
        for name, given in points.items()
    }
    return Batch(
        run_id,
        tuple(
            Chunk(check_id("new_id", services.new_id()), run_id, name, now, text)
            for name, history in histories.items()
            for text in _packed(history)
        ),
        {name: summary(history) for name, history in histories.items() if history},
        now,
    )


def write(services: Services, batch: Batch) -> Run:
    """Write *batch*, unless it has been written; return its run as it is then.

    Raises:
        InvalidArgumentError: The run would have too many metrics.
        NotFoundError: There is no such run.
        UnavailableError: The run changes too fast.
    """
    for _ in range(ATTEMPTS):
        run = services.backend.get(RUN, batch.run_id) if is_id(batch.run_id) else None
        if run is None:
            raise NotFoundError(RUN.name, {"id": shown(batch.run_id)})
        if not batch.chunks:
            return run
        written = _write_once(services, batch, run)
        if written is not None:
            return written
    raise UnavailableError(f"append to {RUN.name}", "gave up: it changes too fast")


def read(services: Services, run_id: str, metric: str) -> History:
    """Read all points of a metric, in the order of their steps; without the metric, none.

    Raises:
        BackendError: A chunk is damaged.
    """
    return join(_chunks(services, run_id, metric))


def lost_runs(cutoff: datetime) -> tuple[Compare, Compare]:
    """Return the conditions on runs that are said to be running, by nobody since *cutoff*."""
    return (
        Compare("state", Op.EQ, RunState.RUNNING),
        Compare("heartbeat_at", Op.LT, cutoff),
    )


def mark_lost(services: Services, run: Run, cutoff: datetime) -> Run | None:
    """Mark *run* as failed at its last sign of life, if there has been none since *cutoff*."""
    change = Change(
        {
            **services.stamp(),
            "state": RunState.FAILED,
            "finished_at": run.heartbeat_at,
            "error": "lost: its process shows no sign of life any more",
        },
        all_of((*lost_runs(cutoff), unchanged_since(run.etag))),
    )
    marked = certainty.update(services.backend, RUN, run.id, change, guarded=True)
    return None if isinstance(marked, Refusal) else marked


def time_before(now: datetime, age: timedelta) -> datetime:
    """Return when it was *age* before *now*.

    Raises:
        InvalidArgumentError: *age* is no time span, or none, or reaches before the year 1.
    """
    if not isinstance(age, timedelta) or age <= timedelta(0):
        raise InvalidArgumentError("age", "must be a time span (timedelta) greater than 0")
    try:
        return now - age
    except OverflowError as error:
        raise InvalidArgumentError("age", "must not reach before the year 1") from error


def check_interval(interval: float) -> float:
    """Return *interval*, in seconds, if it is one and no longer than an hour.

    Raises:
        InvalidArgumentError: It is so.
    """
    seconds = check_float("interval", interval)
    if not 0 < seconds <= _HOUR:
        raise InvalidArgumentError("interval", "must be at most 3600 seconds, and more than 0")
    return seconds


def _packed(history: History) -> Iterator[str]:
    for start in range(0, len(history), MAX_POINTS):
        yield pack(history[start : start + MAX_POINTS])


def _write_once(services: Services, batch: Batch, run: Run) -> Run | None:
    metrics = dict(run.metrics)
    for name, metric in batch.metrics.items():
        metrics[name] = merged(metrics.get(name), metric)
    if len(metrics) > MAX_METRICS:
        raise InvalidArgumentError("metrics", f"must have at most {MAX_METRICS} entries")
    assign = {
        **services.stamp(),
        "metrics": Metrics(metrics),
        "heartbeat_at": Max(batch.made_at),
    }
    parent = Parent(RUN, frozenset({run.id}), unchanged_since(run.etag), assign)
    refusal = certainty.insert(services.backend, CHUNK, batch.chunks, parent)
    if refusal is not None and not certainty.are_there(services.backend, CHUNK, batch.chunks):
        if refusal is Refusal.DUPLICATE:
            raise AlreadyExistsError(CHUNK.name, {"id": batch.chunks[0].id})
        return None
    return services.backend.get(RUN, run.id)


def _chunks(services: Services, run_id: str, metric: str) -> Iterator[History]:
    where = all_of((Compare("run_id", Op.EQ, run_id), Compare("metric", Op.EQ, metric)))
    after = None
    while True:
        plan = Plan(CHUNK, where, _IN_ORDER, after, _READ_AT_ONCE)
        chunks = services.backend.select(plan).items
        for chunk in chunks:
            try:
                yield unpack(chunk.points)
            except ValueError as error:
                problem = f"failed: chunk {quote(chunk.id)} is damaged; restore a backup"
                raise BackendError("history", problem) from error
        if len(chunks) < _READ_AT_ONCE:
            return
        after = sort_values(_IN_ORDER, chunks[-1])
