"""The contract of `update`: one record, on conditions, with its labels and its parent."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import strategies as st

from experiment_store.backend import Backend, Cascade, Change, Max, Refusal
from experiment_store.filters.evaluate import matches
from experiment_store.filters.predicates import (
    Compare,
    Label,
    Op,
    Predicate,
    Present,
)
from experiment_store.records import Labels, RunState
from experiment_store.schema import EXPERIMENT, JOB, RUN, SETTING, Kind
from experiment_store.testing.inserting import ARCHIVED, below
from experiment_store.testing.reading import Fixtures, each_kind
from experiment_store.testing.samples import (
    NOON,
    TICK,
    assert_same,
    dump,
    experiment,
    for_all,
    found,
    job,
    keep,
    of_any_kind,
    refill,
    run,
)
from experiment_store.testing.strategies import predicates, records, several

CURRENT = Compare("etag", Op.EQ, "1")
STALE = Compare("etag", Op.EQ, "0")
FIXED = frozenset({"id", "namespace", "experiment_id", "created_at"})
"""Fields that a record keeps as long as it lives."""


def _changes(kind: Kind[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Records of *kind*, another one to take values from, the fields to take, a condition."""
    free = [f.name for f in kind.fields if f.name not in FIXED and f.name not in kind.unique]
    return st.tuples(
        st.just(kind),
        several(kind, min_size=1, max_size=4),
        records(kind),
        st.sets(st.sampled_from(free), min_size=1),
        predicates(kind),
    )


