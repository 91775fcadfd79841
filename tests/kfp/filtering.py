"""Checks of filters: every operation, by name and by number, on every type of value.

What a filter has to find is computed here, from the experiments as listed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, quote_plus

from tests.kfp.checks import INVALID, Check, each, refused, same
from tests.kfp.face import Face, Seen, read_all
from tests.kfp.predicates import bad_filters, predicate_text

FILTERED = "filtered"

NUMBERS = {
    "EQUALS": 1,
    "NOT_EQUALS": 2,
    "GREATER_THAN": 3,
    "GREATER_THAN_EQUALS": 5,
    "LESS_THAN": 6,
    "LESS_THAN_EQUALS": 7,
    "IN": 8,
    "IS_SUBSTRING": 9,
}
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUALS": operator.eq,
    "NOT_EQUALS": operator.ne,
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_EQUALS": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_EQUALS": operator.le,
}
NAMES = ("alpha", "Alpha", "beta", "a+b", "100% x", "50%41", "50A", "under_score", "underXscore")
MORE_NAMES = ('back\\slash "quoted"', "名前 🧪", "plus%2Bplus")
TEXT_KEYS: dict[str, Callable[[Seen], str]] = {
    "name": lambda seen: seen.name,
    "display_name": lambda seen: seen.name,
    "description": lambda seen: seen.description,
    "namespace": lambda seen: seen.namespace,
}


def some_experiments_are_made(face: Face) -> None:
    """Make what the checks below look for; every third is archived."""
    for number, name in enumerate((*NAMES, *MORE_NAMES)):
        made = face.create(name, namespace=FILTERED, description=f"about {name[::-1]}")
        if number % 3 == 0:
            face.act("archive", made.id)


def text_is_compared_by_code_point(face: Face) -> None:
    crowd = _crowd(face)

    def check(case: tuple[str, str | int, str, str]) -> None:
        key, operation, word, value = case
        compare = COMPARISONS[word]
        predicate = {"key": key, face.operation: operation, "string_value": value}
        _finds(crowd, [predicate], lambda seen: compare(TEXT_KEYS[key](seen), value))

    each(
        (
            (key, operation, word, value)
            for key in TEXT_KEYS
            for word in COMPARISONS
            for operation in (word, NUMBERS[word])
            for value in ("alpha", "a+b", "100% x", "50%41", "名前 🧪", "about ahpla", FILTERED)
        ),
        check,
    )


def a_substring_is_literal(face: Face) -> None:
    crowd = _crowd(face)

    def check(case: tuple[str, str | int, str]) -> None:
        key, operation, value = case
        predicate = {"key": key, face.operation: operation, "string_value": value}
        _finds(crowd, [predicate], lambda seen: value in TEXT_KEYS[key](seen))

    each(
        (
            (key, operation, value)
            for key in ("name", "display_name", "description")
            for operation in ("IS_SUBSTRING", 9)
            for value in ("", "a", "A", "%", "_", "r_s", "+", "\\", '"', "🧪", "*", "0%4", "%2B")
        ),
        check,
    )


def one_of_a_list_of_texts_is_found(face: Face) -> None:
    crowd = _crowd(face)

    def check(case: tuple[str | int, list[str]]) -> None:
        operation, values = case
        predicate = {
            "key": "name",
            face.operation: operation,
            "string_values": {"values": values},
        }
        _finds(crowd, [predicate], lambda seen: seen.name in values)

    lists = [["alpha", "a+b", "nobody"], ["50%41"], list(NAMES), ["nobody"], []]
    each(((operation, values) for operation in ("IN", 8) for values in lists), check)


def ids_are_compared(face: Face) -> None:
    crowd = _crowd(face)
    ids = [seen.id for seen in crowd.members]

    def check(case: tuple[str, str]) -> None:
        key, word = case
        predicate = {"key": key, face.operation: word, "string_value": ids[4]}
        _finds(crowd, [predicate], lambda seen: COMPARISONS[word](seen.id, ids[4]))
        several = {"key": key, face.operation: "IN", "string_values": {"values": ids[2:5]}}
        _finds(crowd, [several], lambda seen: seen.id in ids[2:5])

    each(((key, word) for key in ("id", "experiment_id") for word in COMPARISONS), check)


def times_are_compared_by_the_second(face: Face) -> None:
    crowd = _crowd(face)
    seconds = _seconds(crowd.members[5])

    def check(case: tuple[str, str | int, int, dict[str, Any]]) -> None:
        word, operation, second, value = case
        predicate = {"key": "created_at", face.operation: operation, **value}
        _finds(crowd, [predicate], lambda seen: COMPARISONS[word](_seconds(seen), second))

    each(
        (
            (word, operation, second, value)
            for word in COMPARISONS
            for operation in (word, NUMBERS[word])
            for second in (seconds - 1, seconds, seconds + 1, 0, -1)
            for value in _spellings(second)
        ),
        check,
    )


def one_of_a_list_of_times_is_found(face: Face) -> None:
    crowd = _crowd(face)
    second = _seconds(crowd.members[5])

    def check(value: dict[str, Any]) -> None:
        predicate = {"key": "created_at", face.operation: "IN", **value}
        _finds(crowd, [predicate], lambda seen: _seconds(seen) in {second, second + 1})

    wanted = [second, second + 1, 0]
    each(
        [
            {"int_values": {"values": wanted}},
            {"long_values": {"values": wanted}},
            {"longValues": {"values": [str(number) for number in wanted]}},
        ],
        check,
    )


def storage_states_are_found_in_the_words_of_both_versions(face: Face) -> None:
    crowd = _crowd(face)

    def check(case: tuple[str | int, str, bool]) -> None:
        operation, word, equal = case
        predicate = {"key": "storage_state", face.operation: operation, "string_value": word}
        _finds(crowd, [predicate], lambda seen: (seen.storage_state == face.archived) is equal)

    words = (face.archived, face.other_archived)
    operations = (("EQUALS", True), (1, True), ("NOT_EQUALS", False), (2, False))
    each(((name, word, equal) for name, equal in operations for word in words), check)

    several = {"key": "storage_state", face.operation: "IN"}
    both = several | {"string_values": {"values": [face.archived, face.available]}}
    _finds(crowd, [both], lambda _: True)
    one = several | {"string_values": {"values": [face.available]}}
    _finds(crowd, [one], lambda seen: seen.storage_state == face.available)


def an_experiment_without_runs_last_ran_in_1970(face: Face) -> None:
    crowd = _crowd(face)

    def check(case: tuple[str, bool]) -> None:
        word, found = case
        predicate = {"key": "last_run_created_at", face.operation: word, "long_value": 0}
        _finds(crowd, [predicate], lambda _: found)

    each(((word, compare(0, 0)) for word, compare in COMPARISONS.items()), check)


def predicates_all_have_to_hold(face: Face) -> None:
    crowd = _crowd(face)
    low = {"key": "name", face.operation: "GREATER_THAN", "string_value": "a"}
    high = {"key": "name", face.operation: "LESS_THAN", "string_value": "b"}
    state = {"key": "storage_state", face.operation: 1, "string_value": face.archived}

    _finds(crowd, [low, high], lambda seen: "a" < seen.name < "b")
    _finds(
        crowd,
        [low, high, state],
        lambda seen: "a" < seen.name < "b" and seen.storage_state == face.archived,
    )


def a_filter_may_be_encoded_and_in_camel_case(face: Face) -> None:
    def check(name: str) -> None:
        text = predicate_text({"key": "name", face.operation: "EQUALS", "stringValue": name})
        for spelling in (text, quote(text), quote_plus(text)):
            page = face.list(namespace=FILTERED, filter=spelling)
            same([seen.name for seen in page.items], [name], spelling)

    each((*NAMES, *MORE_NAMES), check)


def no_predicates_are_no_filter(face: Face) -> None:
    crowd = _crowd(face)
    everything = crowd.members

    each(
        ["", "{}", '{"predicates": []}', '{"predicates": null}', "%7B%7D"],
        lambda text: same(face.list(namespace=FILTERED, filter=text).items, everything),
    )


def bad_filters_are_refused(face: Face) -> None:
    def check(text: str) -> None:
        with refused(INVALID, text):
            face.list(namespace=FILTERED, filter=text)

    each(bad_filters(face.operation), check)


def _finds(
    crowd: _Crowd, predicates: list[dict[str, Any]], matches: Callable[[Seen], bool]
) -> None:
    """Demand that a filter finds what *matches*, in the order of the whole listing."""
    wanted = [seen.name for seen in crowd.members if matches(seen)]
    text = predicate_text(*predicates)
    page = crowd.face.list(namespace=FILTERED, page_size=200, filter=text)
    same([seen.name for seen in page.items], wanted)
    same(page.total_size, len(wanted), "total_size")


@dataclass(frozen=True)
class _Crowd:
    """All that a filter may find."""

    face: Face
    members: Sequence[Seen]


def _crowd(face: Face) -> _Crowd:
    return _Crowd(face, read_all(face, namespace=FILTERED, page_size=200))


def _seconds(seen: Seen) -> int:
    return int(seen.created_at.timestamp())


def _spellings(second: int) -> Iterator[dict[str, Any]]:
    """Spell one second in every way that a filter may have it."""
    moment = datetime.fromtimestamp(second, UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
    yield {"int_value": second}
    yield {"long_value": second}
    yield {"longValue": str(second)}
    yield {"timestamp_value": moment.isoformat()}
    yield {"timestampValue": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}
    yield {"timestamp_value": elsewhere.isoformat()}
    yield {"timestamp_value": moment.strftime("%Y-%m-%dT%H:%M:%S.999Z")}


CHECKS: tuple[Check, ...] = (
    some_experiments_are_made,
    text_is_compared_by_code_point,
    a_substring_is_literal,
    one_of_a_list_of_texts_is_found,
    ids_are_compared,
    times_are_compared_by_the_second,
    one_of_a_list_of_times_is_found,
    storage_states_are_found_in_the_words_of_both_versions,
    an_experiment_without_runs_last_ran_in_1970,
    predicates_all_have_to_hold,
    a_filter_may_be_encoded_and_in_camel_case,
    no_predicates_are_no_filter,
    bad_filters_are_refused,
)
