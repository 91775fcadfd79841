"""How errors look to Kubeflow's clients: a status, gRPC's code, and clean words.

The body suits both generations: ``error`` for the older, ``message`` for the newer.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from attrs import define

from experiment_store.errors import (
    AlreadyExistsError,
    ConflictError,
    ExperimentStoreError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)


class Code(IntEnum):
    """The canonical codes of gRPC that the service uses."""

    INVALID_ARGUMENT = 3
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    FAILED_PRECONDITION = 9
    ABORTED = 10
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


@define(eq=False, slots=False)
class Failure(Exception):  # noqa: N818 (an answer like any other, not a fault of ours)
    """A request that is refused."""

    status: int
    code: Code
    message: str

    def __str__(self) -> str:
        return self.message


def invalid(message: str) -> Failure:
    """The request is wrong, whatever the state of the store."""
    return Failure(400, Code.INVALID_ARGUMENT, message)


def unknown(id: str) -> Failure:
    """There is no such experiment, or the caller may not know of it."""
    return Failure(404, Code.NOT_FOUND, f"Experiment {id} not found")


def unauthenticated() -> Failure:
    """The request does not say, or does not prove, whose it is."""
    return Failure(401, Code.UNAUTHENTICATED, "Request header error: there is no valid credential")


def forbidden(verb: str, namespace: str | None) -> Failure:
    """The caller may not do this in that namespace."""
    where = "all namespaces" if namespace is None else f"namespace {namespace!r}"
    return Failure(403, Code.PERMISSION_DENIED, f"Not allowed to {verb} experiments in {where}")


def failure(error: ExperimentStoreError) -> Failure:
    """Return what an error of the store is to a client; causes stay in the log."""
    match error:
        case AlreadyExistsError(key={"name": name}):
            text = f"The name {name} already exists. Please specify a new name"
            return Failure(409, Code.ALREADY_EXISTS, text)
        case InvalidArgumentError():
            return invalid(str(error))
        case NotFoundError():
            return Failure(404, Code.NOT_FOUND, str(error))
        case AlreadyExistsError():
            return Failure(409, Code.ALREADY_EXISTS, str(error))
        case FailedPreconditionError():
            return Failure(400, Code.FAILED_PRECONDITION, str(error))
        case ConflictError():
            return Failure(409, Code.ABORTED, str(error))
        case UnavailableError():
            return Failure(503, Code.UNAVAILABLE, "The store is unavailable, try again")
        case _:
            return Failure(500, Code.INTERNAL, "Internal Server Error")


def body(failed: Failure) -> dict[str, Any]:
    """Return the body of the answer to a request that failed."""
    code, message = int(failed.code), failed.message
    detail = {"@type": "type.googleapis.com/google.rpc.Status", "code": code, "message": message}
    return {"error": message, "code": code, "message": message, "details": [detail]}
