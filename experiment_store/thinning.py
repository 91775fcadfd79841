"""Which of many values show the shape of them all: the ends and the extremes.

The same order holds everywhere: NaN is neither small nor large unless there is
nothing else, the infinities are numbers, and -0.0 lies below 0.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import filterfalse, pairwise
from math import copysign, isnan

PER_BUCKET = 4
"""What is kept of a bucket at most: the first, the last, the smallest and the largest."""


def extremes(values: Sequence[float]) -> tuple[int, int]:
    """Return where the smallest and the largest of *values* stand, of which there is one at least.

    Of equal ones it is the first.
    """
    numbers = list(filterfalse(isnan, values))
    if not numbers:
        return 0, 0
    return _place(values, min(numbers), sign=-1.0), _place(values, max(numbers), sign=1.0)


def kept(values: Sequence[float], most: int) -> Iterator[int]:
    """Return the places of at most *most* of *values*, in order, so that the shape stays.

    Buckets of nearly equal numbers of values keep their first, last, smallest
    and largest: a line through them covers the same pixels as one through all
    where a bucket is a pixel wide (M4: Jugel et al., VLDB 2014).
    """
    buckets = most // PER_BUCKET
    edges = (bucket * len(values) // buckets for bucket in range(buckets + 1))
    for start, end in pairwise(edges):
        least, greatest = extremes(values[start:end])
        yield from sorted({start, start + least, start + greatest, end - 1})


def _place(values: Sequence[float], value: float, *, sign: float) -> int:
    if value == 0:  # `index` would take either zero for the other
        for place, candidate in enumerate(values):
            if candidate == 0 and copysign(1, candidate) == sign:
                return place
    return values.index(value)
