"""Writes whose answer was lost, over a backend in memory that loses answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import (
    AlreadyExistsError,
    ConflictError,
    ExperimentStore,
    FailedPreconditionError,
    NotFoundError,
    OutcomeUnknownError,
)
from experiment_store.backend import Change, Parent, Refusal
from experiment_store.schema import Kind, R
from experiment_store_memory import MemoryBackend


class Loss(Enum):
    """When a call is lost."""

    BEFORE = auto()  # and so nothing happens
    AFTER = auto()  # it has happened
    LATE = auto()  # it happens while it is asked for the second time


Between = Callable[[ExperimentStore], Any]
"""What another caller does between the loss and what follows."""


class LossyBackend(MemoryBackend):
    """Loses the answers to the next writes, as *losses* has them."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[Loss] = []
        self.between: Between = lambda _: None
        self._late: Callable[[], Any] = lambda: None

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        refusal: Refusal | None = self._lose(
            lambda: super(LossyBackend, self).insert(kind, records, parent)
        )
        return refusal

    def update(self, kind: Kind[R], id: str, change: Change) -> R | Refusal:
        outcome: R | Refusal = self._lose(
            lambda: super(LossyBackend, self).update(kind, id, change)
        )
        return outcome

    def _lose(self, write: Callable[[], Any]) -> Any:
        late, self._late = self._late, lambda: None
        late()
        if not self.losses:
            return write()
        loss = self.losses.pop(0)
        if loss is Loss.AFTER:
            write()
        if loss is Loss.LATE:
            self._late = write
        kept, self.losses = self.losses, []
        self.between(ExperimentStore(self))
        self.losses = kept
        raise OutcomeUnknownError("write", "lost its answer")


@pytest.fixture
def backend() -> LossyBackend:
    return LossyBackend()


@pytest.fixture
def store(backend: LossyBackend) -> ExperimentStore:
    return ExperimentStore(backend)


@pytest.mark.parametrize("loss", Loss)
def test_an_insert_is_repeated_and_happens_once(
    backend: LossyBackend, store: ExperimentStore, loss: Loss
) -> None:
    backend.losses = [loss]

    made = store.create("mnist")

    assert list(store.iterate()) == [made]


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.AFTER])
def test_an_insert_that_is_lost_twice_has_an_unknown_outcome(
    backend: LossyBackend, store: ExperimentStore, loss: Loss
) -> None:
    backend.losses = [loss, loss]

    with pytest.raises(OutcomeUnknownError):
        store.create("mnist")


@pytest.mark.parametrize("loss", Loss)
def test_a_run_that_was_made_before_its_experiment_was_archived_is_told_of(
    backend: LossyBackend, store: ExperimentStore, loss: Loss
) -> None:
    experiment = store.create("mnist")
    backend.losses = [loss]
    backend.between = lambda others: others.archive(experiment.id)

    if loss is Loss.BEFORE:
        with pytest.raises(FailedPreconditionError):
            store.runs.create(experiment.id, "run")
        assert list(store.runs.iterate()) == []
    else:
        made = store.runs.create(experiment.id, "run")
        [stored] = store.runs.iterate()
        assert (stored.id, stored.storage_state) == (made.id, "ARCHIVED")


def test_a_name_that_another_caller_took_meanwhile_is_taken(
    backend: LossyBackend, store: ExperimentStore
) -> None:
    backend.losses = [Loss.BEFORE]
    backend.between = lambda others: others.create("mnist")

    with pytest.raises(AlreadyExistsError):
        store.create("mnist")


def test_an_update_is_known_by_its_etag(backend: LossyBackend, store: ExperimentStore) -> None:
    made = store.create("mnist")
    backend.losses = [Loss.AFTER]

    assert store.update(made.id, description="new") == store.get(made.id)


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.LATE])
def test_an_update_that_is_not_to_be_seen_is_not_repeated(
    backend: LossyBackend, store: ExperimentStore, loss: Loss
) -> None:
    made = store.create("mnist")
    backend.losses = [loss]

    with pytest.raises(OutcomeUnknownError):
        store.update(made.id, description="new")

    assert store.get(made.id) == made


@pytest.mark.parametrize("loss", Loss)
def test_an_update_with_an_etag_is_repeated_and_happens_once(
    backend: LossyBackend, store: ExperimentStore, loss: Loss
) -> None:
    made = store.create("mnist")
    backend.losses = [loss]

    after = store.update(made.id, description="new", etag=made.etag)

    assert store.get(made.id) == after


@pytest.mark.parametrize("loss", [Loss.BEFORE, Loss.AFTER])
def test_an_update_with_an_etag_that_another_one_followed_has_an_unknown_outcome(
    backend: LossyBackend, store: ExperimentStore, loss: Loss
) -> None:
    made = store.create("mnist")
    backend.losses = [loss]
    backend.between = lambda others: others.update(made.id, description="theirs")

    with pytest.raises(OutcomeUnknownError):
        store.update(made.id, description="ours", etag=made.etag)

    assert store.get(made.id).description == "theirs"


def test_an_update_of_what_was_deleted_meanwhile_has_an_unknown_outcome(
    backend: LossyBackend, store: ExperimentStore
) -> None:
    made = store.create("mnist")
    backend.losses = [Loss.AFTER]
    backend.between = lambda others: others.delete(made.id)

    with pytest.raises(OutcomeUnknownError):
        store.archive(made.id, etag=made.etag)


def test_the_key_of_page_tokens_is_the_one_that_was_kept(
    backend: LossyBackend, store: ExperimentStore
) -> None:
    backend.losses = [Loss.AFTER]

    assert store.key("mine") == ExperimentStore(backend).key("mine")


@given(
    st.sampled_from(Loss),
    st.booleans(),
    st.sampled_from(["archive", "unarchive", "update", "delete", "nothing"]),
)
def test_what_is_answered_is_what_is_there(loss: Loss, guarded: bool, other: str) -> None:  # noqa: FBT001 (Hypothesis fills it)
    backend = LossyBackend()
    store = ExperimentStore(backend)
    made = store.create("mnist")
    backend.losses = [loss]
    backend.between = {
        "archive": lambda others: others.archive(made.id),
        "unarchive": lambda others: others.unarchive(made.id),
        "update": lambda others: others.update(made.id, description="theirs"),
        "delete": lambda others: others.delete(made.id),
        "nothing": lambda _: None,
    }[other]

    try:
        after = store.update(made.id, description="ours", etag=made.etag if guarded else None)
    except (OutcomeUnknownError, ConflictError, NotFoundError):
        pass
    else:
        assert store.get(made.id) == after
        assert after.description == "ours"
