"""Points that wait to be written, packed, so that one more costs next to nothing."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from datetime import datetime
from struct import Struct
from threading import Lock
from typing import SupportsFloat

from experiment_store.errors import InvalidArgumentError
from experiment_store.names import MAX_METRICS, check_field
from experiment_store.points import History
from experiment_store.values import check_float, check_integer, to_micros

_POINT = Struct("=qdq")  # step, value, time
_PARTS = 3
_LAST_STEP = 2**63 - 1


class Buffer:
    """Takes points of several metrics, and hands them over by metric; any thread may call.

    Nothing is left in disorder by a KeyboardInterrupt: each point is added at a stroke.
    """

    def __init__(self, first_step: int) -> None:
        """Begin empty; a point without a step gets *first_step*, and then the next ones."""
        self._lock = Lock()
        self._next_step = first_step
        self._names: set[str] = set()
        self._packed: dict[str, bytearray] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._packed)

    def add(self, values: Mapping[str, SupportsFloat], step: int | None, time: datetime) -> int:
        """Add a point of each metric, or none; return how many are waiting.

        Raises:
            InvalidArgumentError: A name, a value or the step is out of bounds.
        """
        floats = [
            value if type(value) is float else check_float("metric value", value)
            for value in values.values()
        ]
        if not self._names.issuperset(values):
            self._check_names(values)
        if step is not None:
            step = check_integer("step", step)
        micros = to_micros(time)
        with self._lock:
            if step is None:
                step = self._next_step
            for name, value in zip(values, floats, strict=True):
                packed = self._packed.get(name)
                if packed is None:
                    packed = self._packed[name] = bytearray()
                packed.extend(_POINT.pack(step, value, micros))
            self._next_step = min(step + 1, _LAST_STEP)
            self._count += len(floats)
            return self._count

    def take(self) -> Mapping[str, History]:
        """Hand over all points, by metric."""
        with self._lock:
            taken, self._packed, self._count = self._packed, {}, 0
        return {name: _unpacked(bytes(packed)) for name, packed in taken.items()}

    def _check_names(self, values: Mapping[str, SupportsFloat]) -> None:
        names = self._names | {check_field("metric", name) for name in values}
        if len(names) > MAX_METRICS:
            raise InvalidArgumentError("metrics", f"must have at most {MAX_METRICS} entries")
        self._names = names


def _unpacked(packed: bytes) -> History:
    integers, floats = array("q", packed), array("d", packed)
    return History(integers[::_PARTS], floats[1::_PARTS], integers[2::_PARTS])
