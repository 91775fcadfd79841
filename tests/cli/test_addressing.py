"""Records are meant by name, by id, or by the beginning of an id that no other has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import ExperimentStore, InvalidArgumentError, NewRun, NotFoundError, connect
from experiment_store.cli.addressing import parent_id, pick, pick_experiment, shortest

IDS = st.lists(
    st.text("ab-", min_size=1, max_size=30).map(lambda tail: f"0199a3c4{tail}"),
    unique=True,
    min_size=1,
    max_size=12,
)


@pytest.fixture
def store() -> Iterator[ExperimentStore]:
    with connect("memory://") as store:
        yield store


def test_a_name_comes_before_an_id(store: ExperimentStore) -> None:
    store.create("first", id="second")
    named = store.create("second", id="other")

    assert pick_experiment(store, "second", None) == named


def test_an_experiment_is_found_by_its_id_and_its_beginning(store: ExperimentStore) -> None:
    made = store.create("mnist", id="0199a3c4-7b21")

    assert pick_experiment(store, "0199a3c4-7b21", None) == made
    assert pick_experiment(store, "0199", None) == made


@pytest.mark.parametrize("text", ["019", "0199-", "é", "\ud800", ""])
def test_what_is_no_name_and_begins_no_id_is_not_found(text: str, store: ExperimentStore) -> None:
    store.create("mnist", id="0199a3c4-7b21")

    with pytest.raises(NotFoundError, match="name or id"):
        pick_experiment(store, text, None)


def test_a_name_in_several_namespaces_needs_one(store: ExperimentStore) -> None:
    made = store.create("mnist", namespace="vision")
    store.create("mnist", namespace="text")

    with pytest.raises(InvalidArgumentError, match="give --namespace"):
        pick_experiment(store, "mnist", None)
    assert pick_experiment(store, "mnist", "vision") == made
    with pytest.raises(NotFoundError, match="namespace 'none'"):
        pick_experiment(store, "mnist", "none")


def test_the_beginning_of_several_ids_is_refused(store: ExperimentStore) -> None:
    store.create("a", id="0199-a")
    store.create("b", id="0199-b")

    with pytest.raises(InvalidArgumentError, match="beginning of several: 0199-a, 0199-b"):
        pick(store, "0199")


def test_an_experiment_that_has_gone_still_has_its_children(store: ExperimentStore) -> None:
    with_run, with_job = store.create("a", id="with-run"), store.create("b", id="with-job")
    store.runs.create(with_run.id, "run")
    store.jobs.create(with_job.id, "job")
    store.delete(with_run.id)
    store.delete(with_job.id)

    assert parent_id(store, "with-run", None) == "with-run"
    assert parent_id(store, "with-job", None) == "with-job"
    for gone in ("never-was", "\ud800"):
        with pytest.raises(NotFoundError):
            parent_id(store, gone, None)


@given(ids=IDS, data=st.data())
def test_an_id_that_was_cut_still_means_its_record(ids: list[str], data: st.DataObject) -> None:
    shown = data.draw(st.lists(st.sampled_from(ids), unique=True))
    with connect("memory://") as store:
        parent = store.create("mnist")
        store.runs.create_many(NewRun(parent.id, "run", id=id) for id in ids)

        length = shortest(store.runs, shown)

        assert all(pick(store.runs, id[:length]).id == id for id in shown)


def test_ids_are_cut_where_that_is_safe(store: ExperimentStore) -> None:
    parent = store.create("mnist")
    store.runs.create_many(NewRun(parent.id, "run", id=f"0199a3c4-{n}abc-7") for n in range(9))

    assert shortest(store.runs, [f"0199a3c4-{n}abc-7" for n in range(9)]) == 13
    assert shortest(store.runs, ["0199a3c4-0abc-7"]) == 13  # others begin with its first eight
    assert shortest(store.runs, [str(n) for n in range(51)]) is None


def test_ids_that_differ_late_stay_whole(store: ExperimentStore) -> None:
    parent = store.create("mnist")
    ids = [f"{'0' * 40}{n}" for n in range(2)]
    store.runs.create_many(NewRun(parent.id, "run", id=id) for id in ids)

    assert shortest(store.runs, ids) is None
