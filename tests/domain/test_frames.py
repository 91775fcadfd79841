"""Data frames: what the records have comes back, in columns of one type."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import inf, nan
from typing import Any

import pandas as pd
import polars as pl
import pytest
from attrs import asdict, evolve
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import (
    Experiment,
    ExperimentStore,
    InvalidArgumentError,
    Job,
    MissingDriverError,
    Page,
    Run,
    RunState,
    StorageState,
)
from experiment_store.frames import to_frame
from experiment_store.mappings import Labels, Metric, Metrics, Params
from experiment_store.records import Artifact
from experiment_store.values import to_micros

_LIBRARIES = pytest.mark.parametrize("library", ["pandas", "polars"])
_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_RUN = Run(
    id="r",
    experiment_id="e",
    namespace="",
    name="one",
    description="",
    labels=Labels(),
    storage_state=StorageState.AVAILABLE,
    state=RunState.SUCCEEDED,
    created_at=_NOON,
    updated_at=_NOON,
    started_at=None,
    finished_at=None,
    job_id=None,
    params=Params(),
    metrics=Metrics(),
    artifacts=(),
    error="",
    heartbeat_at=None,
    etag="1",
)
_FIELDS = [
    "id",
    "experiment_id",
    "namespace",
    "name",
    "description",
    "storage_state",
    "state",
    "created_at",
    "updated_at",
    "started_at",
    "finished_at",
    "job_id",
    "artifacts",
    "error",
    "heartbeat_at",
    "etag",
]

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_KEYS = st.sampled_from(
    ("lr", "a", "a.min", "a.min.min", '"a.min"', "a\\", "count")
) | _TEXTS.filter(bool)
_INTEGERS = st.integers(-(2**63), 2**63 - 1)
_TIMES = st.datetimes(timezones=st.just(UTC)) | st.sampled_from(
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
_METRICS = st.builds(
    Metric, st.floats(), st.floats(), st.floats(), _INTEGERS, st.integers(1, 2**63 - 1)
)


@st.composite
def _runs(draw: st.DrawFn) -> list[Run]:
    """Runs whose parameters are of one type by key, or of several."""
    types = (_TEXTS, _INTEGERS, st.floats(), st.booleans())
    mixed = st.sampled_from([*types, _INTEGERS | st.floats(), st.one_of(types)])
    kinds: dict[str, st.SearchStrategy[Any]] = draw(st.dictionaries(_KEYS, mixed, max_size=4))
    params = st.fixed_dictionaries(dict[str, Any](), optional=kinds).map(Params)
    some = st.builds(
        Run,
        id=_TEXTS,
        experiment_id=_TEXTS,
        namespace=_TEXTS,
        name=_TEXTS,
        description=_TEXTS,
        labels=st.dictionaries(_KEYS, _TEXTS, max_size=3).map(Labels),
        storage_state=st.sampled_from(StorageState),
        state=st.sampled_from(RunState),
        created_at=_TIMES,
        updated_at=_TIMES,
        started_at=st.none() | _TIMES,
        finished_at=st.none() | _TIMES,
        job_id=st.none() | _TEXTS,
        params=params,
        metrics=st.dictionaries(_KEYS, _METRICS, max_size=3).map(Metrics),
        artifacts=st.lists(
            st.builds(Artifact, _TEXTS, _TEXTS, _TEXTS, st.none() | st.integers(0, 2**63 - 1)),
            max_size=2,
        ).map(tuple),
        error=_TEXTS,
        heartbeat_at=st.none() | _TIMES,
        etag=_TEXTS,
    )
    return draw(st.lists(some, max_size=5))


def _cells(run: Run) -> Iterator[tuple[str, Any]]:
    """What the row of *run* has to have, by column."""
    for name in _FIELDS:
        value = getattr(run, name)
        yield name, value.value if isinstance(value, RunState | StorageState) else value
    yield "artifacts", [asdict(artifact) for artifact in run.artifacts]
    for key, text in run.labels.items():
        yield f"labels.{key}", text
    for key, param in run.params.items():
        yield f"params.{key}", param
    for name, metric in run.metrics.items():
        column = f"metrics.{name}"
        if name.endswith((".min", ".max", ".step", ".count")) or name.startswith('"'):
            column = 'metrics."{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))
        yield column, metric.latest
        for part in ("min", "max", "step", "count"):
            yield f"{column}.{part}", getattr(metric, part)


def _same(found: Any, value: Any) -> bool:
    if isinstance(value, float):
        return struct.pack("<d", found) == struct.pack("<d", value)
    if isinstance(value, datetime):
        return to_micros(
            found.to_pydatetime() if hasattr(found, "to_pydatetime") else found
        ) == to_micros(value)
    return bool(found == value)


def _rows(frame: Any) -> Sequence[Mapping[str, Any]]:
    if isinstance(frame, pl.DataFrame):
        return list(frame.to_dicts())
    columns = {name: list(frame[name]) for name in frame}
    return [{name: column[row] for name, column in columns.items()} for row in range(len(frame))]


def _absent(found: Any) -> bool:
    return found is None or (not isinstance(found, list) and bool(pd.isna(found)))


class TestFrame:
    @_LIBRARIES
    @given(runs=_runs())
    def test_every_value_comes_back_and_nothing_else(
        self, library: Any, runs: Sequence[Run]
    ) -> None:
        rows = _rows(to_frame(runs, library, of=Run))

        assert len(rows) == len(runs)
        for row, run in zip(rows, runs, strict=True):
            cells = dict(_cells(run))
            assert cells.keys() <= row.keys()
            wrong = {
                name: found
                for name, found in row.items()
                if not (_absent(found) if cells.get(name) is None else _same(found, cells[name]))
            }
            assert wrong == {}

    @_LIBRARIES
    @given(runs=_runs())
    def test_columns_stand_in_the_order_of_the_fields_and_then_of_the_keys(
        self, library: Any, runs: Sequence[Run]
    ) -> None:
        columns = list(to_frame(runs, library, of=Run).columns)

        of_fields = [name for name in columns if "." not in name]
        assert of_fields == _FIELDS
        assert columns.index("storage_state") == 5 + len(
            {key for run in runs for key in run.labels}
        )
        params = [name for name in columns if name.startswith("params.")]
        assert params == sorted(params)

    @_LIBRARIES
    def test_what_is_absent_differs_from_nan_that_was_logged(self, library: Any) -> None:
        logged = evolve(_RUN, metrics=Metrics(loss=Metric(nan, nan, nan, 3, 7)))

        frame = to_frame([_RUN, logged], library)

        assert _absent(frame["metrics.loss.count"][0])
        assert frame["metrics.loss.count"][1] == 7

    @_LIBRARIES
    def test_without_rows_there_are_the_columns_of_the_fields(self, library: Any) -> None:
        assert list(to_frame([], library, of=Run).columns) == _FIELDS
        assert "enabled" in to_frame([], library, of=Job).columns
        assert list(to_frame([], library).columns) == []

    @pytest.mark.parametrize(
        ("params", "in_pandas", "in_polars"),
        [
            (["adam", None], "string", pl.String()),
            ([True, None], "boolean", pl.Boolean()),
            ([2**63 - 1, None], "Int64", pl.Int64()),
            ([0.1, None], "float64", pl.Float64()),
            ([0.1, 3, None], "float64", pl.Float64()),
            ([nan, inf, 3], "float64", pl.Float64()),
            ([0.1, 2**53 + 1], "object", pl.Object()),
            ([True, 1], "object", pl.Object()),
            (["1", 1, None], "object", pl.Object()),
        ],
    )
    def test_a_parameter_has_the_type_that_it_has_in_all_runs(
        self, params: Sequence[Any], in_pandas: str, in_polars: pl.DataType
    ) -> None:
        runs = [
            evolve(_RUN, params=Params({} if param is None else {"p": param})) for param in params
        ]

        assert to_frame(runs)["params.p"].dtype == in_pandas
        assert to_frame(runs, "polars")["params.p"].dtype == in_polars

    def test_fields_and_metrics_have_types(self) -> None:
        run = evolve(_RUN, metrics=Metrics(loss=Metric(0.1, 0.1, 0.1, 1, 1)))

        types = {str(name): str(dtype) for name, dtype in to_frame([run]).dtypes.items()}

        assert types["name"] == types["state"] == types["job_id"] == "string"
        assert types["created_at"] == types["started_at"] == "datetime64[us, UTC]"
        assert types["metrics.loss"] == types["metrics.loss.min"] == "float64"
        assert types["metrics.loss.step"] == types["metrics.loss.count"] == "Int64"
        assert types["artifacts"] == "object"

    @_LIBRARIES
    def test_a_metric_is_not_taken_for_a_part_of_another(self, library: Any) -> None:
        metrics = {"a": Metric(1.0, 2.0, 3.0, 4, 5), "a.min": Metric(6.0, 7.0, 8.0, 9, 10)}

        frame = to_frame([evolve(_RUN, metrics=Metrics(metrics))], library)

        assert frame["metrics.a.min"][0] == 2.0
        assert frame['metrics."a.min"'][0] == 6.0

    @_LIBRARIES
    def test_a_page_makes_a_frame(self, library: Any, store: ExperimentStore) -> None:
        store.create("mnist", labels={"team": "vision"})
        store.create("cifar")

        frame = store.list(order_by="name").to_frame(library)

        assert list(frame["name"]) == ["cifar", "mnist"]
        assert _absent(frame["labels.team"][0])
        assert frame["labels.team"][1] == "vision"

    @_LIBRARIES
    def test_an_empty_page_is_told_of_what(self, library: Any) -> None:
        page = Page[Run]([], "")

        assert list(page.to_frame(library, of=Run).columns) == _FIELDS

    @_LIBRARIES
    def test_an_iterator_makes_a_frame(self, library: Any, store: ExperimentStore) -> None:
        for number in range(60):
            store.create(f"experiment {number}")

        assert len(to_frame(store.iterate(), library)) == 60

    @pytest.mark.parametrize("library", ["numpy", "", None, []])
    def test_another_library_is_refused(self, library: Any) -> None:
        with pytest.raises(InvalidArgumentError, match=r"^library must be pandas or polars, not "):
            to_frame([_RUN], library)

    def test_records_of_two_kinds_are_refused(self, store: ExperimentStore) -> None:
        with pytest.raises(InvalidArgumentError, match=r"^records must be "):
            to_frame([_RUN, store.create("mnist")])

    @pytest.mark.parametrize("record", [None, 7, "run"])
    def test_what_is_no_record_is_refused(self, record: Any) -> None:
        with pytest.raises(InvalidArgumentError, match=r"^records must be "):
            to_frame([record])

    def test_a_class_that_is_not_that_of_the_records_is_refused(self) -> None:
        with pytest.raises(InvalidArgumentError, match=r"^records must be "):
            to_frame([_RUN], of=Experiment)

    @_LIBRARIES
    def test_a_library_that_is_missing_is_named_with_its_extra(
        self, library: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, library, None)

        with pytest.raises(
            MissingDriverError,
            match=rf"^to_frame needs {library}: pip install 'experiment-store\[{library}\]'$",
        ):
            to_frame([_RUN], library)
