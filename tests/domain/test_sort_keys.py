"""Sort keys are in the order of what they stand for, and bring it back."""

from __future__ import annotations

from fractions import Fraction
from math import inf, isinf, nan
from typing import Any

import pytest
from hypothesis import example, given

from experiment_store.mappings import ParamValue
from experiment_store.sort_keys import TEXT, from_sort_key, limits, sort_key
from experiment_store.testing.strategies import floats, integers, param_values, texts

_numbers = integers() | floats().filter(lambda value: value == value)  # noqa: PLR0124 (not NaN)
# None of two neighbours here is equal to the other.
_ASCENDING: list[ParamValue] = [
    False, True, nan, -inf, -1.7976931348623157e308, -(2.0**63) * 2, -(2**63), -(2**63) + 1,
    -(2**53) - 1, -(2**53), -2, -1.5, -1, -5e-324, 0, 5e-324, 0.1, 1, 1.5, 2, 2**53, 2**53 + 1,
    2**53 + 2, 2**63 - 513, 2**63 - 512, 2**63 - 1, 2.0**63, inf, "", " ", "10", "9", "n", "z",
    "\ufb00", "\N{GRINNING FACE}",
]  # fmt: skip


_FOREIGN = [
    "", "b", "b2", "x", "labels", "n1", "n" + "z" * 20, "n" + "0" * 20, "n" + "f" * 20,
    sort_key(inf)[:-4] + "8001", sort_key(0.5)[:-4] + "8001", sort_key(1)[:-1], sort_key(1) + "0",
]  # fmt: skip


def _size(number: float) -> Any:
    """Say how large *number* is, exactly."""
    return number if isinf(number) else Fraction(number)


def test_keys_ascend_through_all_types() -> None:
    keys = [sort_key(value) for value in _ASCENDING]

    assert keys == sorted(set(keys))


@given(_numbers, _numbers)
@example(2**53 + 1, 2.0**53)
@example(2**63 - 1, 2.0**63)
@example(-(2**63), -(2.0**63))
@example(0.0, -0.0)
def test_numbers_compare_by_their_exact_size(one: float, other: float) -> None:
    assert (sort_key(one) < sort_key(other)) is (_size(one) < _size(other))
    assert (sort_key(one) == sort_key(other)) is (_size(one) == _size(other))


@given(texts(), texts())
def test_texts_compare_by_code_point(one: str, other: str) -> None:
    assert (sort_key(one) < sort_key(other)) is (one < other)


@given(param_values())
def test_a_key_brings_back_an_equal_value_of_its_type(value: ParamValue) -> None:
    restored = from_sort_key(sort_key(value))

    assert sort_key(restored) == sort_key(value)
    assert restored == value or value != value  # noqa: PLR0124 (NaN)
    assert isinstance(restored, str | bool) is isinstance(value, str | bool)


@given(param_values())
def test_only_texts_have_the_keys_of_texts(value: ParamValue) -> None:
    assert sort_key(value).startswith(TEXT) is isinstance(value, str)
    assert not isinstance(value, str) or sort_key(value) == TEXT + value


@given(_numbers | texts(), param_values())
def test_what_compares_with_a_value_is_what_lies_between_its_limits(
    value: ParamValue, other: ParamValue
) -> None:
    least, most = limits(sort_key(value))

    number = isinstance(other, int | float) and not isinstance(other, bool) and other == other  # noqa: PLR0124 (not NaN)
    compares = isinstance(other, str) if isinstance(value, str) else number
    assert (least < sort_key(other) < most) is compares


@pytest.mark.parametrize("key", _FOREIGN)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="no sort key"):
        from_sort_key(key)
