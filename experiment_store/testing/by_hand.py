"""What a row of the model has of parameters and metrics, read without the store's code."""

from __future__ import annotations

from math import isnan, nan
from typing import Any

LATEST, MIN, MAX = range(3)  # of what a row has of a metric
NAN = (1, 0)


def number_of(row: dict[str, Any], key: str) -> float:
    """Return a parameter if it is a number, which true and false are not; or else NaN."""
    value = row["params"].get(key)
    return nan if value is None or isinstance(value, bool | str) else value


def value_of(row: dict[str, Any], name: str, statistic: int = LATEST) -> float:
    """Return a value of a metric, or NaN where there is none."""
    value: float = row["metrics"][name][statistic] if name in row["metrics"] else nan
    return value


def rank(value: Any) -> Any:
    """Return what sorts parameters and metrics: false, true, NaN, numbers, texts."""
    match value:
        case None:
            return None
        case bool():
            return 0, value
        case str():
            return 3, value
        case _:
            return NAN if isnan(value) else (2, value)
