"""What an examination finds out about the records of any store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from experiment_store.examining.meaning import check_lifecycle, check_meaning
from experiment_store.examining.orphans import check_orphans
from experiment_store.findings import Found, guarded
from experiment_store.lifecycle import AVAILABLE
from experiment_store.moving import walking
from experiment_store.plan import Plan, Rows
from experiment_store.points import Point
from experiment_store.records import Chunk, RunState, StorageState
from experiment_store.runs import LOST_AFTER
from experiment_store.schema import CHUNK, EXPERIMENT, JOB, RUN, R
from experiment_store_memory import MemoryBackend

NOW = datetime(2026, 1, 1, tzinfo=UTC)
UNARCHIVED = Change({"storage_state": StorageState.AVAILABLE})


def verdicts(findings: Sequence[Finding]) -> set[tuple[str, Verdict]]:
    return {(finding.check, finding.verdict) for finding in findings}


def test_a_healthy_store_yields_only_ok() -> None:
    with connect("memory://") as store:
        experiment = store.create("a")
        store.runs.create_many([NewRun(experiment.id, "r")] * 300)
        store.archive(experiment.id)

        findings = examine(store)

    assert {finding.check for finding in findings} == {"orphans", "lifecycle", "lost"}
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
    backend.insert(CHUNK, [Chunk("c", "gone", "loss", NOW, "")])

    [finding] = check_orphans(backend, CHUNK)

    assert finding.verdict is Verdict.PROBLEM
    assert finding.found == "of 1 chunks, 1 ('c') have no run"
    assert finding.advice


IDS = st.text(st.sampled_from("abz"), min_size=1, max_size=2)


@given(runs=st.sets(IDS), chunks=st.lists(IDS, max_size=12), rows=st.integers(1, 4))
def test_exactly_the_children_whose_parent_is_not_there_are_found(
    runs: set[str], chunks: list[str], rows: int
) -> None:
    backend = MemoryBackend()
    experiment = ExperimentStore(backend).create("a")
    ExperimentStore(backend).runs.create_many([NewRun(experiment.id, "r", id=id) for id in runs])
    made = [Chunk(f"{place:02}", run, "loss", NOW, "") for place, run in enumerate(chunks)]
    backend.insert(CHUNK, made)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "ROWS", rows)
        [finding] = check_orphans(backend, CHUNK)

    lost = Found()
    for chunk in made:
        if chunk.run_id not in runs:
            lost.add(chunk.id)
    assert finding.is_ok is not bool(lost)
    assert bool(lost) is (f"{lost.count} (" in finding.found)


class Counting(MemoryBackend):
    """A store that counts the chunks that are read."""

    read = 0

    def select(self, plan: Plan[R]) -> Rows[R]:
        rows = super().select(plan)
        self.read += len(rows.items) * (plan.kind is CHUNK)
        return rows


def test_histories_are_not_read_to_find_their_runs() -> None:
    backend = Counting()
    store = ExperimentStore(backend)
    for number in range(300):
        run = store.runs.create(store.create("a", if_exists="return").id, f"r{number}")
        store.runs.append(run.id, {"loss": [Point(0, 0.5, NOW)]})

    [finding] = check_orphans(backend, CHUNK)

    assert finding.found == "300 chunks, all below runs that are there"
    assert backend.read == 0


class Coming(MemoryBackend):
    """A store where a run comes, with a history, once the runs were read."""

    def select(self, plan: Plan[R]) -> Rows[R]:
        rows = super().select(plan)
        if plan.kind is RUN and not self._tables[RUN.name].records:
            store = ExperimentStore(self)
            run = store.runs.create(store.create("a").id, "r")
            store.runs.append(run.id, {"loss": [Point(0, 0.5, NOW)]})
        return rows


def test_a_run_that_comes_while_it_is_examined_is_no_fault() -> None:
    [finding] = check_orphans(Coming(), CHUNK)

    assert finding.found == "1 chunks, all below runs that are there"


def test_runs_without_a_sign_of_life_are_told_of() -> None:
    now = NOW
    store = ExperimentStore(MemoryBackend(), clock=lambda: now)
    experiment = store.create("a")
    for name in "abcdefg":
        run = store.runs.create(experiment.id, name, state=RunState.RUNNING)
        store.runs.beat(run.id)
    store.runs.create(experiment.id, "by hand", state=RunState.RUNNING)
    now += LOST_AFTER

    def lost() -> list[Finding]:
        return [finding for finding in examine(store) if finding.check == "lost"]

    [before] = lost()
    now += timedelta(microseconds=1)
    [after] = lost()
    store.runs.reap()
    [reaped] = lost()

    assert before.is_ok
    assert after.verdict is Verdict.WARNING
    assert after.found.startswith("runs that are RUNNING without a sign of life for 5 minutes: 7 (")
    assert after.found.endswith(", …)")
    assert "runs reap" in after.advice
    assert reaped == before


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
    assert all(finding.is_ok for finding in check_meaning(MemoryBackend(), NOW))
