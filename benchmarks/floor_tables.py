"""The floors' tables: the store's columns, and exactly the indexes that the questions need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from benchmarks.subject import Description

Record: TypeAlias = tuple[Any, ...]

ABSENT = -(2**63)
"""Stands for a time that is not there."""

EXPERIMENT = (
    "id, namespace, name, description, labels, storage_state,"
    " created_at, updated_at, last_run_created_at, etag"
)
RUN = (
    "id, experiment_id, namespace, name, description, labels, storage_state, state,"
    " created_at, updated_at, started_at, finished_at, job_id, etag"
)
JOB = "id, experiment_id, enabled, updated_at, etag"
LABEL = "id, key, value, created_at"

_TIMES = ("created_at", "updated_at", "started_at", "finished_at", "last_run_created_at")
_TABLES = {
    "experiments": (EXPERIMENT, "id"),
    "runs": (RUN, "id"),
    "jobs": (JOB, "id"),
    "experiment_labels": (LABEL, "id, key"),
    "run_labels": (LABEL, "id, key"),
}
_INDEXES = """
CREATE UNIQUE INDEX experiments_unique ON experiments (namespace, name);
CREATE INDEX experiments_in_order ON experiments (created_at, id, name);
CREATE INDEX experiments_of_namespace ON experiments (namespace, created_at, id);
CREATE INDEX experiments_by_state ON experiments (namespace, storage_state, created_at, id);
CREATE INDEX experiments_by_name ON experiments (name, id);
CREATE INDEX experiment_labels_by_value ON experiment_labels (key, value, created_at, id);
CREATE INDEX runs_of_experiment ON runs (experiment_id, created_at, id);
CREATE INDEX runs_in_order ON runs (created_at, id);
CREATE INDEX runs_of_namespace ON runs (namespace, created_at, id);
CREATE INDEX runs_by_name ON runs (name, created_at, id);
CREATE INDEX run_labels_by_value ON run_labels (key, value, created_at, id);
CREATE INDEX jobs_of_experiment ON jobs (experiment_id);
"""

encode_labels = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def create_tables(text: str, number: str, options: Mapping[str, str]) -> str:
    """Word the tables, with the database's types, and its *options* by primary key."""
    tables = []
    for name, (columns, key) in _TABLES.items():
        typed = [
            f"{c} {number if c in (*_TIMES, 'enabled') else text} NOT NULL"
            for c in columns.split(", ")
        ]
        body = ", ".join([*typed, f"PRIMARY KEY ({key})"])
        tables.append(f"CREATE TABLE {name} ({body}){options.get(key, '')};")
    return "\n".join(tables) + _INDEXES


def describe(record: Record) -> Description:
    """Name the columns of an experiment that can be compared."""
    names = ("id", "namespace", "name", "description", "labels", "storage_state")
    found = dict(zip(names, record, strict=False))
    return {**found, "labels": json.loads(found["labels"])}
