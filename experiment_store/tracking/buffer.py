"""Points that wait to be written, packed, so that one more costs next to nothing.

Any thread may call, and be interrupted by a signal handler that raises, or calls this
again: what is taken stays here until it is said to be safe, and each point is added
at a stroke.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from struct import Struct
from threading import RLock, get_ident
from typing import SupportsFloat

from experiment_store.errors import InvalidArgumentError
from experiment_store.mappings import Metric
from experiment_store.names import MAX_METRICS, check_field
from experiment_store.points import History
from experiment_store.values import MAX_INTEGER, check_float, check_integer, check_time, to_micros

_POINT = Struct("=qdq")  # step, value, time
_PARTS = 3


class Buffer:
    """Takes points of several metrics, and hands them over by metric."""

    def __init__(self, now: Callable[[], datetime], metrics: Mapping[str, Metric]) -> None:
        """Begin empty, for a run that has *metrics*; steps count on from theirs.

        *now* tells the time of points that come without one.
        """
        self._now = now
        self._lock = RLock()  # reentrant, for handlers of signals
        self._names = set(metrics)
        self._next_step = 0
        self._count_on(max((metric.step for metric in metrics.values()), default=-1))
        self._packed: dict[str, bytearray] = defaultdict(bytearray)
        self._taken: dict[str, bytearray] = {}
        self._is_closed = False
        self._adding = 0  # the thread that is
        self.count = 0
        """How many points wait to be taken, about."""

    def __bool__(self) -> bool:
        return bool(self._packed or self._taken)

    def add(
        self, values: Mapping[str, SupportsFloat], step: int | None, time: datetime | None
    ) -> bool:
        """Add a point of each metric, or none; return whether the buffer was open.

        Raises:
            InvalidArgumentError: A name, a value, the step or the time is out of bounds.
        """
        floats = [
            value if type(value) is float else check_float("metric value", value)
            for value in values.values()
        ]
        if step is not None:
            step = check_integer("step", step)
        micros = None if time is None else to_micros(check_time("time", time))
        with self._lock:
            before, self._adding = self._adding, get_ident()
            try:
                return self._add(values, floats, step, micros)
            finally:
                self._adding = before

    @property
    def is_in_use_here(self) -> bool:
        """Whether this thread is adding a point, and a handler of signals has interrupted it."""
        return self._adding == get_ident()

    def take(self) -> Mapping[str, History]:
        """Return all points, by metric: the same again unless `release` was called."""
        with self._lock:
            empty: dict[str, bytearray] = defaultdict(bytearray)
            if not self._taken:  # no call from here on, as above
                self._taken, self._packed = self._packed, empty
                self.count = 0
            return {name: _unpacked(bytes(packed)) for name, packed in self._taken.items()}

    def release(self) -> None:
        """Forget what was taken: it is safe elsewhere. Idempotent."""
        self._taken = {}

    def close(self) -> None:
        """Take no more points: whoever adds one from now on is told so."""
        with self._lock:
            self._is_closed = True

    def reopen(self) -> None:
        """Take points again."""
        self._is_closed = False

    def _count_on(self, step: int) -> None:
        self._next_step = min(step + 1, MAX_INTEGER)

    def _add(
        self,
        values: Mapping[str, SupportsFloat],
        floats: Sequence[float],
        step: int | None,
        micros: int | None,
    ) -> bool:
        if self._is_closed:
            return False
        if not self._names.issuperset(values):
            self._check_names(values)
        if step is None:
            step = self._next_step
        if micros is None:  # asked here, so that points stand in the order of their times
            micros = to_micros(self._now())
        for name, value in zip(values, floats, strict=True):
            point = _POINT.pack(step, value, micros)
            # No call of Python's: a handler cannot take in between what is about to grow.
            self._packed[name] += point
        self._count_on(step)
        self.count += len(floats)
        return True

    def _check_names(self, values: Mapping[str, SupportsFloat]) -> None:
        names = self._names | {check_field("metric", name) for name in values}
        if len(names) > MAX_METRICS:
            raise InvalidArgumentError("metrics", f"must have at most {MAX_METRICS} entries")
        self._names = names


def _unpacked(packed: bytes) -> History:
    integers, floats = array("q", packed), array("d", packed)
    return History(integers[::_PARTS], floats[1::_PARTS], integers[2::_PARTS])
