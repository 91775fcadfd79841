"""The OpenAPI document says what the service does: no less, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from attrs import evolve
from hypothesis import given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette
from starlette.routing import Route

from experiment_store import ExperimentStore
from experiment_store.kfp import Identity, Verb, create_app, unauthenticated
from experiment_store.kfp.app import MAX_BODY
from experiment_store.kfp.openapi import describe
from experiment_store_memory import MemoryBackend
from tests.kfp.wire import Answer, Call, answer, sending

_DOCUMENT = describe()
_OPERATIONS = [
    (path, method)
    for path, operations in _DOCUMENT["paths"].items()
    for method in operations
    if method != "parameters"
]
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_DIALECT = "https://json-schema.org/draft/2020-12/schema"  # of OpenAPI 3.1
_SCOPES = {
    "v1beta1": "resource_reference_key.type=NAMESPACE&resource_reference_key.id=",
    "v2beta1": "namespace=",
}
_UNKNOWN_VERB = "/apis/{}/experiments/{{id}}:{{verb}}"  # answers 404, whatever is sent
_KNOWN = ((b"authorization", b"Bearer known"),)
_NAMES = {"v1beta1": "name", "v2beta1": "display_name"}


def test_the_document_is_served_as_it_is_made() -> None:
    got = answer(_app(), Call(b"/openapi.json"))

    assert got.status == 200
    assert got.json() == _DOCUMENT


def test_the_document_is_valid_openapi_3_1() -> None:
    assert _DOCUMENT["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(_DOCUMENT).validate()
    for schema in _schemas(_DOCUMENT):
        jsonschema_rs.meta.validate({"$schema": _DIALECT, **schema})


def test_an_invalid_document_would_be_noticed() -> None:
    wrong = {**_DOCUMENT, "info": {"title": "without a version"}}

    with pytest.raises(jsonschema_rs.ValidationError):
        schemathesis.openapi.from_dict(wrong).validate()


def test_the_document_covers_the_routes_of_the_application_and_no_others() -> None:
    app = _app()
    assert isinstance(app, Starlette)
    routes = [route for route in app.routes if isinstance(route, Route)]
    unlisted = {"/openapi.json", *(_UNKNOWN_VERB.format(version) for version in _NAMES)}

    served = {
        (route.path, method.lower())
        for route in routes
        for method in (route.methods or ())
        if method != "HEAD" and route.path not in unlisted
    }

    assert len(routes) == len(app.routes)
    assert served == set(_OPERATIONS)


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    used = {
        found["$ref"].removeprefix("#/components/schemas/")
        for found in _objects(_DOCUMENT)
        if "$ref" in found
    }

    assert used == set(_DOCUMENT["components"]["schemas"])


@pytest.mark.parametrize("version", _NAMES)
def test_the_schemas_accept_what_the_service_answers(version: str) -> None:
    store = ExperimentStore(MemoryBackend())
    app = create_app(store, authorize=_check)
    base, one = f"/apis/{version}/experiments", "/{id}"
    name = _NAMES[version]

    def check(operation: str, call: Call, status: int) -> Answer:
        got = answer(app, call)
        assert got.status == status, got
        _response_schema(operation, call.method, status).validate(got.json())
        return got

    def send(rest: str = "", method: str = "GET", body: Any = None) -> Call:
        return Call((base + rest).encode(), method, b"" if body is None else sending(body), _KNOWN)

    check(base, send(), 200)
    for number in range(2):
        check(base, send("", "POST", {name: f"n{number}", "description": "d"}), 200)
    made = check(base, send("", "POST", {name: "last"}), 200)
    id = next(value for key, value in made.json().items() if key.endswith("id"))
    store.runs.create(id, "run")
    check(base + one, send(f"/{id}"), 200)
    check(base, send("?page_size=2"), 200)
    check(base, send("", "POST", {name: "n1"}), 409)
    check(base, send("", "POST", {name: ""}), 400)
    check(base, send("", "POST", {name: "d" * MAX_BODY}), 413)
    check(base, send("?page_size=-1"), 400)
    check(base, send(f"?{_SCOPES[version]}forbidden"), 403)
    for verb in ("archive", "unarchive"):
        check(f"{base}{one}:{verb}", send(f"/{id}:{verb}", "POST"), 200)
        check(f"{base}{one}:{verb}", send(f"/none:{verb}", "POST"), 404)
        check(f"{base}{one}:{verb}", _strange(send(f"/{id}:{verb}", "POST")), 401)
    check(base + one, _strange(send(f"/{id}")), 401)
    check(base + one, _strange(send(f"/{id}", "DELETE")), 401)
    check(base + one, send(f"/{id}", "DELETE"), 200)
    check(base + one, send(f"/{id}", "DELETE"), 404)
    check(base + one, send(f"/{id}"), 404)
    check(f"/apis/{version}/healthz", Call(f"/apis/{version}/healthz".encode()), 200)


def test_the_schemas_refuse_what_the_service_never_answers() -> None:
    schema = _response_schema("/apis/v2beta1/experiments/{id}", "GET", 200)

    assert not schema.is_valid({"name": "of the other version"})
    assert not schema.is_valid({})
    assert not _response_schema("/apis/v2beta1/experiments/{id}", "GET", 404).is_valid({})


@pytest.mark.parametrize(("path", "method"), _OPERATIONS)
def test_generated_requests_get_documented_answers(path: str, method: str) -> None:
    store = ExperimentStore(MemoryBackend())
    document = schemathesis.openapi.from_dict(_DOCUMENT)
    document.app = create_app(store)
    operation = document[path][method.upper()]
    modes = schemathesis.GenerationMode
    cases = operation.as_strategy(modes.POSITIVE) | operation.as_strategy(modes.NEGATIVE)
    if "{id}" in path:
        cases |= operation.as_strategy(modes.POSITIVE, path_parameters={"id": "there"})

    @settings(max_examples=max(20, settings().max_examples // 4))
    @given(cases)
    def check(case: schemathesis.Case[Any]) -> None:
        store.create("there", id="there")
        case.call_and_validate(checks=_CHECKS)

    check()


def _app() -> Any:
    return create_app(ExperimentStore(MemoryBackend()))


def _check(identity: Identity, _: Verb, namespace: str | None) -> bool:
    if identity.bearer_token != "known":
        raise unauthenticated()
    return namespace != "forbidden"


def _strange(call: Call) -> Call:
    return evolve(call, headers=())


def _response_schema(path: str, method: str, status: int) -> jsonschema_rs.Draft202012Validator:
    responses = _DOCUMENT["paths"][path][method.lower()]["responses"]
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": _DOCUMENT["components"]}, validate_formats=True
    )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)


def _schemas(document: Any) -> Iterator[dict[str, Any]]:
    yield from document["components"]["schemas"].values()
    yield from (found["schema"] for found in _objects(document) if "schema" in found)
