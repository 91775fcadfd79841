"""The kinds of record: their fields, types, natural keys and parents, as data.

Everything that depends on what fields a record has (filters, orders, storage,
tests) reads it here, so that a new field is one line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum, auto
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import field, frozen

from experiment_store.mappings import NO_METRICS, NO_PARAMS
from experiment_store.records import (
    Chunk,
    Experiment,
    Job,
    Run,
    RunState,
    Setting,
    StorageState,
)

R = TypeVar("R", bound=Any)
"""A record; every one has an ``id``."""

REQUIRED = object()
LONG_SORT_LENGTH = 256  # keeps page tokens small; see docs/filter-language.md


class Type(Enum):
    """What the values of a field are."""

    TEXT = auto()
    TIME = auto()
    BOOL = auto()
    ENUM = auto()
    LABELS = auto()
    PARAMS = auto()
    METRICS = auto()
    ARTIFACTS = auto()


Words: TypeAlias = type[StrEnum]


@frozen
class Field:
    """One field of a kind of record.

    *aliases* are other names for it in filters and orders. An *internal* field
    has none at all there. An order compares the first *sort_length* code points.
    *unspecified* is an enum word that filters accept and no record has. What was
    exported before there was the field has *default* in it; most have always been there.
    """

    name: str
    type: Type = Type.TEXT
    optional: bool = False
    aliases: tuple[str, ...] = ()
    enum: Words | None = None
    unspecified: str | None = None
    internal: bool = False
    sort_length: int | None = None
    default: Any = REQUIRED


@frozen(slots=False, eq=False)
class Kind(Generic[R]):
    """A kind of record. *fields* stand in the order of the record's constructor.

    The records of an *owned* kind are parts of their parent, and go when it goes.
    """

    name: str
    record: Callable[..., R]
    fields: tuple[Field, ...]
    unique: tuple[str, ...] = ()
    parent: Kind[Any] | None = None
    parent_field: str = field(default="experiment_id", kw_only=True)
    owned: bool = field(default=False, kw_only=True)

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by name, internal ones included."""
        return {field.name: field for field in self.fields}

    @cached_property
    def by_word(self) -> Mapping[str, Field]:
        """The fields that filters and orders may name, by name and alias."""
        return {
            word: field
            for field in self.fields
            if not field.internal
            for word in (field.name, *field.aliases)
        }


def _time(name: str, *, optional: bool = False) -> Field:
    return Field(name, Type.TIME, optional=optional)


_NAME = Field("name", aliases=("display_name",))
_NAMESPACE = Field("namespace")
_DESCRIPTION = Field("description", sort_length=LONG_SORT_LENGTH)
_LABELS = Field("labels", Type.LABELS)
_STORAGE_STATE = Field(
    "storage_state", Type.ENUM, enum=StorageState, unspecified="STORAGE_STATE_UNSPECIFIED"
)
_CREATED, _UPDATED = _time("created_at"), _time("updated_at")
_ETAG = Field("etag", internal=True)

EXPERIMENT = Kind(
    "experiment",
    Experiment,
    (
        Field("id", aliases=("experiment_id",)),
        _NAMESPACE,
        _NAME,
        _DESCRIPTION,
        _LABELS,
        _STORAGE_STATE,
        _CREATED,
        _UPDATED,
        _time("last_run_created_at", optional=True),
        _ETAG,
    ),
    unique=("namespace", "name"),
)

RUN = Kind(
    "run",
    Run,
    (
        Field("id", aliases=("run_id",)),
        Field("experiment_id"),
        _NAMESPACE,
        _NAME,
        _DESCRIPTION,
        _LABELS,
        _STORAGE_STATE,
        Field("state", Type.ENUM, enum=RunState),
        _CREATED,
        _UPDATED,
        _time("started_at", optional=True),
        _time("finished_at", optional=True),
        Field("job_id", optional=True),
        Field("params", Type.PARAMS, default=NO_PARAMS),
        Field("metrics", Type.METRICS, default=NO_METRICS),
        Field("artifacts", Type.ARTIFACTS, internal=True, default=()),
        Field("error", sort_length=LONG_SORT_LENGTH, default=""),
        Field("heartbeat_at", Type.TIME, optional=True, default=None),
        _ETAG,
    ),
    parent=EXPERIMENT,
)

JOB = Kind(
    "job",
    Job,
    (
        Field("id", aliases=("job_id",)),
        Field("experiment_id"),
        _NAMESPACE,
        _NAME,
        _DESCRIPTION,
        _LABELS,
        Field("enabled", Type.BOOL),
        Field("schedule"),
        _CREATED,
        _UPDATED,
        _ETAG,
    ),
    parent=EXPERIMENT,
)

CHUNK = Kind(
    "chunk",
    Chunk,
    (
        Field("id"),
        Field("run_id"),
        Field("metric"),
        _CREATED,
        Field("points", internal=True),
    ),
    parent=RUN,
    parent_field="run_id",
    owned=True,
)

SETTING = Kind("setting", Setting, (Field("id"), Field("value")))

KINDS: tuple[Kind[Any], ...] = (EXPERIMENT, RUN, JOB, CHUNK, SETTING)
"""Everything that a backend keeps."""


def owned_by(kind: Kind[Any]) -> tuple[Kind[Any], ...]:
    """Return the kinds whose records go with those of *kind*."""
    return tuple(other for other in KINDS if other.owned and other.parent is kind)
