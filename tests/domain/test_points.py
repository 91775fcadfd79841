"""Histories: columns of points, the text of a chunk, the summary, and what a picture needs."""

from __future__ import annotations

import copy
import pickle
import struct
from array import array
from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from math import copysign, inf, isnan, nan
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiment_store.errors import InvalidArgumentError
from experiment_store.points import (
    MAX_PACKED,
    MAX_POINTS,
    History,
    Point,
    _swapped,
    join,
    pack,
    unpack,
)
from experiment_store.records import Metric
from experiment_store.summaries import merged, summary
from experiment_store.testing.strategies import instants
from experiment_store.thinning import extremes
from experiment_store.values import to_micros

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_STEPS = st.integers(-(2**63), 2**63 - 1)
_FLOATS = st.one_of(
    st.sampled_from((0.0, -0.0, 1.0, inf, -inf, nan, -nan)),
    st.floats(),
    st.binary(min_size=8, max_size=8).map(lambda bits: struct.unpack("<d", bits)[0]),
)


def _points(*, most: int = 30, least: int = 0) -> st.SearchStrategy[list[Point]]:
    steps = st.integers(-2, 5) | _STEPS
    return st.lists(st.builds(Point, steps, _FLOATS, instants()), min_size=least, max_size=most)


def _histories(*, most: int = 30, least: int = 0) -> st.SearchStrategy[History]:
    return _points(most=most, least=least).map(History.of)


def _of_values(*values: float) -> History:
    return History(range(len(values)), values, range(len(values)))


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


def _exact(point: Point) -> tuple[int, bytes, datetime]:
    return point.step, _bits(point.value), point.time


class TestHistory:
    @given(_points())
    def test_a_history_is_the_sequence_of_its_points(self, points: list[Point]) -> None:
        history = History.of(points)

        assert len(history) == len(points)
        assert [_exact(point) for point in history] == [_exact(point) for point in points]
        assert [_exact(point) for point in reversed(history)] == [
            _exact(point) for point in reversed(points)
        ]

    @given(_points(least=1), st.data())
    def test_a_point_is_found_by_its_place(self, points: list[Point], data: st.DataObject) -> None:
        place = data.draw(st.integers(-len(points), len(points) - 1))

        assert _exact(History.of(points)[place]) == _exact(points[place])

    @given(_points(), st.slices(30))
    def test_a_slice_is_a_history(self, points: list[Point], part: slice) -> None:
        assert History.of(points)[part] == History.of(points[part])

    @given(_histories())
    def test_a_history_can_be_made_again_of_its_columns(self, history: History) -> None:
        as_lists = History(list(history.steps), list(history.values), list(history.times))

        assert as_lists == History(history.steps, history.values, history.times) == history

    @given(_histories(), _histories())
    def test_histories_are_equal_if_their_points_are_bit_for_bit(
        self, one: History, other: History
    ) -> None:
        same = [_exact(point) for point in one] == [_exact(point) for point in other]

        assert (one == other) is same
        assert (one != other) is not same

    @given(_histories())
    def test_copies_of_a_history_equal_it(self, history: History) -> None:
        copies = [pickle.loads(pickle.dumps(history)), copy.copy(history), copy.deepcopy(history)]  # noqa: S301 (our own bytes)

        assert copies == [history] * 3
        assert {hash(each) for each in copies} == {hash(history)}

    def test_a_history_with_nan_equals_itself(self) -> None:
        assert _of_values(nan) == _of_values(nan)

    def test_the_zeros_differ(self) -> None:
        assert _of_values(0.0) != _of_values(-0.0)

    def test_a_history_is_no_list(self) -> None:
        points: object = [*_of_values(1.0)]

        assert _of_values(1.0) != points

    @pytest.mark.parametrize("column", ["steps", "values", "times"])
    def test_a_column_cannot_be_changed(self, column: str) -> None:
        view = getattr(_of_values(1.0), column)

        with pytest.raises(TypeError, match="read-only"):
            view[0] = 7
        assert isinstance(view.obj, bytes)

    def test_the_column_it_was_made_of_is_the_callers(self) -> None:
        values = array("d", [1.0])
        history = History([0], values, [0])

        values[0] = 2.0

        assert history.values[0] == 1.0

    def test_a_column_is_shared_and_not_copied(self) -> None:
        history = _of_values(1.0, 2.0)

        assert history.values.obj is history.values.obj

    def test_a_history_has_no_other_attributes(self) -> None:
        with pytest.raises(AttributeError):
            _of_values(1.0).steps = ()  # type: ignore[assignment, misc]  # what a caller might try

    def test_times_are_kept_in_utc(self) -> None:
        zone = timezone(timedelta(hours=5))

        [point] = History.of([Point(0, 1.0, _NOON.astimezone(zone))])

        assert point.time == _NOON
        assert point.time.tzinfo is UTC

    def test_numbers_of_other_types_become_those_of_a_history(self) -> None:
        [point] = History([True], [3], [False])

        assert [type(value) for value in point] == [int, float, datetime]

    def test_it_is_shown_briefly(self) -> None:
        assert repr(_of_values(*range(3))) == "<History of 3 points>"

    @pytest.mark.parametrize(
        ("steps", "values", "times"),
        [
            ([2**63], [1.0], [0]),
            ([-(2**63) - 1], [1.0], [0]),
            ([1.5], [1.0], [0]),
            (["1"], [1.0], [0]),
            ([0], [10**400], [0]),
            ([0], ["1"], [0]),
            ([0], [None], [0]),
            ([0], [1.0], [0.5]),
            ([0], [1.0], [2**63 - 1]),
            ([0], [1.0], [-62_135_596_800_000_001]),
            ([0], [1.0], [253_402_300_800_000_000]),
            ([0, 1], [1.0], [0]),
            ([0], [1.0, 2.0], [0]),
            ([0], [1.0], []),
        ],
    )
    def test_columns_that_are_none_are_refused(
        self, steps: list[Any], values: list[Any], times: list[Any]
    ) -> None:
        with pytest.raises(InvalidArgumentError, match=r"^points must "):
            History(steps, values, times)

    @pytest.mark.parametrize("time", [datetime(2026, 1, 1), "2026-01-01", None])  # noqa: DTZ001 (what is refused)
    def test_a_point_without_an_instant_is_refused(self, time: Any) -> None:
        with pytest.raises(InvalidArgumentError, match=r"^time must "):
            History.of([Point(0, 1.0, time)])

    def test_the_first_and_the_last_instant_can_be_kept(self) -> None:
        times = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]

        history = History.of([Point(0, 1.0, time) for time in times])

        assert [point.time for point in history] == times


