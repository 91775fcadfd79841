"""What an examination finds out about the records of any store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from experiment_store import (
    ExperimentStore,
    Finding,
    InvalidArgumentError,
    NewRun,
    Verdict,
    connect,
    examine,
)
from experiment_store.backend import Change
from experiment_store.errors import BackendError
from experiment_store.examining.meaning import check_lifecycle, check_meaning, check_orphans
from experiment_store.findings import guarded
from experiment_store.lifecycle import AVAILABLE
from experiment_store.plan import Plan, Rows
from experiment_store.records import Chunk, StorageState
from experiment_store.schema import CHUNK, EXPERIMENT, JOB, RUN, R
from experiment_store_memory import MemoryBackend

UNARCHIVED = Change({"storage_state": StorageState.AVAILABLE})


def verdicts(findings: Sequence[Finding]) -> set[tuple[str, Verdict]]:
    return {(finding.check, finding.verdict) for finding in findings}


def test_a_healthy_store_yields_only_ok() -> None:
    with connect("memory://") as store:
        experiment = store.create("a")
        store.runs.create_many([NewRun(experiment.id, "r")] * 300)
        store.archive(experiment.id)

        findings = examine(store)

    assert {finding.check for finding in findings} == {"orphans", "lifecycle"}
    assert all(finding.is_ok and not finding.advice for finding in findings)
    assert "300 runs, all below experiments that are there" in [f.found for f in findings]


def test_children_that_a_delete_has_kept_are_told_of_and_no_fault() -> None:
    with connect("memory://") as store:
        experiment = store.create("a")
        store.runs.create_many([NewRun(experiment.id, "r")] * 7)
        store.delete(experiment.id)

        [runs, jobs, *_] = examine(store)

    assert runs.is_ok
    assert "of 7 runs, 7 (" in runs.found
    assert runs.found.endswith(
        ", …) outlive their experiment, as a delete that keeps children leaves them"
    )
    assert jobs.is_ok


def test_what_has_to_go_with_its_parent_and_has_not_is_a_fault() -> None:
    backend = MemoryBackend()
    point = Chunk("c", "gone", "loss", datetime(2026, 1, 1, tzinfo=UTC), "")
    backend.insert(CHUNK, [point])

    [finding] = check_orphans(backend, CHUNK)

    assert finding.verdict is Verdict.PROBLEM
    assert finding.found == "of 1 chunks, 1 ('c') have no run"
    assert finding.advice


@pytest.mark.parametrize("kind", ["run", "job"])
def test_what_is_active_below_an_archived_experiment_is_a_fault(kind: str) -> None:
    backend = MemoryBackend()
    store = ExperimentStore(backend)
    experiment = store.create("a")
    child = (store.runs if kind == "run" else store.jobs).create(experiment.id, "r")
    store.archive(experiment.id)
    if kind == "run":
        backend.update(RUN, child.id, UNARCHIVED)
    else:
        backend.update(JOB, child.id, Change({"enabled": True}))

    [fault] = [finding for finding in examine(store) if not finding.is_ok]

    assert (fault.check, fault.verdict) == ("lifecycle", Verdict.PROBLEM)
    assert child.id in fault.found
    assert fault.advice


class Changing(MemoryBackend):
    """A store where, after the parents were read, somebody is quick."""

    store: ExperimentStore
    then: str

    def select(self, plan: Plan[R]) -> Rows[R]:
        rows = super().select(plan)
        if plan.kind is EXPERIMENT and self.then:
            [experiment] = self._tables[EXPERIMENT.name].records
            then, self.then = self.then, ""
            if then == "delete":
                for run in list(self._tables[RUN.name].records):
                    self.store.runs.delete(run)
            else:
                self.store.unarchive(experiment)
                for run in list(self._tables[RUN.name].records):
                    self.store.runs.archive(run)
                    self.store.runs.unarchive(run)
        return rows


@pytest.mark.parametrize("then", ["delete", "unarchive"])
def test_what_changes_while_it_is_examined_is_no_fault(then: str) -> None:
    backend = Changing()
    backend.then = ""
    backend.store = store = ExperimentStore(backend)
    experiment = store.create("a")
    run = store.runs.create(experiment.id, "r")
    store.archive(experiment.id)
    backend.update(RUN, run.id, UNARCHIVED)
    backend.then = then

    [finding] = check_lifecycle(backend, RUN, AVAILABLE, "")

    assert finding.is_ok


def test_a_failure_of_the_backend_is_a_finding() -> None:
    def failing() -> Sequence[Finding]:
        raise BackendError("select", "failed: no disk")

    [finding] = guarded("orphans", failing)

    assert finding.verdict is Verdict.PROBLEM
    assert finding.found == "select failed: no disk"


def test_a_url_is_opened_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPERIMENT_STORE_URL", "memory://")

    assert verdicts(examine()) == verdicts(examine("memory://"))


def test_what_is_no_store_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="must be a store or a URL, not int"):
        examine(3)  # type: ignore[arg-type]  # that is what is tested


def test_the_checks_of_meaning_need_no_other_methods_than_a_backend_has() -> None:
    assert all(finding.is_ok for finding in check_meaning(MemoryBackend()))
