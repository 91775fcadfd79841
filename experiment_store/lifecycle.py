"""The rules of archive, unarchive and delete, and the guards of children, as data.

A backend carries these changes out without knowing what they mean. A run or a
job can be made, unarchived or enabled only below an available experiment, so no
child of an archived experiment is ever active.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from experiment_store.backend import Assignments, Cascade, Change, Max, Parent
from experiment_store.errors import InvalidArgumentError
from experiment_store.filters.predicates import ALWAYS, Compare, OneOf, Op, Predicate, all_of
from experiment_store.names import MAX_ETAG
from experiment_store.records import StorageState
from experiment_store.schema import EXPERIMENT, JOB, RUN
from experiment_store.values import check_text

Children: TypeAlias = Literal["keep", "delete", "refuse"]
"""What a delete does about runs and jobs; keeping them is what Kubeflow documents."""

AVAILABLE = Compare("storage_state", Op.EQ, StorageState.AVAILABLE)
ARCHIVED = Compare("storage_state", Op.EQ, StorageState.ARCHIVED)
ENABLED = Compare("enabled", Op.EQ, value=True)
DISABLED = Compare("enabled", Op.EQ, value=False)


def unchanged_since(etag: str | None) -> Predicate:
    """The condition that a caller's *etag* states (AIP-154); none without one.

    Raises:
        InvalidArgumentError: It is not the text of any etag.
    """
    return (
        ALWAYS if etag is None else Compare("etag", Op.EQ, check_text("etag", etag, most=MAX_ETAG))
    )


def archive_experiment(stamped: Assignments, etag: str | None) -> Change:
    """The experiment and its runs are archived, its jobs disabled."""
    return Change(
        assign={**stamped, "storage_state": StorageState.ARCHIVED},
        where=all_of((AVAILABLE, unchanged_since(etag))),
        cascades=(
            Cascade(RUN, {**stamped, "storage_state": StorageState.ARCHIVED}, AVAILABLE),
            Cascade(JOB, {**stamped, "enabled": False}, ENABLED),
        ),
    )


def unarchive_experiment(stamped: Assignments, etag: str | None) -> Change:
    """The experiment alone is available again; its children stay as they are."""
    return Change(
        assign={**stamped, "storage_state": StorageState.AVAILABLE},
        where=all_of((ARCHIVED, unchanged_since(etag))),
    )


def delete_experiment(children: Children, etag: str | None) -> Change:
    """The experiment goes; its children stay, go with it, or prevent it.

    Raises:
        InvalidArgumentError: *children* is none of these.
    """
    where = unchanged_since(etag)
    match children:
        case "keep":
            return Change(where=where)
        case "delete":
            return Change(where=where, cascades=(Cascade(RUN, None), Cascade(JOB, None)))
        case "refuse":
            return Change(where=where, childless=(RUN, JOB))
        case _:
            raise InvalidArgumentError("children", "must be one of keep, delete, refuse")


def archive_run(stamped: Assignments, etag: str | None) -> Change:
    """The run is archived, whatever becomes of its experiment."""
    return Change(
        assign={**stamped, "storage_state": StorageState.ARCHIVED},
        where=all_of((AVAILABLE, unchanged_since(etag))),
    )


def unarchive_run(stamped: Assignments, etag: str | None, parent: Parent) -> Change:
    """The run is available again, if its experiment is."""
    return Change(
        assign={**stamped, "storage_state": StorageState.AVAILABLE},
        where=all_of((ARCHIVED, unchanged_since(etag))),
        parent=parent,
    )


def enable_job(stamped: Assignments, etag: str | None, parent: Parent) -> Change:
    """The job is enabled, if its experiment is available."""
    return Change(
        assign={**stamped, "enabled": True},
        where=all_of((DISABLED, unchanged_since(etag))),
        parent=parent,
    )


def disable_job(stamped: Assignments, etag: str | None) -> Change:
    """The job is disabled."""
    return Change(
        assign={**stamped, "enabled": False},
        where=all_of((ENABLED, unchanged_since(etag))),
    )


def new_runs(parents: Mapping[str, str], stamped: Assignments, now: datetime) -> Parent:
    """New runs need available experiments, and set the time of their last run."""
    return below_available(parents, {**stamped, "last_run_created_at": Max(now)})


def below_available(parents: Mapping[str, str], assign: Assignments | None = None) -> Parent:
    """Children are made, and become active, only below available experiments.

    *parents* maps ids to namespaces. Children carry their experiment's namespace,
    which was read before this step: should another experiment have taken the
    id since, its namespace must be the same.
    """
    namespaces = frozenset(parents.values())
    return Parent(
        EXPERIMENT,
        frozenset(parents),
        all_of((AVAILABLE, OneOf("namespace", namespaces))),
        assign or {},
    )
