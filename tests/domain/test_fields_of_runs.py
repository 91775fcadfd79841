"""The limits of parameters, metrics and links, to the letter."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import inf
from typing import Any

import pytest
from hypothesis import given

from experiment_store.errors import InvalidArgumentError
from experiment_store.names import check_field
from experiment_store.records import Artifact, Metric
from experiment_store.testing.strategies import artifacts, metrics, params

_METRIC = Metric(0.5, 0.5, 0.5, 1, 1)
_ASTRAL = "\N{GRINNING FACE}"
_ANY: Any = Metric  # of values that are none of its types


@given(params())
def test_parameters_come_through_as_they_are(value: Any) -> None:
    assert check_field("params", value) == value


@given(metrics())
def test_metrics_come_through_as_they_are(value: Any) -> None:
    assert check_field("metrics", value) == value


@given(artifacts())
def test_links_come_through_as_they_are(value: Any) -> None:
    assert check_field("artifacts", value) == value


def test_a_number_of_another_kind_becomes_a_float() -> None:
    assert check_field("params", {"lr": Decimal("0.5")}) == {"lr": 0.5}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("params", ["lr"], "must be a mapping, not list"),
        ("params", {"": 1}, "params key must have 1 to 128 characters, not 0"),
        ("params", {_ASTRAL * 129: 1}, "params key must have 1 to 128 characters, not 129"),
        ("params", {"k": "a" * 513}, "params value must have 0 to 512 characters, not 513"),
        ("params", {"k": 2**63}, "params value must lie in"),
        ("params", {"k": -(2**63) - 1}, "params value must lie in"),
        ("params", {"k": None}, "must be text, a number or a bool, not NoneType"),
        ("params", {"k": [0.1]}, "must be text, a number or a bool, not list"),
        ("params", dict.fromkeys(map(str, range(257)), 1), "at most 256 entries, not 257"),
        ("metrics", {"loss": 0.5}, "metrics value must be Metric, not float"),
        ("metrics", {"": _METRIC}, "metrics name must have 1 to 128 characters, not 0"),
        ("metrics", {"loss": _ANY("1", 1.0, 1.0, 1, 1)}, "must be a number, not str"),
        ("metrics", {"loss": Metric(10**400, 1.0, 1.0, 1, 1)}, "must be a number: "),
        ("metrics", {"loss": _ANY(1.0, 1.0, 1.0, 0.5, 1)}, "step must be an integer, not float"),
        ("metrics", {"loss": Metric(1.0, 1.0, 1.0, 1, 0)}, "count must lie in 1 to"),
        ("metrics", dict.fromkeys(map(str, range(1001)), _METRIC), "at most 1000 entries"),
        ("artifacts", "model", "must be a sequence, not str"),
        ("artifacts", {"model": "a"}, "must be a sequence, not dict"),
        ("artifacts", ["model"], "must hold Artifact, not str"),
        ("artifacts", [Artifact("", "a")], "artifact name must have 1 to 128 characters, not 0"),
        ("artifacts", [Artifact("a", "")], "artifact uri must have 1 to 2048 characters, not 0"),
        ("artifacts", [Artifact("a", "b", "c" * 257)], "artifact digest must have 0 to 256"),
        ("artifacts", [Artifact("a", "b", size=-1)], "artifact size must lie in 0 to"),
        ("artifacts", [Artifact("a", "b")] * 2, "must not have a name twice"),
        ("artifacts", [Artifact(f"{n}", "b") for n in range(65)], "at most 64 entries, not 65"),
        ("error", "a" * 4097, "error must have 0 to 4096 characters, not 4097"),
    ],
)
def test_what_is_out_of_bounds_is_refused(name: str, value: Any, problem: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        check_field(name, value)

    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [({"k": 1}, {"k": 1.0}), ({"k": True}, {"k": 1}), ({"k": 0.0}, {"k": -0.0}), ({"k": inf}, {})],
)
def test_parameters_of_other_types_or_bits_are_others(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> None:
    params, others = check_field("params", one), check_field("params", other)

    assert params != others
    assert params == one
    assert params != [*one.items()]
    assert len({params, others, check_field("params", one)}) == 2
