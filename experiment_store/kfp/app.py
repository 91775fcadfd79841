"""The ASGI application: routes, request by request, with the store on worker threads."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from inspect import isawaitable, iscoroutinefunction
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from experiment_store.errors import ExperimentStoreError
from experiment_store.kfp.authorization import Authorize, Identity, Verb
from experiment_store.kfp.bodies import read_draft
from experiment_store.kfp.failures import Code, Failure, body, failure, forbidden, invalid, unknown
from experiment_store.kfp.messages import VERSIONS, Version
from experiment_store.kfp.openapi import describe
from experiment_store.kfp.queries import read_query
from experiment_store.kfp.service import Service, translated
from experiment_store.records import Experiment
from experiment_store.store import ExperimentStore

MAX_BODY = 1024 * 1024

T = TypeVar("T")

_LOG = logging.getLogger("experiment_store.kfp")


def create_app(
    store: ExperimentStore,
    *,
    authorize: Authorize | None = None,
    require_namespace: bool = False,
    default_experiment: bool = False,
) -> ASGIApp:
    """Serve Kubeflow's ExperimentService, v1beta1 and v2beta1, on *store*.

    The application can run alone or be mounted below any path. It neither opens
    nor closes the store.

    Args:
        store: Any store; calls run on worker threads.
        authorize: Tells who may do what; everybody everything by default.
        require_namespace: Refuse to create and to list without a namespace, as
            Kubeflow's multi-user mode does.
        default_experiment: Make the experiment "Default" now, or adopt the one
            there is; it cannot be deleted through the service.

    Raises:
        ExperimentStoreError: The default experiment cannot be made.
    """
    service = Service(
        store, require_namespace=require_namespace, default_experiment=default_experiment
    )
    endpoints = [
        _Endpoints(version, service, authorize, multi_user=require_namespace)
        for version in VERSIONS
    ]
    document = describe()

    async def openapi(_: Request) -> Response:
        return _answer(document)

    routes = [route for endpoint in endpoints for route in endpoint.routes()]
    routes.append(Route("/openapi.json", openapi))
    app = Starlette(
        routes=routes,
        exception_handlers={
            Failure: _refused,
            ExperimentStoreError: _refused,
            HTTPException: _unrouted,
            Exception: _failed,
        },
    )
    app.router.redirect_slashes = False  # a path with one slash more is unknown, as any other
    return app


class _Endpoints:
    """The routes of one version of the API."""

    def __init__(
        self, version: Version, service: Service, authorize: Authorize | None, *, multi_user: bool
    ) -> None:
        self._version = version
        self._service = service
        self._authorize = authorize
        self._is_async = iscoroutinefunction(authorize)
        self._multi_user = multi_user

    def routes(self) -> list[Route]:
        base = f"/apis/{self._version.name}"
        one = f"{base}/experiments/{{id}}"
        return [
            Route(f"{base}/healthz", self.healthz, methods=["GET"]),
            Route(f"{base}/experiments", self.experiments, methods=["GET", "POST"]),
            Route(f"{one}:archive", self.archive, methods=["POST"]),
            Route(f"{one}:unarchive", self.unarchive, methods=["POST"]),
            Route(one, self.experiment, methods=["GET", "DELETE"]),
            Route(f"{one}:{{verb}}", _no_verb, methods=["POST"]),
        ]

    async def healthz(self, _: Request) -> Response:
        answer: dict[str, Any] = {
            "commit_sha": "unknown",
            "tag_name": "experiment-store",
            "multi_user": self._multi_user,
        }
        if self._version is VERSIONS[1]:
            answer["pipeline_store"] = "database"
        return _answer(answer)

    async def experiments(self, request: Request) -> Response:
        return await (self.create if request.method == "POST" else self.list)(request)

    async def experiment(self, request: Request) -> Response:
        return await (self.delete if request.method == "DELETE" else self.get)(request)

    async def create(self, request: Request) -> Response:
        draft = read_draft(self._version, await _body(request))
        self._service.check_namespace(draft.namespace)
        await self._demand(request, "create", draft.namespace)
        return _answer(await _call(lambda: self._service.create(self._version, draft)))

    async def list(self, request: Request) -> Response:
        query = read_query(self._version, request.scope["query_string"])
        listing, token = await _call(lambda: self._service.listing(query))
        self._service.check_namespace(listing.namespace)
        if not await self._allows(request, "list", listing.namespace):
            # A token says nothing to those who may not use it, not even whose it is.
            refusal = invalid("Invalid page token") if token else None
            raise refusal or forbidden("list", listing.namespace)
        if token:
            await _call(lambda: self._service.check_agreement(query, listing))
        page = partial(self._service.list, self._version, listing, query.page_size, token)
        return _answer(await _call(page))

    async def get(self, request: Request) -> Response:
        experiment = await self._find(request, "get")
        return _answer(self._service.show(self._version, experiment))

    async def delete(self, request: Request) -> Response:
        return await self._act(request, "delete", self._service.delete)

    async def archive(self, request: Request) -> Response:
        return await self._act(request, "archive", self._service.archive)

    async def unarchive(self, request: Request) -> Response:
        return await self._act(request, "unarchive", self._service.unarchive)

    async def _act(
        self, request: Request, verb: Verb, act: Callable[[Experiment], None]
    ) -> Response:
        experiment = await self._find(request, verb)
        await _call(lambda: act(experiment), experiment.id)
        return _answer({})

    async def _find(self, request: Request, verb: Verb) -> Experiment:
        """Return the experiment of the path, if there is one that the caller may know of."""
        id = request.path_params["id"]
        experiment = await _call(lambda: self._service.find(id))
        namespace = None if experiment is None else experiment.namespace
        allowed = await self._allows(request, verb, namespace)
        if experiment is None or not allowed:
            raise unknown(id)
        return experiment

    async def _demand(self, request: Request, verb: Verb, namespace: str | None) -> None:
        if not await self._allows(request, verb, namespace):
            raise forbidden(verb, namespace)

    async def _allows(self, request: Request, verb: Verb, namespace: str | None) -> bool:
        if self._authorize is None:
            return True
        asked = partial(self._authorize, Identity(dict(request.headers)), verb, namespace)
        # One that is not async may wait for something, too: not on the event loop.
        verdict = asked() if self._is_async else await run_in_threadpool(asked)
        return await verdict if isawaitable(verdict) else verdict


async def _no_verb(_: Request) -> Response:
    raise HTTPException(HTTPStatus.NOT_FOUND)


async def _call(call: Callable[[], T], id: str = "") -> T:
    try:
        return await run_in_threadpool(call)
    except ExperimentStoreError as error:
        failed = translated(error, id)
        if failed.code in (Code.INTERNAL, Code.UNAVAILABLE):
            _LOG.exception("a call of the store failed")
        raise failed from error


async def _body(request: Request) -> bytes:
    """Read the body, and no more than it may have."""
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BODY:
                raise Failure(413, Code.INVALID_ARGUMENT, f"the body has over {MAX_BODY} bytes")
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise invalid("the body ended too early") from error
    return b"".join(chunks)


def _answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    # Escaped to ASCII, so that whatever a caller sent can be told back.
    text = json.dumps(content, separators=(",", ":"))
    return Response(text, status, headers, media_type="application/json")


async def _refused(_: Request, error: Any) -> Response:
    failed = error if isinstance(error, Failure) else failure(error)
    headers = {"WWW-Authenticate": "Bearer"} if failed.code is Code.UNAUTHENTICATED else None
    return _answer(body(failed), failed.status, headers)


async def _unrouted(_: Request, error: Any) -> Response:
    known = error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    failed = Failure(
        error.status_code, Code.UNIMPLEMENTED if known else Code.NOT_FOUND, error.detail
    )
    return _answer(body(failed), failed.status, error.headers)


async def _failed(_: Request, error: Exception) -> Response:
    del error  # Starlette has it logged
    return _answer(body(Failure(500, Code.INTERNAL, "Internal Server Error")), 500)
