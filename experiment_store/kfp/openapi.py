"""The OpenAPI document, made from the same tables as the messages themselves."""

from __future__ import annotations

from typing import Any, assert_never

from experiment_store.kfp.messages import (
    LISTING,
    RELATIONSHIPS,
    RESOURCE_TYPES,
    VERSIONS,
    Member,
    Parameter,
    Shape,
    Version,
)
from experiment_store.names import MAX_NAMESPACE

_FAILURES = {
    "400": "The request is wrong, or the state of the experiment forbids it.",
    "401": "There is no valid credential.",
    "403": "The caller may not do this.",
    "404": "There is no such experiment.",
    "409": "The name is taken, or the experiment is the default one.",
    "413": "The body is too large.",
    "503": "The store is unavailable.",
}


def describe() -> dict[str, Any]:
    """Return the document, of OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"Error": _ERROR}
    for version in VERSIONS:
        schemas[f"Experiment_{version.name}"] = _experiment(version)
        schemas[f"NewExperiment_{version.name}"] = _new_experiment(version)
        paths.update(_paths(version))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kubeflow ExperimentService on experiment-store", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _paths(version: Version) -> dict[str, Any]:
    base = f"/apis/{version.name}"
    experiment = {"$ref": f"#/components/schemas/Experiment_{version.name}"}
    draft = {"$ref": f"#/components/schemas/NewExperiment_{version.name}"}
    page = _object(
        experiments={"type": "array", "items": experiment},
        total_size={"type": "integer", "minimum": 0},
        next_page_token={"type": "string"},
    )
    identifier = {
        "name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1},
    }  # fmt: skip
    empty = {"type": "object", "maxProperties": 0}
    return {
        f"{base}/healthz": {"get": _operation("Tell that the service is there.", _HEALTH)},
        f"{base}/experiments": {
            "get": _operation(
                "List experiments.",
                page,
                ("400", "401", "403", "503"),
                parameters=[_parameter(parameter) for parameter in (*LISTING, *version.scope)],
            ),
            "post": _operation(
                "Create an experiment.",
                experiment,
                ("400", "401", "403", "409", "413", "503"),
                requestBody={"required": True, "content": _json(draft)},
            ),
        },
        f"{base}/experiments/{{id}}": {
            "parameters": [identifier],
            "get": _operation("Get an experiment.", experiment, ("401", "404", "503")),
            "delete": _operation("Delete an experiment.", empty, ("401", "404", "409", "503")),
        },
        **{
            f"{base}/experiments/{{id}}:{verb}": {
                "parameters": [identifier],
                "post": _operation(f"{verb.title()} an experiment.", empty, ("401", "404", "503")),
            }
            for verb in ("archive", "unarchive")
        },
    }


def _operation(
    summary: str, answer: dict[str, Any], failures: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    error = {"$ref": "#/components/schemas/Error"}
    responses: dict[str, Any] = {"200": {"description": "Done.", "content": _json(answer)}}
    for status in failures:
        responses[status] = {"description": _FAILURES[status], "content": _json(error)}
    return {"summary": summary, "responses": responses, **more}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = {"type": "integer", "format": "int32"} if parameter.is_integer else {"type": "string"}
    return {
        "name": parameter.name, "in": "query", "schema": schema, "description": parameter.about,
    }  # fmt: skip


def _experiment(version: Version) -> dict[str, Any]:
    """Return what an answer looks like; members of text are left out where they are empty."""
    always = [
        member.name
        for member in version.members
        if member.attribute in ("id", "name") or member.shape is not Shape.STRING
    ]
    return {**_members(version), "required": always}


def _new_experiment(version: Version) -> dict[str, Any]:
    """Return what the body of a create call looks like."""
    name = next(member.name for member in version.members if member.attribute == "name")
    about = "Members may be named in lowerCamelCase, too. What the server sets is ignored."
    return {**_members(version), "required": [name], "description": about}


def _members(version: Version) -> dict[str, Any]:
    return _object(**{member.name: _schema(version, member) for member in version.members})


def _schema(version: Version, member: Member) -> dict[str, Any]:
    schema: dict[str, Any]
    match member.shape:
        case Shape.STRING:
            schema = {"type": "string"}
            if member.attribute == "name":
                schema["minLength"] = 1
            if member.max_length is not None:
                schema["maxLength"] = member.max_length
        case Shape.TIMESTAMP:
            schema = {"type": "string", "format": "date-time"}
        case Shape.STATE:
            schema = {"type": "string", "enum": list(version.states)}
        case Shape.REFERENCES:
            id = {"type": "string", "maxLength": MAX_NAMESPACE}
            key = _object(type=_words(RESOURCE_TYPES), id=id)
            reference = _object(
                key=key, name={"type": "string"}, relationship=_words(RELATIONSHIPS)
            )
            schema = {"type": "array", "items": reference}
        case _:
            assert_never(member.shape)
    return {**schema, "description": member.about} if member.about else schema


def _words(words: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _all_of(**properties: Any) -> dict[str, Any]:
    return {**_object(**properties), "required": list(properties)}


_TEXT = {"type": "string"}
_CODE = {"type": "integer", "minimum": 1, "description": "The code of gRPC, not of HTTP."}
_ERROR = _all_of(
    error=_TEXT,
    code=_CODE,
    message=_TEXT,
    details={
        "type": "array",
        "items": _all_of(**{"@type": _TEXT, "code": _CODE, "message": _TEXT}),
    },
)
_HEALTH = _all_of(commit_sha=_TEXT, tag_name=_TEXT, multi_user={"type": "boolean"})
_HEALTH["properties"]["pipeline_store"] = _TEXT  # of v2beta1 only
