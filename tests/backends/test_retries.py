"""A step that the database undoes for the sake of others is repeated as a whole; all for real."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from attrs import field, frozen
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url
from tenacity import RetryCallState

from experiment_store import ExperimentStore, OutcomeUnknownError, Run, UnavailableError
from experiment_store.registry import open_backend
from experiment_store_sql.retrying import FIRST_WAIT, LONGEST_WAIT, policy
from tests.servers import wait_until, with_parameters


@frozen
class Scene:
    """A store whose archiving somebody interferes with, and an experiment that has a run."""

    store: ExperimentStore
    other: ExperimentStore
    backend: Any
    run: Run
    calls: Counter[str] = field(factory=Counter)

    def interfere(self, monkeypatch: pytest.MonkeyPatch, by: Callable[[int], Any]) -> None:
        """Count the attempts to archive; in each of them, call *by* between its two writes."""
        guard, cascade = self.backend._guard, self.backend._cascade

        def guarded(*args: Any) -> Any:
            self.calls["begun"] += 1
            return guard(*args)

        def cascaded(*args: Any) -> Any:
            self.calls["interfered with"] += 1
            by(self.calls["interfered with"])
            cascade(*args)
            self.calls["done"] += 1

        monkeypatch.setattr(self.backend, "_guard", guarded)
        monkeypatch.setattr(self.backend, "_cascade", cascaded)


@pytest.fixture
def parameters() -> dict[str, str]:
    return {"isolation": "serializable"}


@pytest.fixture
def scene(postgres_schema_url: str, parameters: dict[str, str]) -> Iterator[Scene]:
    backend = open_backend(with_parameters(postgres_schema_url, **parameters))
    with (
        ExperimentStore(backend) as store,
        ExperimentStore(open_backend(postgres_schema_url)) as other,
    ):
        run = store.runs.create(store.create("raced").id, "run")
        yield Scene(store, other, backend, run)


def is_archived(scene: Scene) -> tuple[bool, bool]:
    """Tell so of the experiment, and of its run."""
    states = (
        scene.other.get(scene.run.experiment_id).storage_state,
        scene.other.runs.get(scene.run.id).storage_state,
    )
    return states[0] == "ARCHIVED", states[1] == "ARCHIVED"


def test_a_step_that_cannot_be_serialized_is_repeated_once_and_as_a_whole(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(attempt: int) -> None:
        if attempt == 1:
            scene.other.runs.update(scene.run.id, description="changed meanwhile")

    scene.interfere(monkeypatch, change)

    archived = scene.store.archive(scene.run.experiment_id)

    assert scene.calls == {"begun": 2, "interfered with": 2, "done": 1}
    assert is_archived(scene) == (True, True)
    assert scene.other.get(archived.id) == archived
    assert scene.other.runs.get(scene.run.id).description == "changed meanwhile"


@pytest.mark.parametrize("parameters", [{"options": "-c deadlock_timeout=10ms"}])
def test_a_step_that_loses_a_deadlock_is_repeated_once_and_as_a_whole(
    scene: Scene, postgres_schema_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = Identifier(str(make_url(postgres_schema_url).query["schema"]))
    lock = SQL("SELECT 1 FROM {}.runs FOR UPDATE").format(schema)
    cross = SQL("UPDATE {}.experiments SET description = 'crossed'").format(schema)
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    url = make_url(postgres_schema_url).difference_update_query(["schema"])
    address = url.render_as_string(hide_password=False)
    with (
        psycopg.connect(address) as opponent,
        psycopg.connect(address, autocommit=True) as observer,
        ThreadPoolExecutor(1) as pool,
    ):
        opponent.execute("SET deadlock_timeout = '1h'")  # it is not the one to give way
        opponent.execute(lock)

        def write() -> None:
            opponent.execute(cross)
            opponent.commit()

        def is_waiting() -> object:
            row = observer.execute(waits, [opponent.info.backend_pid]).fetchone()
            return row and row[0]

        def wait_for_each_other(attempt: int) -> None:
            if attempt == 1:
                crossing.append(pool.submit(write))
                wait_until(is_waiting)

        crossing: list[Any] = []
        scene.interfere(monkeypatch, wait_for_each_other)

        scene.store.archive(scene.run.experiment_id)
        crossing[0].result()

    assert scene.calls == {"begun": 2, "interfered with": 2, "done": 1}
    assert is_archived(scene) == (True, True)
    assert scene.other.get(scene.run.experiment_id).description == "crossed"


@pytest.mark.parametrize("parameters", [{"isolation": "serializable", "retry_timeout": "0.3"}])
def test_a_step_that_is_always_undone_is_given_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(attempt: int) -> None:
        scene.other.runs.update(scene.run.id, description=f"changed {attempt} times")

    scene.interfere(monkeypatch, change)
    before = time.monotonic()

    with pytest.raises(UnavailableError, match="could not serialize") as caught:
        scene.store.archive(scene.run.experiment_id)

    assert not isinstance(caught.value, OutcomeUnknownError)
    assert 0.1 < time.monotonic() - before < 10
    assert scene.calls["begun"] > 2
    assert scene.calls["done"] == 0
    assert is_archived(scene) == (False, False)


@pytest.mark.parametrize("attempt", range(1, 12))
def test_waits_are_random_and_grow_to_a_limit(attempt: int) -> None:
    retrying = policy(10)
    state = RetryCallState(retrying, None, (), {})
    state.attempt_number = attempt
    most = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT)

    waits = [retrying.wait(state) for _ in range(200)]

    assert len(set(waits)) > 100
    assert all(0 <= wait <= most for wait in waits)
    assert max(waits) > most / 2 > min(waits)
