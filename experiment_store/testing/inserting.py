"""The contract of `insert`: all records and their parents, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from experiment_store.backend import Assignments, Backend, Max, Parent, Refusal
from experiment_store.filters.predicates import Compare, Label, Op
from experiment_store.records import Labels, StorageState
from experiment_store.schema import EXPERIMENT, JOB, RUN, Kind
from experiment_store.testing.reading import Fixtures, each_kind
from experiment_store.testing.samples import (
    LISTED,
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
    sample,
)
from experiment_store.testing.strategies import instants, several

ARCHIVED = StorageState.ARCHIVED
AVAILABLE = Compare("storage_state", Op.EQ, StorageState.AVAILABLE)
TOUCH: Assignments = {"etag": "2", "updated_at": NOON + TICK, "last_run_created_at": Max(NOON)}


def below(*ids: str, touching: bool = True) -> Parent:
    """Demand that these experiments are available."""
    return Parent(EXPERIMENT, frozenset(ids), AVAILABLE, TOUCH if touching else {})


class Inserting(Fixtures):
    """What a backend owes to those who add records."""

    @for_all(
        of=of_any_kind(lambda kind: st.tuples(st.just(kind), several(kind, min_size=1)), LISTED)
    )
    def test_several_records_are_added_at_once(
        self, ready: Backend, of: tuple[Kind[Any], list[Any]]
    ) -> None:
        kind, records = of
        refill(ready, {})

        assert ready.insert(kind, records) is None

        for record in records:
            assert_same(ready.get(kind, record.id), record)

    def test_a_thousand_records_are_added_at_once(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment())
        records = [run(f"{number:04}", labels=Labels(k=f"{number}")) for number in range(1_000)]

        assert ready.insert(RUN, records, below("e")) is None

        assert dump(ready)[RUN.name] == records
        assert found(ready, RUN, Compare(Label("k"), Op.EQ, "999")) == ["0999"]

    @each_kind
    def test_an_id_that_is_taken_is_a_duplicate(self, ready: Backend, kind: Kind[Any]) -> None:
        keep(ready, kind, taken := sample(kind, "a"))

        assert ready.insert(kind, [sample(kind, "a")]) is Refusal.DUPLICATE
        assert ready.get(kind, "a") == taken

    def test_a_duplicate_overwrites_nothing(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("a", labels=Labels(k="old")))
        before = dump(ready)

        new = experiment("a", name="b", description="new", labels=Labels(k="new", j="new"))

        assert ready.insert(EXPERIMENT, [new]) is Refusal.DUPLICATE
        assert dump(ready) == before
        assert found(ready, EXPERIMENT, Compare(Label("k"), Op.EQ, "old")) == ["a"]
        assert found(ready, EXPERIMENT, Compare(Label("k"), Op.EQ, "new")) == []
        assert found(ready, EXPERIMENT, Compare(Label("j"), Op.EQ, "new")) == []

    def test_a_name_that_is_taken_in_its_namespace_is_a_duplicate(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("1", name="a", namespace="n"))
        before = dump(ready)

        new = experiment("2", name="a", namespace="n", labels=Labels(k="v"))

        assert ready.insert(EXPERIMENT, [new]) is Refusal.DUPLICATE
        assert dump(ready) == before
        assert found(ready, EXPERIMENT, Compare(Label("k"), Op.EQ, "v")) == []

    def test_an_archived_record_keeps_its_name(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("1", name="a", storage_state=ARCHIVED))

        assert ready.insert(EXPERIMENT, [experiment("2", name="a")]) is Refusal.DUPLICATE

    def test_a_name_may_be_taken_in_another_namespace(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("1", name="a", namespace="n"))

        keep(ready, EXPERIMENT, experiment("2", name="a", namespace="N"))
        keep(ready, EXPERIMENT, experiment("3", name="a", namespace=""))

    @pytest.mark.parametrize(
        "names", [("a", "A"), ("a", "a "), ("\xe9", "e\u0301"), ("\xdf", "ss"), ("\ufb00", "ff")]
    )
    def test_names_are_equal_only_code_point_by_code_point(
        self, ready: Backend, names: tuple[str, str]
    ) -> None:
        keep(ready, EXPERIMENT, experiment("1", name=names[0]), experiment("2", name=names[1]))

        assert [record.name for record in dump(ready)[EXPERIMENT.name]] == list(names)

    def test_children_may_share_a_name(self, ready: Backend) -> None:
        keep(ready, RUN, run("1", name="a"), run("2", name="a"))
        keep(ready, JOB, job("1", name="a"), job("2", name="a"))

    @pytest.mark.parametrize("position", [0, 1, 2])
    @each_kind
    def test_a_batch_with_a_taken_id_is_refused_as_a_whole(
        self, ready: Backend, kind: Kind[Any], position: int
    ) -> None:
        keep(ready, kind, sample(kind, "taken"))
        batch = [sample(kind, "a"), sample(kind, "b")]
        batch.insert(position, sample(kind, "taken"))

        assert ready.insert(kind, batch) is Refusal.DUPLICATE
        assert ready.get(kind, "a") is None
        assert ready.get(kind, "b") is None

    @pytest.mark.parametrize("position", [0, 1, 2])
    def test_a_batch_with_a_taken_name_is_refused_as_a_whole(
        self, ready: Backend, position: int
    ) -> None:
        keep(ready, EXPERIMENT, experiment("1", name="taken"))
        before = dump(ready)
        batch = [experiment("a", labels=Labels(k="v")), experiment("b")]
        batch.insert(position, experiment("2", name="taken"))

        assert ready.insert(EXPERIMENT, batch) is Refusal.DUPLICATE
        assert dump(ready) == before
        assert found(ready, EXPERIMENT, Compare(Label("k"), Op.EQ, "v")) == []

    @each_kind
    def test_an_id_that_stands_twice_in_a_batch_is_a_duplicate(
        self, ready: Backend, kind: Kind[Any]
    ) -> None:
        batch = [sample(kind, id) for id in ("a", "b", "a")]

        assert ready.insert(kind, batch) is Refusal.DUPLICATE
        assert [ready.get(kind, id) for id in "ab"] == [None, None]

    def test_a_name_that_stands_twice_in_a_batch_is_a_duplicate(self, ready: Backend) -> None:
        batch = [experiment("1", name="a"), experiment("2"), experiment("3", name="a")]

        assert ready.insert(EXPERIMENT, batch) is Refusal.DUPLICATE
        assert dump(ready)[EXPERIMENT.name] == []

    def test_a_new_record_updates_its_parent(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, parent := experiment("e", labels=Labels(k="v")), experiment("f"))

        assert ready.insert(RUN, [run("r", of="e")], below("e")) is None

        touched = experiment(
            "e",
            labels=parent.labels,
            etag="2",
            updated_at=NOON + TICK,
            last_run_created_at=NOON,
        )
        assert dump(ready)[EXPERIMENT.name] == [touched, experiment("f")]
        assert ready.get(RUN, "r") == run("r", of="e")

    def test_new_records_update_all_their_parents(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, *(experiment(id) for id in "abc"))

        assert ready.insert(RUN, [run("1", of="a"), run("2", of="c")], below("a", "c")) is None

        assert [e.etag for e in dump(ready)[EXPERIMENT.name]] == ["2", "1", "2"]
        assert [r.id for r in dump(ready)[RUN.name]] == ["1", "2"]

    @for_all(current=st.none() | instants(), new=instants())
    def test_the_latest_time_of_a_parent_never_moves_back(
        self, ready: Backend, current: datetime | None, new: datetime
    ) -> None:
        refill(ready, {EXPERIMENT.name: [experiment(last_run_created_at=current)]})
        parent = Parent(EXPERIMENT, frozenset({"e"}), assign={"last_run_created_at": Max(new)})

        assert ready.insert(RUN, [run()], parent) is None

        latest = new if current is None else max(current, new)
        assert_same(ready.get(EXPERIMENT, "e"), experiment(last_run_created_at=latest))

    def test_every_time_is_later_than_an_absent_one(self, ready: Backend) -> None:
        first = datetime(1, 1, 1, tzinfo=UTC)
        keep(ready, EXPERIMENT, experiment())
        parent = Parent(EXPERIMENT, frozenset({"e"}), assign={"last_run_created_at": Max(first)})

        assert ready.insert(RUN, [run()], parent) is None

        assert ready.get(EXPERIMENT, "e") == experiment(last_run_created_at=first)

    def test_the_latest_times_of_several_parents_differ(self, ready: Backend) -> None:
        later = NOON + timedelta(days=1)
        keep(ready, EXPERIMENT, experiment("a"), experiment("b", last_run_created_at=later))

        assert ready.insert(RUN, [run("1", of="a"), run("2", of="b")], below("a", "b")) is None

        times = [e.last_run_created_at for e in dump(ready)[EXPERIMENT.name]]
        assert times == [NOON, later]

    @pytest.mark.parametrize("touching", [False, True])
    @pytest.mark.parametrize("ids", [("a",), ("a", "b"), ("b", "c")])
    def test_an_insert_below_a_missing_parent_is_refused(
        self, ready: Backend, ids: tuple[str, ...], *, touching: bool
    ) -> None:
        keep(ready, EXPERIMENT, experiment("b"))
        before = dump(ready)
        records = [run(f"r{id}", of=id) for id in ids]

        assert ready.insert(RUN, records, below(*ids, touching=touching)) is Refusal.MISSING
        assert dump(ready) == before

    @pytest.mark.parametrize("touching", [False, True])
    @pytest.mark.parametrize("ids", [("b",), ("a", "b"), ("b", "c")])
    def test_an_insert_below_a_parent_that_does_not_fit_is_blocked(
        self, ready: Backend, ids: tuple[str, ...], *, touching: bool
    ) -> None:
        archived = experiment("b", storage_state=ARCHIVED)
        keep(ready, EXPERIMENT, experiment("a"), archived, experiment("c"))
        before = dump(ready)
        records = [run(f"r{id}", of=id, labels=Labels(k="v")) for id in ids]

        assert ready.insert(RUN, records, below(*ids, touching=touching)) is Refusal.BLOCKED
        assert dump(ready) == before
        assert found(ready, RUN, Compare(Label("k"), Op.EQ, "v")) == []

    def test_a_parent_must_fit_its_whole_condition(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment(labels=Labels(k="v")))
        fit = Parent(EXPERIMENT, frozenset({"e"}), Compare(Label("k"), Op.EQ, "v"), TOUCH)
        unfit = Parent(EXPERIMENT, frozenset({"e"}), Compare(Label("k"), Op.EQ, "w"), TOUCH)

        assert ready.insert(RUN, [run("1")], unfit) is Refusal.BLOCKED
        assert ready.insert(RUN, [run("2")], fit) is None

    @pytest.mark.parametrize("touching", [False, True])
    def test_a_duplicate_leaves_the_parents_alone(self, ready: Backend, *, touching: bool) -> None:
        keep(ready, EXPERIMENT, experiment("a"), experiment("b"))
        keep(ready, RUN, run("taken", of="a"))
        before = dump(ready)

        for ids in (("a",), ("a", "b")):
            batch = [*(run(f"new {id}", of=id) for id in ids), run("taken", of="a")]
            assert ready.insert(RUN, batch, below(*ids, touching=touching)) is Refusal.DUPLICATE
            assert dump(ready) == before

    def test_missing_comes_before_blocked_before_duplicate(self, ready: Backend) -> None:
        archived = experiment("archived", storage_state=ARCHIVED)
        keep(ready, EXPERIMENT, experiment("a"), archived)
        keep(ready, RUN, run("taken"))
        taken = [run("taken")]

        assert ready.insert(RUN, taken, below("missing", "archived", "a")) is Refusal.MISSING
        assert ready.insert(RUN, taken, below("archived", "a")) is Refusal.BLOCKED
        assert ready.insert(RUN, taken, below("a")) is Refusal.DUPLICATE
