"""What the store keeps: experiments, their runs and their jobs, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from attrs import field, frozen

from experiment_store.mappings import Labels, Metric, Metrics, Params, ParamValue

__all__ = [
    "Artifact",
    "Chunk",
    "Experiment",
    "Job",
    "Labels",
    "Metric",
    "Metrics",
    "NewExperiment",
    "NewJob",
    "NewRun",
    "Page",
    "ParamValue",
    "Params",
    "Run",
    "RunState",
    "Setting",
    "StorageState",
]

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

T = TypeVar("T")


class StorageState(StrEnum):
    """Whether a record is in use or put away."""

    AVAILABLE = "AVAILABLE"
    ARCHIVED = "ARCHIVED"


class RunState(StrEnum):
    """How far a run has come; the store records it and draws no conclusions."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


@frozen(weakref_slot=False)
class Artifact:
    """A link to what a run has made, or used; the thing itself is elsewhere.

    *digest* is what its maker says of the content, such as ``sha256:…``, *size* in bytes.
    """

    name: str
    uri: str
    digest: str = ""
    size: int | None = None


@frozen(weakref_slot=False)
class Experiment:
    """A named collection of runs and jobs; its name is unique in its namespace."""

    id: str
    namespace: str
    name: str
    description: str
    labels: Labels
    storage_state: StorageState
    created_at: datetime
    updated_at: datetime
    last_run_created_at: datetime | None
    etag: str


@frozen(weakref_slot=False)
class Run:
    """One execution below an experiment; *namespace* is that of the experiment.

    *error* is the text of what it failed with. Whoever executes it says so again and
    again; *heartbeat_at* is when that was last.
    """

    id: str
    experiment_id: str
    namespace: str
    name: str
    description: str
    labels: Labels
    storage_state: StorageState
    state: RunState
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    job_id: str | None
    params: Params
    metrics: Metrics
    artifacts: tuple[Artifact, ...]
    error: str
    heartbeat_at: datetime | None
    etag: str


@frozen(weakref_slot=False)
class Chunk:
    """Some *points* of a metric's history, packed; they never change, and go with their run."""

    id: str
    run_id: str
    metric: str
    created_at: datetime
    points: str


@frozen(weakref_slot=False)
class Job:
    """Something that makes runs of an experiment; *schedule* is opaque to the store."""

    id: str
    experiment_id: str
    namespace: str
    name: str
    description: str
    labels: Labels
    enabled: bool
    schedule: str
    created_at: datetime
    updated_at: datetime
    etag: str


@frozen(weakref_slot=False)
class Setting:
    """A value that belongs to the store itself, such as the key of its page tokens."""

    id: str
    value: str


def _labels_given(labels: Mapping[str, str] | None) -> Mapping[str, str]:
    return {} if labels is None else labels


def _params_given(params: Mapping[str, ParamValue] | None) -> Mapping[str, ParamValue]:
    return {} if params is None else params


@frozen(kw_only=True)
class NewExperiment:
    """What a caller says of an experiment to be created."""

    name: str = field(kw_only=False)
    namespace: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(converter=_labels_given, default=None)
    id: str | None = None


@frozen(kw_only=True)
class NewRun:
    """What a caller says of a run to be created."""

    experiment_id: str = field(kw_only=False)
    name: str = field(kw_only=False)
    description: str = ""
    labels: Mapping[str, str] = field(converter=_labels_given, default=None)
    state: RunState | str = RunState.PENDING
    started_at: datetime | None = None
    finished_at: datetime | None = None
    job_id: str | None = None
    params: Mapping[str, ParamValue] = field(converter=_params_given, default=None)
    artifacts: Sequence[Artifact] = ()
    error: str = ""
    heartbeat_at: datetime | None = None
    id: str | None = None


@frozen(kw_only=True)
class NewJob:
    """What a caller says of a job to be created."""

    experiment_id: str = field(kw_only=False)
    name: str = field(kw_only=False)
    description: str = ""
    labels: Mapping[str, str] = field(converter=_labels_given, default=None)
    enabled: bool = True
    schedule: str = ""
    id: str | None = None


@frozen
class Page(Generic[T]):
    """One page of a listing.

    An empty *next_page_token* is the only sign of the end (AIP-158).
    *total_size* is ``None`` unless it was asked for.
    """

    items: Sequence[T]
    next_page_token: str
    total_size: int | None = None

    @overload
    def to_frame(
        self, library: Literal["pandas"] = "pandas", *, of: type[T] | None = None
    ) -> pd.DataFrame: ...
    @overload
    def to_frame(
        self, library: Literal["polars"], *, of: type[T] | None = None
    ) -> pl.DataFrame: ...
    def to_frame(
        self, library: Literal["pandas", "polars"] = "pandas", *, of: type[T] | None = None
    ) -> pd.DataFrame | pl.DataFrame:
        """Return the items as a data frame; `experiment_store.frames.to_frame` has the rest.

        Raises:
            MissingDriverError: The library is not installed.
        """
        from experiment_store.frames import to_frame  # noqa: PLC0415 (above this module)

        items: Any = self.items
        kind: Any = of
        return to_frame(items, library, of=kind)
