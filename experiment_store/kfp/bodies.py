"""Experiments as JSON: what callers send, and what they get."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, assert_never

from attrs import frozen

from experiment_store.kfp.failures import invalid
from experiment_store.kfp.messages import (
    NAMESPACE,
    OWNER,
    RELATIONSHIPS,
    RESOURCE_TYPES,
    Member,
    Shape,
    Version,
)
from experiment_store.kfp.proto import Node, parse
from experiment_store.records import Experiment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES = {word: number for number, word in enumerate(RESOURCE_TYPES)}
_RELATIONSHIPS = {word: number for number, word in enumerate(RELATIONSHIPS)}


@frozen
class Draft:
    """What a caller says of an experiment to be created."""

    name: str = ""
    namespace: str = ""
    description: str = ""


def read_draft(version: Version, raw: bytes) -> Draft:
    """Read the body of a create call.

    Raises:
        Failure, InvalidArgumentError: It is not the JSON of an experiment.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise invalid("the body is not UTF-8") from error
    by_name = {member.name: member for member in version.members}
    values = {
        by_name[name].attribute: _read(version, by_name[name], node)
        for name, node in parse("body", text).members(*by_name).items()
    }
    given = {member.attribute for member in version.members if member.given}
    return Draft(**{name: value for name, value in values.items() if name in given})


def write_experiment(version: Version, experiment: Experiment) -> dict[str, Any]:
    """Return *experiment* as a message; members with default values are left out."""
    written = (
        (member.name, _write(version, member, getattr(experiment, member.attribute)))
        for member in version.members
    )
    return {name: value for name, value in written if value}


def write_time(time: datetime) -> str:
    """Return *time* as proto3 JSON has it: in UTC, with 0, 3 or 6 digits of a second."""
    text = time.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    return text.removesuffix("000").removesuffix(".000") + "Z"


def _read(version: Version, member: Member, node: Node) -> Any:
    match member.shape:
        case Shape.STRING:
            return node.text()
        case Shape.TIMESTAMP:
            return node.timestamp()
        case Shape.STATE:
            return node.enum({word: number for number, word in enumerate(version.states)})
        case Shape.REFERENCES:
            return _read_namespace(node)
        case _:
            assert_never(member.shape)


def _read_namespace(node: Node) -> str:
    """Return the namespace among the references: the first that is one decides."""
    namespaces = []
    for reference in node.items():
        members = reference.members("key", "name", "relationship")
        if "name" in members:
            members["name"].text()
        if "relationship" in members:
            members["relationship"].enum(_RELATIONSHIPS)
        key: Mapping[str, Node] = members["key"].members("type", "id") if "key" in members else {}
        kind = key["type"].enum(_TYPES) if "type" in key else 0
        id = key["id"].text() if "id" in key else ""
        if kind == _TYPES[NAMESPACE]:
            namespaces.append(id)
    return namespaces[0] if namespaces else ""


def _write(version: Version, member: Member, value: Any) -> Any:
    match member.shape:
        case Shape.STRING:
            return value
        case Shape.TIMESTAMP:
            return write_time(value or _EPOCH)
        case Shape.STATE:
            return version.state(value)
        case Shape.REFERENCES:
            key = {"type": NAMESPACE, **({"id": value} if value else {})}
            return [{"key": key, "relationship": OWNER}]
        case _:
            assert_never(member.shape)
