"""What callers may say of a record: the limits of every field, in one table.

Lengths count code points; nothing is trimmed, folded or normalised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum, StrEnum
from functools import partial
from typing import Any, Final

from experiment_store.errors import InvalidArgumentError
from experiment_store.records import Labels, RunState, StorageState
from experiment_store.values import check_text, check_time

MAX_NAME = 128
MAX_NAMESPACE = 63
MAX_DESCRIPTION = 4096
MAX_SCHEDULE = 4096
MAX_ID = 64  # of visible ASCII: fit for URLs, and for index entries
MAX_ETAG = 128
MAX_LABELS = 64
MAX_LABEL_KEY = 128
MAX_LABEL_VALUE = 512


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
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(argument, f"must be a mapping, not {type(value).__name__}")
    if len(value) > MAX_LABELS:
        raise InvalidArgumentError(
            argument, f"must have at most {MAX_LABELS} entries, not {len(value)}"
        )
    of_key, of_value = f"{argument} key", f"{argument} value"
    return Labels(
        {
            check_text(of_key, key, least=1, most=MAX_LABEL_KEY): check_text(
                of_value, text, most=MAX_LABEL_VALUE
            )
            for key, text in value.items()
        }
    )


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
    "schedule": partial(check_text, most=MAX_SCHEDULE),
    "etag": partial(check_text, least=1, most=MAX_ETAG),
}
