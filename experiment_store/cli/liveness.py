"""What a run's record does not say by itself: that its process has gone, and how long it took."""

from __future__ import annotations

from datetime import timedelta

from experiment_store.filters.evaluate import matches
from experiment_store.filters.predicates import all_of
from experiment_store.recording import lost_runs
from experiment_store.records import Run, RunState
from experiment_store.runs import LOST_AFTER
from experiment_store.sources import utc_now

LOST = "RUNNING (lost)"
"""What stands for the state of a run that says RUNNING, and shows no life."""


def is_lost(run: Run) -> bool:
    """Tell whether *run* is one that `Runs.reap` would mark."""
    return run.state is RunState.RUNNING and matches(all_of(lost_runs(utc_now() - LOST_AFTER)), run)


def state_of(run: Run) -> str:
    """Return the state of *run* in a word for people; its record keeps RUNNING until a reap."""
    return LOST if is_lost(run) else str(run.state)


def duration_of(run: Run) -> timedelta | None:
    """Return how long *run* took, or has taken so far; ``None`` if its times do not tell.

    A lost run took until its last sign of life.
    """
    end = run.finished_at
    if end is None and run.state is RunState.RUNNING:
        end = run.heartbeat_at if is_lost(run) else utc_now()
    if run.started_at is None or end is None or end < run.started_at:
        return None
    return end - run.started_at
