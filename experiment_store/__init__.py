"""Stores machine-learning experiments in memory, SQLite or PostgreSQL, with one meaning."""

from experiment_store.capabilities import Migration
from experiment_store.errors import (
    AlreadyExistsError,
    BackendError,
    ConflictError,
    CopyDiffersError,
    ErrorCode,
    ExperimentStoreError,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidFilterError,
    InvalidLineError,
    InvalidOrderByError,
    InvalidPageTokenError,
    MigrationNeededError,
    MissingDriverError,
    NotFoundError,
    Obstacle,
    OutcomeUnknownError,
    UnavailableError,
    UnsupportedError,
)
from experiment_store.examining import examine
from experiment_store.findings import Finding, Verdict
from experiment_store.migrate import migrate
from experiment_store.moving import copy, digest, export_lines, import_lines
from experiment_store.names import UNSET, Unset
from experiment_store.points import History, Point
from experiment_store.records import (
    Artifact,
    Experiment,
    Job,
    Labels,
    Metric,
    Metrics,
    NewExperiment,
    NewJob,
    NewRun,
    Page,
    Params,
    Run,
    RunState,
    StorageState,
)
from experiment_store.registry import connect
from experiment_store.reports import Digest, PerKind, Progress, Tally
from experiment_store.store import ExperimentStore
from experiment_store.tracking import ActiveRun

__all__ = [
    # the store
    "ExperimentStore",
    "connect",
    # bringing it up to date
    "Migration",
    "migrate",
    # looking after it
    "Finding",
    "Verdict",
    "examine",
    # what it keeps
    "Artifact",
    "Experiment",
    "Job",
    "Labels",
    "Metric",
    "Metrics",
    "Params",
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
    # what is logged
    "ActiveRun",
    "History",
    "Point",
    # how it moves
    "Digest",
    "PerKind",
    "Progress",
    "Tally",
    "copy",
    "digest",
    "export_lines",
    "import_lines",
    # how it fails
    "AlreadyExistsError",
    "BackendError",
    "ConflictError",
    "CopyDiffersError",
    "ErrorCode",
    "ExperimentStoreError",
    "FailedPreconditionError",
    "InvalidArgumentError",
    "InvalidFilterError",
    "InvalidLineError",
    "InvalidOrderByError",
    "InvalidPageTokenError",
    "MigrationNeededError",
    "MissingDriverError",
    "NotFoundError",
    "Obstacle",
    "OutcomeUnknownError",
    "UnavailableError",
    "UnsupportedError",
]
