"""A predicate and its canonical filter say the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from experiment_store.filters import compile_filter
from experiment_store.filters.costs import MAX_COST, cost
from experiment_store.filters.lexis import MAX_LENGTH
from experiment_store.filters.patterns import Pattern
from experiment_store.filters.predicates import (
    ALWAYS,
    NEVER,
    All,
    AnyOf,
    Compare,
    Match,
    Op,
    Predicate,
    Present,
)
from experiment_store.filters.render import render
from experiment_store.schema import EXPERIMENT, JOB, KINDS, RUN, Kind
from experiment_store.testing.strategies import predicates

_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_NOT_EQUAL = All((Present("job_id"), Compare("job_id", Op.EQ, "x", expected=False)))


@given(predicates(EXPERIMENT))
@example(ALWAYS)
@example(NEVER)
@example(AnyOf((ALWAYS, Compare("name", Op.EQ, "x"))))
@example(All((NEVER, Compare("name", Op.EQ, "x"))))
def test_compiling_the_rendering_of_a_predicate_gives_the_predicate(predicate: Predicate) -> None:
    _check_round_trip(predicate, EXPERIMENT)


@given(predicates(RUN))
@example(Present("job_id"))
@example(_NOT_EQUAL)
@example(AnyOf((Present("job_id", expected=False), Compare("job_id", Op.EQ, "x"))))
@example(AnyOf((_NOT_EQUAL, Compare("name", Op.EQ, "x"))))
@example(All((Present("job_id"), Match("job_id", Pattern(("a",) * 9), expected=False))))
@example(All((Present("job_id"), Match("job_id", Pattern(("a",), folded=True), expected=False))))
@example(All((Present("job_id"), Match("job_id", Pattern(("", *"abcdefghi", "")), expected=False))))
def test_an_optional_field_survives_the_round_trip(predicate: Predicate) -> None:
    _check_round_trip(predicate, RUN)


@given(predicates(JOB))
def test_a_boolean_field_survives_the_round_trip(predicate: Predicate) -> None:
    _check_round_trip(predicate, JOB)


@given(st.sampled_from([0, 1, 5, 20]), st.booleans(), st.sampled_from(["NOT ", "-", ""]))
def test_the_deepest_filter_can_be_read_again(depth: int, inner: bool, sign: str) -> None:  # noqa: FBT001 (Hypothesis fills it)
    text = "id = a OR job_id != b id = c" if inner else "id = a"
    for level in range(depth):
        text = f"id = x OR {sign}({text}) OR job_id != v name = y{level}"

    _check_round_trip(compile_filter(text, RUN, _NOW), RUN)


@given(st.sampled_from(["id = b OR id = c", "-id = b -id = c", "-id = b OR id = c OR -id = d"]))
def test_merged_equalities_are_nested_no_deeper_than_they_were_written(equalities: str) -> None:
    text = f"name > z {equalities}"
    for level in range(20):
        text = f"name > x{level} OR (name < y{level} {text})"

    _check_round_trip(compile_filter(text, EXPERIMENT, _NOW), EXPERIMENT)


def test_terms_joined_by_or_stand_in_parentheses_between_and() -> None:
    predicate = compile_filter("name = a AND id = b OR name = c", EXPERIMENT, _NOW)

    assert render(predicate) == 'name = "a" AND (id = "b" OR name = "c")'


@pytest.mark.parametrize(
    ("text", "rendering"),
    [
        ("", ""),
        ("*", ""),
        ("NOT *", "-*"),
        ("name != x", '-name = "x"'),
        ("labels.k != x", 'labels."k" != "x"'),
        ("NOT labels.k != x", '-labels."k" != "x"'),
        ("labels.k:*", 'labels."k":*'),
        ("labels:k", 'labels."k":*'),
        ("-labels:*", "-labels:*"),
        ("last_run_created_at != null", "last_run_created_at:*"),
        ("display_name = (b OR a)", 'name = ("a" OR "b")'),
        ("created_at < 2024-01-01T01:00:00+01:00", "created_at < 2024-01-01T00:00:00.000000Z"),
        ("created_at = now()", "created_at = 2026-01-02T03:04:05.000000Z"),
        ("name = '\"\\n\\r\\\\\\**'", r'name = "\"\n\r\\\**"'),
        ("icontains(name, A*)", r'icontains(name, "a\*")'),
        ("iequals(name, Ä)", 'iequals(name, "Ä")'),
        ("name = *a*", 'name:"a"'),
        ('""', '""'),
    ],
)
def test_every_spelling_has_one_canonical_form(text: str, rendering: str) -> None:
    assert render(compile_filter(text, EXPERIMENT, _NOW)) == rendering


@pytest.mark.parametrize(
    ("text", "rendering"),
    [
        ("params.k = 1", 'params."k" = 1.0'),
        ("params.k != 'a'", 'params."k" != "a"'),
        ("NOT params.k != true", '-params."k" != true'),
        ("params.k = (x OR 'true' OR 2 OR true OR nan)",
         'params."k" = (true OR nan OR 2.0 OR "true" OR "x")'),
        ("params.k > 9007199254740993", 'params."k" > 9007199254740993'),
        ("params.k < 1e300", 'params."k" < 1e+300'),
        ("params.k = -0.0", 'params."k" = 0.0'),
        ("params.k = -inf", 'params."k" = -inf'),
        ("params.k = *a*", 'params."k" = "*a*"'),
        ("params.k = *", 'params."k" = "*"'),
        ("params:k", 'params."k":*'),
        ("-params:*", "-params:*"),
        ("metrics.k <= 0.10", 'metrics."k" <= 0.1'),
        ("metrics.'a.b'.min = nan", 'metrics."a.b".min = nan'),
        ("metrics.k.max:*", 'metrics."k".max:*'),
        ("metrics:k.max", 'metrics."k.max":*'),
        ("icontains(params.k, A)", 'icontains(params."k", "a")'),
    ],
)  # fmt: skip
def test_every_spelling_of_a_typed_value_has_one_canonical_form(text: str, rendering: str) -> None:
    assert render(compile_filter(text, RUN, _NOW)) == rendering


def test_booleans_render_as_words() -> None:
    assert render(compile_filter("enabled = (true OR 'false')", JOB, _NOW)) == (
        "enabled = (false OR true)"
    )


@pytest.mark.parametrize("name", sorted({field.name for kind in KINDS for field in kind.fields}))
def test_a_field_has_the_same_type_in_every_kind(name: str) -> None:
    types = {field.type for kind in KINDS for field in kind.fields if field.name == name}

    assert len(types) == 1


def _check_round_trip(predicate: Predicate, kind: Kind[Any]) -> None:
    text = render(predicate)
    assume(len(text) <= MAX_LENGTH and cost(predicate) <= MAX_COST)

    assert compile_filter(text, kind, _NOW) == predicate
