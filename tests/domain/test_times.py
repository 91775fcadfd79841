"""RFC 3339 to the letter, and the durations of ago()."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.filters.times import before, format_time, parse_time
from experiment_store.testing.strategies import instants

_NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


@given(instants())
def test_a_formatted_time_reads_as_the_same_time(time: datetime) -> None:
    text = format_time(time)

    assert parse_time(text) == time
    assert parse_time(text.lower()) == time
    assert datetime.fromisoformat(text) == time


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),  # noqa: DTZ001 (the zone is drawn)
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_an_offset_moves_the_instant(local: datetime, minutes: int) -> None:
    time = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))

    parsed = parse_time(time.isoformat())

    assert parsed == time
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2024-02-29t12:00:00z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2024-02-29T12:00:00-00:00", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2024-02-29T12:00:00+05:30", datetime(2024, 2, 29, 6, 30, tzinfo=UTC)),
        ("2024-02-29T12:00:00.5Z", datetime(2024, 2, 29, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2024-02-29T12:00:00.000001000Z", datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
        ("0001-01-01T00:00:00-01:00", datetime(1, 1, 1, 1, tzinfo=UTC)),
        (f"2024-02-29T12:00:00.{'0' * 5_000}Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
    ],
)
def test_a_time_is_an_instant_to_the_microsecond(text: str, time: datetime) -> None:
    assert parse_time(text) == time


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z",
        "2024-01-01T00:00Z", "2024-01-01T00:00:00+0100", "2024-01-01T00:00:00+01",
        "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00+00:60", "2024-01-01T00:00:00+01:02:03",
        "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2016-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "20240101T000000Z", "2024-W01-1T00:00:00Z",
        "2024-01-01T00:00:00,5Z", "2024-01-01T00:00:00.Z", "-2024-01-01T00:00:00Z",
        "\N{ARABIC-INDIC DIGIT TWO}024-01-01T00:00:00Z", "2024-01-01T00:00:00Z\n",
        " 2024-01-01T00:00:00Z", "12024-01-01T00:00:00Z", "2024-1-1T00:00:00Z",
    ],
)  # fmt: skip
def test_other_forms_of_time_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an RFC 3339 time"):
        parse_time(text)


def test_a_time_finer_than_a_microsecond_is_refused_rather_than_rounded() -> None:
    with pytest.raises(ValueError, match="is finer than a microsecond"):
        parse_time("2024-01-01T00:00:00.1234567Z")


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999-00:01"])
def test_an_offset_does_not_lead_out_of_the_calendar(text: str) -> None:
    with pytest.raises(ValueError, match="is outside the years 1 to 9999"):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("20s", timedelta(seconds=20)),
        ("1.5s", timedelta(seconds=1.5)),
        ("0.000001s", timedelta(microseconds=1)),
        ("0s", timedelta()),
        ("007d", timedelta(days=7)),
        ("15m", timedelta(minutes=15)),
        ("12h", timedelta(hours=12)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_a_duration_leads_back_from_now(text: str, duration: timedelta) -> None:
    assert before(_NOW, text) == _NOW - duration


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-1d", "is negative"),
        ("-0s", "is negative"),
        ("", "is not a duration"),
        ("7", "is not a duration"),
        ("d", "is not a duration"),
        ("1.5d", "is not a duration"),
        (".5s", "is not a duration"),
        ("1.s", "is not a duration"),
        ("1D", "is not a duration"),
        ("1e3s", "is not a duration"),
        ("+1s", "is not a duration"),
        ("1 s", "is not a duration"),
        ("\N{ARABIC-INDIC DIGIT TWO}s", "is not a duration"),
        ("0.0000001s", "is finer than a microsecond"),
        ("3000000d", "ago is outside the years 1 to 9999"),
        ("999999999999w", "ago is outside the years 1 to 9999"),
        ("9" * 5_000 + "s", "ago is outside the years 1 to 9999"),
    ],
)
def test_other_durations_are_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        before(_NOW, text)
