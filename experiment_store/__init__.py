"""Stores machine-learning experiments in memory, SQLite or PostgreSQL, with one meaning."""

from experiment_store.errors import (
    AlreadyExistsError,
    BackendError,
    ConflictError,
    ErrorCode,
    ExperimentStoreError,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidFilterError,
    InvalidOrderByError,
    InvalidPageTokenError,
    MissingDriverError,
    NotFoundError,
    Obstacle,
    OutcomeUnknownError,
    UnavailableError,
    UnsupportedError,
)
from experiment_store.names import UNSET, Unset
from experiment_store.records import (
    Experiment,
    Job,
    Labels,
    NewExperiment,
    NewJob,
    NewRun,
    Page,
    Run,
    RunState,
    StorageState,
)
from experiment_store.registry import connect
from experiment_store.store import ExperimentStore

__all__ = [
    # the store
    "ExperimentStore",
    "connect",
    # what it keeps
    "Experiment",
    "Job",
    "Labels",
    "Run",
    "RunState",
    "StorageState",
    # what it takes and gives
    "NewExperiment",
    "NewJob",
    "NewRun",
    "Page",
    "UNSET",
    "Unset",
    # how it fails
    "AlreadyExistsError",
    "BackendError",
    "ConflictError",
    "ErrorCode",
    "ExperimentStoreError",
    "FailedPreconditionError",
    "InvalidArgumentError",
    "InvalidFilterError",
    "InvalidOrderByError",
    "InvalidPageTokenError",
    "MissingDriverError",
    "NotFoundError",
    "Obstacle",
    "OutcomeUnknownError",
    "UnavailableError",
    "UnsupportedError",
]
