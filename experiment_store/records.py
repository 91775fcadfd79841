"""What the store keeps: experiments, their runs and their jobs, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, NoReturn, TypeVar

from attrs import field, frozen


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


class Labels(dict[str, str]):
    """Labels of a record: a dictionary that cannot be changed, and so can be shared."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("labels of a record cannot be changed; use update(id, labels=…)")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # unlike a dict, it cannot change
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type[Labels], tuple[dict[str, str]]]:
        return Labels, (dict(self),)


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
    """One execution below an experiment; *namespace* is that of the experiment."""

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
    etag: str


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


T = TypeVar("T")


@frozen
class Page(Generic[T]):
    """One page of a listing.

    An empty *next_page_token* is the only sign of the end (AIP-158).
    *total_size* is ``None`` unless it was asked for.
    """

    items: Sequence[T]
    next_page_token: str
    total_size: int | None = None
