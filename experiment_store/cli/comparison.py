"""What runs have in common and what not: a row for each parameter and metric of any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from attrs import frozen

from experiment_store.cli.texts import plain, short
from experiment_store.plain import plain_float, plain_param
from experiment_store.records import Run


class Statistic(StrEnum):
    """Which value of a metric is compared."""

    LATEST = "latest"
    MIN = "min"
    MAX = "max"


@frozen
class Row:
    """One parameter or metric, with a value for each run, ``None`` where it has none."""

    field: str
    values: tuple[Any, ...]
    to_plain: Callable[[Any], Any]

    @property
    def differs(self) -> bool:
        """Whether the values are not all the same; 1, 1.0 and true are not, NaN and NaN are."""
        return len({*map(repr, self.values)}) > 1

    def plain_values(self) -> Sequence[Any]:
        """Return the values as JSON has them, in an export too."""
        return [None if value is None else self.to_plain(value) for value in self.values]

    def words(self) -> Sequence[str]:
        """Return the values as short as still shows which of them differ."""
        ways: Sequence[Callable[[Any], str]] = (short, plain)
        different = len({*map(repr, self.values)})
        for way in ways:
            words = [way(value) for value in self.values]
            if len({*words}) == different:
                return words
        return [_quoted(value) for value in self.values]


def rows(runs: Sequence[Run], statistic: Statistic) -> Iterator[Row]:
    """Yield the parameters, and then the metrics, of any of *runs*, in the order of their names."""
    for key in sorted({key for run in runs for key in run.params}):
        yield Row(f"params.{key}", tuple(run.params.get(key) for run in runs), plain_param)
    end = "" if statistic is Statistic.LATEST else f".{statistic}"
    for name in sorted({name for run in runs for name in run.metrics}):
        values = (getattr(run.metrics.get(name), statistic, None) for run in runs)
        yield Row(f"metrics.{name}{end}", tuple(values), plain_float)


def _quoted(value: Any) -> str:
    return f'"{plain(value)}"' if isinstance(value, str) else plain(value)
