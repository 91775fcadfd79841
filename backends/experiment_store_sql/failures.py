"""How a step fails: the seam where the driver's errors become ours."""

from __future__ import annotations

from experiment_store.errors import BackendError, OutcomeUnknownError, UnavailableError
from experiment_store_sql.dialect import Dialect

_UNKNOWN = "lost the connection while it was committed: it has happened, or it has not"


class DuplicateKeyError(BackendError):
    """A unique key is taken; where that is expected, it becomes a refusal."""


class TransientError(UnavailableError):
    """The step has not happened, through no fault of its own, and may be tried again as a whole.

    Others were in its way (a deadlock, a serialization failure), or the connection
    was lost before anything could be committed.
    """


def failure(
    dialect: Dialect, operation: str, error: Exception, *, committing: bool
) -> BackendError:
    """Return our error for the driver's; *committing* tells whether the step may have happened."""
    if dialect.is_duplicate(error):
        return DuplicateKeyError(operation, "met a taken key")
    if dialect.is_undone(error):
        return TransientError(operation, f"gave up: {error}")
    if not dialect.is_lost(error):
        return dialect.translate(operation, error)
    if committing:
        return OutcomeUnknownError(operation, _UNKNOWN)
    return TransientError(operation, f"failed: {str(error).strip()}")
