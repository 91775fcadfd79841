"""What a run carries of every metric: the latest, the smallest and the largest value.

The summaries of consecutive parts of a history, merged in any grouping, are
the summary of the whole, bit for bit; so a flush needs only its own points.
"""

from __future__ import annotations

from experiment_store.errors import InvalidArgumentError
from experiment_store.points import History
from experiment_store.records import Metric
from experiment_store.thinning import extremes


def summary(history: History) -> Metric:
    """Summarise the points of *history*, which stand in the order of logging.

    The latest value is that of the greatest step, and of equal steps the one
    logged last.

    Raises:
        InvalidArgumentError: There is no point.
    """
    if not history:
        raise InvalidArgumentError("history", "must have a point")
    steps, values = history.steps.tolist(), history.values.tolist()
    step = max(steps)
    least, greatest = extremes(values)
    return Metric(
        latest=values[-1 - steps[::-1].index(step)],
        min=values[least],
        max=values[greatest],
        step=step,
        count=len(values),
    )


def merged(earlier: Metric | None, later: Metric) -> Metric:
    """Return the summary of the points of *earlier*, if any, and of those logged after them."""
    if earlier is None:
        return later
    latest = later if later.step >= earlier.step else earlier
    least, _ = extremes(lows := (earlier.min, later.min))
    _, greatest = extremes(highs := (earlier.max, later.max))
    return Metric(
        latest=latest.latest,
        min=lows[least],
        max=highs[greatest],
        step=latest.step,
        count=earlier.count + later.count,
    )
