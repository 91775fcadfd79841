"""What callers may say of a record: the limits of every field, in one table.

Lengths count code points; nothing is trimmed, folded or normalised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum, StrEnum
from functools import partial
from typing import Any, Final

from experiment_store.errors import InvalidArgumentError
from experiment_store.mappings import Labels, Metric, Metrics, Params
from experiment_store.points import MAX_PACKED, unpack
from experiment_store.records import Artifact, RunState, StorageState
from experiment_store.values import check_float, check_integer, check_text, check_time

MAX_NAME = 128
MAX_NAMESPACE = 63
MAX_DESCRIPTION = 4096
MAX_SCHEDULE = 4096
MAX_ID = 64  # of visible ASCII: fit for URLs, and for index entries
MAX_ETAG = 128
MAX_LABELS = 64
MAX_LABEL_KEY = 128
MAX_LABEL_VALUE = 512
MAX_PARAMS = 256
MAX_PARAM_KEY = 128
MAX_PARAM_TEXT = 512
MAX_METRICS = 1_000
MAX_METRIC_NAME = 128
MAX_ARTIFACTS = 64
MAX_ARTIFACT_NAME = 128
MAX_URI = 2048
MAX_DIGEST = 256
MAX_ERROR = 4096


class Unset(Enum):
    """The type of `UNSET`."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET
"""Stands for an argument that was left out: the field keeps its value."""


def is_id(value: Any) -> bool:
    """Tell whether a record could have the id *value*: 1 to 64 visible ASCII characters."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_ID
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def check_field(name: str, value: Any) -> Any:
    """Return *value* as the field *name* keeps it.

    Raises:
        InvalidArgumentError: The field cannot keep it.
    """
    return _CHECKS[name](name, value)


def check_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is *given* of some fields as they keep it, without what is `UNSET`.

    Raises:
        InvalidArgumentError: A field cannot keep what is given.
    """
    return {name: check_field(name, value) for name, value in given.items() if value is not UNSET}


def check_id(argument: str, value: Any) -> str:
    """Return *value* if it may be an id.

    Raises:
        InvalidArgumentError: It may not.
    """
    if not is_id(value):
        raise InvalidArgumentError(argument, f"must be 1 to {MAX_ID} visible ASCII characters")
    return str.__str__(value)  # as in check_text


def _check_labels(argument: str, value: Any) -> Labels:
    of_key, of_value = f"{argument} key", f"{argument} value"
    return Labels(
        {
            check_text(of_key, key, least=1, most=MAX_LABEL_KEY): check_text(
                of_value, text, most=MAX_LABEL_VALUE
            )
            for key, text in _check_entries(argument, value, MAX_LABELS)
        }
    )


def _check_params(argument: str, value: Any) -> Params:
    items = _check_entries(argument, value, MAX_PARAMS)
    of_key = f"{argument} key"
    return Params(
        {
            check_text(of_key, key, least=1, most=MAX_PARAM_KEY): _check_param(argument, held)
            for key, held in items
        }
    )


def _check_param(argument: str, value: Any) -> str | int | float | bool:
    of_value = f"{argument} value"
    if isinstance(value, str):
        return check_text(of_value, value, most=MAX_PARAM_TEXT)
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float(value)  # of a subclass too, as NumPy's is
    if getattr(getattr(value, "dtype", None), "kind", "") == "b":
        return bool(value)  # NumPy's, which is no bool but turns into a float
    if hasattr(value, "__index__"):
        return check_integer(of_value, value)
    if hasattr(value, "__float__"):
        return check_float(of_value, value)
    problem = f"must be text, a number or a bool, not {type(value).__name__}"
    raise InvalidArgumentError(of_value, problem)


