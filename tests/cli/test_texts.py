"""No text of a record steers a terminal, and nothing of it is lost."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiment_store.cli.texts import escaped, escaped_json, plain, short
from experiment_store.records import Artifact, Metric

STEERING = [
    "\x1b[31m",
    "\x9b31m",
    "\r",
    "\n",
    "\t",
    "\x00",
    "\x7f",
    "\u202e",
    "\u2028",
    "\U000e0001",
]


@given(st.text())
@example("".join(STEERING))
def test_an_escaped_text_has_no_control_characters(text: str) -> None:
    shown = escaped(text)

    assert all(char.isprintable() or char.isspace() or char == "\u200d" or ord(char) >= 0xE000
               for char in shown)  # fmt: skip
    assert not any(char in shown for char in "\x1b\x9b\r\n\t\x00\x7f\u202e\u2028\u2029")


@given(st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="\xad")))
@example("mnist [red]café[/red] 数据 \N{ROCKET} C:\\data")
@example("\N{MAN}\u200d\N{WOMAN}")
def test_what_shows_something_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


@given(st.dictionaries(st.text(), st.text()))
@example({"name": "".join(STEERING) + "\N{MAN}\u200d\N{WOMAN}"})
def test_an_escaped_line_of_json_means_the_same(value: dict[str, str]) -> None:
    line = json.dumps(value, ensure_ascii=False)

    shown = escaped_json(line)

    assert json.loads(shown) == value
    assert shown == escaped_json(shown)
    assert not any(char in shown for char in "\x1b\x9b\r\n\t\x00\x7f\u202e\u2028\u2029")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        ("a\tb", "a\\tb"),
        ({"b": "\n", "a": 1, "c": 0.5}, "a=1, b=\\n, c=0.5"),
        ({"loss": Metric(0.5, 0.25, 1.0, 7, 8)}, "loss=0.5"),
        ((Artifact("model", "s3://x\n"), Artifact("b", "c")), "model=s3://x\\n, b=c"),
        (float("nan"), "nan"),
    ],
)
def test_values_are_shown_in_one_line(value: object, shown: str) -> None:
    assert plain(value) == short(value) == shown


def test_a_float_is_whole_where_programs_read_it_and_short_for_people() -> None:
    assert (plain(1 / 3), short(1 / 3)) == ("0.3333333333333333", "0.333333")


def test_a_time_is_whole_and_in_utc_where_programs_read_it() -> None:
    moment = datetime(2026, 1, 31, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))

    assert plain(moment) == "2026-01-30T23:02:03.000000Z"


@pytest.mark.usefixtures("_kolkata")
def test_a_time_is_short_and_in_their_zone_where_people_read_it() -> None:
    assert short(datetime(2026, 1, 31, 20, 0, 3, tzinfo=UTC)) == "2026-02-01 01:30"


@pytest.fixture
def _kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "IST-5:30")
        time.tzset()
        yield
    assert os.environ.get("TZ") != "IST-5:30"
    time.tzset()


@pytest.mark.parametrize(
    ("span", "shown", "seconds"),
    [
        (timedelta(0), "0.0s", "0.0"),
        (timedelta(seconds=9.99), "9.9s", "9.99"),
        (timedelta(seconds=59.9), "59s", "59.9"),
        (timedelta(minutes=3, seconds=5), "3m 05s", "185.0"),
        (timedelta(hours=23, minutes=59, seconds=59), "23h 59m", "86399.0"),
        (timedelta(days=3, hours=4, minutes=5), "3d 04h", "273900.0"),
    ],
)
def test_a_duration_is_short_for_people_and_in_seconds_for_programs(
    span: timedelta, shown: str, seconds: str
) -> None:
    assert (short(span), plain(span)) == (shown, seconds)
