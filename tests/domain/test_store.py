"""The store and its experiments: every verb, every rule, every refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import (
    UNSET,
    AlreadyExistsError,
    ConflictError,
    ExperimentStore,
    FailedPreconditionError,
    InvalidArgumentError,
    NewExperiment,
    NewRun,
    NotFoundError,
    Obstacle,
    StorageState,
)
from experiment_store.errors import shown
from experiment_store.testing.strategies import texts
from experiment_store_memory import MemoryBackend

_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_CHANGES: dict[str, Callable[..., object]] = {
    "update": lambda store, id, etag=None: store.update(id, description="new", etag=etag),
    "update of nothing": lambda store, id, etag=None: store.update(id, etag=etag),
    "archive": lambda store, id, etag=None: store.archive(id, etag=etag),
    "unarchive": lambda store, id, etag=None: store.unarchive(id, etag=etag),
    "delete": lambda store, id, etag=None: store.delete(id, etag=etag),
    "delete with children": lambda store, id, etag=None: store.delete(
        id, children="delete", etag=etag
    ),
    "delete without children": lambda store, id, etag=None: store.delete(
        id, children="refuse", etag=etag
    ),
}


def test_a_new_experiment_is_available_and_has_what_was_said_of_it(store: ExperimentStore) -> None:
    made = store.create("mnist", namespace="vision", description="first", labels={"team": "cv"})

    assert made == store.get(made.id)
    assert (made.namespace, made.name, made.description) == ("vision", "mnist", "first")
    assert (made.labels, made.storage_state) == ({"team": "cv"}, StorageState.AVAILABLE)
    assert made.created_at == made.updated_at
    assert made.last_run_created_at is None


def test_a_new_experiment_needs_nothing_but_a_name(store: ExperimentStore) -> None:
    made = store.create("mnist")

    assert (made.namespace, made.description, made.labels) == ("", "", {})


@given(texts(128).filter(bool), texts(63), texts(), st.dictionaries(texts(9).filter(bool), texts()))
def test_text_comes_back_as_it_went_in(
    name: str, namespace: str, description: str, labels: dict[str, str]
) -> None:
    with ExperimentStore(MemoryBackend()) as store:
        made = store.create(name, namespace=namespace, description=description, labels=labels)

        found = store.get_by_name(name, namespace=namespace)

    assert found == made
    assert (made.name, made.namespace, made.description) == (name, namespace, description)
    assert made.labels == labels


def test_a_name_is_taken_once_in_its_namespace(store: ExperimentStore) -> None:
    store.create("mnist", namespace="vision")
    store.create("mnist", namespace="speech")
    store.create("MNIST", namespace="vision")

    with pytest.raises(AlreadyExistsError) as caught:
        store.create("mnist", namespace="vision", description="another")

    assert caught.value.key == {"namespace": "vision", "name": "mnist"}


@pytest.mark.parametrize(
    "content",
    [
        {"name": ""},
        {"name": "x" * 129},
        {"name": "a\0"},
        {"name": 7},
        {"namespace": "x" * 64},
        {"namespace": None},
        {"description": "x" * 4097},
        {"labels": {"": "x"}},
        {"labels": ["team"]},
        {"id": ""},
        {"id": "a b"},
        {"if_exists": "replace"},
        {"if_exists": None},
    ],
)
def test_an_argument_out_of_bounds_creates_nothing(
    store: ExperimentStore, content: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        store.create(**{"name": "mnist", **content})

    assert caught.value.argument.split()[0] == next(iter(content))
    assert store.list(with_total=True).total_size == 0


def test_a_repeated_create_with_an_id_returns_what_the_first_one_made(
    store: ExperimentStore,
) -> None:
    made = store.create("mnist", labels={"team": "cv"}, id="e-1")

    assert store.create("mnist", labels={"team": "cv"}, id="e-1") == made


def test_a_repeated_create_finds_the_record_whatever_became_of_its_state(
    store: ExperimentStore,
) -> None:
    store.create("mnist", id="e-1")
    archived = store.archive("e-1")

    assert store.create("mnist", id="e-1") == archived


@pytest.mark.parametrize(
    "content",
    [
        {"name": "cifar"},
        {"namespace": "speech"},
        {"description": "another"},
        {"labels": {}},
        {"labels": {"team": "nlp"}},
    ],
)
def test_an_id_taken_by_other_content_is_refused(
    store: ExperimentStore, content: dict[str, Any]
) -> None:
    given = {"name": "mnist", "namespace": "vision", "labels": {"team": "cv"}, "id": "e-1"}
    made = store.create(**given)  # type: ignore[arg-type]  # keywords of several types

    with pytest.raises(AlreadyExistsError) as caught:
        store.create(**{**given, **content})

    assert caught.value.key == {"id": "e-1"}
    assert list(store.iterate()) == [made]


def test_an_experiment_without_a_callers_id_is_never_taken_for_an_earlier_one(
    store: ExperimentStore,
) -> None:
    store.create("mnist")

    with pytest.raises(AlreadyExistsError):
        store.create("mnist")


def test_get_or_create_creates_what_is_not_there(store: ExperimentStore) -> None:
    made = store.create("mnist", description="first", if_exists="return")

    assert store.get(made.id).description == "first"


def test_get_or_create_returns_what_is_there_as_it_is(store: ExperimentStore) -> None:
    made = store.create("mnist", description="first")
    archived = store.archive(made.id)

    found = store.create("mnist", description="second", labels={"a": "b"}, if_exists="return")

    assert found == archived


def test_get_or_create_looks_in_its_own_namespace(store: ExperimentStore) -> None:
    made = store.create("mnist", namespace="vision")

    assert store.create("mnist", if_exists="return").id != made.id


def test_get_or_create_refuses_an_id_that_another_name_has(store: ExperimentStore) -> None:
    store.create("mnist", id="e-1")

    with pytest.raises(AlreadyExistsError) as caught:
        store.create("cifar", id="e-1", if_exists="return")

    assert caught.value.key == {"id": "e-1"}


def test_many_are_created_in_their_order_at_one_instant(store: ExperimentStore) -> None:
    made = store.create_many(NewExperiment(name, namespace="vision") for name in "cab")

    assert [record.name for record in made] == ["c", "a", "b"]
    assert len({record.created_at for record in made}) == 1
    assert store.get_many(record.id for record in made) == made


def test_none_of_many_may_be_none_at_all(store: ExperimentStore) -> None:
    assert store.create_many([]) == []


@pytest.mark.parametrize(
    ("second", "key"),
    [
        (NewExperiment("taken"), {"namespace": "", "name": "taken"}),
        (NewExperiment("first"), {"namespace": "", "name": "first"}),
        (NewExperiment("second", id="e-0"), {"id": "e-0"}),
        (NewExperiment("second", id="e-1"), {"id": "e-1"}),
    ],
)
def test_many_are_created_all_or_none(
    store: ExperimentStore, second: NewExperiment, key: dict[str, str]
) -> None:
    taken = store.create("taken", id="e-0")

    with pytest.raises(AlreadyExistsError) as caught:
        store.create_many([NewExperiment("first", id="e-1"), second])

    assert caught.value.key == key
    assert list(store.iterate()) == [taken]


def test_one_name_in_two_namespaces_is_no_clash_among_many(store: ExperimentStore) -> None:
    made = store.create_many([NewExperiment("a", namespace=space) for space in ("x", "y")])

    assert len(made) == 2


def test_one_argument_out_of_bounds_stops_many(store: ExperimentStore) -> None:
    with pytest.raises(InvalidArgumentError):
        store.create_many([NewExperiment("first"), NewExperiment("")])

    assert list(store.iterate()) == []


@pytest.mark.parametrize("wrong", ["mnist", NewRun("e-1", "mnist"), None])
def test_many_are_described_as_experiments(store: ExperimentStore, wrong: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        store.create_many([wrong])

    kind = type(wrong).__name__
    assert str(caught.value) == f"new experiment must be NewExperiment, not {kind}"


def test_a_repeated_create_of_many_returns_what_the_first_one_made(store: ExperimentStore) -> None:
    new = [NewExperiment("a", id="e-1"), NewExperiment("b", id="e-2", labels={"k": "v"})]
    made = store.create_many(new)

    assert store.create_many(reversed(new)) == list(reversed(made))


@pytest.mark.parametrize(
    "repeated",
    [
        [NewExperiment("a", id="e-1"), NewExperiment("c", id="e-3")],
        [NewExperiment("a", id="e-1"), NewExperiment("b")],
        [NewExperiment("a", id="e-1"), NewExperiment("b", id="e-2", description="other")],
        [NewExperiment("a", id="e-1"), NewExperiment("a", id="e-1")],
    ],
)
def test_many_of_which_some_are_there_are_no_repetition(
    store: ExperimentStore, repeated: list[NewExperiment]
) -> None:
    made = store.create_many([NewExperiment("a", id="e-1"), NewExperiment("b", id="e-2")])

    with pytest.raises(AlreadyExistsError):
        store.create_many(repeated)

    assert list(store.iterate(order_by="name")) == made


@pytest.mark.parametrize("id", ["e-9", "", "x" * 65, "a b", "\0", None, 7, ["e-1"]])
def test_an_id_that_nothing_has_is_not_found(store: ExperimentStore, id: Any) -> None:
    store.create("mnist", id="e-1")

    with pytest.raises(NotFoundError) as caught:
        store.get(id)

    assert (caught.value.kind, caught.value.key) == ("experiment", {"id": shown(id)})


def test_many_are_read_in_the_order_of_their_ids_as_often_as_they_stand_there(
    store: ExperimentStore,
) -> None:
    a, b = store.create_many([NewExperiment("a"), NewExperiment("b")])

    assert store.get_many([b.id, a.id, b.id]) == [b, a, b]
    assert store.get_many(id for id in [a.id]) == [a]
    assert store.get_many([]) == []


@pytest.mark.parametrize("missing", ["e-9", "", "x" * 65, None, ["e-1"]])
def test_many_are_read_all_or_none(store: ExperimentStore, missing: Any) -> None:
    store.create("mnist", id="e-1")

    with pytest.raises(NotFoundError) as caught:
        store.get_many(["e-1", missing])

    shown = missing if isinstance(missing, str) else f"<{type(missing).__name__}>"
    assert caught.value.key == {"id": shown}


@pytest.mark.parametrize(
    ("name", "namespace"),
    [("cifar", ""), ("mnist", ""), ("", "vision"), ("\0", "vision"), ("mnist", "\ud800"), (7, "")],
)
def test_a_name_that_nothing_has_is_not_found(
    store: ExperimentStore, name: Any, namespace: str
) -> None:
    store.create("mnist", namespace="vision")

    with pytest.raises(NotFoundError) as caught:
        store.get_by_name(name, namespace=namespace)

    shown = name if isinstance(name, str) else "<int>"
    assert caught.value.key == {"namespace": namespace, "name": shown}


@pytest.mark.parametrize("call", _CHANGES.values(), ids=_CHANGES)
@pytest.mark.parametrize("id", ["e-9", "", None, "x" * 65])
def test_nothing_can_be_done_to_what_is_not_there(
    store: ExperimentStore, call: Callable[..., object], id: Any
) -> None:
    with pytest.raises(NotFoundError) as caught:
        call(store, id)

    assert (caught.value.kind, caught.value.key) == ("experiment", {"id": shown(id)})


@pytest.mark.parametrize("call", _CHANGES.values(), ids=_CHANGES)
def test_a_change_takes_the_etag_of_the_record_as_it_is(
    store: ExperimentStore, call: Callable[..., object]
) -> None:
    made = store.create("mnist")

    call(store, made.id, made.etag)


@pytest.mark.parametrize("call", _CHANGES.values(), ids=_CHANGES)
@pytest.mark.parametrize("archived", [True, False])
def test_a_stale_etag_is_a_conflict_and_changes_nothing(
    store: ExperimentStore,
    call: Callable[..., object],
    archived: bool,  # noqa: FBT001 (a parameter of the test)
) -> None:
    made = store.create("mnist")
    store.runs.create(made.id, "run")
    current = store.archive(made.id) if archived else store.get(made.id)

    with pytest.raises(ConflictError) as caught:
        call(store, made.id, made.etag)

    assert (caught.value.kind, caught.value.id, caught.value.etag) == (
        "experiment", made.id, made.etag,
    )  # fmt: skip
    assert store.get(made.id) == current


@pytest.mark.parametrize("call", _CHANGES.values(), ids=_CHANGES)
@pytest.mark.parametrize("etag", [7, "x" * 129, "\0"])
def test_what_can_be_no_etag_is_refused(
    store: ExperimentStore, call: Callable[..., object], etag: Any
) -> None:
    made = store.create("mnist")

    with pytest.raises(InvalidArgumentError, match=r"^etag must"):
        call(store, made.id, etag)

    assert store.get(made.id) == made


def test_an_update_changes_what_is_given_and_nothing_else(store: ExperimentStore) -> None:
    made = store.create("mnist", namespace="vision", description="first", labels={"a": "b"})

    changed = store.update(made.id, description="")

    assert changed == store.get(made.id)
    assert changed == evolve(made, description="", updated_at=changed.updated_at, etag=changed.etag)
    assert changed.updated_at > made.updated_at
    assert changed.etag != made.etag


def test_an_update_replaces_all_labels(store: ExperimentStore) -> None:
    made = store.create("mnist", labels={"a": "b", "c": "d"})

    assert store.update(made.id, labels={"c": "e"}).labels == {"c": "e"}
    assert store.update(made.id, labels={}).labels == {}


def test_an_update_frees_the_old_name_and_takes_the_new_one(store: ExperimentStore) -> None:
    made = store.create("mnist", namespace="vision")

    store.update(made.id, name="cifar")
    again = store.create("mnist", namespace="vision")

    assert store.get_by_name("cifar", namespace="vision").id == made.id
    assert store.get_by_name("mnist", namespace="vision") == again


def test_an_update_to_the_name_it_has_is_no_clash(store: ExperimentStore) -> None:
    made = store.create("mnist")

    assert store.update(made.id, name="mnist").name == "mnist"


def test_an_update_to_a_name_that_is_taken_is_refused(store: ExperimentStore) -> None:
    made = store.create("mnist", namespace="vision")
    store.create("cifar", namespace="vision")

    with pytest.raises(AlreadyExistsError) as caught:
        store.update(made.id, name="cifar", description="new")

    assert caught.value.key == {"namespace": "vision", "name": "cifar"}
    assert store.get(made.id) == made


def test_an_update_of_nothing_leaves_the_record_as_it_is(store: ExperimentStore) -> None:
    made = store.create("mnist")

    assert store.update(made.id) == store.update(made.id, etag=made.etag) == made


@pytest.mark.parametrize(
    "content", [{"name": ""}, {"name": None}, {"description": None}, {"labels": None}]
)
def test_an_update_out_of_bounds_is_refused(
    store: ExperimentStore, content: dict[str, Any]
) -> None:
    made = store.create("mnist")

    with pytest.raises(InvalidArgumentError):
        store.update(made.id, **content)

    assert store.get(made.id) == made


def test_archiving_takes_runs_and_jobs_along_at_one_instant(store: ExperimentStore) -> None:
    made = store.create("mnist")
    run, job = store.runs.create(made.id, "run"), store.jobs.create(made.id, "job")

    archived = store.archive(made.id)

    old, new = store.runs.get(run.id), store.jobs.get(job.id)
    assert archived.storage_state is StorageState.ARCHIVED
    assert (old.storage_state, new.enabled) == (StorageState.ARCHIVED, False)
    assert archived.updated_at == old.updated_at == new.updated_at
    assert run.etag != old.etag
    assert job.etag != new.etag


def test_archiving_leaves_alone_what_is_inactive_and_what_belongs_elsewhere(
    store: ExperimentStore,
) -> None:
    made, other = store.create("mnist"), store.create("cifar")
    resting = store.jobs.create(made.id, "job", enabled=False)
    archived = store.runs.archive(store.runs.create(made.id, "run").id)
    run, job = store.runs.create(other.id, "run"), store.jobs.create(other.id, "job")

    store.archive(made.id)

    assert store.runs.get_many([archived.id, run.id]) == [archived, run]
    assert store.jobs.get_many([resting.id, job.id]) == [resting, job]


def test_archiving_and_unarchiving_are_idempotent(store: ExperimentStore) -> None:
    made = store.create("mnist")

    assert store.unarchive(made.id) == made
    archived = store.archive(made.id)
    assert store.archive(made.id) == store.archive(made.id, etag=archived.etag) == archived


def test_unarchiving_brings_back_the_experiment_alone(store: ExperimentStore) -> None:
    made = store.create("mnist")
    run, job = store.runs.create(made.id, "run"), store.jobs.create(made.id, "job")
    store.archive(made.id)

    back = store.unarchive(made.id)

    assert back == store.get(made.id)
    assert back.storage_state is StorageState.AVAILABLE
    assert store.runs.get(run.id).storage_state is StorageState.ARCHIVED
    assert not store.jobs.get(job.id).enabled


def test_an_archived_experiment_can_be_read_listed_updated_and_deleted(
    store: ExperimentStore,
) -> None:
    made = store.create("mnist")
    store.archive(made.id)

    changed = store.update(made.id, name="cifar")

    assert changed.storage_state is StorageState.ARCHIVED
    assert store.get_by_name("cifar") == changed
    assert list(store.iterate()) == [changed]
    assert list(store.iterate(filter="storage_state = AVAILABLE")) == []
    store.delete(made.id)
    assert list(store.iterate()) == []


def test_an_archived_experiment_keeps_its_name(store: ExperimentStore) -> None:
    store.archive(store.create("mnist").id)

    with pytest.raises(AlreadyExistsError):
        store.create("mnist")


def test_a_deleted_experiment_is_gone_and_its_name_free(store: ExperimentStore) -> None:
    made = store.create("mnist", id="e-1")

    store.delete(made.id)

    with pytest.raises(NotFoundError):
        store.get(made.id)
    assert store.create("mnist").id != made.id


def test_a_deleted_experiments_children_stay_by_default(store: ExperimentStore) -> None:
    made = store.create("mnist", namespace="vision")
    run, job = store.runs.create(made.id, "run"), store.jobs.create(made.id, "job")

    store.delete(made.id)

    assert store.runs.get(run.id) == run
    assert store.jobs.list(experiment_id=made.id, namespace="vision").items == [job]


def test_a_deleted_experiments_children_can_go_with_it(store: ExperimentStore) -> None:
    made, other = store.create("mnist"), store.create("cifar")
    run, job = store.runs.create(made.id, "run"), store.jobs.create(made.id, "job")
    kept = store.runs.create(other.id, "run")

    store.delete(made.id, children="delete")

    assert list(store.runs.iterate()) == [kept]
    assert list(store.jobs.iterate()) == []
    with pytest.raises(NotFoundError):
        store.runs.get(run.id)
    with pytest.raises(NotFoundError):
        store.jobs.get(job.id)


@pytest.mark.parametrize(("runs", "jobs"), [(1, 0), (0, 1), (2, 3)])
def test_children_can_prevent_a_delete_and_are_counted(
    store: ExperimentStore, runs: int, jobs: int
) -> None:
    made = store.create("mnist")
    for number in range(runs):
        store.runs.create(made.id, f"run-{number}")
    for number in range(jobs):
        store.jobs.create(made.id, f"job-{number}")

    with pytest.raises(FailedPreconditionError) as caught:
        store.delete(made.id, children="refuse")

    error = caught.value
    assert (error.kind, error.id, error.obstacle) == (
        "experiment", made.id, Obstacle.HAS_CHILDREN,
    )  # fmt: skip
    assert error.children == {"run": runs, "job": jobs}
    assert store.get(made.id).id == made.id


def test_archived_runs_and_disabled_jobs_prevent_a_delete_too(store: ExperimentStore) -> None:
    made = store.create("mnist")
    store.runs.create(made.id, "run")
    store.jobs.create(made.id, "job")
    store.archive(made.id)

    with pytest.raises(FailedPreconditionError):
        store.delete(made.id, children="refuse")


def test_nobodys_children_prevent_nothing(store: ExperimentStore) -> None:
    made, other = store.create("mnist"), store.create("cifar")
    store.runs.create(other.id, "run")

    store.delete(made.id, children="refuse")

    assert [record.id for record in store.iterate()] == [other.id]


def test_nothing_else_can_be_done_about_children(store: ExperimentStore) -> None:
    made = store.create("mnist")

    with pytest.raises(InvalidArgumentError, match="children must be one of keep, delete, refuse"):
        store.delete(made.id, children="archive")  # type: ignore[arg-type]  # the point of the test

    assert store.get(made.id) == made


@pytest.mark.parametrize(
    "wrong",
    [datetime(2026, 1, 1), date(2026, 1, 1), 0.0, None],  # noqa: DTZ001 (the point of the test)
)
def test_a_clock_has_to_tell_an_aware_time(wrong: Any) -> None:
    store = ExperimentStore(MemoryBackend(), clock=lambda: wrong)

    with pytest.raises(InvalidArgumentError, match=r"^clock must"):
        store.create("mnist")
    with pytest.raises(InvalidArgumentError, match=r"^clock must"):
        store.list()


def test_a_clock_of_any_zone_makes_times_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    store = ExperimentStore(MemoryBackend(), clock=lambda: _TIME.astimezone(zone))

    made = store.create("mnist")

    assert (made.created_at, made.created_at.tzinfo) == (_TIME, UTC)


def test_ids_and_etags_come_from_the_callers_sources() -> None:
    ids, etags = (f"e-{number}" for number in count()), (f"t-{number}" for number in count())
    store = ExperimentStore(MemoryBackend(), new_id=lambda: next(ids), new_etag=lambda: next(etags))

    made = store.create("mnist")
    changed = store.update(made.id, description="new")

    assert (made.id, made.etag, changed.etag) == ("e-0", "t-0", "t-1")


@pytest.mark.parametrize("wrong", ["", "a b", "x" * 65, 7, None])
def test_a_source_of_ids_has_to_make_ids(wrong: Any) -> None:
    store = ExperimentStore(MemoryBackend(), new_id=lambda: wrong)

    with pytest.raises(InvalidArgumentError, match=r"^new_id must be 1 to 64 visible ASCII"):
        store.create("mnist")


@pytest.mark.parametrize("wrong", ["", "x" * 129, "\ud800", 7, None])
def test_a_source_of_etags_has_to_make_etags(wrong: Any) -> None:
    store = ExperimentStore(MemoryBackend(), new_etag=lambda: wrong)

    with pytest.raises(InvalidArgumentError, match=r"^new_etag must"):
        store.create("mnist")


@pytest.mark.parametrize("argument", ["name", "namespace", "description", "labels", "id"])
def test_what_is_created_cannot_be_unset(store: ExperimentStore, argument: str) -> None:
    given: Any = {"name": "mnist", argument: UNSET}

    with pytest.raises(InvalidArgumentError, match=argument):
        store.create(**given)


def test_an_argument_of_any_size_is_not_echoed(store: ExperimentStore) -> None:
    huge: Any = 10**5000

    with pytest.raises(NotFoundError, match="<int>"):
        store.get(huge)


def test_a_source_that_repeats_an_id_is_noticed() -> None:
    store = ExperimentStore(MemoryBackend(), new_id=lambda: "e-1")
    store.create("mnist")

    with pytest.raises(AlreadyExistsError) as caught:
        store.create("cifar")

    assert caught.value.key == {"id": "e-1"}


@pytest.mark.parametrize("size", [0, -1, 1.5, "20", True, 10**30])
def test_the_maximum_of_a_page_is_at_least_1(size: int) -> None:
    with pytest.raises(InvalidArgumentError, match="max_page_size must be an integer"):
        ExperimentStore(MemoryBackend(), max_page_size=size)


@pytest.mark.parametrize("key", [b"short", "0123456789abcdef"])
def test_a_token_key_is_checked_when_the_store_opens(key: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="token_key must be at least 16 bytes"):
        ExperimentStore(MemoryBackend(), token_key=key)


def test_a_store_sets_its_backend_up_and_closes_it_at_the_end_of_a_block() -> None:
    backend = _Diary()

    with ExperimentStore(backend) as store:
        assert backend.diary == ["setup"]
    store.close()

    assert backend.diary == ["setup", "close", "close"]


def test_a_store_closes_its_backend_when_the_block_fails() -> None:
    backend = _Diary()

    with pytest.raises(KeyError, match="ours"), ExperimentStore(backend):
        raise KeyError("ours")

    assert backend.diary == ["setup", "close"]


class _Diary(MemoryBackend):
    """Notes when it is opened and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.diary: list[str] = []

    def setup(self) -> None:
        self.diary.append("setup")

    def close(self) -> None:
        self.diary.append("close")
