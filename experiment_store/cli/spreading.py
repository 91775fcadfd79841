"""Parameters and metrics of listed runs as columns, those first that tell the runs apart.

What the listing is ordered by comes before all others. Of the rest, metrics and
parameters take turns, so that a narrow terminal has some of both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

from experiment_store.cli.columns import DIFFERING, SAME, entry
from experiment_store.cli.tables import Column
from experiment_store.filters.predicates import MetricValue, Param
from experiment_store.order_by import parse_order_by
from experiment_store.records import Run
from experiment_store.schema import RUN

_SPREAD = ("metrics", "params")
_MOST = 50  # columns; no terminal is so wide
_LEAST = 14  # cells of a column: a float with six digits, a sign and an exponent fits
_STATISTICS = ("min", "max")


def spread(columns: Sequence[Column[Any]], runs: Sequence[Run], order_by: str) -> list[Column[Any]]:
    """Return *columns* with one for each entry in place of those of metrics and parameters.

    A header has no ``metrics.`` or ``params.`` where it is clear without.

    Raises:
        InvalidOrderByError: *order_by* means nothing.
    """
    first = list(_ordered(order_by))
    differing, others = _names(runs)
    ranked = [*first, *(name for name in differing if name not in first)]
    ranks = {name: DIFFERING + rank for rank, name in enumerate(ranked[:_MOST])}
    rest = [name for name in others if name not in ranks][: _MOST - len(ranks)]
    ranks |= {name: SAME + rank for rank, name in enumerate(rest)}
    taken = Counter(column.name for column in columns) + Counter(_bare(name) for name in ranks)
    made: dict[str, list[Column[Any]]] = {field: [] for field in _SPREAD}
    for name, rank in ranks.items():
        made[name.partition(".")[0]].append(_column(name, rank, runs, taken))
    return [*chain.from_iterable(made.get(column.name, [column]) for column in columns)]


def _ordered(order_by: str) -> Iterator[str]:
    for key in parse_order_by(order_by, RUN):
        match key.operand:
            case MetricValue(name, statistic):
                yield f"metrics.{name}" + (f".{statistic}" if statistic in _STATISTICS else "")
            case Param(name):
                yield f"params.{name}"
            case _:
                pass


def _names(runs: Sequence[Run]) -> tuple[list[str], list[str]]:
    """Return the columns there may be: of what differs between *runs*, and of the rest.

    Of the rest, what some have and others have not comes first.
    """
    differing: list[list[str]] = []
    rest: list[list[str]] = []
    for field in _SPREAD:
        names = sorted({f"{field}.{key}" for run in runs for key in getattr(run, field)})
        values = {name: [_read(run, name) for run in runs] for name in names}
        kinds = {name: len({*map(repr, _present(values[name]))}) for name in names}
        differing.append([name for name in names if kinds[name] > 1])
        same = [name for name in names if kinds[name] == 1]
        partly = [name for name in same if None in values[name]]
        rest.append(partly + [name for name in same if None not in values[name]])
    return _in_turns(differing), _in_turns(rest)


def _present(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _read(run: Run, name: str) -> Any:
    field, _, key = name.partition(".")
    value = entry(field, key)(run)
    return getattr(value, "latest", value)


def _in_turns(lists: Sequence[Sequence[str]]) -> list[str]:
    return [name for turn in zip_longest(*lists) for name in turn if name is not None]


def _bare(name: str) -> str:
    return name.partition(".")[2]


def _column(name: str, rank: int, runs: Sequence[Run], taken: Counter[str]) -> Column[Any]:
    field, _, key = name.partition(".")
    values = _present([_read(run, name) for run in runs])
    return Column(
        key if taken[key] == 1 else name,
        entry(field, key),
        rank,
        _LEAST,
        numeric=all(type(value) in (int, float) for value in values),
    )
