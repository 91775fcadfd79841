"""A server that takes no writes: its successor is there soon, or it becomes the primary itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from experiment_store import ExperimentStore, OutcomeUnknownError, UnavailableError
from experiment_store.registry import open_backend
from experiment_store_postgres.dialect import ISOLATIONS
from tests.servers import Server, private_server, with_parameters

pytestmark = pytest.mark.xdist_group("standbys")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with private_server() as server:
        yield server


@pytest.fixture(params=ISOLATIONS)
def stores(
    server: Server, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], ExperimentStore]]:
    """Stores that tell how long to try again; their server is a standby when this returns."""
    made = {}
    for patience in ("0", "60"):
        parameters = {"retry_timeout": patience, "isolation": request.param}
        made[patience] = ExperimentStore(open_backend(with_parameters(server.url, **parameters)))
    if not list(made["0"].iterate()):
        made["0"].create("mnist", id="mnist")
    server.stop()
    (server.data / "standby.signal").touch()
    server.start()
    try:
        yield made.__getitem__
    finally:
        for store in made.values():
            store.close()
        if server.ask("SELECT pg_is_in_recovery()"):
            server.promote()


WRITES: list[Callable[[ExperimentStore], Any]] = [
    lambda store: store.create("a"),
    lambda store: store.create("b", labels={"a": "b"}),
    lambda store: store.update("mnist", description="c"),
    lambda store: store.update("mnist", labels={"d": "e"}),
    lambda store: store.archive("mnist"),
    lambda store: store.delete("mnist"),
]


def test_what_a_standby_refuses_has_certainly_not_happened(
    stores: Callable[[str], ExperimentStore],
) -> None:
    for write in WRITES:
        with pytest.raises(UnavailableError) as refused:
            write(stores("0"))

        assert not isinstance(refused.value, OutcomeUnknownError)
    assert stores("0").get("mnist").description == ""


def test_a_write_is_repeated_until_the_standby_is_the_primary(
    stores: Callable[[str], ExperimentStore], server: Server
) -> None:
    store = stores("60")
    assert store.get("mnist").name == "mnist"  # it has been reached before
    with ThreadPoolExecutor(2) as threads:
        creating = threads.submit(store.runs.create, "mnist", "run")
        updating = threads.submit(store.update, "mnist", description="")
        server.promote()

        run = creating.result()
        updating.result()
    assert store.runs.get(run.id) == run
