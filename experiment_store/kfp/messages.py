"""What Kubeflow's messages look like, in both versions of the API, as data.

Bodies in, answers out and the OpenAPI document are all made from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from attrs import frozen

from experiment_store.names import MAX_NAME, MAX_NAMESPACE
from experiment_store.records import StorageState


class Shape(Enum):
    """What a member of a message is in JSON."""

    STRING = auto()
    TIMESTAMP = auto()
    STATE = auto()
    REFERENCES = auto()


@frozen
class Member:
    """One member of an experiment.

    *attribute* is what it is in the store. What a caller says of a member that is
    not *given* is checked and ignored: the server decides it.
    """

    name: str
    attribute: str
    shape: Shape = Shape.STRING
    given: bool = False
    max_length: int | None = None
    about: str = ""


@frozen
class Parameter:
    """One parameter of the query of a list call; *name* may have a dot in it."""

    name: str
    about: str
    is_integer: bool = False


@frozen
class Version:
    """One version of the API; *scope* are the parameters that choose a namespace."""

    name: str
    members: tuple[Member, ...]
    states: tuple[str, ...]  # by number; the first stands for no state
    scope: tuple[Parameter, ...]

    def state(self, state: StorageState) -> str:
        """Return the word for *state* in this version."""
        return self.states[_NUMBERS[state]]


_NUMBERS: Mapping[StorageState, int] = {StorageState.AVAILABLE: 1, StorageState.ARCHIVED: 2}

_DESCRIPTION = Member("description", "description", given=True, about="At most 4,096 characters.")
_CREATED = Member("created_at", "created_at", Shape.TIMESTAMP, about="Set by the server.")
_STATE = Member("storage_state", "storage_state", Shape.STATE, about="Set by the server.")
_UNIQUE = "Unique in its namespace."

V1 = Version(
    "v1beta1",
    (
        Member("id", "id", about="Set by the server."),
        Member("name", "name", given=True, max_length=MAX_NAME, about=_UNIQUE),
        _DESCRIPTION,
        _CREATED,
        Member("resource_references", "namespace", Shape.REFERENCES, given=True),
        _STATE,
    ),
    ("STORAGESTATE_UNSPECIFIED", "STORAGESTATE_AVAILABLE", "STORAGESTATE_ARCHIVED"),
    (
        Parameter("resource_reference_key.type", "NAMESPACE, if anything."),
        Parameter("resource_reference_key.id", "The namespace; empty for all."),
    ),
)

V2 = Version(
    "v2beta1",
    (
        Member("experiment_id", "id", about="Set by the server."),
        Member("display_name", "name", given=True, max_length=MAX_NAME, about=_UNIQUE),
        _DESCRIPTION,
        _CREATED,
        Member("namespace", "namespace", given=True, max_length=MAX_NAMESPACE),
        _STATE,
        Member(
            "last_run_created_at",
            "last_run_created_at",
            Shape.TIMESTAMP,
            about="1970-01-01T00:00:00Z before the first run.",
        ),
    ),
    ("STORAGE_STATE_UNSPECIFIED", "AVAILABLE", "ARCHIVED"),
    (Parameter("namespace", "Empty for all."),),
)

VERSIONS = (V1, V2)

LISTING = (
    Parameter("page_token", "Of the page before; alone it continues its listing."),
    Parameter("page_size", "20 by default, at most 200.", is_integer=True),
    Parameter("sort_by", "One field, perhaps with asc or desc; created_at by default."),
    Parameter("filter", "A Filter message as JSON."),
)
"""What every list call takes beside its scope."""

RESOURCE_TYPES = (
    "UNKNOWN_RESOURCE_TYPE", "EXPERIMENT", "JOB", "PIPELINE", "PIPELINE_VERSION", "NAMESPACE",
)  # fmt: skip
RELATIONSHIPS = ("UNKNOWN_RELATIONSHIP", "OWNER", "CREATOR")
NAMESPACE, OWNER = "NAMESPACE", "OWNER"
