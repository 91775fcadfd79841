"""Histories through a wire that is cut: a batch is neither lost nor written twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from experiment_store import ExperimentStore, OutcomeUnknownError, UnavailableError
from experiment_store.registry import open_backend
from experiment_store.summaries import summary
from tests.outages.proxy import Cut, Proxy, proxied

COMMIT = b"COMMIT\0"
LONG = 3_000.0


@pytest.fixture
def wired(postgres_schema_url: str) -> Iterator[tuple[ExperimentStore, Proxy]]:
    with (
        proxied(f"{postgres_schema_url}&retry_timeout=0.2") as (proxy, url),
        ExperimentStore(open_backend(url)) as store,
    ):
        yield store, proxy


@pytest.mark.parametrize("times", [1, 2, 4])
@pytest.mark.parametrize("cut", Cut)
def test_what_is_logged_is_there_once_wherever_the_commit_was_cut(
    wired: tuple[ExperimentStore, Proxy], cut: Cut, times: int
) -> None:
    store, proxy = wired
    with store.runs.start("mnist", interval=LONG) as run:
        run.log(loss=1.0)
        run.log(loss=2.0)
        proxy.doom(cut, COMMIT, times=times)
        for _ in range(times):
            run.log(loss=3.0)
            with suppress(UnavailableError):
                run.flush()
        proxy.spare()
        run.log(loss=4.0)

    history = store.runs.history(run.id, "loss")
    assert proxy.cuts >= 1
    assert history.values.tolist() == [1.0, 2.0, *[3.0] * times, 4.0]
    assert run.run.metrics["loss"] == summary(history)


def test_the_thread_that_writes_survives_an_outage(
    wired: tuple[ExperimentStore, Proxy], postgres_schema_url: str
) -> None:
    store, proxy = wired
    with (
        store.runs.start("mnist", interval=0.01) as run,
        ExperimentStore(open_backend(postgres_schema_url)) as direct,
    ):
        proxy.doom(Cut.BEFORE, times=1_000)
        run.log(loss=1.0)
        _wait_until(lambda: proxy.cuts >= 5)
        proxy.spare()

        _wait_until(lambda: len(direct.runs.history(run.id, "loss")) == 1)


@pytest.mark.parametrize("cut", Cut)
def test_an_end_is_told_once_wherever_the_wire_was_cut(
    wired: tuple[ExperimentStore, Proxy], cut: Cut
) -> None:
    store, proxy = wired
    run = store.runs.start("mnist", interval=LONG)
    run.log(loss=1.0)
    run.flush()
    proxy.doom(cut, b"UPDATE")
    try:
        run.finish()
    except OutcomeUnknownError:
        run.finish()

    assert proxy.cuts == 1
    found = store.runs.get(run.id)
    assert (found.state, found.metrics["loss"].count) == ("SUCCEEDED", 1)


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
