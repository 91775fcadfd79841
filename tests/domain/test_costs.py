"""What filters may cost: what people write is cheap, what would take too long is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from experiment_store.errors import ErrorCode, InvalidFilterError
from experiment_store.filters import compile_filter
from experiment_store.filters.costs import MAX_COST, cost
from experiment_store.filters.predicates import Predicate, negate
from experiment_store.schema import EXPERIMENT, JOB, RUN, Kind
from experiment_store.testing.strategies import predicates

_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _compile(text: str, kind: Kind[Any] = EXPERIMENT) -> Predicate:
    return compile_filter(text, kind, _NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0), ("*", 0), ("name:*", 1), ("last_run_created_at:*", 1),
        ("name = a", 1), ("NOT name = a", 1), ("name = (a OR b OR c)", 1), ("name > a", 2),
        ("labels.k = a", 2), ("labels.k = (a OR b)", 2), ("labels:k", 2), ("labels.k > a", 2),
        ("labels:*", 1), ("labels.k != a", 4), ("labels.k = a*", 3), ("name:a", 3),
        ("icontains(name, a)", 6), ("description:a", 6), ("icontains(description, a)", 12),
        ("word", 10), ('"two words"', 10), ("two words", 20), ("gap*ped", 33),
        ("*a*b*c*", 36), ("name = *a*", 3), ("name = a*b", 6),
        ("description:a*b*c", 12), ("-word", 10),
    ],
)  # fmt: skip
def test_a_filter_costs(text: str, expected: int) -> None:
    assert cost(_compile(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("params.k = 1", 3), ("params.k = (1 OR a OR true)", 3), ("params:k", 3),
        ("params.k > 1", 3), ("params.k != 1", 6), ("params:*", 1), ("params.k = a*", 4),
        ("params.k = a*b", 7), ("icontains(params.k, a)", 8),
        ("metrics.k = 1", 3), ("metrics.k.min > 1", 3), ("metrics:k", 3), ("metrics:*", 1),
        ("metrics.k = 1 OR metrics.k = 2", 3), ("metrics.k = 1 OR metrics.k.max = 2", 6),
        ("error:a", 6), ("heartbeat_at < now()", 2),
    ],
)  # fmt: skip
def test_a_filter_of_runs_costs(text: str, expected: int) -> None:
    assert cost(_compile(text, RUN)) == expected


def test_a_schedule_costs_what_a_description_does() -> None:
    assert cost(_compile("schedule:a", JOB)) == cost(_compile("description:a", JOB))


@pytest.mark.parametrize(
    "text",
    [
        " OR ".join(f"name = {n}" for n in range(500)),
        " AND ".join(f"NOT name = {n}" for n in range(500)),
        " AND ".join(f"name != {n}" for n in range(500)),
        f"labels.a = ({' OR '.join(map(str, range(499)))})",
        f"labels.a:k AND labels.a = ({' '.join(['v'] * 497)})",
        " OR ".join(f"labels.a = {n}" for n in range(500)),
        " ".join(["word"] * 500),
        " ".join(f"labels.key{n} = value" for n in range(50)),
        " ".join(f"word{n}" for n in range(10)),
        " OR ".join(f"(created_at > ago({n}d) AND created_at < ago({n}h))" for n in range(25)),
        " OR ".join(f"(namespace = {n} AND name = {n})" for n in range(50)),
    ],
)
def test_a_long_but_simple_filter_costs_little(text: str) -> None:
    assert cost(_compile(text)) <= MAX_COST


@pytest.mark.parametrize(
    ("text", "position"),
    [
        (" ".join(f"word{n}" for n in range(10)) + " more", 60),
        (" OR ".join(f"NOT word{n}" for n in range(10)) + " OR more", 130),
        ("name = a OR word OR gap*ped OR g*d OR gap* OR g*p", 46),
        (f"{' '.join(['word'] * 400)} a b c d e f g h i j k", 2_018),
        ("a b c d e f g h i j " + " OR ".join(f"name = {n}" for n in range(400)), 18),
        ("labels.k = a " + " ".join(f"labels.k{n} = v" for n in range(50)), 738),
    ],
)
def test_what_costs_too_much_is_refused_where_it_does(text: str, position: int) -> None:
    with pytest.raises(InvalidFilterError) as caught:
        _compile(text)

    error = caught.value
    assert error.code is ErrorCode.LIMIT
    assert error.problem == ("costs more than 100: too many patterns, words, labels or comparisons")
    assert error.position == position


@given(predicates(EXPERIMENT) | predicates(RUN))
def test_a_negation_costs_what_is_negated(predicate: Predicate) -> None:
    assert cost(negate(predicate)) == cost(predicate)
