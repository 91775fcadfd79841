"""proto3 JSON to the letter: what protobuf's own parsers take and refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Context, InvalidOperation, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.errors import InvalidArgumentError
from experiment_store.kfp.proto import Node, NotJsonError, parse

_NUMBERS = {"NONE": 0, "ONE": 1}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _read(text: str) -> Node:
    return parse("body", text)


def _problem(call: Any, *arguments: Any) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        call(*arguments)
    assert caught.value.argument == "body"
    return caught.value.problem


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_what_python_writes_is_read_back(value: Any) -> None:
    assert _read(json.dumps(value)).value == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not JSON: expecting value at character 0"),
        (" ", "is not JSON: expecting value at character 1"),
        ("{", "is not JSON: expecting property name enclosed in double quotes at character 1"),
        ("{'a': 1}", "is not JSON: expecting property name enclosed in double quotes"),
        ("{} {}", "is not JSON: extra data at character 3"),
        ("01", "is not JSON: extra data at character 1"),
        ("+1", "is not JSON: expecting value at character 0"),
        ('"a\tb"', "is not JSON: invalid control character"),
        ('"\0"', "is not JSON: invalid control character"),
        (r'"\x41"', "is not JSON: invalid \\escape"),
        ("\ufeff{}", "is not JSON: unexpected UTF-8 BOM"),
        ("\u0663", "is not JSON: expecting value"),
    ],
)
def test_what_is_no_json_is_told_apart(text: str, problem: str) -> None:
    with pytest.raises(NotJsonError) as caught:
        _read(text)

    assert caught.value.problem.startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1, "a": 1}', "has the member 'a' twice"),
        ('[{"b": {"a": 1, "b": 2, "\\u0061": 3}}]', "has the member 'a' twice"),
        ('{"a": NaN}', "has a number NaN, which is not JSON"),
        ("[Infinity]", "has a number Infinity, which is not JSON"),
        ("-Infinity", "has a number -Infinity, which is not JSON"),
        ("[" * 100_000, "is nested too deep"),
        ('{"a":' * 100_000, "is nested too deep"),
    ],
)
def test_json_that_parsers_disagree_about_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        _read(text)

    assert not isinstance(caught.value, NotJsonError)
    assert caught.value.problem == problem


def test_members_are_named_in_snake_or_in_lower_camel_case() -> None:
    node = _read('{"storage_state": "a", "createdAt": "b", "lastRunCreatedAt": "c"}')

    members = node.members("storage_state", "created_at", "last_run_created_at", "name")

    assert {name: member.text() for name, member in members.items()} == {
        "storage_state": "a",
        "created_at": "b",
        "last_run_created_at": "c",
    }


def test_a_member_that_is_null_is_not_set() -> None:
    assert _read('{"a": null, "b": ""}').members("a", "b").keys() == {"b"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"nick_name": 1}', "has an unknown member 'nick_name'"),
        ('{"Name": 1}', "has an unknown member 'Name'"),
        ('{"createdat": 1}', "has an unknown member 'createdat'"),
        ('{"CreatedAt": 1}', "has an unknown member 'CreatedAt'"),
        ('{"created_At": 1}', "has an unknown member 'created_At'"),
        ('{"nope": null}', "has an unknown member 'nope'"),
        (r'{"\ud800": 1}', r"has an unknown member '\ud800'"),
        ('{"created_at": 1, "createdAt": 1}', "has the member created_at twice"),
        ('{"created_at": null, "createdAt": 1}', "has the member created_at twice"),
        ("[]", "must be an object, not a list"),
        ("null", "must be an object, not null"),
        ("1", "must be an object, not a number"),
        ("true", "must be an object, not a bool"),
        ('"text"', "must be an object, not 'text'"),
    ],
)
def test_what_is_no_such_message_is_refused(text: str, problem: str) -> None:
    assert _problem(_read(text).members, "name", "created_at") == problem


def test_a_refusal_names_the_place_by_its_snake_case_path() -> None:
    (item,) = _read('{"someThings": [{"theKey": 1}]}').members("some_things")["some_things"].items()

    assert _problem(item.members("the_key")["the_key"].text) == (
        "some_things[0].the_key must be text, not a number"
    )
    assert str(item.refusal("is odd")) == "body some_things[0] is odd"


@pytest.mark.parametrize("text", ["{}", "null", '"ab"', "1", "false"])
def test_what_is_no_list_is_refused(text: str) -> None:
    assert _problem(_read(text).items).startswith("must be a list, not ")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_text_is_read_as_it_is(text: str) -> None:
    assert _read(json.dumps(text)).text() == text


@pytest.mark.parametrize("text", [r'"a\u0000"', r'"\ud83d"', r'"\ude00\ud83d"', '"\ud800"'])
def test_text_that_no_backend_can_keep_is_refused(text: str) -> None:
    assert _problem(_read(text).text) == "must not contain NUL or lone surrogates"


@pytest.mark.parametrize("text", ["1", "null", "true", "[]", "{}"])
def test_what_is_no_text_is_refused(text: str) -> None:
    assert _problem(_read(text).text).startswith("must be text, not ")


@given(st.sampled_from([32, 64]), st.integers(-(2**64), 2**64), st.booleans())
def test_an_integer_is_a_number_or_text_that_fits(bits: int, number: int, quoted: bool) -> None:  # noqa: FBT001 (drawn)
    node = _read(json.dumps(str(number) if quoted else number))

    if -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        assert node.integer(bits) == number
    else:
        assert _problem(node.integer, bits) == f"does not fit into {bits} bits"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2147483647", 2**31 - 1),
        ("-2147483648", -(2**31)),
        ("2147483647.000", 2**31 - 1),
        ("1.0", 1),
        ("-0", 0),
        ("-0.0", 0),
        ("1e5", 100_000),
        ("1E+5", 100_000),
        ("150e-1", 15),
        ("0.00000000000000000001e20", 1),
        (f"1.{'0' * 9_000}", 1),
        ("0e99", 0),
    ],
)
def test_an_integer_may_be_written_as_any_number_that_is_one(text: str, number: int) -> None:
    assert _read(text).integer(32) == number
    assert _read(f'"{text}"').integer(32) == number


@pytest.mark.parametrize(
    "text", ["9223372036854775807", "9007199254740993", "-9223372036854775808"]
)
def test_no_digit_of_64_bits_is_lost(text: str) -> None:
    assert str(_read(text).integer(64)) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1.5", "must be an integer, not a fraction"),
        ("1e-1", "must be an integer, not a fraction"),
        ("1e-999999999", "must be an integer, not a fraction"),
        ("2147483647.5", "must be an integer, not a fraction"),
        ("2147483648", "does not fit into 32 bits"),
        ("-2147483649", "does not fit into 32 bits"),
        ("1e999999999", "does not fit into 32 bits"),
        ("-1e99999999999999999999", "does not fit into 32 bits"),
        ("9" * 100_000, "does not fit into 32 bits"),
    ],
)
def test_a_number_that_is_no_such_integer_is_refused(text: str, problem: str) -> None:
    assert _problem(_read(text).integer, 32) == problem
    assert _problem(_read(f'"{text}"').integer, 32) == problem


@pytest.mark.parametrize(
    "text",
    [
        '""', '" 1"', '"1 "', '"01"', '"+1"', '"1."', '".1"', '"0x1"', '"1_0"', '"NaN"',
        '"Infinity"', '"one"', '"\u0661"', '"1\\n"', "true", "null", "[]", "[1]", "{}",
    ],
)  # fmt: skip
def test_what_is_no_number_is_no_integer(text: str) -> None:
    assert _problem(_read(text).integer, 32).startswith("must be an integer, not ")


@pytest.mark.parametrize("text", ["1e99999999999999999999", "-1e99999999999999999999"])
def test_a_program_that_ignores_decimal_errors_changes_nothing(text: str) -> None:
    with localcontext(Context(traps=[])) as context:
        problem = _problem(_read(text).integer, 64)

    assert problem == "does not fit into 64 bits"
    assert context.flags[InvalidOperation]


@pytest.mark.parametrize(
    ("text", "number"),
    [('"NONE"', 0), ('"ONE"', 1), ("1", 1), ("1.0", 1), ("77", 77), ("-1", -1)],
)
def test_an_enum_is_a_name_or_any_number(text: str, number: int) -> None:
    assert _read(text).enum(_NUMBERS) == number


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('"one"', "must be one of NONE, ONE"),
        ('"ONE "', "must be one of NONE, ONE"),
        ('"1"', "must be one of NONE, ONE"),
        ('""', "must be one of NONE, ONE"),
        ("true", "must be one of NONE, ONE"),
        ("null", "must be one of NONE, ONE"),
        ('["ONE"]', "must be one of NONE, ONE"),
        ("1.5", "must be an integer, not a fraction"),
        ("2147483648", "does not fit into 32 bits"),
    ],
)
def test_what_is_no_name_and_no_number_is_no_enum(text: str, problem: str) -> None:
    assert _problem(_read(text).enum, _NUMBERS) == problem


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),  # noqa: DTZ001 (the zone is drawn)
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
    st.integers(0, 999),
)
def test_a_timestamp_is_read_to_the_nanosecond(local: datetime, minutes: int, nanos: int) -> None:
    time = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    offset = time.isoformat()[-6:]
    text = f"{local.isoformat(timespec='microseconds')}{nanos:03}{offset}"

    read = _read(f'"{text}"').timestamp()

    assert divmod(read, 1_000) == ((time - _EPOCH) // timedelta(microseconds=1), nanos)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1970-01-01T00:00:00.1+01:00", -3_600_000_000_000 + 100_000_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000_000),
        ("9999-12-31T23:59:59.999999999Z", 253_402_300_799_999_999_999),
    ],
)
def test_a_timestamp_has_up_to_nine_digits_of_a_second(text: str, nanoseconds: int) -> None:
    assert _read(f'"{text}"').timestamp() == nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01t00:00:00Z",
        "1970-01-01T00:00:00z", "1970-01-01 00:00:00Z", "1970-01-01T00:00Z",
        "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00,5Z", "1970-01-01T00:00:00.0000000000Z",
        "1970-01-01T00:00:00+0100", "1970-01-01T00:00:00+01", "1970-01-01T24:00:00Z",
        "1970-01-01T00:00:60Z", "1970-02-30T00:00:00Z", "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        "1970-01-01T00:00:00Z\\n", "\u0661970-01-01T00:00:00Z", "1970-01-01T00:00:00.\u0661Z",
    ],
)  # fmt: skip
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    problem = _problem(_read(f'"{text}"').timestamp)

    assert problem.startswith("must be an RFC 3339 time in the years 1 to 9999, not '")


@pytest.mark.parametrize("text", ["0", '{"seconds": 0}', "null"])
def test_a_timestamp_is_text(text: str) -> None:
    assert _problem(_read(text).timestamp).startswith("must be text, not ")
