"""The history of a metric: its points, in columns, and the text that keeps a chunk of them.

A million points are three blocks of eight million bytes. A `Point` is made when
one is asked for; whatever can be done to a column at once is.
"""

from __future__ import annotations

import sys
from array import array
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from operator import lt
from typing import NamedTuple, overload

from attrs import field, frozen

from experiment_store.errors import InvalidArgumentError
from experiment_store.thinning import PER_BUCKET, kept
from experiment_store.values import check_time, from_micros, to_micros

MAX_POINTS = 1_000
"""The most points of one chunk."""

_SIZE = 8  # bytes of an integer, and of a float
_CHARACTERS = 3 * _SIZE * 4 // 3  # of a packed point
MAX_PACKED = MAX_POINTS * _CHARACTERS
"""The most characters of a packed chunk; there is never any padding."""

_EARLIEST = to_micros(datetime.min.replace(tzinfo=UTC))
_LATEST = to_micros(datetime.max.replace(tzinfo=UTC))


class Point(NamedTuple):
    """One logged value of a metric; *time* is in UTC, to the microsecond."""

    step: int
    value: float
    time: datetime


def _integers(column: Iterable[int]) -> bytes:
    return _packed("q", column, "must be integers of 64 bits")


def _floats(column: Iterable[float]) -> bytes:
    return _packed("d", column, "must be numbers in the range of a float")


def _packed(code: str, column: Iterable[float], problem: str) -> bytes:
    if isinstance(column, memoryview) and column.format == code:
        return column.tobytes()
    try:
        return array(code, column).tobytes()
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgumentError("points", problem) from error


@frozen(repr=False, weakref_slot=False)
class History(Sequence[Point]):
    """Points of one metric in the order they were given; it never changes.

    It is made from columns of equal length: integers of 64 bits, floats, and
    microseconds since 1970 in the years 1 to 9999. Two histories are equal if
    they are so bit for bit: NaN equals itself, and -0.0 is not 0.0.

    Raises:
        InvalidArgumentError: The columns are none of the kind.
    """

    _steps: bytes = field(converter=_integers)
    _values: bytes = field(converter=_floats)
    _times: bytes = field(converter=_integers)

    def __attrs_post_init__(self) -> None:
        if not len(self._steps) == len(self._values) == len(self._times):
            raise InvalidArgumentError("points", "must have as many steps as values and times")
        times = self.times.tolist()
        if times and (min(times) < _EARLIEST or max(times) > _LATEST):
            raise InvalidArgumentError("points", "must have times in the years 1 to 9999")

    @classmethod
    def of(cls, points: Iterable[Point]) -> History:
        """Return the history that has *points*.

        Raises:
            InvalidArgumentError: A point holds what a history cannot.
        """
        try:
            given = [(step, value, time) for step, value, time in points]
        except (TypeError, ValueError) as error:
            problem = "must be an iterable of steps, values and times"
            raise InvalidArgumentError("points", problem) from error
        return cls(
            [step for step, _, _ in given],
            [value for _, value, _ in given],
            [to_micros(check_time("time", time)) for _, _, time in given],
        )

    @property
    def steps(self) -> memoryview[int]:
        """The column of the steps, read-only; NumPy and others take it without a copy."""
        return memoryview(self._steps).cast("q")

    @property
    def values(self) -> memoryview[float]:
        """The column of the values, as `steps`."""
        return memoryview(self._values).cast("d")

    @property
    def times(self) -> memoryview[int]:
        """The column of the times, as `steps`, in microseconds since 1970."""
        return memoryview(self._times).cast("q")

    def thinned(self, points: int) -> History:
        """Return at most *points* points, among them the first, the last and all peaks.

        Of buckets of nearly equal numbers of points the first, the last, the
        smallest and the largest value are kept. A history that is short enough
        comes back as it is.

        Raises:
            InvalidArgumentError: *points* is not an integer of at least 4.
        """
        if type(points) is not int or points < PER_BUCKET:
            raise InvalidArgumentError("points", f"must be an integer of at least {PER_BUCKET}")
        if len(self) <= points:
            return self
        return _picked(self, list(kept(self.values.tolist(), points)))

    def __len__(self) -> int:
        return len(self._steps) // _SIZE

    @overload
    def __getitem__(self, place: int, /) -> Point: ...
    @overload
    def __getitem__(self, place: slice, /) -> History: ...
    def __getitem__(self, place: int | slice, /) -> Point | History:
        if isinstance(place, slice):
            return History(self.steps[place], self.values[place], self.times[place])
        return Point(self.steps[place], self.values[place], from_micros(self.times[place]))

    def __iter__(self) -> Iterator[Point]:
        return map(Point, self.steps, self.values, map(from_micros, self.times))

    def __repr__(self) -> str:
        return f"<History of {len(self)} points>"


def join(histories: Iterable[History]) -> History:
    """Return the points of *histories* in the order of step and time, and then as they come."""
    parts = list(histories)
    joined = History(
        memoryview(b"".join(part.steps for part in parts)).cast("q"),
        memoryview(b"".join(part.values for part in parts)).cast("d"),
        memoryview(b"".join(part.times for part in parts)).cast("q"),
    )
    steps = joined.steps.tolist()
    if all(map(lt, steps, islice(steps, 1, None))):
        return joined  # as most are: one writer, who counts
    keys = list(zip(steps, joined.times, strict=True))
    return _picked(joined, sorted(range(len(keys)), key=keys.__getitem__))


def pack(history: History) -> str:
    """Return *history* as base64 of its columns one after the other, little-endian."""
    columns = (history.steps, history.values, history.times)
    data = b"".join(_little_endian(column.tobytes()) for column in columns)
    return b2a_base64(data, newline=False).decode("ascii")


def unpack(text: str) -> History:
    """Return the history that `pack` made *text* of.

    Raises:
        ValueError: The text is damaged.
    """
    data = a2b_base64(text, strict_mode=True)
    count = len(data) // (3 * _SIZE)
    if len(text) != count * _CHARACTERS:  # what is left over, or padding where none is needed
        raise InvalidArgumentError("points", "must be whole points")
    native = memoryview(_little_endian(data))
    steps, values, times = (
        native[column * count * _SIZE : (column + 1) * count * _SIZE] for column in range(3)
    )
    return History(steps.cast("q"), values.cast("d"), times.cast("q"))


def _picked(history: History, places: Sequence[int]) -> History:
    return History(
        map(history.steps.__getitem__, places),
        map(history.values.__getitem__, places),
        map(history.times.__getitem__, places),
    )


def _swapped(data: bytes) -> bytes:
    words = array("q", data)
    words.byteswap()
    return words.tobytes()


_ENDS: Mapping[str, Callable[[bytes], bytes]] = {"little": bytes, "big": _swapped}
_little_endian = _ENDS[sys.byteorder]
