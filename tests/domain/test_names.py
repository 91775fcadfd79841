"""The limits of every field, to the letter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.errors import InvalidArgumentError
from experiment_store.names import UNSET, Unset, check_field, check_fields, is_id
from experiment_store.records import Labels, NewExperiment, NewJob, NewRun, RunState
from experiment_store.testing.strategies import texts

_ASTRAL = "\N{GRINNING FACE}"  # one code point, two UTF-16 units, four bytes of UTF-8
_TEXTS = {"name": 128, "namespace": 63, "description": 4096, "schedule": 4096}
_IDS = ["id", "experiment_id", "job_id"]
_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("name", "most"), _TEXTS.items())
def test_a_text_may_be_as_long_as_its_limit_in_code_points(name: str, most: int) -> None:
    assert check_field(name, _ASTRAL * most) == _ASTRAL * most


@pytest.mark.parametrize(("name", "most"), _TEXTS.items())
def test_a_text_may_not_be_longer_than_its_limit(name: str, most: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{name} must have .* not {most + 1}"):
        check_field(name, "a" * (most + 1))


@pytest.mark.parametrize("name", ["namespace", "description", "schedule"])
def test_a_text_other_than_a_name_may_be_empty(name: str) -> None:
    assert check_field(name, "") == ""


def test_a_name_may_not_be_empty() -> None:
    with pytest.raises(InvalidArgumentError, match="name must have 1 to 128 characters, not 0"):
        check_field("name", "")


@pytest.mark.parametrize("name", _TEXTS)
@pytest.mark.parametrize("text", ["a\0", "\ud800", None, 7, b"a"])
def test_a_text_is_text_without_nul_and_surrogates(name: str, text: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{name} must"):
        check_field(name, text)


@given(texts(63).filter(bool))
def test_nothing_is_trimmed_folded_or_normalised(text: str) -> None:
    assert check_field("name", text) == text
    assert check_field("namespace", text) == text


@pytest.mark.parametrize("name", _IDS)
@pytest.mark.parametrize("id", ["a", "!", "~", "a" * 64, "01998f7e-0000-7000-8000-000000000000"])
def test_an_id_is_1_to_64_visible_ascii_characters(name: str, id: str) -> None:
    assert is_id(id)
    assert check_field(name, id) == id


@pytest.mark.parametrize("name", _IDS)
@pytest.mark.parametrize("id", ["", "a" * 65, "a b", "a\n", " a", "\x7f", "\x1f", "é", "\0", 7])
def test_any_other_id_is_refused(name: str, id: Any) -> None:
    assert not is_id(id)
    with pytest.raises(InvalidArgumentError) as caught:
        check_field(name, id)

    assert str(caught.value) == f"{name} must be 1 to 64 visible ASCII characters"


class _Word(str, Enum):  # noqa: UP042 (a StrEnum would print as its value)
    FIRST = "first"


def test_an_id_of_a_subclass_is_kept_as_its_plain_characters() -> None:
    kept = check_field("id", _Word.FIRST)

    assert (kept, type(kept)) == ("first", str)


@pytest.mark.parametrize("name", ["id", "job_id", "started_at", "finished_at"])
def test_an_optional_field_may_be_absent(name: str) -> None:
    assert check_field(name, None) is None


def test_a_child_needs_an_experiment() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^experiment_id must be"):
        check_field("experiment_id", None)


@pytest.mark.parametrize("name", ["started_at", "finished_at"])
def test_a_time_is_checked_under_its_own_name(name: str) -> None:
    assert check_field(name, _TIME) == _TIME
    with pytest.raises(InvalidArgumentError, match=f"^{name} must have a time zone"):
        check_field(name, _TIME.replace(tzinfo=None))


def test_labels_may_be_at_every_limit_at_once() -> None:
    labels = {f"{number:02}{_ASTRAL * 126}": _ASTRAL * 512 for number in range(64)}

    kept = check_field("labels", labels)

    assert (kept, type(kept)) == (labels, Labels)


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({str(number): "" for number in range(65)}, "labels must have at most 64 entries, not 65"),
        ({"": "x"}, "labels key must have 1 to 128 characters, not 0"),
        ({"k" * 129: "x"}, "labels key must have 1 to 128 characters, not 129"),
        ({"k": "x" * 513}, "labels value must have 0 to 512 characters, not 513"),
        ({"k\0": "x"}, "labels key must not contain NUL or lone surrogates"),
        ({"k": "\ud800"}, "labels value must not contain NUL or lone surrogates"),
        ({7: "x"}, "labels key must be text, not int"),
        ({"k": None}, "labels value must be text, not NoneType"),
        ([("k", "x")], "labels must be a mapping, not list"),
        (None, "labels must be a mapping, not NoneType"),
    ],
)
def test_labels_beyond_a_limit_are_refused(labels: Any, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        check_field("labels", labels)

    assert str(caught.value) == problem


def test_labels_are_a_copy_of_what_was_given() -> None:
    given = {"team": "cv"}

    kept = check_field("labels", given)
    given["team"] = "nlp"

    assert kept == {"team": "cv"}


@pytest.mark.parametrize("state", RunState)
def test_a_state_may_be_given_as_its_word(state: RunState) -> None:
    assert check_field("state", str(state)) is state
    assert check_field("state", state) is state


@pytest.mark.parametrize("state", ["running", "ARCHIVED", "", None, 1, ["RUNNING"]])
def test_a_word_that_is_no_state_is_refused_with_those_that_are(state: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        check_field("state", state)

    words = "PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED"
    assert str(caught.value) == f"state must be one of {words}"


@pytest.mark.parametrize("enabled", [True, False])
def test_a_flag_is_a_bool(enabled: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    assert check_field("enabled", enabled) is enabled


@pytest.mark.parametrize("enabled", [0, 1, None, "true"])
def test_nothing_else_is_a_flag(enabled: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="enabled must be a bool, not"):
        check_field("enabled", enabled)


def test_an_argument_left_out_is_no_field_to_change() -> None:
    assert check_fields({"name": UNSET, "description": "", "labels": UNSET}) == {"description": ""}


def test_what_stands_for_an_argument_left_out_is_one_of_its_kind() -> None:
    assert list(Unset) == [UNSET]


@pytest.mark.parametrize(
    "new",
    [
        NewExperiment("n", labels={"a": "b"}),
        NewRun("e", "n", state="RUNNING", started_at=_TIME),
        NewJob("e", "n", enabled=False, schedule="@daily"),
    ],
)
def test_there_is_a_check_for_everything_that_callers_say(new: Any) -> None:
    given: Mapping[str, Any] = {field.name: getattr(new, field.name) for field in fields(type(new))}

    assert check_fields(given) == given


@given(st.text())
def test_any_text_is_an_id_or_no_id(text: str) -> None:
    visible = all("!" <= character <= "~" for character in text)

    assert is_id(text) == (1 <= len(text) <= 64 and visible)
