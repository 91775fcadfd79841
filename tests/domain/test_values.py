"""Which text and which times the store takes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.errors import InvalidArgumentError
from experiment_store.testing.strategies import instants, texts
from experiment_store.values import check_text, check_time, from_micros, is_storable, to_micros

_ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_FORBIDDEN = st.sampled_from(["\0", "\ud800", "\udbff", "\udc00", "\udfff", "\ud83d\ude00"])


@given(texts())
def test_text_within_its_limits_is_returned_as_it_is(text: str) -> None:
    assert check_text("name", text, least=len(text), most=len(text)) == text


@pytest.mark.parametrize("character", ["a", "\N{GRINNING FACE}", "\N{COMBINING ACUTE ACCENT}"])
def test_lengths_count_code_points(character: str) -> None:
    assert check_text("name", character * 8, most=8) == character * 8
    with pytest.raises(InvalidArgumentError, match="name must have 0 to 8 characters, not 9"):
        check_text("name", character * 9, most=8)


def test_text_may_have_a_least_length() -> None:
    with pytest.raises(InvalidArgumentError, match="name must have 1 to 8 characters, not 0"):
        check_text("name", "", least=1, most=8)


@given(texts(20), _FORBIDDEN, texts(20))
def test_text_with_nul_or_a_surrogate_anywhere_is_refused(
    before: str, forbidden: str, after: str
) -> None:
    text = before + forbidden + after

    assert not is_storable(text)
    with pytest.raises(InvalidArgumentError, match="name must not contain NUL or lone surrogates"):
        check_text("name", text, most=100)


@given(st.characters(codec="utf-8", exclude_characters="\0"))
def test_every_other_character_is_text(character: str) -> None:
    assert is_storable(character)


@pytest.mark.parametrize("value", [None, 1, b"name", ["n"], datetime(2026, 1, 1, tzinfo=UTC)])
def test_what_is_no_text_is_refused_by_its_type(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"must be text, not {type(value).__name__}"):
        check_text("name", value, most=8)


class _Word(str, Enum):  # noqa: UP042 (a StrEnum would print as its value)
    FIRST = "first"


def test_a_subclass_of_text_is_kept_as_its_plain_characters() -> None:
    kept = check_text("name", _Word.FIRST, most=5)

    assert (kept, type(kept)) == ("first", str)


@given(instants(), _ZONES)
def test_a_time_of_any_zone_is_kept_as_the_same_instant_in_utc(
    instant: datetime, zone: timezone
) -> None:
    try:
        elsewhere = instant.astimezone(zone)
    except OverflowError:  # that zone is in the year 0 or 10000 by then
        elsewhere = instant

    kept = check_time("started_at", elsewhere)

    assert (kept, kept.tzinfo) == (instant, UTC)


@pytest.mark.parametrize(
    "time",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(microseconds=1))),
        datetime.max.replace(tzinfo=timezone(timedelta(microseconds=-1))),
    ],
)
def test_a_time_outside_the_years_1_to_9999_of_utc_is_refused(time: datetime) -> None:
    with pytest.raises(InvalidArgumentError, match="started_at must lie in the years 1 to 9999"):
        check_time("started_at", time)


class _Nowhere(tzinfo):
    def utcoffset(self, dt: datetime | None) -> None:
        return None

    dst = tzname = utcoffset


@pytest.mark.parametrize("zone", [None, _Nowhere()])
def test_a_time_without_an_offset_is_refused(zone: tzinfo | None) -> None:
    with pytest.raises(InvalidArgumentError, match="started_at must have a time zone"):
        check_time("started_at", datetime(2026, 1, 1, tzinfo=zone))


@pytest.mark.parametrize("value", [None, 0, "2026-01-01T00:00:00Z", date(2026, 1, 1)])
def test_what_is_no_datetime_is_refused_by_its_type(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"a datetime, not {type(value).__name__}"):
        check_time("started_at", value)


class _Stamp(datetime):
    """As of libraries whose times can do more."""


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=1))])
def test_a_subclass_of_datetime_is_kept_as_a_plain_one(zone: timezone) -> None:
    kept = check_time("started_at", _Stamp(2026, 1, 1, tzinfo=zone))

    assert (kept, type(kept)) == (datetime(2026, 1, 1, tzinfo=zone), datetime)


@given(instants(), instants())
def test_microseconds_count_what_times_order_by(left: datetime, right: datetime) -> None:
    assert from_micros(to_micros(left)) == left
    assert (to_micros(left) < to_micros(right)) == (left < right)


@pytest.mark.parametrize(
    ("bound", "step"),
    [(datetime.min.replace(tzinfo=UTC), -1), (datetime.max.replace(tzinfo=UTC), 1)],
)
def test_microseconds_beyond_the_calendar_overflow(bound: datetime, step: int) -> None:
    last = to_micros(bound)

    assert from_micros(last) == bound
    with pytest.raises(OverflowError):
        from_micros(last + step)
