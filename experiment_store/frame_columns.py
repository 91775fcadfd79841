"""Records as typed columns, of which every data frame is made.

The columns are named as filters name what they hold: ``params.lr``,
``metrics.loss.min``. A value that a record does not have is ``None``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import chain, starmap
from operator import attrgetter
from typing import Any, assert_never

from attrs import asdict, frozen

from experiment_store.mappings import Metric, ParamValue
from experiment_store.schema import Field, Kind, Type


class ColumnType(Enum):
    """What the values of a column are."""

    TEXT = auto()
    TIME = auto()
    BOOL = auto()
    INTEGER = auto()
    FLOAT = auto()
    LINKS = auto()
    ANY = auto()


@frozen
class Column:
    """The values of one column, a record each; ``None`` where there is none."""

    name: str
    type: ColumnType
    values: Sequence[Any]


_PARTS = {  # of a metric, by what follows its name
    "": ("latest", ColumnType.FLOAT),
    ".min": ("min", ColumnType.FLOAT),
    ".max": ("max", ColumnType.FLOAT),
    ".step": ("step", ColumnType.INTEGER),
    ".count": ("count", ColumnType.INTEGER),
}

_TYPES = {  # of a parameter that is of one type wherever it is
    frozenset({str}): ColumnType.TEXT,
    frozenset({bool}): ColumnType.BOOL,
    frozenset({int}): ColumnType.INTEGER,
    frozenset({float}): ColumnType.FLOAT,
}


def columns(kind: Kind[Any], records: Sequence[Any]) -> Iterator[Column]:
    """Return the columns of *records*: by field in the order of *kind*, within a field by key."""
    for field in kind.fields:
        yield from _of_field(field, list(map(attrgetter(field.name), records)))


def _of_field(field: Field, values: Sequence[Any]) -> Iterable[Column]:
    match field.type:
        case Type.LABELS:
            return (Column(name, ColumnType.TEXT, texts) for name, texts in _keyed(field, values))
        case Type.PARAMS:
            return starmap(_of_param, _keyed(field, values))
        case Type.METRICS:
            return chain.from_iterable(starmap(_of_metric, _keyed(field, values)))
        case Type.ARTIFACTS:
            links = [list(map(asdict, artifacts)) for artifacts in values]
            return [Column(field.name, ColumnType.LINKS, links)]
        case Type.ENUM:
            return [Column(field.name, ColumnType.TEXT, [word.value for word in values])]
        case Type.TEXT | Type.TIME | Type.BOOL:
            return [Column(field.name, ColumnType[field.type.name], values)]
        case _:
            assert_never(field.type)


def _keyed(field: Field, mappings: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Return what *mappings* have, by the name of a column."""
    for key in sorted({key for mapping in mappings for key in mapping}):
        shown = _unmistakable(key) if field.type is Type.METRICS else key
        yield f"{field.name}.{shown}", [mapping.get(key) for mapping in mappings]


def _of_param(name: str, params: Sequence[ParamValue | None]) -> Column:
    type = _type_of(params)
    if type is ColumnType.FLOAT:
        return Column(name, type, [param if param is None else float(param) for param in params])
    return Column(name, type, params)


def _of_metric(name: str, metrics: Sequence[Metric | None]) -> Iterator[Column]:
    for ending, (part, type) in _PARTS.items():
        values = [None if metric is None else getattr(metric, part) for metric in metrics]
        yield Column(f"{name}{ending}", type, values)


def _type_of(params: Sequence[ParamValue | None]) -> ColumnType:
    """Return the type that holds all *params*, though 3 may become 3.0."""
    types = frozenset(type(param) for param in params if param is not None)
    if types == {int, float} and all(map(_is_exact, params)):
        return ColumnType.FLOAT
    return _TYPES.get(types, ColumnType.ANY)


def _is_exact(param: Any) -> bool:
    return not isinstance(param, int) or float(param) == param  # compared without rounding


def _unmistakable(metric: str) -> str:
    """Return the name of *metric*, in quotes if it could be taken for a part of another one."""
    if metric.startswith('"') or metric.endswith(tuple(filter(None, _PARTS))):
        escaped = metric.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return metric
