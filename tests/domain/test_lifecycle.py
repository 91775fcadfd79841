"""The rules of the life of a record, as the data that backends carry out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from experiment_store.backend import Assignments, Cascade, Change, Max, Parent
from experiment_store.errors import InvalidArgumentError
from experiment_store.filters.predicates import ALWAYS, Compare, OneOf, Op, all_of
from experiment_store.lifecycle import (
    archive_experiment,
    archive_run,
    below_available,
    delete_experiment,
    disable_job,
    enable_job,
    new_runs,
    unarchive_experiment,
    unarchive_run,
    unchanged_since,
)
from experiment_store.records import StorageState
from experiment_store.schema import EXPERIMENT, JOB, RUN

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_STAMPED: Assignments = {"updated_at": _NOW, "etag": "new"}
_ARCHIVED = Compare("storage_state", Op.EQ, StorageState.ARCHIVED)
_AVAILABLE = Compare("storage_state", Op.EQ, StorageState.AVAILABLE)
_ENABLED = Compare("enabled", Op.EQ, value=True)
_DISABLED = Compare("enabled", Op.EQ, value=False)
_SEEN = Compare("etag", Op.EQ, "old")
_PARENT = below_available({"e-1": "vision"})

_CHANGES: dict[str, Callable[[str | None], Change]] = {
    "archive experiment": lambda etag: archive_experiment(_STAMPED, etag),
    "unarchive experiment": lambda etag: unarchive_experiment(_STAMPED, etag),
    "archive run": lambda etag: archive_run(_STAMPED, etag),
    "unarchive run": lambda etag: unarchive_run(_STAMPED, etag, _PARENT),
    "enable job": lambda etag: enable_job(_STAMPED, etag, _PARENT),
    "disable job": lambda etag: disable_job(_STAMPED, etag),
}


@pytest.mark.parametrize(
    ("name", "where", "assigned"),
    [
        ("archive experiment", _AVAILABLE, {"storage_state": "ARCHIVED"}),
        ("unarchive experiment", _ARCHIVED, {"storage_state": "AVAILABLE"}),
        ("archive run", _AVAILABLE, {"storage_state": "ARCHIVED"}),
        ("unarchive run", _ARCHIVED, {"storage_state": "AVAILABLE"}),
        ("enable job", _DISABLED, {"enabled": True}),
        ("disable job", _ENABLED, {"enabled": False}),
    ],
)
def test_a_transition_leads_from_the_other_state_and_stamps_the_record(
    name: str, where: Compare, assigned: dict[str, Any]
) -> None:
    change = _CHANGES[name](None)

    assert change.where == where
    assert change.assign == {**_STAMPED, **assigned}


@pytest.mark.parametrize("name", _CHANGES)
def test_a_transition_with_an_etag_needs_the_record_as_it_was_seen(name: str) -> None:
    assert _CHANGES[name]("old").where == all_of((_CHANGES[name](None).where, _SEEN))


def test_archiving_an_experiment_archives_its_runs_and_disables_its_jobs() -> None:
    change = archive_experiment(_STAMPED, None)

    assert change.cascades == (
        Cascade(RUN, {**_STAMPED, "storage_state": StorageState.ARCHIVED}, _AVAILABLE),
        Cascade(JOB, {**_STAMPED, "enabled": False}, _ENABLED),
    )


@pytest.mark.parametrize("name", [name for name in _CHANGES if name != "archive experiment"])
def test_no_other_transition_touches_children(name: str) -> None:
    assert _CHANGES[name](None).cascades == ()


@pytest.mark.parametrize("name", ["unarchive run", "enable job"])
def test_a_child_becomes_active_only_below_an_available_experiment(name: str) -> None:
    assert _CHANGES[name](None).parent == _PARENT


@pytest.mark.parametrize("name", ["archive run", "disable job"])
def test_a_child_becomes_inactive_whatever_its_experiment_is(name: str) -> None:
    assert _CHANGES[name](None).parent is None


def test_children_lie_below_available_experiments_of_the_namespaces_that_were_read() -> None:
    parent = below_available({"e-1": "a", "e-2": "b", "e-3": "a"})

    assert parent == Parent(
        EXPERIMENT,
        frozenset({"e-1", "e-2", "e-3"}),
        all_of((_AVAILABLE, OneOf("namespace", frozenset({"a", "b"})))),
        {},
    )


def test_a_new_run_stamps_its_experiment_and_never_moves_its_last_run_back() -> None:
    parent = new_runs({"e-1": "vision"}, _STAMPED, _NOW)

    assert parent.assign == {**_STAMPED, "last_run_created_at": Max(_NOW)}
    assert (parent.ids, parent.where) == (_PARENT.ids, _PARENT.where)


def test_a_delete_keeps_children_by_doing_nothing_about_them() -> None:
    assert delete_experiment("keep", None) == Change()


def test_a_delete_takes_children_along_whatever_their_state() -> None:
    change = delete_experiment("delete", None)

    assert change == Change(cascades=(Cascade(RUN, None, ALWAYS), Cascade(JOB, None, ALWAYS)))


def test_a_delete_is_refused_where_there_is_a_run_or_a_job() -> None:
    assert delete_experiment("refuse", None) == Change(childless=(RUN, JOB))


@pytest.mark.parametrize("children", ["keep", "delete", "refuse"])
def test_a_delete_with_an_etag_needs_the_record_as_it_was_seen(children: Any) -> None:
    assert delete_experiment(children, "old").where == _SEEN


@pytest.mark.parametrize("children", ["", "KEEP", None, True, ["keep"]])
def test_nothing_else_can_be_done_about_children(children: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        delete_experiment(children, None)

    assert str(caught.value) == "children must be one of keep, delete, refuse"


def test_without_an_etag_nothing_is_asked_of_a_record() -> None:
    assert unchanged_since(None) == ALWAYS


@pytest.mark.parametrize("etag", [7, b"old", "x" * 129, "\0", "\ud800"])
def test_what_can_be_no_etag_is_refused(etag: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^etag must"):
        unchanged_since(etag)
