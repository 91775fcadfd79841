"""The contract of `delete`: the record, its labels and, where asked, its children."""

from __future__ import annotations

from typing import Any

import pytest

from experiment_store.backend import Backend, Cascade, Change, Refusal
from experiment_store.filters.predicates import Compare, Label, Op, Present
from experiment_store.records import Labels, StorageState
from experiment_store.schema import EXPERIMENT, JOB, RUN, Kind
from experiment_store.testing.inserting import AVAILABLE, below
from experiment_store.testing.reading import Fixtures, each_kind
from experiment_store.testing.samples import (
    NOTHING,
    dump,
    experiment,
    found,
    ids,
    job,
    keep,
    run,
    sample,
)
from experiment_store.testing.updating import CURRENT, STALE


class Deleting(Fixtures):
    """What a backend owes to those who remove a record."""

    @each_kind
    def test_a_deleted_record_is_gone(self, ready: Backend, kind: Kind[Any]) -> None:
        keep(ready, kind, sample(kind, "a"), sample(kind, "b"))

        assert ready.delete(kind, "a", Change()) is None

        assert [ready.get(kind, id) for id in "ab"] == [None, sample(kind, "b")]
        assert ready.delete(kind, "a", Change()) is Refusal.MISSING

    def test_children_stay_unless_a_cascade_takes_them(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment())
        keep(ready, RUN, child := run(labels=Labels(k="v")))
        keep(ready, JOB, job())

        assert ready.delete(EXPERIMENT, "e", Change()) is None

        assert dump(ready) == {**NOTHING, RUN.name: [child], JOB.name: [job()]}
        assert found(ready, RUN, Compare(Label("k"), Op.EQ, "v")) == ["r"]

    def test_cascades_of_a_delete_take_its_own_children(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("e"), experiment("f"))
        keep(ready, RUN, run("1", of="e"), run("2", of="f"), run("3", of="gone"))
        keep(ready, JOB, job("1", of="e"), job("2", of="f"))

        cascades = (Cascade(RUN, None), Cascade(JOB, None))

        assert ready.delete(EXPERIMENT, "e", Change(cascades=cascades)) is None
        assert {name: ids(records) for name, records in dump(ready).items()} == {
            **NOTHING,
            EXPERIMENT.name: ["f"],
            RUN.name: ["2", "3"],
            JOB.name: ["2"],
        }

    def test_a_cascade_of_a_delete_may_assign(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment())
        keep(ready, RUN, run("1"), put_away := run("2", storage_state=StorageState.ARCHIVED))
        archive = {"storage_state": StorageState.ARCHIVED, "etag": "2"}

        change = Change(cascades=(Cascade(RUN, archive, AVAILABLE),))

        assert ready.delete(EXPERIMENT, "e", change) is None
        archived = run("1", storage_state=StorageState.ARCHIVED, etag="2")
        assert dump(ready)[RUN.name] == [archived, put_away]

    def test_the_name_of_a_deleted_record_is_free(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("1", name="a"))
        assert ready.delete(EXPERIMENT, "1", Change()) is None

        keep(ready, EXPERIMENT, experiment("2", name="a"))

    def test_labels_of_a_deleted_record_do_not_come_back(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment(labels=Labels(k="v")))
        keep(ready, RUN, run(labels=Labels(k="v")))
        assert ready.delete(EXPERIMENT, "e", Change(cascades=(Cascade(RUN, None),))) is None

        keep(ready, EXPERIMENT, experiment())
        keep(ready, RUN, run())

        assert found(ready, EXPERIMENT, Present(Label("k"))) == []
        assert found(ready, RUN, Present(Label("k"))) == []
        assert [ready.get(EXPERIMENT, "e"), ready.get(RUN, "r")] == [experiment(), run()]

    def test_a_stale_condition_blocks_a_delete(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment(labels=Labels(k="v")))
        keep(ready, RUN, run())
        before = dump(ready)

        change = Change(where=STALE, cascades=(Cascade(RUN, None),))

        assert ready.delete(EXPERIMENT, "e", change) is Refusal.BLOCKED
        assert dump(ready) == before
        assert found(ready, EXPERIMENT, Present(Label("k"))) == ["e"]
        assert ready.delete(EXPERIMENT, "e", Change(where=CURRENT)) is None

    @pytest.mark.parametrize("kind", [RUN, JOB], ids=lambda kind: kind.name)
    def test_children_block_a_delete_that_demands_none(
        self, ready: Backend, kind: Kind[Any]
    ) -> None:
        keep(ready, EXPERIMENT, experiment("e"), experiment("none"))
        keep(ready, kind, sample(kind, "child"))
        before = dump(ready)

        assert ready.delete(EXPERIMENT, "e", Change(childless=(RUN, JOB))) is Refusal.BLOCKED
        assert dump(ready) == before
        assert ready.delete(EXPERIMENT, "none", Change(childless=(RUN, JOB))) is None

    def test_a_delete_depends_on_its_parent_and_updates_it(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("e"))
        keep(ready, EXPERIMENT, experiment("f", storage_state=StorageState.ARCHIVED))
        keep(ready, RUN, run())
        before = dump(ready)

        assert ready.delete(RUN, "r", Change(parent=below("e", "f"))) is Refusal.BLOCKED
        assert ready.delete(RUN, "r", Change(parent=below("missing"))) is Refusal.BLOCKED
        assert ready.delete(RUN, "r", Change(where=STALE, parent=below("e"))) is Refusal.BLOCKED
        assert dump(ready) == before
        assert ready.delete(RUN, "r", Change(parent=below("e"))) is None
        assert [record.etag for record in dump(ready)[EXPERIMENT.name]] == ["2", "1"]

    @each_kind
    def test_missing_comes_before_blocked_in_deletes(self, ready: Backend, kind: Kind[Any]) -> None:
        for change in (
            Change(where=Compare("id", Op.EQ, "b")),
            Change(parent=below("missing")),
            Change(cascades=(Cascade(RUN, None),)),
        ):
            assert ready.delete(kind, "a", change) is Refusal.MISSING
