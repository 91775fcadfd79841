"""The service below a path of a host application, and below a proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from experiment_store import ExperimentStore
from experiment_store.kfp import create_app
from experiment_store_memory import MemoryBackend
from tests.kfp.asking import (
    INVALID,
    NOT_FOUND,
    UNIMPLEMENTED,
    V1,
    VERSIONS,
    Caller,
    Words,
    done,
    refusal,
)

Host: TypeAlias = Callable[[str, ASGIApp], ASGIApp]


async def _hello(_: Request) -> Response:
    return PlainTextResponse("hello")


def _starlette(path: str, app: ASGIApp) -> ASGIApp:
    return Starlette(routes=[Mount(path, app), Route("/hello", _hello)])


def _fastapi(path: str, app: ASGIApp) -> ASGIApp:
    host = FastAPI()
    host.mount(path, app)
    host.add_api_route("/hello", _hello)
    return host


def _deep(path: str, app: ASGIApp) -> ASGIApp:
    inner = Starlette(routes=[Mount(path, app)])
    return Starlette(routes=[Mount("/outer", inner), Route("/hello", _hello)])


@pytest.fixture
def store() -> Iterator[ExperimentStore]:
    """An empty store."""
    with ExperimentStore(MemoryBackend()) as opened:
        yield opened


@pytest.fixture(
    params=[
        (_starlette, "/kfp", "/kfp"),
        (_fastapi, "/kfp", "/kfp"),
        (_fastapi, "/apis/v1beta1/experiments", "/apis/v1beta1/experiments"),
        (_fastapi, "/teams/{team}/kfp", "/teams/vision/kfp"),
        (_deep, "/kfp", "/outer/kfp"),
    ],
    ids=["starlette", "fastapi", "like its own paths", "with a parameter", "mounted twice"],
)
def mounted(request: pytest.FixtureRequest, store: ExperimentStore) -> TestClient:
    """A client of a service below a path of some host."""
    host, path, below = request.param
    client = TestClient(host(path, create_app(store)), raise_server_exceptions=False)
    client.base_url = client.base_url.join(below)
    return client


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_every_route_is_below_the_path(version: Words, mounted: TestClient) -> None:
    speaker = Caller(mounted, version)

    id = speaker.create("mnist", "vision")[version.id]

    assert speaker.get(id)[version.name] == "mnist"
    assert speaker.names(**speaker.scope("vision"), sort_by="name desc") == ["mnist"]
    assert [done(speaker.do(verb, id)) for verb in ("archive", "unarchive", "delete")] == [{}] * 3
    assert speaker.ask().content == b"{}"
    assert done(mounted.get(f"{version.base}/healthz"))["multi_user"] is False


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_errors_look_the_same_below_the_path(version: Words, mounted: TestClient) -> None:
    speaker = Caller(mounted, version)

    assert refusal(speaker.post({})) == INVALID
    assert refusal(mounted.get(f"{speaker.url}/nothing")) == NOT_FOUND
    assert refusal(mounted.get(f"{version.base}/nowhere")) == NOT_FOUND
    assert refusal(mounted.put(speaker.url)) == UNIMPLEMENTED


def test_the_document_is_below_the_path_too(mounted: TestClient) -> None:
    assert "/apis/v2beta1/experiments" in done(mounted.get("/openapi.json"))["paths"]


@pytest.mark.parametrize("host", [_starlette, _fastapi, _deep])
def test_the_host_keeps_its_own_routes(host: Host, store: ExperimentStore) -> None:
    client = TestClient(host("/kfp", create_app(store)))

    assert client.get("/hello").text == "hello"
    assert client.get("/apis/v1beta1/healthz").status_code == 404


def test_two_stores_below_two_paths_know_nothing_of_each_other(store: ExperimentStore) -> None:
    other = ExperimentStore(MemoryBackend())
    host = FastAPI()
    host.mount("/one", create_app(store))
    host.mount("/other", create_app(other))
    client = TestClient(host)
    store.create("a")
    store.create("b")

    page = done(client.get("/one/apis/v1beta1/experiments?page_size=1"))

    listing = f"apis/v1beta1/experiments?page_token={page['next_page_token']}"
    assert refusal(client.get(f"/other/{listing}")) == INVALID
    assert done(client.get("/other/apis/v1beta1/experiments")) == {}
    assert done(client.get(f"/one/{listing}"))["experiments"][0]["name"] == "b"


@pytest.mark.parametrize("host", [_starlette, _fastapi])
def test_the_service_of_a_mount_asks_its_own_authorizer(host: Host, store: ExperimentStore) -> None:
    app = create_app(store, authorize=lambda _, verb, __: verb == "list")
    client = TestClient(host("/kfp", app))
    client.base_url = client.base_url.join("/kfp")
    speaker = Caller(client, V1)

    assert refusal(speaker.post(speaker.draft("mnist"))) == (403, 7)
    assert speaker.page() == {}


class Closing(MemoryBackend):
    """A backend that remembers whether it was closed."""

    closed = False

    def close(self) -> None:
        self.closed = True
        super().close()


def test_the_store_is_the_host_s_to_close() -> None:
    backend = Closing()
    store = ExperimentStore(backend)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with store:
            yield

    host = FastAPI(lifespan=lifespan)
    host.mount("/kfp", create_app(store))

    with TestClient(host) as client:
        assert done(client.get("/kfp/apis/v2beta1/experiments")) == {}
        assert not backend.closed

    assert backend.closed


def test_a_proxy_may_strip_a_prefix(store: ExperimentStore) -> None:
    client = TestClient(create_app(store), root_path="/behind/a/proxy")

    assert done(client.get("/apis/v1beta1/experiments")) == {}
