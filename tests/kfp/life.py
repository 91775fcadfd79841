"""Checks of one experiment's life: made, read, archived, brought back, deleted, and refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.kfp.checks import INVALID, NOT_FOUND, TAKEN, Check, each, refused, same
from tests.kfp.face import EPOCH, Face

LONGEST_NAME = "名" * 128
LONGEST_NAMESPACE = "n" * 63
VERBS = ("archive", "unarchive", "delete")


def healthz_is_answered(face: Face) -> None:
    assert not face.multi_user()


def a_new_experiment_is_answered_as_a_get_answers_it(face: Face) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)

    made = face.create("first", namespace="life", description="söme text 🧪")

    same(face.get(made.id), made)
    same((made.name, made.namespace, made.description), ("first", "life", "söme text 🧪"))
    same(made.storage_state, face.available)
    same(str(UUID(made.id)), made.id, "the id is a UUID in lower case")
    assert made.created_at.utcoffset() == timedelta(0), made.created_at
    assert before <= made.created_at <= datetime.now(UTC), made.created_at


def what_is_left_out_has_its_default(face: Face) -> None:
    made = face.create("bare", namespace="bare")

    same(made.description, "")
    same(face.list(namespace="bare").items, [made])


def an_experiment_without_a_namespace_has_none(face: Face) -> None:
    made = face.create(f"homeless {uuid4()}")

    same(made.namespace, "")
    same(face.get(made.id).namespace, "")


def what_the_server_decides_cannot_be_sent(face: Face) -> None:
    name = f"forged {uuid4()}"
    forged = _body(face, name) | {
        face.id_member: "00000000-0000-4000-8000-000000000000",
        "created_at": EPOCH,
        "storage_state": face.archived,
    }

    made = face.post(forged)

    assert made.id != forged[face.id_member]
    same(made.storage_state, face.available)
    assert made.created_at.year > 1970


def an_experiment_is_archived_and_brought_back_and_nothing_else_changes(face: Face) -> None:
    made = face.create("to be archived", namespace="archive", description="kept")

    for verb, state in (
        ("archive", face.archived),
        ("archive", face.archived),
        ("unarchive", face.available),
        ("unarchive", face.available),
    ):
        same(face.act(verb, made.id), {}, verb)
        found = face.get(made.id)
        same(found.storage_state, state, verb)
        same((found.name, found.namespace), (made.name, made.namespace))
        same((found.description, found.created_at), (made.description, made.created_at))


def archived_experiments_are_listed_unless_filtered_out(face: Face) -> None:
    made = face.create("shelved", namespace="shelf")
    face.act("archive", made.id)

    same([found.id for found in face.list(namespace="shelf").items], [made.id])


def a_deleted_experiment_is_gone_and_its_name_is_free(face: Face) -> None:
    made = face.create("short-lived", namespace="delete")

    same(face.act("delete", made.id), {})

    with refused(NOT_FOUND, "get"):
        face.get(made.id)
    with refused(NOT_FOUND, "delete again"):
        face.act("delete", made.id)
    same(face.list(namespace="delete").items, [])
    assert face.create("short-lived", namespace="delete").id != made.id


def an_archived_experiment_can_be_deleted(face: Face) -> None:
    made = face.create("shelved", namespace="delete archived")
    face.act("archive", made.id)

    face.act("delete", made.id)

    with refused(NOT_FOUND):
        face.get(made.id)


def a_name_is_taken_in_its_namespace_only_and_while_archived_too(face: Face) -> None:
    made = face.create("twin", namespace="twins")

    other = face.create("twin", namespace="other twins")
    with refused(TAKEN, "at once") as bodies:
        face.create("twin", namespace="twins", description="another one")
    face.act("archive", made.id)
    with refused(TAKEN, "while archived"):
        face.create("twin", namespace="twins")

    assert other.id != made.id
    assert "twin" in bodies[0]["message"], bodies
    same([found.id for found in face.list(namespace="twins").items], [made.id])


def unknown_ids_are_not_found_by_any_verb(face: Face) -> None:
    unknown = [
        "00000000-0000-4000-8000-000000000000",
        "no-uuid",
        "ünknown 🧪",
        "a b%c+d",
        "x" * 500,
    ]

    def check(id: str) -> None:
        with refused(NOT_FOUND, ("get", id)):
            face.get(id)
        for verb in VERBS:
            with refused(NOT_FOUND, (verb, id)):
                face.act(verb, id)

    each(unknown, check)


def a_name_is_not_an_id(face: Face) -> None:
    made = face.create("no-id", namespace="no id")

    with refused(NOT_FOUND):
        face.get(made.name)


def names_are_kept_as_sent(face: Face) -> None:
    names = [
        " ",
        " blank ends ",
        "a+b",
        "100% x",
        "50%41",
        "Case",
        "case",
        "é",
        "e\u0301",
        LONGEST_NAME,
    ]

    def check(name: str) -> None:
        made = face.create(name, namespace="names")
        same(made.name, name)
        same(face.get(made.id).name, name)

    each(names, check)


def limits_count_characters_and_what_is_beyond_them_is_refused(face: Face) -> None:
    face.create("longest", namespace=LONGEST_NAMESPACE, description="🧪" * 255)

    for what, fields in {
        "no name": {"name": ""},
        "a name of 129": {"name": LONGEST_NAME + "n"},
        "a namespace of 64": {"name": "n", "namespace": LONGEST_NAMESPACE + "n"},
    }.items():
        with refused(INVALID, what):
            face.create(**fields)


def bodies_that_are_no_experiment_are_refused(face: Face) -> None:
    name = face.name_member
    bodies: list[Any] = [
        {},
        {name: None},
        {name: 5},
        {name: ["x"]},
        {name: {"a": 1}},
        {name: "x", "unknown": 1},
        {name: "x", "description": 5},
        {name: "x", "storage_state": "ON_FIRE"},
        {name: "x", "created_at": "yesterday"},
        {name: "x", "created_at": 0},
        [],
        [{name: "x"}],
        "x",
        5,
        True,
    ]

    def check(body: Any) -> None:
        with refused(INVALID, body):
            face.post(body)

    each(bodies, check)


def body_members_may_be_camel_case_or_null(face: Face) -> None:
    name = f"camel {uuid4()}"
    body = _body(face, name) | {"createdAt": None, "storageState": 1, "description": None}
    if face.name_member == "display_name":
        body["displayName"] = body.pop("display_name")

    made = face.post(body)

    same((made.name, made.description), (name, ""))


def an_empty_listing_leaves_everything_out(face: Face) -> None:
    same(json.loads(face.list_raw(namespace="nobody lives here")), {})


def times_on_the_wire_are_utc_text(face: Face) -> None:
    face.create("timed", namespace="wire")

    (item,) = json.loads(face.list_raw(namespace="wire"))["experiments"]

    assert item["created_at"].endswith("Z"), item
    assert "description" not in item, item


def _body(face: Face, name: str) -> dict[str, Any]:
    return {face.name_member: name}


CHECKS: tuple[Check, ...] = (
    healthz_is_answered,
    a_new_experiment_is_answered_as_a_get_answers_it,
    what_is_left_out_has_its_default,
    an_experiment_without_a_namespace_has_none,
    what_the_server_decides_cannot_be_sent,
    an_experiment_is_archived_and_brought_back_and_nothing_else_changes,
    archived_experiments_are_listed_unless_filtered_out,
    a_deleted_experiment_is_gone_and_its_name_is_free,
    an_archived_experiment_can_be_deleted,
    a_name_is_taken_in_its_namespace_only_and_while_archived_too,
    unknown_ids_are_not_found_by_any_verb,
    a_name_is_not_an_id,
    names_are_kept_as_sent,
    limits_count_characters_and_what_is_beyond_them_is_refused,
    bodies_that_are_no_experiment_are_refused,
    body_members_may_be_camel_case_or_null,
    an_empty_listing_leaves_everything_out,
    times_on_the_wire_are_utc_text,
)
