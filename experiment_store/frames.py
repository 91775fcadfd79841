"""Records as data frames of pandas or polars, a row each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from experiment_store.errors import InvalidArgumentError, MissingDriverError, quote, shown
from experiment_store.frame_columns import Column, ColumnType, columns
from experiment_store.records import Experiment, Job, Run
from experiment_store.schema import EXPERIMENT, JOB, RUN, Kind

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Library: TypeAlias = Literal["pandas", "polars"]
"""What makes the frame; each is an extra of that name."""

_KINDS: Mapping[Any, Kind[Any]] = {Experiment: EXPERIMENT, Run: RUN, Job: JOB}


@overload
def to_frame(
    records: Iterable[Experiment | Run | Job],
    library: Literal["pandas"] = "pandas",
    *,
    of: type[Experiment | Run | Job] | None = None,
) -> pd.DataFrame: ...
@overload
def to_frame(
    records: Iterable[Experiment | Run | Job],
    library: Literal["polars"],
    *,
    of: type[Experiment | Run | Job] | None = None,
) -> pl.DataFrame: ...
def to_frame(
    records: Iterable[Experiment | Run | Job],
    library: Library = "pandas",
    *,
    of: type[Experiment | Run | Job] | None = None,
) -> pd.DataFrame | pl.DataFrame:
    """Return *records*, such as ``store.runs.iterate(…)``, as a data frame with a row each.

    There is a column for each field, and for each label, parameter and metric
    that any of them has, typed; docs/local-tracking.md has the types. *of* is
    the class of the records, which only a frame without rows has to be told.

    Raises:
        InvalidArgumentError: The records are not all of one class, or there is
            no such library.
        MissingDriverError: The library is not installed.
    """
    make = _MAKERS.get(library) if isinstance(library, str) else None
    if make is None:
        problem = f"must be pandas or polars, not {quote(shown(library))}"
        raise InvalidArgumentError("library", problem)
    rows = list(records)
    classes = {type(record) for record in rows} | ({of} - {None})
    if len(classes) > 1 or not classes <= _KINDS.keys():
        raise InvalidArgumentError("records", "must be experiments, or runs, or jobs")
    frame: pd.DataFrame | pl.DataFrame = make(
        [column for each in classes for column in columns(_KINDS[each], rows)]
    )
    return frame


def _in_pandas(made: Sequence[Column]) -> pd.DataFrame:
    try:
        import pandas as pd  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as error:
        raise MissingDriverError.of("to_frame", "pandas", what="pandas") from error

    types = {
        ColumnType.TEXT: "string",
        ColumnType.TIME: "datetime64[us, UTC]",
        ColumnType.BOOL: "boolean",
        ColumnType.INTEGER: "Int64",
        ColumnType.FLOAT: "float64",
        ColumnType.LINKS: "object",
        ColumnType.ANY: "object",
    }
    return pd.DataFrame(
        {each.name: pd.Series(each.values, dtype=types[each.type]) for each in made}
    )


def _in_polars(made: Sequence[Column]) -> pl.DataFrame:
    try:
        import polars as pl  # noqa: PLC0415 (as above)
    except ModuleNotFoundError as error:
        raise MissingDriverError.of("to_frame", "polars", what="polars") from error

    link = pl.Struct({"name": pl.String, "uri": pl.String, "digest": pl.String, "size": pl.Int64})
    types = {
        ColumnType.TEXT: pl.String(),
        ColumnType.TIME: pl.Datetime("us", "UTC"),
        ColumnType.BOOL: pl.Boolean(),
        ColumnType.INTEGER: pl.Int64(),
        ColumnType.FLOAT: pl.Float64(),
        ColumnType.LINKS: pl.List(link),
        ColumnType.ANY: pl.Object(),
    }
    return pl.DataFrame([pl.Series(each.name, each.values, types[each.type]) for each in made])


_MAKERS: Mapping[str, Callable[[Sequence[Column]], Any]] = {
    "pandas": _in_pandas,
    "polars": _in_polars,
}
