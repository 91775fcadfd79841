"""KFP's filters against KFP's rules, restated here on plain values."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from experiment_store.errors import InvalidArgumentError
from experiment_store.filters import compile_filter
from experiment_store.filters.evaluate import matches
from experiment_store.filters.patterns import containing
from experiment_store.filters.predicates import (
    ALWAYS,
    NEVER,
    All,
    AnyOf,
    Compare,
    Match,
    OneOf,
    Op,
    Predicate,
    Present,
)
from experiment_store.filters.render import render
from experiment_store.kfp.filters import KEYS, translate
from experiment_store.records import Experiment
from experiment_store.schema import EXPERIMENT
from experiment_store.testing import strategies

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799
_NUMBERS = {
    "EQUALS": 1, "NOT_EQUALS": 2, "GREATER_THAN": 3, "GREATER_THAN_EQUALS": 5, "LESS_THAN": 6,
    "LESS_THAN_EQUALS": 7, "IN": 8, "IS_SUBSTRING": 9,
}  # fmt: skip
_ORDERED = ("EQUALS", "NOT_EQUALS", "GREATER_THAN", "GREATER_THAN_EQUALS", "LESS_THAN",
            "LESS_THAN_EQUALS", "IN")  # fmt: skip
_MEANINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "EQUALS": operator.eq, "NOT_EQUALS": operator.ne, "GREATER_THAN": operator.gt,
    "GREATER_THAN_EQUALS": operator.ge, "LESS_THAN": operator.lt, "LESS_THAN_EQUALS": operator.le,
    "IN": lambda actual, values: actual in values,
    "IS_SUBSTRING": lambda actual, value: value in actual,
}  # fmt: skip
_COLUMNS: Mapping[str, Callable[[Experiment], str | int]] = {
    "id": lambda record: record.id,
    "experiment_id": lambda record: record.id,
    "name": lambda record: record.name,
    "display_name": lambda record: record.name,
    "description": lambda record: record.description,
    "namespace": lambda record: record.namespace,
    "storage_state": lambda record: record.storage_state.value,
    "created_at": lambda record: _seconds(record.created_at),
    "last_run_created_at": lambda record: _seconds(record.last_run_created_at or _EPOCH),
}
_TIMES = ("created_at", "last_run_created_at")
_TEXTS = tuple(key for key in _COLUMNS if key not in (*_TIMES, "storage_state"))
_STATES = [
    "AVAILABLE", "ARCHIVED", "STORAGE_STATE_UNSPECIFIED",
    "STORAGESTATE_AVAILABLE", "STORAGESTATE_ARCHIVED", "STORAGESTATE_UNSPECIFIED",
]  # fmt: skip

# A test of one key, and the JSON that says it: (key, operation, operand, predicate).
Case = tuple[str, str, Any, dict[str, Any]]


def _seconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(seconds=1)


def _holds(case: Case, record: Experiment) -> bool:
    key, operation, operand, _ = case
    return _MEANINGS[operation](_COLUMNS[key](record), operand)


def _text(*predicates: Mapping[str, Any], ascii: bool = True) -> str:
    return json.dumps({"predicates": predicates}, ensure_ascii=ascii)


def _problem(text: str) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        translate(text)
    assert type(caught.value) is InvalidArgumentError or "is not JSON" in caught.value.problem
    assert caught.value.argument == "filter"
    return caught.value.problem


def _outcome(text: str) -> Predicate | InvalidArgumentError:
    try:
        return translate(text)
    except InvalidArgumentError as error:
        return error


def _camel(name: str) -> str:
    head, _, tail = name.partition("_")
    return head + tail.capitalize()


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    key = draw(st.sampled_from(list(_COLUMNS)))
    value: Any
    if key in _TIMES:
        operation = draw(st.sampled_from(_ORDERED))
        operand, member, value = draw(_time_values(operation))
    elif key == "storage_state":
        operation = draw(st.sampled_from(("EQUALS", "NOT_EQUALS", "IN")))
        words = st.sampled_from(_STATES)
        value = draw(st.lists(words) if operation == "IN" else words)
        operand = [*map(_stored, value)] if isinstance(value, list) else _stored(value)
        member = "string_value"
    else:
        operation = draw(st.sampled_from((*_ORDERED, "IS_SUBSTRING")))
        texts = strategies.names() | strategies.texts(40)
        value = draw(st.lists(texts, max_size=4) if operation == "IN" else texts)
        operand, member = value, "string_value"
    if operation == "IN":
        member, value = f"{member}s", draw(_spelled_list(value))
    member = draw(st.sampled_from((member, _camel(member))))
    word = draw(st.sampled_from(("op", "operation")))
    said = draw(st.sampled_from((operation, _NUMBERS[operation], float(_NUMBERS[operation]))))
    return key, operation, operand, {word: said, "key": key, member: value}


def _stored(word: str) -> str:
    return word.removeprefix("STORAGESTATE_").removeprefix("STORAGE_STATE_")


def _spelled_list(values: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    spelled: list[dict[str, Any]] = [{"values": values}]
    return st.sampled_from(spelled if values else [*spelled, {}, {"values": None}])


def _some_seconds(low: int, high: int) -> st.SearchStrategy[int]:
    limits = (low, high, -1, 0, 1, 2**31, _EARLIEST - 1, _EARLIEST, _LATEST, _LATEST + 1)
    near = st.builds(lambda time, step: _seconds(time) + step, strategies.instants(),
                     st.integers(-1, 1))  # fmt: skip
    known = [limit for limit in limits if low <= limit <= high]
    return (near | near | st.sampled_from(known) | st.integers(low, high)).filter(
        lambda second: low <= second <= high
    )


@st.composite
def _time_values(draw: st.DrawFn, operation: str) -> tuple[Any, str, Any]:
    bits = draw(st.sampled_from((32, 64)))
    member = "int_value" if bits == 32 else "long_value"
    seconds = _some_seconds(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if operation == "IN":
        values = draw(st.lists(seconds, max_size=4))
        return values, member, [str(second) for second in values]
    if draw(st.booleans()):
        time = draw(strategies.instants())
        minutes = draw(st.integers(-23 * 60 - 59, 23 * 60 + 59))
        assume(timedelta(days=1) < time - datetime.min.replace(tzinfo=UTC))
        assume(timedelta(days=1) < datetime.max.replace(tzinfo=UTC) - time)
        text = time.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
        return _seconds(time), "timestamp_value", text
    second = draw(seconds)
    return second, member, draw(st.sampled_from((second, str(second))))


@given(st.lists(_cases(), max_size=3), st.lists(strategies.experiments(), min_size=1, max_size=4))
def test_predicates_mean_what_kfp_means_by_them(
    cases: list[Case], records: list[Experiment]
) -> None:
    predicate = translate(_text(*(said for *_, said in cases)))

    assert [matches(predicate, record) for record in records] == [
        all(_holds(case, record) for case in cases) for record in records
    ]


@given(strategies.experiments(), st.sampled_from(_TIMES), st.sampled_from(_ORDERED[:-1]),
       st.integers(-2, 2))  # fmt: skip
def test_times_compare_by_whole_seconds(
    record: Experiment, key: str, operation: str, step: int
) -> None:
    second = int(_COLUMNS[key](record)) + step

    predicate = translate(_text({"op": operation, "key": key, "long_value": second}))

    assert matches(predicate, record) is _MEANINGS[operation](-step, 0)


@given(st.lists(_cases(), max_size=3))
def test_the_result_has_the_canonical_form(cases: list[Case]) -> None:
    predicate = translate(_text(*(said for *_, said in cases)))

    assert compile_filter(render(predicate), EXPERIMENT, _EPOCH) == predicate


@given(st.lists(_cases(), max_size=3), st.booleans())
def test_encoding_once_more_changes_nothing(cases: list[Case], ascii: bool) -> None:  # noqa: FBT001 (drawn)
    text = _text(*(said for *_, said in cases), ascii=ascii)

    expected = translate(text)

    assert translate(quote(text)) == expected
    assert translate(quote_plus(text)) == expected
    assert translate(f" {text}\r\n") == expected


@pytest.mark.parametrize("encode", [str, quote, quote_plus])
@pytest.mark.parametrize("name", ["a+b", "100% x", "50%41", "%", "+", "a%2Bb", "a b", "%zz"])
def test_plus_and_percent_in_a_name_survive(name: str, encode: Callable[[str], str]) -> None:
    predicate = translate(encode(_text({"operation": 1, "key": "name", "stringValue": name})))

    assert predicate == Compare("name", Op.EQ, name)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\t\r\n", "{}", " { } ", '{"predicates": []}', '{"predicates":null}',
        "+", "%20", "%7B%7D", "%7B+%22predicates%22%3A+%5B%5D+%7D",
        "{%22predicates%22:[]}",
    ],
)  # fmt: skip
def test_no_predicates_admit_every_experiment(text: str) -> None:
    assert translate(text) == ALWAYS


def test_the_keys_are_fields() -> None:
    assert KEYS.keys() == _COLUMNS.keys()
    assert set(KEYS.values()) <= EXPERIMENT.by_name.keys()
    assert all(EXPERIMENT.by_word[key].name == name for key, name in KEYS.items())


def _at(second: int) -> datetime:
    return _EPOCH + timedelta(seconds=second)


def _since(second: int, field: str = "created_at") -> Predicate:
    return Compare(field, Op.GE, _at(second))


def _until(second: int, field: str = "created_at") -> Predicate:
    return Compare(field, Op.LT, _at(second))


_NO_RUN = Present("last_run_created_at", expected=False)


@pytest.mark.parametrize(
    ("operation", "text", "times"),
    [
        ("EQUALS", Compare("name", Op.EQ, "7*"), All((_since(7), _until(8)))),
        ("NOT_EQUALS", Compare("name", Op.EQ, "7*", expected=False),
         AnyOf((_until(7), _since(8)))),
        ("GREATER_THAN", Compare("name", Op.GT, "7*"), _since(8)),
        ("GREATER_THAN_EQUALS", Compare("name", Op.GE, "7*"), _since(7)),
        ("LESS_THAN", Compare("name", Op.LT, "7*"), _until(7)),
        ("LESS_THAN_EQUALS", Compare("name", Op.LE, "7*"), _until(8)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by_number", [True, False])
def test_a_comparison_takes_text_or_any_form_of_a_second(
    operation: str, text: Predicate, times: Predicate, *, by_number: bool
) -> None:
    word = {"operation": _NUMBERS[operation] if by_number else operation}
    values: list[dict[str, Any]] = [
        {"int_value": 7}, {"int_value": "7"}, {"longValue": 7.0}, {"long_value": "7e0"},
        {"timestamp_value": "1970-01-01T00:00:07Z"},
        {"timestampValue": "1970-01-01T01:00:07.999999999+01:00"},
    ]  # fmt: skip

    of_text = translate(_text(word | {"key": "name", "string_value": "7*"}))
    of_times = {translate(_text(word | {"key": "created_at"} | value)) for value in values}

    assert of_text == text
    assert of_times == {times}


@pytest.mark.parametrize(
    ("key", "member", "values", "expected"),
    [
        ("name", "string_values", ["b", "a", "b"], OneOf("name", frozenset({"a", "b"}))),
        ("display_name", "stringValues", ["a"], Compare("name", Op.EQ, "a")),
        ("id", "string_values", ["a", "a"], Compare("id", Op.EQ, "a")),
        ("id", "string_values", [], NEVER),
        ("created_at", "int_values", [], NEVER),
        ("created_at", "int_values", [7], All((_since(7), _until(8)))),
        ("created_at", "long_values", ["9", 7, 9],
         AnyOf((All((_since(7), _until(8))), All((_since(9), _until(10)))))),
        ("created_at", "longValues", [2**63 - 1, -(2**63)], NEVER),
        ("storage_state", "string_values", ["ARCHIVED", "STORAGESTATE_ARCHIVED"],
         Compare("storage_state", Op.EQ, "ARCHIVED")),
        ("storage_state", "string_values", ["STORAGE_STATE_UNSPECIFIED"], NEVER),
        ("storage_state", "string_values", _STATES,
         OneOf("storage_state", frozenset({"ARCHIVED", "AVAILABLE"}))),
    ],
)  # fmt: skip
def test_in_takes_a_list(key: str, member: str, values: list[Any], expected: Predicate) -> None:
    predicate = translate(_text({"operation": "IN", "key": key, member: {"values": values}}))

    assert predicate == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", Match("name", containing("a"))),
        ("%_*\\", Match("name", containing("%_*\\"))),
        ("", ALWAYS),
    ],
)
def test_a_substring_is_literal(value: str, expected: Predicate) -> None:
    said = {"operation": "IS_SUBSTRING", "key": "name", "string_value": value}

    assert translate(_text(said)) == expected


@pytest.mark.parametrize("prefix", ["", "STORAGESTATE_"])
@pytest.mark.parametrize("word", ["AVAILABLE", "ARCHIVED"])
def test_both_versions_words_for_a_state_mean_it(word: str, prefix: str) -> None:
    said = {"key": "storage_state", "string_value": prefix + word}
    equal = Compare("storage_state", Op.EQ, word)

    assert translate(_text(said | {"op": "EQUALS"})) == equal
    assert translate(_text(said | {"op": "NOT_EQUALS"})) == Compare(
        "storage_state", Op.EQ, word, expected=False
    )


@pytest.mark.parametrize("word", ["STORAGE_STATE_UNSPECIFIED", "STORAGESTATE_UNSPECIFIED"])
def test_no_experiment_is_in_no_state(word: str) -> None:
    said = {"key": "storage_state", "string_value": word}

    assert translate(_text(said | {"op": "EQUALS"})) == NEVER
    assert translate(_text(said | {"op": "NOT_EQUALS"})) == ALWAYS


@pytest.mark.parametrize("second", [_EARLIEST - 1, -(2**63), _LATEST + 1, 2**63 - 1])
@pytest.mark.parametrize("key", _TIMES)
@pytest.mark.parametrize("operation", _ORDERED[:-1])
def test_a_second_beyond_the_calendar_decides_for_all(
    operation: str, key: str, second: int
) -> None:
    predicate = translate(_text({"op": operation, "key": key, "long_value": second}))

    assert predicate == (ALWAYS if _MEANINGS[operation](0, second) else NEVER)


@pytest.mark.parametrize(
    ("operation", "second", "expected"),
    [
        ("EQUALS", _EARLIEST, _until(_EARLIEST + 1)),
        ("NOT_EQUALS", _EARLIEST, _since(_EARLIEST + 1)),
        ("GREATER_THAN_EQUALS", _EARLIEST, ALWAYS),
        ("LESS_THAN", _EARLIEST, NEVER),
        ("GREATER_THAN", _EARLIEST - 1, ALWAYS),
        ("LESS_THAN_EQUALS", _EARLIEST - 1, NEVER),
        ("EQUALS", _LATEST, _since(_LATEST)),
        ("NOT_EQUALS", _LATEST, _until(_LATEST)),
        ("GREATER_THAN", _LATEST, NEVER),
        ("GREATER_THAN_EQUALS", _LATEST, _since(_LATEST)),
        ("LESS_THAN", _LATEST, _until(_LATEST)),
        ("LESS_THAN_EQUALS", _LATEST, ALWAYS),
    ],
)
def test_bounds_at_the_ends_of_the_calendar_are_constants(
    operation: str, second: int, expected: Predicate
) -> None:
    said = {"op": operation, "key": "created_at", "long_value": second}

    assert translate(_text(said)) == expected


@pytest.mark.parametrize(
    ("operation", "second", "counts"),
    [
        ("EQUALS", 0, True), ("EQUALS", 1, False),
        ("NOT_EQUALS", 0, False), ("NOT_EQUALS", 1, True),
        ("GREATER_THAN", -1, True), ("GREATER_THAN", 0, False),
        ("GREATER_THAN_EQUALS", 0, True), ("GREATER_THAN_EQUALS", 1, False),
        ("LESS_THAN", 1, True), ("LESS_THAN", 0, False),
        ("LESS_THAN_EQUALS", 0, True), ("LESS_THAN_EQUALS", -1, False),
    ],
)  # fmt: skip
def test_an_experiment_without_runs_counts_as_second_0(
    operation: str, second: int, counts: bool  # noqa: FBT001 (a parameter)
) -> None:  # fmt: skip
    said = {"op": operation, "key": "last_run_created_at", "long_value": second}

    predicate = translate(_text(said))

    assert (isinstance(predicate, AnyOf) and _NO_RUN in predicate.terms) is counts


def test_a_list_with_second_0_takes_experiments_without_runs() -> None:
    said = {"op": "IN", "key": "last_run_created_at", "int_values": {"values": [5, 0]}}

    field = "last_run_created_at"

    assert translate(_text(said)) == AnyOf(
        (
            All((_since(0, field), _until(1, field))),
            _NO_RUN,
            All((_since(5, field), _until(6, field))),
        )
    )


def test_predicates_are_joined_by_and() -> None:
    said: list[dict[str, Any]] = [
        {"op": "IS_SUBSTRING", "key": "name", "string_value": "a"},
        {"operation": "NOT_EQUALS", "key": "storage_state", "stringValue": "ARCHIVED"},
        {"operation": "EQUALS", "key": "created_at", "int_value": 7},
    ]

    assert translate(_text(*said)) == All(
        (
            Match("name", containing("a")),
            Compare("storage_state", Op.EQ, "ARCHIVED", expected=False),
            _since(7),
            _until(8),
        )
    )


def test_a_null_member_is_not_set() -> None:
    said = {"op": None, "operation": 1, "key": "name", "int_value": None, "string_value": "a"}

    assert translate(_text(said)) == Compare("name", Op.EQ, "a")


_OK = {"operation": "EQUALS", "key": "name", "string_value": "a"}
_PLACE = "predicates[0]"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        # A key.
        ({"key": None}, " must have a key"),
        ({"key": ""}, ".key must be one of id, "),
        ({"key": "Name"}, ".key must be one of id, experiment_id, name, "),
        ({"key": "updated_at"}, "storage_state, not 'updated_at'"),
        ({"key": "labels"}, ".key must be one of "),
        ({"key": "experiments.name"}, ".key must be one of "),
        ({"key": 1}, ".key must be text, not a number"),
        ({"key": "name\0"}, ".key must not contain NUL"),
        # An operation.
        ({"operation": None}, " must have exactly one operation"),
        ({"op": "EQUALS"}, " must have exactly one operation"),
        ({"operation": "OPERATION_UNSPECIFIED"}, ".operation must be one of EQUALS, "),
        ({"operation": "equals"}, ".operation must be one of EQUALS, "),
        ({"operation": "1"}, ".operation must be one of EQUALS, "),
        ({"operation": ""}, ".operation must be one of EQUALS, "),
        ({"operation": True}, ".operation must be one of EQUALS, "),
        ({"operation": None, "op": "UNKNOWN"}, ".op must be one of EQUALS, "),
        ({"operation": 0}, ".operation must be one of EQUALS, "),
        ({"operation": 4}, "IS_SUBSTRING, not 4"),
        ({"operation": 10}, "IS_SUBSTRING, not 10"),
        ({"operation": -1}, "IS_SUBSTRING, not -1"),
        ({"operation": 1.5}, ".operation must be an integer"),
        ({"operation": 2**31}, ".operation does not fit into 32 bits"),
        # One value.
        ({"string_value": None}, " must have exactly one value"),
        ({"long_value": 1}, " must have exactly one value"),
        ({"string_values": {}}, " must have exactly one value"),
        ({"stringValue": "a"}, " has the member string_value twice"),
        # Of the operation's form.
        ({"string_value": None, "string_values": {"values": ["a"]}},
         ".string_values is not for EQUALS"),
        ({"operation": 9, "string_value": None, "string_values": {}},
         ".string_values is not for IS_SUBSTRING"),
        ({"operation": "IN"}, ".string_value is not for IN"),
        ({"operation": 8, "string_value": None, "int_value": 1}, ".int_value is not for IN"),
        ({"operation": 8, "string_value": None, "long_value": 1}, ".long_value is not for IN"),
        ({"operation": 8, "string_value": None, "timestamp_value": "2024-01-01T00:00:00Z"},
         ".timestamp_value is not for IN"),
        ({"operation": 9, "string_value": None, "int_value": 1}, ".int_value is not for name"),
        ({"operation": 9, "string_value": None, "long_value": 1}, ".long_value is not for name"),
        ({"operation": 9, "string_value": None, "timestamp_value": "2024-01-01T00:00:00Z"},
         ".timestamp_value is not for name"),
        # Of the key's type.
        ({"key": "created_at"}, ".string_value is not for created_at"),
        ({"key": "last_run_created_at"}, ".string_value is not for last_run_created_at"),
        ({"key": "created_at", "operation": 9, "string_value": None, "long_value": 1},
         ".long_value is not for IS_SUBSTRING of created_at"),
        ({"string_value": None, "long_value": 1}, ".long_value is not for name"),
        ({"operation": 8, "string_value": None, "int_values": {}}, ".int_values is not for name"),
        ({"key": "created_at", "operation": 8, "string_value": None, "string_values": {}},
         ".string_values is not for created_at"),
        ({"key": "storage_state"}, ".string_value must be one of AVAILABLE, ARCHIVED, "),
        ({"key": "storage_state", "string_value": "archived"}, "not 'archived'"),
        ({"key": "storage_state", "string_value": None, "int_value": 1},
         ".int_value is not for storage_state"),
        *(
            ({"key": "storage_state", "string_value": "ARCHIVED", "operation": word},
             f".string_value is not for {word} of storage_state")
            for word in _NUMBERS if word not in ("EQUALS", "NOT_EQUALS", "IN")
        ),
        # Well formed.
        ({"string_value": 1}, ".string_value must be text, not a number"),
        ({"string_value": "\0"}, ".string_value must not contain NUL"),
        ({"string_value": "\ud800"}, ".string_value must not contain NUL or lone surrogates"),
        ({"string_value": None, "int_value": 2**31}, ".int_value does not fit into 32 bits"),
        ({"string_value": None, "long_value": 2**63}, ".long_value does not fit into 64 bits"),
        ({"string_value": None, "long_value": 1.5}, ".long_value must be an integer"),
        ({"string_value": None, "timestamp_value": {"seconds": 1}},
         ".timestamp_value must be text, not an object"),
        ({"string_value": None, "timestamp_value": "yesterday"},
         ".timestamp_value must be an RFC 3339 time"),
        ({"operation": 8, "string_value": None, "string_values": ["a"]},
         ".string_values must be an object, not a list"),
        ({"operation": 8, "string_value": None, "string_values": {"values": "a"}},
         ".string_values.values must be a list, not 'a'"),
        ({"operation": 8, "string_value": None, "string_values": {"values": [None]}},
         ".string_values.values[0] must be text, not null"),
        ({"operation": 8, "string_value": None, "int_values": {"values": ["1", 2**31]}},
         ".int_values.values[1] does not fit into 32 bits"),
        ({"operation": 8, "string_value": None, "string_values": {"value": []}},
         ".string_values has an unknown member 'value'"),
        ({"value": "a"}, " has an unknown member 'value'"),
        ({"bool_value": True}, " has an unknown member 'bool_value'"),
    ],
)  # fmt: skip
def test_a_predicate_that_kfp_refuses_is_refused(change: dict[str, Any], problem: str) -> None:
    said = _OK | change

    found = _problem(_text(said))

    assert found.startswith(_PLACE)
    assert problem in found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name", "is not JSON: "),
        ("{", "is not JSON: "),
        ('{"predicates": [}', "is not JSON: "),
        ("%7B", "is not JSON: "),
        (quote(quote("{}")), "is not JSON: "),
        ("%zz", "is neither JSON nor URL-encoded JSON"),
        ('{"100%', "is neither JSON nor URL-encoded JSON"),
        ("%FF", "is neither JSON nor URL-encoded JSON"),
        (quote('{"predicates": "\N{EURO SIGN}"}', encoding="cp1252"), "is neither JSON nor"),
        ("\ud800", "is not JSON: "),
        ("\0", "is not JSON: "),
        ("null", "must be an object, not null"),
        ("[]", "must be an object, not a list"),
        ('""', "must be an object, not ''"),
        ("1", "must be an object, not a number"),
        ("%22%22", "must be an object, not ''"),
        ('{"predicate": []}', "has an unknown member 'predicate'"),
        ('{"Predicates": []}', "has an unknown member 'Predicates'"),
        ('{"predicates": {}}', "predicates must be a list, not an object"),
        ('{"predicates": [null]}', "predicates[0] must be an object, not null"),
        ('{"predicates": [{}]}', "predicates[0] must have a key"),
        ('{"predicates": [], "predicates": []}', "has the member 'predicates' twice"),
        ('{"predicates": [{"op": NaN}]}', "has a number NaN, which is not JSON"),
        ("-Infinity", "has a number -Infinity, which is not JSON"),
        ("[" * 50_000, "is nested too deep"),
        (quote("[" * 5_000), "is nested too deep"),
        ('{"predicates": ' * 5_000, "is nested too deep"),
    ],
)
def test_a_text_that_is_no_filter_is_refused(text: str, problem: str) -> None:
    assert _problem(text).startswith(problem)


_MEMBERS = [
    "predicates", "key", "op", "operation", "values", "int_value", "longValue", "string_value",
    "timestamp_value", "int_values", "string_values", "x",
]  # fmt: skip
_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from([*KEYS, *_NUMBERS, *_STATES, *_NUMBERS.values(), "2024-01-01T00:00:00Z"])
)  # fmt: skip
_SHAPES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=4)
        | st.fixed_dictionaries({"predicates": st.lists(inner, max_size=2)})
    ),
    max_leaves=12,
)


@st.composite
def _damaged(draw: st.DrawFn) -> str:
    text = _text(draw(_cases())[-1], ascii=draw(st.booleans()))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 3)))
    return text[:start] + draw(st.text(max_size=2)) + text[end:]


@given(
    st.text(st.characters())
    | _SHAPES.map(json.dumps)
    | _damaged()
    | _damaged().map(lambda text: quote_plus(text, errors="surrogatepass"))
)
@example('{"predicates":[{"op":1e99999999999999999999,"key":"name","int_value":1}]}')
@example('{"predicates":[{"op":1,"key":"created_at","int_value":1e999999999}]}')
@example('{"predicates":[{"op":1,"key":"created_at","int_value":' + "9" * 5_000 + "}]}")
def test_whatever_is_sent_is_a_filter_or_an_invalid_argument(text: str) -> None:
    result = _outcome(text)

    if isinstance(result, InvalidArgumentError):
        assert result.argument == "filter"
        assert result.problem
    else:
        assert compile_filter(render(result), EXPERIMENT, _EPOCH) == result


def _padded(length: int) -> str:
    text = _text(_OK | {"string_value": ""})
    return _text(_OK | {"string_value": "\N{GRINNING FACE}" * (length - len(text))}, ascii=False)


@pytest.mark.parametrize("encode", [str, quote])
def test_a_filter_may_have_10000_characters(encode: Callable[[str], str]) -> None:
    assert isinstance(translate(encode(_padded(10_000))), Compare)
    assert _problem(encode(_padded(10_001))) == "has more than 10000 characters"


def test_no_more_is_decoded_than_could_be_a_filter() -> None:
    assert _problem("+" * 120_001) == "has more than 10000 characters"
    assert translate("+" * 120_000) == ALWAYS


def test_a_long_text_is_not_decoded_to_be_shorter() -> None:
    text = _text(_OK | {"string_value": "%41" * 4_000})

    assert _problem(text) == "has more than 10000 characters"


_DEAR = "costs more than 100: too many substrings or comparisons"


@pytest.mark.parametrize(
    ("key", "member", "most", "problem"),
    [("name", "string_values", 500, "has more than 500 comparisons"),
     ("created_at", "int_values", 25, _DEAR), ("last_run_created_at", "int_values", 25, _DEAR)],
)  # fmt: skip
def test_a_list_may_be_long_but_not_too_long(
    key: str, member: str, most: int, problem: str
) -> None:
    def listing(count: int) -> str:
        values = [str(number) for number in range(1, 2 * count + 1, 2)]
        return _text({"op": "IN", "key": key, member: {"values": values}})

    assert translate(listing(most)) != NEVER
    assert _problem(listing(most + 1)) == problem


def test_predicates_count_together() -> None:
    said = {"op": 1, "key": "id", "string_value": "a"}
    other = {"op": 1, "key": "name", "string_value": "a"}
    lists = {"op": 8, "key": "id", "string_values": {"values": [str(n) for n in range(499)]}}

    assert isinstance(translate(_text(said, said, lists)), All)
    assert _problem(_text(said, other, lists)) == "has more than 500 comparisons"
