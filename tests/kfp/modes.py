"""Checks of a server that was started with options: each command has a server of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.kfp.arranged import DEFAULT, OURS, THEIR_ID, THEIRS
from tests.kfp.checks import (
    ABORTED,
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    UNAUTHENTICATED,
    Check,
    each,
    refused,
    same,
)
from tests.kfp.face import Face

VERBS = ("archive", "unarchive", "delete")
DEFAULT_DESCRIPTION = "All runs created without specifying an experiment will be grouped here."


def healthz_says_so(face: Face) -> None:
    assert face.multi_user()


def a_create_without_a_namespace_is_refused(face: Face) -> None:
    def check(namespace: str) -> None:
        with refused(INVALID, namespace):
            face.create("homeless", namespace=namespace)

    each(["", "-"], check)


def a_listing_without_a_namespace_is_refused(face: Face) -> None:
    def check(namespace: str) -> None:
        with refused(INVALID, namespace):
            face.list(namespace=namespace)

    each(["", "-"], check)


def with_a_namespace_all_is_as_usual(face: Face) -> None:
    made = face.create("at home", namespace="team", description=face.operation)

    same(face.list(namespace="team").items, [made])
    for verb in ("archive", "unarchive"):
        same(face.act(verb, made.id), {})
    same(face.get(made.id), made)
    same(face.act("delete", made.id), {})
    same(face.list(namespace="team").items, [])


def there_is_a_default_experiment(face: Face) -> None:
    (found,) = face.list().items

    same((found.name, found.namespace), (DEFAULT, ""))
    same(found.description, DEFAULT_DESCRIPTION)


def the_default_experiment_cannot_be_deleted(face: Face) -> None:
    (found,) = face.list().items

    with refused(ABORTED) as bodies:
        face.act("delete", found.id)

    same(face.get(found.id), found)
    assert "default" in bodies[0]["message"].lower(), bodies


def the_default_experiment_can_be_archived(face: Face) -> None:
    (found,) = face.list().items

    face.act("archive", found.id)
    same(face.get(found.id).storage_state, face.archived)
    face.act("unarchive", found.id)
    same(face.get(found.id), found)


def a_stranger_may_do_nothing(face: Face) -> None:
    """Run without a credential, or with one that the server does not know."""
    with refused(UNAUTHENTICATED, "create"):
        face.create("x", namespace=OURS)
    with refused(UNAUTHENTICATED, "list"):
        face.list(namespace=OURS)
    with refused(UNAUTHENTICATED, "get"):
        face.get("x")
    for verb in VERBS:
        with refused(UNAUTHENTICATED, verb):
            face.act(verb, "x")


def a_member_may_do_everything_at_home(face: Face) -> None:
    made = face.create("mine", namespace=OURS)

    same(face.list(namespace=OURS).items, [made])
    for verb in VERBS:
        same(face.act(verb, made.id), {})


def a_member_may_not_enter_another_namespace(face: Face) -> None:
    with refused(FORBIDDEN, "create"):
        face.create("x", namespace=THEIRS)
    with refused(FORBIDDEN, "list"):
        face.list(namespace=THEIRS)
    with refused(FORBIDDEN, "list all"):
        face.list()


def what_is_in_another_namespace_is_as_unknown_as_what_is_nowhere(face: Face) -> None:
    """Ask for an experiment that is there: its id is that which the test gave it."""
    nowhere = "00000000-0000-4000-8000-000000000000"
    calls: list[Callable[[str], Any]] = [face.get, *(partial(face.act, verb) for verb in VERBS)]
    for call in calls:
        with refused(NOT_FOUND) as theirs:
            call(THEIR_ID)
        with refused(NOT_FOUND) as nobodys:
            call(nowhere)
        shown = json.dumps(theirs).replace(THEIR_ID, nowhere)
        same(json.loads(shown), nobodys)


NAMESPACE_REQUIRED: tuple[Check, ...] = (
    healthz_says_so,
    a_create_without_a_namespace_is_refused,
    a_listing_without_a_namespace_is_refused,
    with_a_namespace_all_is_as_usual,
)
WITH_DEFAULT: tuple[Check, ...] = (
    there_is_a_default_experiment,
    the_default_experiment_cannot_be_deleted,
    the_default_experiment_can_be_archived,
)
STRANGER: tuple[Check, ...] = (a_stranger_may_do_nothing,)
MEMBER: tuple[Check, ...] = (
    a_member_may_do_everything_at_home,
    a_member_may_not_enter_another_namespace,
    what_is_in_another_namespace_is_as_unknown_as_what_is_nowhere,
)
