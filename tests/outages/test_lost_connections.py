"""Connections that die: before a step, in the middle of it, and while it is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiment_store import (
    AlreadyExistsError,
    ExperimentStore,
    NewExperiment,
    NotFoundError,
    OutcomeUnknownError,
    UnavailableError,
)
from experiment_store.registry import open_backend
from tests.outages.proxy import Cut, Proxy, proxied

COMMIT = b"COMMIT\0"  # as it is sent, unlike the word in an isolation


@frozen
class Wired:
    """A store, the wire between it and its server, and the same store without that wire."""

    store: ExperimentStore
    proxy: Proxy
    direct: ExperimentStore


@pytest.fixture
def wired(postgres_schema_url: str) -> Iterator[Wired]:
    with (
        proxied(postgres_schema_url) as (proxy, url),
        ExperimentStore(open_backend(url)) as store,
        ExperimentStore(open_backend(postgres_schema_url)) as direct,
    ):
        store.create("before", id="before")
        yield Wired(store, proxy, direct)


def test_an_idle_connection_that_was_cut_goes_unnoticed(wired: Wired) -> None:
    wired.proxy.cut()
    after = wired.store.update("before", description="after")

    wired.proxy.cut()

    assert wired.store.get("before") == after


def test_a_session_that_the_server_has_ended_goes_unnoticed(
    wired: Wired, postgres_url: str
) -> None:
    backend: Any = wired.store._backend
    [[session]] = backend._steps.look("test", lambda work: work.execute("SELECT pg_backend_pid()"))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", [session])

    assert wired.store.update("before", description="after").description == "after"


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize("times", [1, 3])
def test_a_read_is_repeated_until_it_is_answered(wired: Wired, cut: Cut, times: int) -> None:
    wired.proxy.doom(cut, b"SELECT", times=times)

    assert wired.store.get("before").name == "before"
    assert wired.proxy.cuts == times


@pytest.mark.parametrize("cut", Cut)
def test_a_page_with_its_total_is_repeated_as_a_whole(wired: Wired, cut: Cut) -> None:
    wired.proxy.doom(cut, b"count(*)")

    page = wired.store.list(with_total=True)

    assert ([item.id for item in page.items], page.total_size) == (["before"], 1)
    assert wired.proxy.cuts == 1


@pytest.mark.parametrize("cut", Cut)
def test_a_step_that_is_cut_before_its_commit_is_repeated_as_a_whole(
    wired: Wired, cut: Cut
) -> None:
    run = wired.store.runs.create("before", "run")
    wired.proxy.doom(cut, b"UPDATE")

    wired.store.archive("before")

    assert wired.proxy.cuts == 1
    assert wired.direct.get("before").storage_state == "ARCHIVED"
    assert wired.direct.runs.get(run.id).storage_state == "ARCHIVED"


CREATES: list[tuple[bytes, Callable[[ExperimentStore], Any]]] = [
    (b"INSERT", lambda store: store.create("new")),
    (b"INSERT", lambda store: store.create("new", labels={"a": "b"}, id="mine")),
    (b"INSERT", lambda store: store.create("new", if_exists="return")),
    (COMMIT, lambda store: store.create_many([NewExperiment("new"), NewExperiment("newer")])),
    (COMMIT, lambda store: store.runs.create("before", "new")),
    (COMMIT, lambda store: store.jobs.create("before", "new", labels={"a": "b"})),
]


@pytest.mark.parametrize("cut", Cut)
@pytest.mark.parametrize(("word", "create"), CREATES)
def test_a_create_happens_once_whether_or_not_its_answer_is_lost(
    wired: Wired, cut: Cut, word: bytes, create: Callable[[ExperimentStore], Any]
) -> None:
    wired.proxy.doom(cut, word)

    made = create(wired.store)

    assert wired.proxy.cuts == 1
    made = made if isinstance(made, list) else [made]
    stored = [
        *wired.direct.iterate(filter="name:new"),
        *wired.direct.runs.iterate(),
        *wired.direct.jobs.iterate(),
    ]
    assert stored == made


@pytest.mark.parametrize("cut", Cut)
def test_a_taken_name_is_told_as_such_though_the_answer_is_lost(wired: Wired, cut: Cut) -> None:
    wired.proxy.doom(cut, b"INSERT")

    with pytest.raises(AlreadyExistsError):
        wired.store.create("before")

    assert wired.proxy.cuts == 1


@pytest.mark.parametrize("cut", Cut)
def test_an_update_that_depends_on_an_etag_happens_once(wired: Wired, cut: Cut) -> None:
    etag = wired.store.get("before").etag
    wired.proxy.doom(cut, b"UPDATE")

    after = wired.store.update("before", description="after", etag=etag)

    assert wired.proxy.cuts == 1
    assert wired.direct.get("before") == after


def test_an_update_whose_answer_is_lost_is_recognised_by_its_etag(wired: Wired) -> None:
    wired.proxy.doom(Cut.AFTER, b"UPDATE")

    after = wired.store.update("before", description="after")

    assert wired.direct.get("before") == after


def test_an_update_that_has_perhaps_not_happened_is_not_repeated(wired: Wired) -> None:
    wired.proxy.doom(Cut.BEFORE, b"UPDATE")

    with pytest.raises(OutcomeUnknownError, match="it has happened, or it has not"):
        wired.store.update("before", description="after")

    assert wired.direct.get("before").description == ""


@pytest.mark.parametrize("cut", Cut)
def test_a_delete_whose_answer_is_lost_has_an_unknown_outcome(wired: Wired, cut: Cut) -> None:
    wired.proxy.doom(cut, COMMIT)

    with pytest.raises(OutcomeUnknownError):
        wired.store.delete("before")

    still_there = [found.id for found in wired.direct.iterate()]
    assert still_there == (["before"] if cut is Cut.BEFORE else [])


def test_the_key_of_page_tokens_is_made_once_though_the_answer_is_lost(wired: Wired) -> None:
    wired.store.create("another")
    wired.proxy.doom(Cut.AFTER, b"INSERT")

    page = wired.store.list(page_size=1)

    assert wired.proxy.cuts == 1
    rest = wired.direct.list(page_size=1, page_token=page.next_page_token)
    assert [item.name for item in (*page.items, *rest.items)] == ["before", "another"]


def test_who_opens_a_store_that_is_not_there_is_told_at_once(postgres_schema_url: str) -> None:
    with proxied(postgres_schema_url) as (proxy, url):
        proxy.close()

        with pytest.raises(UnavailableError):
            ExperimentStore(open_backend(f"{url}&retry_timeout=86400"))


def test_a_server_that_stays_away_is_given_up_in_the_end(postgres_schema_url: str) -> None:
    with (
        proxied(postgres_schema_url) as (proxy, url),
        ExperimentStore(open_backend(f"{url}&retry_timeout=0.2")) as store,
    ):
        proxy.close()

        with pytest.raises(UnavailableError) as caught:
            store.get("any")
        assert not isinstance(caught.value, OutcomeUnknownError)


STEPS: list[Callable[[ExperimentStore, int], Any]] = [
    lambda store, number: store.create(f"e-{number}", labels={"a": "b"}),
    lambda store, number: store.update("before", description=f"changed {number}"),
    lambda store, number: store.update("before", labels={"n": str(number)}),
    lambda store, _: store.archive("before"),
    lambda store, _: store.unarchive("before"),
    lambda store, number: store.create_many([NewExperiment(f"{number}-{n}") for n in range(3)]),
    lambda store, number: store.delete(f"gone-{number}"),
    lambda store, _: store.list(with_total=True),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(Cut), st.integers(0, 5))))
def test_whatever_is_cut_a_call_succeeds_is_refused_or_says_that_it_does_not_know(
    wired: Wired, steps: list[tuple[Callable[[ExperimentStore, int], Any], Cut, int]]
) -> None:
    for step, cut, passes in steps:
        number = wired.direct.list(page_size=1, with_total=True).total_size or 0
        wired.direct.create(f"gone-{number}", id=f"gone-{number}", if_exists="return")
        wired.proxy.doom(cut, passes=passes)
        try:
            answer = step(wired.store, number)
        except (OutcomeUnknownError, AlreadyExistsError, NotFoundError):
            continue  # unknown, or refused as what an earlier step left unknown has happened
        finally:
            wired.proxy.spare()
        if getattr(answer, "id", None) is not None:
            assert wired.direct.get(answer.id) == answer
