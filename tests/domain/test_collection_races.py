"""What a call makes of what others do between its steps.

The backend here is a real one that lets another caller act just before or just
after one of its own steps, so that every interleaving happens on purpose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import count, repeat
from typing import TypeAlias, TypeVar

import pytest

from experiment_store import (
    AlreadyExistsError,
    ConflictError,
    ExperimentStore,
    FailedPreconditionError,
    NewExperiment,
    NotFoundError,
    Obstacle,
    StorageState,
    UnavailableError,
)
from experiment_store.backend import Change, Parent, Refusal
from experiment_store.collection import ATTEMPTS
from experiment_store.errors import ExperimentStoreError
from experiment_store.plan import Plan, Rows
from experiment_store.schema import SETTING, Kind, R
from experiment_store_memory import MemoryBackend

T = TypeVar("T")
Act: TypeAlias = Callable[[], object]
_ALWAYS = 1_000


class Crowded(MemoryBackend):
    """A backend that others use between the steps of the one who is watched."""

    def __init__(self) -> None:
        super().__init__()
        self._acts: defaultdict[str, list[Act]] = defaultdict(list)
        self._acting = False
        self.calls = 0
        self.answer: object = None

    def before(self, method: str, *acts: Act) -> None:
        """Let others act before each of the next calls of *method*."""
        self._acts[f"before {method}"] += acts

    def after(self, method: str, *acts: Act) -> None:
        """Let others act after each of the next calls of *method*."""
        self._acts[f"after {method}"] += acts

    def get(self, kind: Kind[R], id: str) -> R | None:
        return self._call("get", lambda: super(Crowded, self).get(kind, id))

    def select(self, plan: Plan[R]) -> Rows[R]:
        return self._call("select", lambda: super(Crowded, self).select(plan))

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        return self._call("insert", lambda: super(Crowded, self).insert(kind, records, parent))

    def update(self, kind: Kind[R], id: str, change: Change) -> R | Refusal:
        return self._call("update", lambda: super(Crowded, self).update(kind, id, change))

    def delete(self, kind: Kind[R], id: str, change: Change) -> Refusal | None:
        return self._call("delete", lambda: super(Crowded, self).delete(kind, id, change))

    def _call(self, method: str, call: Callable[[], T]) -> T:
        if self._acting:
            return call()
        self.calls += 1
        self._act(f"before {method}")
        answer = self.answer = call()
        self._act(f"after {method}")
        return answer

    def _act(self, moment: str) -> None:
        if self._acts[moment]:
            self._acting = True
            self._acts[moment].pop(0)()
            self._acting = False


@pytest.fixture
def backend() -> Crowded:
    """What all share."""
    return Crowded()


@pytest.fixture
def ours(backend: Crowded) -> ExperimentStore:
    """The store whose calls are watched."""
    return ExperimentStore(backend)


@pytest.fixture
def theirs(backend: Crowded) -> ExperimentStore:
    """The store of the others."""
    return ExperimentStore(backend)


def test_an_archive_that_finds_it_done_and_then_undone_archives_again(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    backend.before("update", lambda: theirs.archive(made.id))
    backend.before("get", lambda: theirs.unarchive(made.id))

    archived = ours.archive(made.id)

    assert archived.storage_state is StorageState.ARCHIVED
    assert ours.get(made.id) == archived


def test_an_archive_of_a_run_that_finds_it_done_and_then_undone_archives_again(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    run = ours.runs.create(ours.create("mnist").id, "run")
    backend.before("update", lambda: theirs.runs.archive(run.id))
    backend.before("get", lambda: theirs.runs.unarchive(run.id))

    archived = ours.runs.archive(run.id)

    assert archived.storage_state is StorageState.ARCHIVED
    assert ours.runs.get(run.id) == archived


def test_an_archive_that_others_did_first_returns_what_they_made(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    backend.before("update", lambda: theirs.archive(made.id))

    archived = ours.archive(made.id)

    assert archived == theirs.get(made.id)


def test_an_archive_with_an_etag_that_others_did_first_is_a_conflict(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    backend.before("update", lambda: theirs.archive(made.id))

    with pytest.raises(ConflictError):
        ours.archive(made.id, etag=made.etag)


def test_an_archive_that_is_always_undone_in_between_gives_up(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    backend.before("update", *repeat(lambda: theirs.archive(made.id), _ALWAYS))
    backend.before("get", *repeat(lambda: theirs.unarchive(made.id), _ALWAYS))
    backend.calls = 0

    with pytest.raises(UnavailableError) as caught:
        ours.archive(made.id)

    assert str(caught.value) == "update of experiment gave up: it changes too fast"
    assert backend.calls == 2 * ATTEMPTS == 40


def test_a_record_deleted_while_a_refusal_is_looked_into_is_not_found(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    backend.before("get", lambda: theirs.delete(made.id))

    with pytest.raises(NotFoundError):
        ours.unarchive(made.id)


def test_a_record_deleted_while_a_clash_of_names_is_looked_into_is_not_found(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    ours.create("cifar")
    backend.before("get", lambda: theirs.delete(made.id))

    with pytest.raises(NotFoundError):
        ours.update(made.id, name="cifar")


def test_an_update_after_a_delete_is_not_found(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    backend.before("update", lambda: theirs.delete(made.id))

    with pytest.raises(NotFoundError):
        ours.update(made.id, description="new")


def test_an_update_between_reading_and_writing_is_a_conflict(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    backend.before("update", lambda: theirs.update(made.id, description="theirs"))

    with pytest.raises(ConflictError):
        ours.update(made.id, description="ours", etag=made.etag)

    assert ours.get(made.id).description == "theirs"


def test_a_create_takes_a_name_that_is_freed_as_it_looks(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    holder = ours.create("mnist")
    backend.before("select", lambda: theirs.delete(holder.id))

    made = ours.create("mnist")

    assert list(ours.iterate()) == [made]
    assert made.id != holder.id


def test_a_create_after_which_others_create_the_same_name_is_refused_nothing(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    refused: list[type[ExperimentStoreError]] = []
    backend.after("insert", lambda: refused.append(_error(lambda: theirs.create("mnist"))))

    made = ours.create("mnist")

    assert list(ours.iterate()) == [made]
    assert refused == [AlreadyExistsError]


def test_a_create_whose_name_is_always_taken_and_freed_gives_up(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    backend.before("insert", *repeat(lambda: theirs.create("mnist"), _ALWAYS))
    backend.before("select", *repeat(lambda: _clear(theirs), _ALWAYS))

    with pytest.raises(UnavailableError, match="create of experiment gave up"):
        ours.create("mnist")


def test_get_or_create_returns_what_others_create_in_between(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    backend.before("insert", lambda: theirs.create("mnist", description="theirs"))

    found = ours.create("mnist", description="ours", if_exists="return")

    assert found.description == "theirs"
    assert list(ours.iterate()) == [found]


def test_get_or_create_creates_what_others_create_and_delete_in_between(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    backend.before("insert", lambda: theirs.create("mnist", description="theirs"))
    _after_seen(backend, theirs, times=1)

    made = ours.create("mnist", description="ours", if_exists="return")

    assert made.description == "ours"
    assert list(ours.iterate()) == [made]


def test_get_or_create_of_what_is_always_there_and_gone_gives_up(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    backend.before("insert", *repeat(lambda: theirs.create("mnist"), _ALWAYS))
    _after_seen(backend, theirs, times=_ALWAYS)

    with pytest.raises(UnavailableError, match="create of experiment gave up"):
        ours.create("mnist", if_exists="return")


def test_a_create_that_its_own_repetition_overtakes_returns_what_that_made(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    backend.before("insert", lambda: theirs.create("mnist", id="e-1"))

    made = ours.create("mnist", id="e-1")

    assert list(theirs.iterate()) == [made]


def test_a_create_of_many_that_its_own_repetition_overtakes_returns_what_that_made(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    new = [NewExperiment("a", id="e-1"), NewExperiment("b", id="e-2")]
    backend.before("insert", lambda: theirs.create_many(new))

    assert ours.create_many(new) == theirs.get_many(["e-1", "e-2"])


def test_a_run_of_an_experiment_deleted_as_it_is_created_has_no_experiment(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    parent = ours.create("mnist")
    backend.before("insert", lambda: theirs.delete(parent.id))

    with pytest.raises(NotFoundError) as caught:
        ours.runs.create(parent.id, "run")

    assert (caught.value.kind, caught.value.key) == ("experiment", {"id": parent.id})
    assert list(ours.runs.iterate()) == []


def test_a_run_of_an_experiment_archived_as_it_is_created_is_refused(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    parent = ours.create("mnist")
    backend.before("insert", lambda: theirs.archive(parent.id))

    with pytest.raises(FailedPreconditionError) as caught:
        ours.runs.create(parent.id, "run")

    assert caught.value.obstacle is Obstacle.ARCHIVED
    assert list(ours.runs.iterate()) == []


def test_a_run_refused_below_an_experiment_deleted_since_is_told_so(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    parent = ours.create("mnist")
    backend.before("insert", lambda: theirs.archive(parent.id))
    backend.before("get", lambda: theirs.delete(parent.id))

    with pytest.raises(FailedPreconditionError) as caught:
        ours.runs.create(parent.id, "run")

    assert caught.value.obstacle is Obstacle.MISSING


@pytest.mark.parametrize("kind", ["runs", "jobs"])
def test_a_child_of_an_experiment_archived_but_briefly_is_created(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore, kind: str
) -> None:
    parent = ours.create("mnist")
    backend.before("insert", lambda: theirs.archive(parent.id))
    backend.before("get", lambda: theirs.unarchive(parent.id))

    made = getattr(ours, kind).create(parent.id, "child")

    assert list(getattr(theirs, kind).iterate()) == [made]


def test_a_run_takes_the_namespace_of_an_experiment_that_took_the_id_meanwhile(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    ours.create("mnist", namespace="vision", id="e-1")

    def replace() -> None:
        theirs.delete("e-1")
        theirs.create("mnist", namespace="speech", id="e-1")

    backend.before("insert", replace)

    assert ours.runs.create("e-1", "run").namespace == "speech"


def test_a_child_of_an_experiment_that_is_always_archived_and_back_gives_up(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    parent = ours.create("mnist")
    backend.before("insert", *repeat(lambda: theirs.archive(parent.id), _ALWAYS))
    backend.before("get", *repeat(lambda: theirs.unarchive(parent.id), _ALWAYS))

    with pytest.raises(UnavailableError, match="create of run gave up"):
        ours.runs.create(parent.id, "run")


@pytest.mark.parametrize(
    ("disturb", "obstacle"),
    [
        (ExperimentStore.archive, Obstacle.ARCHIVED),
        (ExperimentStore.delete, Obstacle.MISSING),
    ],
)
def test_a_child_whose_experiment_goes_as_it_is_activated_stays_inactive(
    backend: Crowded,
    ours: ExperimentStore,
    theirs: ExperimentStore,
    disturb: Callable[[ExperimentStore, str], object],
    obstacle: Obstacle,
) -> None:
    parent = ours.create("mnist")
    run = ours.runs.archive(ours.runs.create(parent.id, "run").id)
    job = ours.jobs.create(parent.id, "job", enabled=False)
    backend.before("update", lambda: disturb(theirs, parent.id))

    with pytest.raises(FailedPreconditionError) as first:
        ours.runs.unarchive(run.id)
    with pytest.raises(FailedPreconditionError) as second:
        ours.jobs.enable(job.id)

    assert (first.value.obstacle, second.value.obstacle) == (obstacle, obstacle)
    assert (ours.runs.get(run.id), ours.jobs.get(job.id)) == (run, job)


def test_a_child_whose_experiment_is_archived_but_briefly_is_activated(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    parent = ours.create("mnist")
    job = ours.jobs.create(parent.id, "job", enabled=False)
    backend.before("update", lambda: theirs.archive(parent.id))
    # The first read is of the job; then come the job again, and its experiment.
    backend.before("get", _nothing, _nothing, lambda: theirs.unarchive(parent.id))

    assert ours.jobs.enable(job.id).enabled


def test_a_child_of_an_archived_experiment_that_took_the_id_meanwhile_stays_inactive(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    parent, other = ours.create("mnist"), ours.create("cifar")
    ours.runs.archive(ours.runs.create(parent.id, "run", id="r-1").id)

    def replace() -> None:
        theirs.runs.delete("r-1")
        theirs.runs.create(other.id, "run", id="r-1")
        theirs.archive(other.id)

    backend.before("update", replace)

    with pytest.raises(FailedPreconditionError) as caught:
        ours.runs.unarchive("r-1")

    assert (caught.value.id, caught.value.obstacle) == (other.id, Obstacle.ARCHIVED)
    assert ours.runs.get("r-1").storage_state is StorageState.ARCHIVED


def test_a_child_deleted_as_it_is_activated_is_not_found(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    run = ours.runs.archive(ours.runs.create(ours.create("mnist").id, "run").id)
    backend.before("update", lambda: theirs.runs.delete(run.id))

    with pytest.raises(NotFoundError):
        ours.runs.unarchive(run.id)


def test_a_delete_that_a_child_prevented_but_briefly_succeeds(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    backend.before("delete", lambda: theirs.runs.create(made.id, "run", id="r-1"))
    backend.before("select", lambda: theirs.runs.delete("r-1"))

    ours.delete(made.id, children="refuse")

    assert list(ours.iterate()) == []


def test_a_delete_that_a_child_prevents_whenever_it_is_tried_gives_up(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    backend.before("delete", *repeat(lambda: theirs.runs.create(made.id, "r", id="r"), _ALWAYS))
    backend.before("get", *repeat(lambda: theirs.runs.delete("r"), _ALWAYS))

    with pytest.raises(UnavailableError) as caught:
        ours.delete(made.id, children="refuse")

    assert str(caught.value) == "delete of experiment gave up: it changes too fast"
    assert [record.id for record in ours.iterate()] == [made.id]


def test_a_delete_that_others_did_first_is_not_found(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create("mnist")
    backend.before("delete", lambda: theirs.delete(made.id))

    with pytest.raises(NotFoundError):
        ours.delete(made.id)


def test_two_stores_that_make_the_token_key_at_once_agree_on_the_first(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    ours.create_many([NewExperiment(name) for name in "abc"])
    tokens: list[str] = []
    backend.before("insert", lambda: tokens.append(theirs.list(page_size=1).next_page_token))

    tokens.append(ours.list(page_size=1).next_page_token)

    names = [
        [record.name for record in store.list(page_token=token).items]
        for store in (ours, theirs, ExperimentStore(backend))
        for token in tokens
    ]
    assert names == [["b", "c"]] * 6


def test_a_token_key_that_a_backend_does_not_keep_is_an_outage() -> None:
    store = ExperimentStore(_Forgetful())
    store.create_many([NewExperiment(name) for name in "ab"])

    with pytest.raises(UnavailableError, match="the key token_key was not kept"):
        store.list(page_size=1)


class _Forgetful(MemoryBackend):
    """Says that it keeps settings, and does not."""

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        return None if kind is SETTING else super().insert(kind, records, parent)


def test_iterating_neither_skips_nor_repeats_while_others_write(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    made = ours.create_many([NewExperiment(name) for name in "bdfhj"])
    new = count()
    backend.after("select", *repeat(lambda: theirs.create(f"a{next(new)}"), _ALWAYS))
    backend.before("select", _nothing, lambda: theirs.delete(made[1].id))

    names = [record.name for record in ours.iterate(order_by="name", page_size=2)]

    assert names == ["b", "d", "f", "h", "j"]


def test_others_see_all_of_an_archive_or_nothing(
    backend: Crowded, ours: ExperimentStore, theirs: ExperimentStore
) -> None:
    parent = ours.create("mnist")
    run = ours.runs.create(parent.id, "run")
    seen: list[StorageState] = []

    def look() -> None:
        seen.extend([theirs.get(parent.id).storage_state, theirs.runs.get(run.id).storage_state])

    backend.before("update", look)
    backend.after("update", look)

    archived = ours.archive(parent.id)

    assert seen == [StorageState.AVAILABLE] * 2 + [StorageState.ARCHIVED] * 2
    assert archived == theirs.get(parent.id)


def _after_seen(backend: Crowded, store: ExperimentStore, *, times: int) -> None:
    """Let others delete what there is as soon as the one who is watched has seen it."""
    left = iter(range(times))

    def clear() -> None:
        seen = isinstance(backend.answer, Rows) and backend.answer.items
        if seen and next(left, None) is not None:
            _clear(store)

    backend.after("select", *repeat(clear, _ALWAYS))


def _clear(store: ExperimentStore) -> None:
    _delete(store, [record.id for record in store.iterate()])


def _delete(store: ExperimentStore, ids: Iterable[str]) -> None:
    for id in ids:
        store.delete(id)


def _error(call: Act) -> type[ExperimentStoreError]:
    with pytest.raises(ExperimentStoreError) as caught:
        call()
    return type(caught.value)


def _nothing() -> None:
    """Let others rest for once."""
