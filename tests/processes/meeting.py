"""What must hold in the namespace where all writers meet, in whatever order they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from experiment_store import StorageState
from tests.processes.contents import Records
from tests.processes.journal import Entry
from tests.processes.operations import DONE, LOAD_RUNS, REFUSED, Operation


class Meeting:
    """The shared records as they were found the last time."""

    def __init__(self) -> None:
        """Expect none."""
        self._before: Records = {}

    def check(self, entries: Sequence[Entry], found: Records) -> None:
        """Compare what was *found* with what was done, or may have been, since the last time."""
        possible = [
            entry.operation
            for entry in entries
            if entry.answer is None or entry.answer.outcome != REFUSED
        ]
        done = [
            entry.operation
            for entry in entries
            if entry.answer is not None and entry.answer.outcome == DONE
        ]
        deleted = {entry.arguments["id"] for entry in possible if entry.call == "delete"}
        self._assert_nothing_else(possible, found)
        self._assert_nothing_is_lost(done, deleted, found)
        _assert_no_cascade_is_half_done(found)
        _assert_last_runs_are_known(found)
        _assert_loads_are_whole(possible, deleted, found)
        self._before = found

    def _assert_nothing_else(self, possible: Sequence[Operation], found: Records) -> None:
        keys = {operation.key for operation in possible}
        for place, record in found.items():
            assert record == self._before.get(place) or record.etag in keys, record

    def _assert_nothing_is_lost(
        self, done: Sequence[Operation], deleted: AbstractSet[str], found: Records
    ) -> None:
        for place, record in self._before.items():
            assert place in found or _experiment_of(place, record) in deleted, record
        there = {id for _, id in found}
        for operation in done:
            for id, experiment_id in operation.made().items():
                assert id in there or experiment_id in deleted, operation
            if operation.call == "create":
                id = operation.arguments["id"]
                assert id in there or id in deleted, operation


def _assert_no_cascade_is_half_done(found: Records) -> None:
    """No child is active below an archived experiment; none outlives one that took it along."""
    for (kind, _), record in found.items():
        if kind == "experiment":
            continue
        experiment = found.get(("experiment", record.experiment_id))
        assert experiment is not None, record
        if experiment.storage_state is StorageState.ARCHIVED:
            active = record.enabled if kind == "job" else not _is_archived(record)
            assert not active, record


def _assert_last_runs_are_known(found: Records) -> None:
    for (kind, id), record in found.items():
        if kind == "experiment":
            times = [run.created_at for run in _runs(found).values() if run.experiment_id == id]
            assert record.last_run_created_at == max(times, default=None), record


def _assert_loads_are_whole(
    possible: Sequence[Operation], deleted: AbstractSet[str], found: Records
) -> None:
    runs = _runs(found)
    for operation in possible:
        if operation.call == LOAD_RUNS:
            made = {id for id, parent in operation.made().items() if parent not in deleted}
            assert made <= runs.keys() or not made & runs.keys(), operation


def _runs(found: Records) -> Mapping[str, Any]:
    return {id: record for (kind, id), record in found.items() if kind == "run"}


def _experiment_of(place: tuple[str, str], record: Any) -> str:
    kind, id = place
    return id if kind == "experiment" else str(record.experiment_id)


def _is_archived(record: Any) -> bool:
    return bool(record.storage_state is StorageState.ARCHIVED)