class Updating(Fixtures):
    """What a backend owes to those who change a record."""

    @for_all(of=of_any_kind(_changes))
    def test_an_update_changes_the_record_that_fits_and_nothing_else(
        self, ready: Backend, of: tuple[Kind[Any], list[Any], Any, set[str], Predicate]
    ) -> None:
        kind, [record, *others], source, fields, where = of
        refill(ready, {kind.name: [record, *others]})
        assign = {name: getattr(source, name) for name in fields}
        changed = evolve(record, **assign) if matches(where, record) else record

        outcome = ready.update(kind, record.id, Change(assign, where))

        if matches(where, record):
            assert_same(outcome, changed)
        else:
            assert outcome is Refusal.BLOCKED
        assert_same(ready.get(kind, record.id), changed)
        assert {r.id: r for r in dump(ready)[kind.name]} == {r.id: r for r in (changed, *others)}

    def test_a_change_may_assign_nothing(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, record := experiment(labels=Labels(k="v")), experiment("f"))
        before = dump(ready)

        assert ready.update(EXPERIMENT, "e", Change()) == record
        assert ready.update(EXPERIMENT, "e", Change(where=STALE)) is Refusal.BLOCKED
        assert dump(ready) == before

    def test_a_value_may_become_absent_and_present_again(self, ready: Backend) -> None:
        keep(ready, RUN, run(started_at=NOON, job_id="job"))
        absent = Change({"started_at": None, "job_id": None})
        present = Change({"started_at": NOON, "job_id": "job"})

        assert_same(ready.update(RUN, "r", absent), run())
        assert found(ready, RUN, Present("started_at", expected=False)) == ["r"]
        assert_same(ready.update(RUN, "r", present), run(started_at=NOON, job_id="job"))

    def test_words_and_truth_values_are_assigned(self, ready: Backend) -> None:
        keep(ready, RUN, run())
        keep(ready, JOB, job())

        done = ready.update(RUN, "r", Change({"state": RunState.FAILED}))
        disabled = ready.update(JOB, "j", Change({"enabled": False}))

        assert_same(done, run(state=RunState.FAILED))
        assert_same(disabled, job(enabled=False))

    def test_a_setting_is_changed_on_condition_of_its_value(self, ready: Backend) -> None:
        keep(ready, SETTING, SETTING.record("s", "1"))
        change = Change({"value": "2"}, Compare("value", Op.EQ, "1"))

        changed: Any = ready.update(SETTING, "s", change)
        assert changed == SETTING.record("s", "2")
        assert ready.update(SETTING, "s", change) is Refusal.BLOCKED

    def test_the_latest_time_of_a_record_never_moves_back(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment())
        moments = [NOON, NOON - TICK, NOON + TICK, NOON]

        latest: list[Any] = [
            ready.update(EXPERIMENT, "e", Change({"last_run_created_at": Max(moment)}))
            for moment in moments
        ]

        times = [NOON, NOON, NOON + TICK, NOON + TICK]
        assert latest == [experiment(last_run_created_at=time) for time in times]

    @each_kind
    def test_an_update_of_an_unknown_id_finds_it_missing(
        self, ready: Backend, kind: Kind[Any]
    ) -> None:
        change = Change(where=Compare("id", Op.EQ, "b"))

        assert ready.update(kind, "a", change) is Refusal.MISSING

    def test_a_stale_condition_blocks_an_update(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment(labels=Labels(k="v")))
        keep(ready, RUN, run())
        before = dump(ready)
        cascade = Cascade(RUN, {"storage_state": ARCHIVED})

        change = Change({"labels": Labels(k="w"), "etag": "2"}, STALE, cascades=(cascade,))

        assert ready.update(EXPERIMENT, "e", change) is Refusal.BLOCKED
        assert dump(ready) == before
        assert found(ready, EXPERIMENT, Compare(Label("k"), Op.EQ, "v")) == ["e"]

    def test_labels_are_replaced_as_a_whole(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment(labels=Labels(old="1", both="1")))
        keep(ready, EXPERIMENT, experiment("f", labels=Labels(old="1")))

        changed = ready.update(
            EXPERIMENT, "e", Change({"labels": Labels(both="2", new="2")}, CURRENT)
        )

        assert_same(changed, experiment(labels=Labels(both="2", new="2")))
        assert_same(ready.get(EXPERIMENT, "e"), changed)
        assert found(ready, EXPERIMENT, Present(Label("old"))) == ["f"]
        assert found(ready, EXPERIMENT, Compare(Label("both"), Op.EQ, "1")) == []
        assert found(ready, EXPERIMENT, Compare(Label("both"), Op.EQ, "2")) == ["e"]
        assert found(ready, EXPERIMENT, Compare(Label("new"), Op.EQ, "2")) == ["e"]

    def test_labels_may_all_go(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment(labels=Labels(k="v")))

        assert_same(ready.update(EXPERIMENT, "e", Change({"labels": Labels()})), experiment())

        assert found(ready, EXPERIMENT, Present("labels")) == []
        assert found(ready, EXPERIMENT, Present(Label("k"))) == []

    def test_a_name_is_taken_over_once_it_is_free(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("a"))
        renamed = ready.update(EXPERIMENT, "a", Change({"name": "b"}))

        keep(ready, EXPERIMENT, experiment("c", name="a"))

        assert renamed == experiment("a", name="b")
        assert ready.insert(EXPERIMENT, [experiment("d", name="b")]) is Refusal.DUPLICATE

    def test_a_taken_name_is_a_duplicate_and_nothing_changes(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("e", labels=Labels(k="v")), experiment("taken"))
        keep(ready, EXPERIMENT, experiment("parent"))
        keep(ready, RUN, run())
        before = dump(ready)

        change = Change(
            {"name": "taken", "labels": Labels(k="w")},
            parent=below("parent"),
            cascades=(Cascade(RUN, {"storage_state": ARCHIVED}), Cascade(JOB, None)),
        )

        assert ready.update(EXPERIMENT, "e", change) is Refusal.DUPLICATE
        assert dump(ready) == before
        assert found(ready, EXPERIMENT, Compare(Label("k"), Op.EQ, "v")) == ["e"]
        assert found(ready, EXPERIMENT, Compare(Label("k"), Op.EQ, "w")) == []

    def test_a_record_may_be_given_the_name_it_has(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("a"))

        changed = ready.update(EXPERIMENT, "a", Change({"name": "a", "etag": "2"}))

        assert changed == experiment("a", etag="2")

    def test_a_parent_that_does_not_fit_or_is_missing_blocks_an_update(
        self, ready: Backend
    ) -> None:
        keep(ready, EXPERIMENT, experiment("e", storage_state=ARCHIVED))
        keep(ready, RUN, run("r", labels=Labels(k="v")))
        before = dump(ready)

        for parent in (below("e"), below("missing"), below("e", touching=False)):
            change = Change({"labels": Labels()}, parent=parent)
            assert ready.update(RUN, "r", change) is Refusal.BLOCKED
        assert dump(ready) == before

    def test_a_parent_that_fits_is_updated_too(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment(), experiment("f"))
        keep(ready, RUN, run())

        changed = ready.update(RUN, "r", Change({"storage_state": ARCHIVED}, parent=below("e")))

        assert changed == run(storage_state=ARCHIVED)
        touched = experiment(etag="2", updated_at=NOON + TICK, last_run_created_at=NOON)
        assert dump(ready)[EXPERIMENT.name] == [touched, experiment("f")]

    def test_a_blocked_update_leaves_the_parent_alone(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment())
        keep(ready, RUN, run())
        before = dump(ready)

        change = Change({"name": "new"}, STALE, parent=below("e"))

        assert ready.update(RUN, "r", change) is Refusal.BLOCKED
        assert ready.update(RUN, "unknown", change) is Refusal.MISSING
        assert dump(ready) == before

    def test_children_block_an_update_that_demands_none(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, *(experiment(id) for id in ("none", "run", "job")))
        keep(ready, RUN, run(of="run"))
        keep(ready, JOB, job(of="job"))
        change = Change({"etag": "2"}, childless=(RUN, JOB))

        outcomes: dict[str, Any] = {
            id: ready.update(EXPERIMENT, id, change) for id in ("none", "run", "job")
        }

        assert outcomes == {
            "none": experiment("none", etag="2"),
            "run": Refusal.BLOCKED,
            "job": Refusal.BLOCKED,
        }
        assert ready.get(EXPERIMENT, "run") == experiment("run")
        only_runs = Change({"etag": "3"}, childless=(RUN,))
        assert ready.update(EXPERIMENT, "job", only_runs) == experiment("job", etag="3")

    def test_missing_comes_before_blocked_before_duplicate_in_updates(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment(), experiment("taken"))
        keep(ready, RUN, run())
        rename = {"name": "taken"}
        blocked = (
            Change(rename, STALE),
            Change(rename, parent=below("missing")),
            Change(rename, childless=(RUN,)),
        )

        for change in blocked:
            assert ready.update(EXPERIMENT, "unknown", change) is Refusal.MISSING
            assert ready.update(EXPERIMENT, "e", change) is Refusal.BLOCKED
        assert ready.update(EXPERIMENT, "e", Change(rename)) is Refusal.DUPLICATE