class TestPack:
    @given(_histories())
    def test_a_packed_history_comes_back_bit_for_bit(self, history: History) -> None:
        assert unpack(pack(history)) == history

    @given(_points())
    def test_the_form_is_little_endian_columns(self, points: list[Point]) -> None:
        count = len(points)
        columns = struct.pack(f"<{count}q", *(point.step for point in points))
        columns += struct.pack(f"<{count}d", *(point.value for point in points))
        columns += struct.pack(f"<{count}q", *(to_micros(point.time) for point in points))

        assert pack(History.of(points)) == b64encode(columns).decode()

    @given(st.lists(_STEPS))
    def test_a_big_endian_machine_writes_the_same(self, words: list[int]) -> None:
        count = len(words)

        assert _swapped(struct.pack(f">{count}q", *words)) == struct.pack(f"<{count}q", *words)

    def test_the_largest_chunk_has_the_most_characters(self) -> None:
        assert len(pack(_of_values(*range(MAX_POINTS)))) == MAX_PACKED

    @given(st.text() | st.text("AQgw+/=\n ", max_size=96) | st.binary(max_size=72).map(str))
    @example("A" * 32 + "\n")
    @example("A" * 32 + "====")
    @example("A" * 31)
    @example("A" * 28 + "====")
    @example("AAAAAAAAAAA=")
    @example("é" * 32)
    def test_a_text_is_refused_or_the_only_one_of_its_history(self, text: str) -> None:
        try:
            history = unpack(text)
        except ValueError:
            return

        assert pack(history) == text

    @given(_histories(least=1), st.data())
    def test_a_text_that_lost_characters_is_refused(
        self, history: History, data: st.DataObject
    ) -> None:
        text = pack(history)
        length = data.draw(st.integers(1, len(text)).filter(lambda length: length % 32))

        with pytest.raises(ValueError, match=r"padding|base64|must be whole points|data"):
            unpack(text[:length])

    def test_a_time_outside_of_the_calendar_is_refused(self) -> None:
        damaged = "A" * 22 + "/" * 9 + "w"

        with pytest.raises(ValueError, match="must have times in the years 1 to 9999"):
            unpack(damaged)


class TestJoin:
    @given(st.lists(_points(most=10), max_size=4))
    def test_points_stand_by_step_and_time_and_then_as_they_were_written(
        self, parts: list[list[Point]]
    ) -> None:
        in_order = sorted(
            (point for part in parts for point in part), key=lambda point: (point.step, point.time)
        )

        joined = join(map(History.of, parts))

        assert [_exact(point) for point in joined] == [_exact(point) for point in in_order]

    @given(_histories(), st.integers(0, 30))
    def test_parts_of_what_was_joined_join_to_the_same(self, history: History, cut: int) -> None:
        whole = join([history])

        assert join([whole[:cut], whole[cut:]]) == whole

    def test_nothing_joins_to_nothing(self) -> None:
        assert join([]) == _of_values()


