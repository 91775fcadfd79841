"""How the program ends: every exit code, and which errors lead to it, in one table."""

from __future__ import annotations

from collections.abc import Mapping

from experiment_store.errors import (
    AlreadyExistsError,
    BackendError,
    ConflictError,
    CopyDiffersError,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidLineError,
    NotFoundError,
)

DONE, FAILED, USAGE, NOT_FOUND, IN_THE_WAY, UNAVAILABLE = range(6)
INTERRUPTED, CLOSED = 130, 141
"""As a shell reports who was ended by the signals INT and PIPE."""

MEANINGS: Mapping[int, str] = {
    DONE: "done",
    FAILED: "failed: a file, what the backend cannot do, or the answer to a question was no;"
    " doctor: there is a problem",
    USAGE: "wrong usage: an option, an argument, a filter or an order",
    NOT_FOUND: "not found: a record, or the store; migrate status: a migration is needed",
    IN_THE_WAY: "in the way: it exists already, has changed, is archived or has children",
    UNAVAILABLE: "the store cannot be opened or reached, or its backend failed",
    INTERRUPTED: "interrupted (Ctrl-C)",
    CLOSED: "whoever read the output has gone",
}

_CODES: tuple[tuple[type[Exception], int], ...] = (  # the first that fits
    (InvalidLineError, FAILED),  # an argument of the library, but content of a file here
    (InvalidArgumentError, USAGE),
    (NotFoundError, NOT_FOUND),
    (AlreadyExistsError, IN_THE_WAY),
    (ConflictError, IN_THE_WAY),
    (FailedPreconditionError, IN_THE_WAY),
    (CopyDiffersError, IN_THE_WAY),
    (BackendError, UNAVAILABLE),
)


def code_of(error: Exception) -> int:
    """Return the code with which the program ends because of *error*."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)
