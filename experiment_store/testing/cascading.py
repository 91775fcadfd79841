"""The contract of cascades: what a change does to the children, in the same step."""

from __future__ import annotations

from typing import Any

import pytest

from experiment_store.backend import Backend, Cascade, Change
from experiment_store.filters.predicates import (
    Compare,
    Label,
    Op,
    Present,
    negate,
)
from experiment_store.records import Labels
from experiment_store.schema import EXPERIMENT, JOB, RUN
from experiment_store.testing.inserting import ARCHIVED, AVAILABLE
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.samples import (
    NOON,
    NOTHING,
    dump,
    experiment,
    found,
    ids,
    job,
    keep,
    run,
)


class Cascading(Fixtures):
    """What a backend owes to the children of what changes."""

    def test_a_cascade_changes_the_children_that_fit(self, ready: Backend) -> None:
        put_away, on, off = run("1", storage_state=ARCHIVED), job("1"), job("2", enabled=False)
        keep(ready, EXPERIMENT, experiment())
        keep(ready, RUN, put_away, run("2"), run("3"))
        keep(ready, JOB, on, off)

        change = Change(
            {"storage_state": ARCHIVED},
            AVAILABLE,
            cascades=(
                Cascade(RUN, {"storage_state": ARCHIVED, "etag": "2"}, AVAILABLE),
                Cascade(
                    JOB, {"enabled": False, "etag": "2"}, Compare("enabled", Op.EQ, value=True)
                ),
            ),
        )

        changed = experiment(storage_state=ARCHIVED)
        assert ready.update(EXPERIMENT, "e", change) == changed
        archived = [run(id, storage_state=ARCHIVED, etag="2") for id in "23"]
        assert dump(ready) == {
            **NOTHING,
            EXPERIMENT.name: [changed],
            RUN.name: [put_away, *archived],
            JOB.name: [job("1", enabled=False, etag="2"), off],
        }

    @pytest.mark.parametrize("assign", [{"storage_state": ARCHIVED}, None])
    def test_a_cascade_leaves_the_children_of_others_alone(
        self, ready: Backend, assign: dict[str, Any] | None
    ) -> None:
        keep(ready, EXPERIMENT, experiment("e"), experiment("E"))
        keep(ready, RUN, run("1", of="e"))
        others = [run("2", of="E"), run("3", of="gone", labels=Labels(k="v")), run("e", of="1")]
        keep(ready, RUN, *others)
        keep(ready, JOB, beside := job("1", of="e"))

        ready.update(EXPERIMENT, "e", Change(cascades=(Cascade(RUN, assign),)))

        after = dump(ready)
        assert after[RUN.name][-3:] == others
        assert after[JOB.name] == [beside]
        assert found(ready, RUN, Present(Label("k"))) == ["3"]

    def test_a_cascade_removes_the_children_that_fit(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment())
        keep(ready, RUN, run("1", labels=Labels(k="v")), run("2", labels=Labels(k="w")), run("3"))
        fits = Compare(Label("k"), Op.EQ, "v")

        ready.update(EXPERIMENT, "e", Change(cascades=(Cascade(RUN, None, fits),)))

        assert ids(dump(ready)[RUN.name]) == ["2", "3"]
        assert found(ready, RUN, Present(Label("k"))) == ["2"]

    def test_a_cascade_sees_no_child_that_fits_only_when_negated(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment())
        keep(ready, RUN, run("1", started_at=NOON), run("2"))
        started = Compare("started_at", Op.LE, NOON)

        ready.update(EXPERIMENT, "e", Change(cascades=(Cascade(RUN, None, negate(started)),)))

        assert ids(dump(ready)[RUN.name]) == ["1"]
