"""Scalars of NumPy, and what only looks like one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from experiment_store.errors import InvalidArgumentError
from experiment_store.names import check_field
from experiment_store.recording import check_interval
from experiment_store.values import check_integer


@pytest.mark.parametrize("value", [np.True_, np.False_])
def test_a_bool_of_numpy_stays_a_bool(value: Any) -> None:
    [param] = check_field("params", {"amp": value}).values()

    assert param is bool(value)


@pytest.mark.parametrize("value", [np.array([1.0]), np.array(1.5), np.array([1, 2])])
def test_an_array_that_is_no_integer_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="must be an integer"):
        check_integer("step", value)


@pytest.mark.parametrize("interval", [Decimal("0.5"), np.float32(0.5)])
def test_an_interval_of_any_numeric_type_becomes_seconds(interval: Any) -> None:
    assert type(check_interval(interval)) is float