def _check_metrics(argument: str, value: Any) -> Metrics:
    of_name, of_value = f"{argument} name", f"{argument} value"
    metrics = {}
    for name, metric in _check_entries(argument, value, MAX_METRICS):
        if not isinstance(metric, Metric):
            raise InvalidArgumentError(of_value, f"must be Metric, not {type(metric).__name__}")
        metrics[check_text(of_name, name, least=1, most=MAX_METRIC_NAME)] = Metric(
            check_float(of_value, metric.latest),
            check_float(of_value, metric.min),
            check_float(of_value, metric.max),
            check_integer("step", metric.step),
            check_integer("count", metric.count, least=1),
        )
    return Metrics(metrics)


def _check_artifacts(argument: str, value: Any) -> tuple[Artifact, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise InvalidArgumentError(argument, f"must be a sequence, not {type(value).__name__}")
    if len(value) > MAX_ARTIFACTS:
        problem = f"must have at most {MAX_ARTIFACTS} entries, not {len(value)}"
        raise InvalidArgumentError(argument, problem)
    artifacts = tuple(_check_artifact(argument, artifact) for artifact in value)
    if len({artifact.name for artifact in artifacts}) < len(artifacts):
        raise InvalidArgumentError(argument, "must not have a name twice")
    return artifacts


def _check_artifact(argument: str, value: Any) -> Artifact:
    if not isinstance(value, Artifact):
        raise InvalidArgumentError(argument, f"must hold Artifact, not {type(value).__name__}")
    return Artifact(
        check_text("artifact name", value.name, least=1, most=MAX_ARTIFACT_NAME),
        check_text("artifact uri", value.uri, least=1, most=MAX_URI),
        check_text("artifact digest", value.digest, most=MAX_DIGEST),
        None if value.size is None else check_integer("artifact size", value.size, least=0),
    )


def _check_points(argument: str, value: Any) -> str:
    text = check_text(argument, value, least=1, most=MAX_PACKED)
    try:
        unpack(text)
    except ValueError as error:
        raise InvalidArgumentError(argument, "must be packed points") from error
    return text


def _check_entries(argument: str, value: Any, most: int) -> Iterable[tuple[Any, Any]]:
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(argument, f"must be a mapping, not {type(value).__name__}")
    if len(value) > most:
        raise InvalidArgumentError(argument, f"must have at most {most} entries, not {len(value)}")
    return value.items()


def _check_word(argument: str, value: Any, words: type[StrEnum]) -> StrEnum:
    try:
        return words(value)
    except ValueError as error:
        raise InvalidArgumentError(argument, f"must be one of {', '.join(words)}") from error


def _check_bool(argument: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgumentError(argument, f"must be a bool, not {type(value).__name__}")
    return value


def _check_optional(check: Callable[[str, Any], Any], argument: str, value: Any) -> Any:
    return None if value is None else check(argument, value)


_optional_id = partial(_check_optional, check_id)
_optional_time: Callable[[str, Any], datetime | None] = partial(_check_optional, check_time)

_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "id": _optional_id,  # absent: to be made
    "experiment_id": check_id,
    "namespace": partial(check_text, most=MAX_NAMESPACE),
    "name": partial(check_text, least=1, most=MAX_NAME),
    "description": partial(check_text, most=MAX_DESCRIPTION),
    "labels": _check_labels,
    "storage_state": partial(_check_word, words=StorageState),
    "state": partial(_check_word, words=RunState),
    "created_at": check_time,
    "updated_at": check_time,
    "last_run_created_at": _optional_time,
    "started_at": _optional_time,
    "finished_at": _optional_time,
    "job_id": _optional_id,
    "enabled": _check_bool,
    "params": _check_params,
    "metrics": _check_metrics,
    "artifacts": _check_artifacts,
    "error": partial(check_text, most=MAX_ERROR),
    "heartbeat_at": _optional_time,
    "run_id": check_id,
    "metric": partial(check_text, least=1, most=MAX_METRIC_NAME),
    "points": _check_points,
    "schedule": partial(check_text, most=MAX_SCHEDULE),
    "etag": partial(check_text, least=1, most=MAX_ETAG),
}