class TestSummary:
    @given(_points(least=1))
    def test_a_summary_has_the_latest_and_the_extremes(self, points: list[Point]) -> None:
        latest = max(reversed(points), key=lambda point: point.step)
        numbers = [point.value for point in points if not isnan(point.value)]
        ordered = sorted(numbers, key=_in_order) or [points[0].value]

        assert summary(History.of(points)) == Metric(
            latest.value, ordered[0], ordered[-1], latest.step, len(points)
        )

    @given(_histories(least=1), st.sets(st.integers(1, 29)))
    @example(_of_values(nan, 1.0, nan), {1, 2})
    @example(_of_values(nan, -nan), {1})
    @example(_of_values(0.0, -0.0, 0.0), {1, 2})
    def test_summaries_of_the_parts_are_that_of_the_whole(
        self, history: History, cuts: set[int]
    ) -> None:
        edges = [0, *sorted(cut for cut in cuts if cut < len(history)), len(history)]
        parts = [history[start:end] for start, end in pairwise(edges)]

        so_far = None
        for part in parts:
            so_far = merged(so_far, summary(part))

        assert so_far == summary(history)

    @given(_histories(least=1), _histories(least=1), _histories(least=1))
    def test_it_does_not_matter_which_parts_merge_first(
        self, one: History, two: History, three: History
    ) -> None:
        a, b, c = summary(one), summary(two), summary(three)

        assert merged(merged(a, b), c) == merged(a, merged(b, c))

    def test_of_equal_steps_the_one_logged_last_is_the_latest(self) -> None:
        history = History([3, 3, 1], [1.0, 2.0, 3.0], [9, 5, 7])

        assert summary(history).latest == 2.0

    def test_nothing_has_no_summary(self) -> None:
        with pytest.raises(InvalidArgumentError, match=r"^history must have a point$"):
            summary(_of_values())


class TestThinning:
    @given(_histories(most=80), st.integers(4, 40))
    def test_a_thinned_history_has_some_of_the_points_in_order(
        self, history: History, points: int
    ) -> None:
        thinned = history.thinned(points)

        rest = map(_exact, history)
        assert len(thinned) <= points
        assert all(_exact(point) in rest for point in thinned)

    @given(_histories(most=80), st.integers(4, 40))
    def test_the_first_and_the_last_point_stay(self, history: History, points: int) -> None:
        thinned = history.thinned(points)

        assert thinned[:1] == history[:1]
        assert thinned[-1:] == history[-1:]

    @given(_histories(most=80, least=1), st.integers(4, 40))
    @example(_of_values(1.0, 0.0, -0.0, 0.0, 1.0, 1.0), 4)
    @example(_of_values(nan, nan, 1.0, nan, nan), 4)
    def test_a_thinned_history_has_the_extremes_of_the_whole(
        self, history: History, points: int
    ) -> None:
        whole, thin = summary(history), summary(history.thinned(points))

        assert (_bits(thin.min), _bits(thin.max)) == (_bits(whole.min), _bits(whole.max))

    @given(_histories(most=80), st.integers(1, 10))
    def test_every_bucket_has_its_ends_and_extremes(self, history: History, buckets: int) -> None:
        kept = {_exact(point) for point in history.thinned(4 * buckets)}

        for bucket in range(buckets):
            part = history[
                bucket * len(history) // buckets : (bucket + 1) * len(history) // buckets
            ]
            if part:
                least, greatest = extremes(part.values.tolist())
                wanted = {part[0], part[-1], part[least], part[greatest]}
                assert {_exact(point) for point in wanted} <= kept

    @given(_histories(most=80), st.integers(4, 40))
    def test_what_is_short_enough_comes_back_as_it_is(self, history: History, points: int) -> None:
        thinned = history.thinned(points)

        assert thinned.thinned(points) is thinned
        assert (thinned is history) is (len(history) <= points)

    @given(st.lists(_FLOATS, min_size=1))
    def test_extremes_are_those_of_a_total_order(self, values: list[float]) -> None:
        numbers = [value for value in values if not isnan(value)]
        ordered = sorted(numbers, key=_in_order) or values[:1]

        least, greatest = extremes(values)

        assert _bits(values[least]) == _bits(ordered[0])
        assert _bits(values[greatest]) == _bits(ordered[-1])

    def test_a_peak_of_one_point_in_a_thousand_stays(self) -> None:
        values = [0.0] * 100_000
        values[54_321] = 1.0

        thinned = _of_values(*values).thinned(100)

        assert Point(54_321, 1.0, datetime.fromtimestamp(0.054321, UTC)) in thinned

    def test_infinities_are_peaks_and_nan_is_none(self) -> None:
        history = _of_values(0.0, nan, inf, 1.0, nan, -inf, nan, 0.0)

        assert list(history.thinned(4).steps) == [0, 2, 5, 7]

    @pytest.mark.parametrize("points", [3, 0, -1, 4.0, True, None, "9"])
    def test_fewer_points_than_four_are_refused(self, points: Any) -> None:
        with pytest.raises(
            InvalidArgumentError, match=r"^points must be an integer of at least 4$"
        ):
            _of_values(1.0).thinned(points)


def _in_order(value: float) -> tuple[float, float]:
    return value, copysign(1, value)
