"""What becomes of runs that somebody executes, as the documentation says it.

The points of a run are kept in its row, by metric, in the order in which they were
logged; everything else that is said of a metric is made of them anew each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import copysign
from operator import itemgetter
from typing import Any, TypeAlias

from attrs import frozen

from experiment_store.testing.listings import Row
from experiment_store.testing.model import Model

LOST = "lost: its process shows no sign of life any more"
LAST_STEP = 2**63 - 1

Logged: TypeAlias = tuple[int, float, datetime]
"""A step, a value and a time."""


@frozen
class Call:
    """A call of `log`; without a step it takes the next one, without a time the present one."""

    values: Mapping[str, float]
    step: int | None
    time: datetime | None


@frozen
class Execution:
    """What is logged in one go, and how that ends."""

    calls: Sequence[Call]
    end: Row


@frozen
class Start:
    """What is said of a new run, and of its experiment."""

    experiment: Row
    run: Row


class ExecutionModel(Model):
    """The model, with what is done to runs by whoever executes them."""

    def append(self, id: str, points: Mapping[str, Sequence[Logged]]) -> Row:
        """Add points to the histories of a run; none at all are no change.

        Raises:
            NotFoundError: There is no such run.
        """
        row = self.get("run", id)
        if not any(points.values()):
            return row
        for metric, some in points.items():
            if some:
                row["points"].setdefault(metric, []).extend(some)
        metrics = {metric: _summary(logged) for metric, logged in row["points"].items()}
        return self._change(row, metrics=metrics, heartbeat_at=self._beaten(row))

    def history(self, id: str, metric: str) -> list[Logged]:
        """Return the points of a metric by step and time; those of both alike in any order.

        Raises:
            NotFoundError: There is no such run.
        """
        return sorted(self.get("run", id)["points"].get(metric, []), key=itemgetter(0, 2))

    def beat(self, id: str) -> None:
        """Show life, which is no change.

        Raises:
            NotFoundError: There is no such run.
        """
        row = self.get("run", id)
        row["heartbeat_at"] = self._beaten(row)

    def link(self, id: str, link: Any) -> Row:
        """Record a link, the last one of its name.

        Raises:
            NotFoundError: There is no such run.
        """
        row = self.get("run", id)
        others = [other for other in row["artifacts"] if other.name != link.name]
        return self._change(row, artifacts=(*others, link))

    def reap(self, age: timedelta) -> list[Row]:
        """Mark the running runs as failed that have not been heard of for longer than *age*."""
        lost = [
            row
            for row in sorted(self.rows["run"], key=itemgetter("created_at", "id"))
            if row["state"] == "RUNNING"
            and row["heartbeat_at"] is not None
            and row["heartbeat_at"] < self.now - age
        ]
        for row in lost:
            self._change(row, state="FAILED", finished_at=row["heartbeat_at"], error=LOST)
        return lost

    def start(self, start: Start, execution: Execution, made: Sequence[str]) -> Row:
        """Execute a new run; *made* are ids for an experiment and a run without one.

        Raises:
            AlreadyExistsError, FailedPreconditionError: As of `create`.
        """
        [parent] = self.create("experiment", [start.experiment], made, if_exists="return")
        [row] = self.create("run", [self._begun(start.run, parent["id"])], made[1:])
        return self._execute(row, execution)

    def resume(self, id: str, execution: Execution) -> Row:
        """Go on to execute a run.

        Raises:
            NotFoundError: There is no such run.
        """
        row = self.get("run", id)
        begun = {"state": "RUNNING", "finished_at": None, "error": ""}
        self._change(row, **begun, heartbeat_at=self._beaten(row))
        return self._execute(row, execution)

    def _execute(self, row: Row, execution: Execution) -> Row:
        self.append(row["id"], self._points(row, execution.calls))
        return self.update("run", row["id"], {**execution.end, "finished_at": self.now}, None)

    def _begun(self, said: Row, experiment_id: str) -> Row:
        return {
            **said,
            "experiment_id": experiment_id,
            "state": "RUNNING",
            "started_at": self.now,
            "finished_at": None,
            "artifacts": (),
            "error": "",
            "heartbeat_at": self.now,
        }

    def _points(self, row: Row, calls: Sequence[Call]) -> Mapping[str, Sequence[Logged]]:
        points: dict[str, list[Logged]] = {}
        step = max([metric[3] for metric in row["metrics"].values()], default=-1)
        for call in calls:
            step = min(step + 1, LAST_STEP) if call.step is None else call.step
            for metric, value in call.values.items():
                points.setdefault(metric, []).append((step, value, call.time or self.now))
        return points

    def _beaten(self, row: Row) -> datetime:
        earlier: datetime | None = row["heartbeat_at"]
        return self.now if earlier is None else max(self.now, earlier)


def _summary(points: Sequence[Logged]) -> tuple[float, float, float, int, int]:
    """Return the latest, the smallest and the largest value, the last step, and the count."""
    last = max(step for step, _, _ in points)
    latest = [value for step, value, _ in points if step == last][-1]
    values = [value for _, value, _ in points]
    numbers = [value for value in values if value == value] or values[:1]  # noqa: PLR0124 (NaN)

    def size(value: float) -> tuple[float, float]:
        return value, copysign(1, value)

    return latest, min(numbers, key=size), max(numbers, key=size), last, len(points)
