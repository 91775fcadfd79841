"""What runs and jobs have in common: they lie below an experiment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from attrs import evolve

from experiment_store import (
    AlreadyExistsError,
    ConflictError,
    Experiment,
    ExperimentStore,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidFilterError,
    InvalidOrderByError,
    InvalidPageTokenError,
    NewJob,
    NewRun,
    NotFoundError,
    Obstacle,
)

Children: TypeAlias = Any  # the collection of runs, or that of jobs
Verb: TypeAlias = Callable[..., Any]

_NEW: dict[str, Any] = {"runs": NewRun, "jobs": NewJob}
_VERBS: list[tuple[str, Verb]] = [
    ("runs", lambda runs, id, etag=None: runs.update(id, description="new", etag=etag)),
    ("runs", lambda runs, id, etag=None: runs.update(id, etag=etag)),
    ("runs", lambda runs, id, etag=None: runs.archive(id, etag=etag)),
    ("runs", lambda runs, id, etag=None: runs.unarchive(id, etag=etag)),
    ("runs", lambda runs, id, etag=None: runs.delete(id, etag=etag)),
    ("jobs", lambda jobs, id, etag=None: jobs.update(id, description="new", etag=etag)),
    ("jobs", lambda jobs, id, etag=None: jobs.update(id, etag=etag)),
    ("jobs", lambda jobs, id, etag=None: jobs.enable(id, etag=etag)),
    ("jobs", lambda jobs, id, etag=None: jobs.disable(id, etag=etag)),
    ("jobs", lambda jobs, id, etag=None: jobs.delete(id, etag=etag)),
]

every_kind = pytest.mark.parametrize("kind", ["runs", "jobs"])
every_verb = pytest.mark.parametrize(("kind", "verb"), _VERBS)


@pytest.fixture
def parent(store: ExperimentStore) -> Experiment:
    """An available experiment."""
    return store.create("mnist", namespace="vision", id="e-1")


@pytest.fixture
def children(store: ExperimentStore, kind: str) -> Children:
    """The collection of the kind that the test is about."""
    return getattr(store, kind)


@every_kind
def test_a_child_has_its_experiments_namespace(children: Children, parent: Experiment) -> None:
    made = children.create(parent.id, "first", description="words", labels={"a": "b"})

    assert made == children.get(made.id)
    assert (made.experiment_id, made.namespace) == ("e-1", "vision")
    assert (made.name, made.description, made.labels) == ("first", "words", {"a": "b"})
    assert made.created_at == made.updated_at


@every_kind
def test_names_of_children_need_not_be_unique(children: Children, parent: Experiment) -> None:
    first, second = (children.create(parent.id, "same") for _ in range(2))

    assert children.list().items == [first, second]


@every_kind
@pytest.mark.usefixtures("parent")
def test_a_child_needs_an_experiment_that_is_there(children: Children) -> None:
    with pytest.raises(NotFoundError) as caught:
        children.create("e-9", "first")

    assert (caught.value.kind, caught.value.key) == ("experiment", {"id": "e-9"})


@every_kind
def test_an_archived_experiment_takes_no_children(
    store: ExperimentStore, children: Children, parent: Experiment
) -> None:
    archived = store.archive(parent.id)

    with pytest.raises(FailedPreconditionError) as caught:
        children.create(parent.id, "first")

    error = caught.value
    assert (error.kind, error.id, error.obstacle) == ("experiment", "e-1", Obstacle.ARCHIVED)
    assert list(children.iterate()) == []
    assert store.get(parent.id) == archived


@every_kind
def test_an_unarchived_experiment_takes_children_again(
    store: ExperimentStore, children: Children, parent: Experiment
) -> None:
    store.archive(parent.id)
    store.unarchive(parent.id)

    assert children.create(parent.id, "first").experiment_id == parent.id


@every_kind
@pytest.mark.parametrize(
    "content",
    [
        {"experiment_id": ""},
        {"experiment_id": None},
        {"name": ""},
        {"name": "x" * 129},
        {"description": "\0"},
        {"labels": {"k": 7}},
        {"id": "a b"},
    ],
)
def test_an_argument_out_of_bounds_creates_no_child(
    children: Children, parent: Experiment, content: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        children.create(**{"experiment_id": parent.id, "name": "first", **content})

    assert caught.value.argument.split()[0] == next(iter(content))
    assert list(children.iterate()) == []


@every_kind
def test_a_repeated_create_of_a_child_returns_what_the_first_one_made(
    children: Children, parent: Experiment
) -> None:
    made = children.create(parent.id, "first", labels={"a": "b"}, id="c-1")

    assert children.create(parent.id, "first", labels={"a": "b"}, id="c-1") == made
    assert list(children.iterate()) == [made]


@every_kind
def test_a_repeated_create_finds_the_child_even_if_its_experiment_is_gone(
    store: ExperimentStore, children: Children, parent: Experiment
) -> None:
    made = children.create(parent.id, "first", id="c-1")
    store.delete(parent.id)

    assert children.create(parent.id, "first", id="c-1") == made


@every_kind
@pytest.mark.parametrize(
    "content", [{"name": "x"}, {"description": "x"}, {"labels": {}}, {"experiment_id": "e-2"}]
)
def test_an_id_taken_by_another_child_is_refused(
    store: ExperimentStore, children: Children, parent: Experiment, content: dict[str, Any]
) -> None:
    store.create("other", id="e-2")
    given = {"experiment_id": parent.id, "name": "first", "labels": {"a": "b"}, "id": "c-1"}
    made = children.create(**given)

    with pytest.raises(AlreadyExistsError) as caught:
        children.create(**{**given, **content})

    assert caught.value.key == {"id": "c-1"}
    assert list(children.iterate()) == [made]


@every_kind
def test_many_children_are_created_in_their_order_below_several_experiments(
    store: ExperimentStore, children: Children, parent: Experiment, kind: str
) -> None:
    other = store.create("cifar", namespace="speech")

    made = children.create_many(
        _NEW[kind](id, name) for id, name in [(other.id, "b"), (parent.id, "a"), (other.id, "a")]
    )

    assert [(child.namespace, child.name) for child in made] == [
        ("speech", "b"), ("vision", "a"), ("speech", "a"),
    ]  # fmt: skip
    assert children.get_many(child.id for child in made) == made
    assert len({child.created_at for child in made}) == 1


@every_kind
def test_none_of_many_children_may_be_none_at_all(children: Children) -> None:
    assert children.create_many([]) == []


@every_kind
def test_many_children_are_described_as_what_they_are_to_be(
    children: Children, parent: Experiment, kind: str
) -> None:
    right, wrong = (NewRun, NewJob) if kind == "runs" else (NewJob, NewRun)

    with pytest.raises(InvalidArgumentError) as caught:
        children.create_many([right(parent.id, "a"), wrong(parent.id, "b")])

    expected = f"{right.__name__}, not {wrong.__name__}"
    assert str(caught.value) == f"new {kind.removesuffix('s')} must be {expected}"
    assert list(children.iterate()) == []


@every_kind
@pytest.mark.parametrize("flaw", ["archived", "missing", "taken", "twice", "wrong"])
def test_many_children_are_created_all_or_none(
    store: ExperimentStore, children: Children, parent: Experiment, kind: str, flaw: str
) -> None:
    store.archive(store.create("old", id="archived").id)
    children.create(parent.id, "taken", id="c-0")
    second, error = {
        "archived": (_NEW[kind]("archived", "b"), FailedPreconditionError),
        "missing": (_NEW[kind]("e-9", "b"), NotFoundError),
        "taken": (_NEW[kind](parent.id, "b", id="c-0"), AlreadyExistsError),
        "twice": (_NEW[kind](parent.id, "b", id="c-1"), AlreadyExistsError),
        "wrong": (_NEW[kind](parent.id, ""), InvalidArgumentError),
    }[flaw]
    before = store.get(parent.id)

    with pytest.raises(error):
        children.create_many([_NEW[kind](parent.id, "a", id="c-1"), second])

    assert [child.id for child in children.iterate()] == ["c-0"]
    assert store.get(parent.id) == before


@every_kind
def test_a_repeated_create_of_many_children_returns_what_the_first_one_made(
    children: Children, parent: Experiment, kind: str
) -> None:
    new = [_NEW[kind](parent.id, name, id=f"c-{name}") for name in "ab"]
    made = children.create_many(new)

    assert children.create_many(new) == made
    assert list(children.iterate()) == made


@every_kind
@pytest.mark.parametrize("id", ["c-9", "", "x" * 65, None])
def test_an_id_that_no_child_has_is_not_found(
    children: Children, parent: Experiment, kind: str, id: Any
) -> None:
    children.create(parent.id, "first", id="c-1")

    with pytest.raises(NotFoundError) as caught:
        children.get(id)
    with pytest.raises(NotFoundError):
        children.get_many(["c-1", id])

    assert (caught.value.kind, caught.value.key) == (
        kind.removesuffix("s"),
        {"id": id or "" if isinstance(id, str) else "<NoneType>"},
    )


@every_kind
def test_a_child_is_no_experiment_and_none_of_the_other_kind(
    store: ExperimentStore, children: Children, parent: Experiment
) -> None:
    made = children.create(parent.id, "first")

    for other in (store, store.runs, store.jobs):
        if other is not children:
            with pytest.raises(NotFoundError):
                other.get(made.id)


@every_verb
def test_nothing_can_be_done_to_a_child_that_is_not_there(
    children: Children, kind: str, verb: Verb
) -> None:
    with pytest.raises(NotFoundError) as caught:
        verb(children, "c-9")

    assert (caught.value.kind, caught.value.key) == (kind.removesuffix("s"), {"id": "c-9"})


@every_verb
def test_a_change_takes_the_etag_of_the_child_as_it_is(
    children: Children, parent: Experiment, verb: Verb
) -> None:
    made = children.create(parent.id, "first")

    verb(children, made.id, made.etag)


@every_verb
@pytest.mark.parametrize("active", [True, False])
def test_a_stale_etag_of_a_child_is_a_conflict_and_changes_nothing(
    children: Children,
    parent: Experiment,
    kind: str,
    verb: Verb,
    active: bool,  # noqa: FBT001 (a parameter of the test)
) -> None:
    made = children.create(parent.id, "first")
    current = children.update(made.id, name="second")
    if not active:
        current = (children.archive if kind == "runs" else children.disable)(made.id)

    with pytest.raises(ConflictError) as caught:
        verb(children, made.id, made.etag)

    assert (caught.value.kind, caught.value.id) == (kind.removesuffix("s"), made.id)
    assert caught.value.etag == made.etag
    assert children.get(made.id) == current


@every_verb
def test_what_can_be_no_etag_of_a_child_is_refused(
    children: Children, parent: Experiment, verb: Verb
) -> None:
    made = children.create(parent.id, "first")

    with pytest.raises(InvalidArgumentError, match=r"^etag must"):
        verb(children, made.id, "x" * 129)


@every_kind
def test_an_update_changes_what_is_given_of_a_child_and_nothing_else(
    children: Children, parent: Experiment
) -> None:
    made = children.create(parent.id, "first", description="words", labels={"a": "b"})

    changed = children.update(made.id, name="second", labels={})

    assert changed == children.get(made.id)
    assert changed == evolve(
        made, name="second", labels={}, updated_at=changed.updated_at, etag=changed.etag
    )
    assert changed.updated_at > made.updated_at
    assert changed.etag != made.etag


@every_kind
def test_an_update_of_nothing_leaves_a_child_as_it_is(
    children: Children, parent: Experiment
) -> None:
    made = children.create(parent.id, "first")

    assert children.update(made.id) == made


@every_kind
def test_a_child_of_an_archived_experiment_can_be_read_updated_and_deleted(
    store: ExperimentStore, children: Children, parent: Experiment
) -> None:
    made = children.create(parent.id, "first")
    store.archive(parent.id)

    changed = children.update(made.id, name="second")

    assert children.list(experiment_id=parent.id).items == [changed]
    children.delete(made.id)
    assert list(children.iterate()) == []


@every_kind
def test_a_deleted_child_is_gone_and_its_experiment_as_it_was(
    store: ExperimentStore, children: Children, parent: Experiment
) -> None:
    made = children.create(parent.id, "first")
    before = store.get(parent.id)

    children.delete(made.id)

    with pytest.raises(NotFoundError):
        children.get(made.id)
    assert store.get(parent.id) == before


@every_kind
def test_a_listing_is_of_one_experiment_one_namespace_or_all(
    store: ExperimentStore, children: Children, parent: Experiment
) -> None:
    other, third = store.create("a", namespace="vision"), store.create("b", namespace="speech")
    one, two, three = (children.create(owner.id, "c") for owner in (parent, other, third))

    assert children.list().items == [one, two, three]
    assert children.list(experiment_id=parent.id).items == [one]
    assert children.list(namespace="vision").items == [one, two]
    assert children.list(experiment_id=third.id, namespace="vision").items == []
    assert children.list(experiment_id="e-9").items == []


@every_kind
def test_pages_of_children_add_up_to_the_listing(children: Children, parent: Experiment) -> None:
    made = [children.create(parent.id, f"c-{number}") for number in range(5)]

    first = children.list(experiment_id=parent.id, page_size=3, with_total=True)
    second = children.list(experiment_id=parent.id, page_token=first.next_page_token)

    assert [*first.items, *second.items] == made
    assert (first.total_size, second.next_page_token) == (5, "")
    assert list(children.iterate(experiment_id=parent.id, page_size=2)) == made


@every_kind
@pytest.mark.parametrize(
    "changed",
    [
        {"experiment_id": None},
        {"experiment_id": "e-2"},
        {"namespace": None},
        {"namespace": "e-1"},
        {"filter": "name != d"},
        {"order_by": "name desc"},
    ],
)
def test_a_token_of_children_is_refused_where_any_other_argument_has_changed(
    children: Children, parent: Experiment, changed: dict[str, Any]
) -> None:
    request = {"experiment_id": parent.id, "namespace": "vision", "filter": "", "order_by": "name"}
    for name in "abc":
        children.create(parent.id, name)
    token = children.list(**request, page_size=1).next_page_token

    with pytest.raises(InvalidPageTokenError):
        children.list(**{**request, **changed}, page_token=token)


def test_a_token_of_one_kind_is_refused_by_the_others(
    store: ExperimentStore, parent: Experiment
) -> None:
    store.create("other")
    for name in "ab":
        store.runs.create(parent.id, name)
        store.jobs.create(parent.id, name)
    collections: list[Any] = [store, store.runs, store.jobs]
    tokens = [collection.list(page_size=1).next_page_token for collection in collections]

    refused = [_is_refused(collection, token) for collection in collections for token in tokens]

    assert refused == [False, True, True, True, False, True, True, True, False]


@every_kind
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"filter": "name ="}, InvalidFilterError),
        ({"order_by": "nam"}, InvalidOrderByError),
        ({"page_size": -1}, InvalidArgumentError),
        ({"experiment_id": ""}, InvalidArgumentError),
        ({"experiment_id": 7}, InvalidArgumentError),
        ({"namespace": "\0"}, InvalidArgumentError),
    ],
)
def test_a_wrong_argument_is_refused_before_any_child_is_read(
    children: Children, wrong: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        children.list(**wrong)
    with pytest.raises(error):
        children.iterate(**wrong)


def _is_refused(collection: Any, token: str) -> bool:
    try:
        collection.list(page_token=token)
    except InvalidPageTokenError:
        return True
    return False
