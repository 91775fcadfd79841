"""Checks through `kfp.Client`, as people use it: get-or-create, and everything by name."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import kfp  # type: ignore[import-not-found]  # only in its own environment
from kfp_server_api import ApiException  # type: ignore[import-not-found]  # as above

from tests.kfp.arranged import OURS, THEIRS
from tests.kfp.checks import FORBIDDEN, INVALID, NOT_FOUND, each, refused, same

SDK = "sdk"
NAMES = ("plain", "a+b", "100% x", "50%41", "plus%2Bplus", 'say "hi" \\ 🧪', "名前", " ")


class Served(Protocol):
    """Whatever knows where the server is."""

    url: str
    token: str


def no_cluster_is_needed(face: Served) -> None:
    client = kfp.Client(host=face.url)

    same(client.get_user_namespace(), "")
    assert not client.get_kfp_healthz().multi_user


def the_end_point_may_come_from_the_environment(face: Served) -> None:
    os.environ["KF_PIPELINES_ENDPOINT"] = face.url
    try:
        client = kfp.Client()
    finally:
        del os.environ["KF_PIPELINES_ENDPOINT"]

    assert client.list_experiments(namespace=SDK) is not None


def creating_is_get_or_create_whatever_the_name(face: Served) -> None:
    client = _client(face)

    def check(name: str) -> None:
        made = client.create_experiment(name, description=f"about {name}")
        again = client.create_experiment(name, description="ignored")
        same(again, made)
        same((made.display_name, made.description), (name, f"about {name}"))
        same((made.namespace, made.storage_state), (SDK, "AVAILABLE"))
        same(client.get_experiment(experiment_name=name), made)
        same(client.get_experiment(experiment_id=made.experiment_id), made)

    each(NAMES, check)


def a_name_belongs_to_its_namespace(face: Served) -> None:
    client = _client(face)

    here = client.create_experiment("shared name")
    there = client.create_experiment("shared name", namespace="sdk elsewhere")

    assert here.experiment_id != there.experiment_id
    same(client.get_experiment(experiment_name="shared name"), here)
    found = client.get_experiment(experiment_name="shared name", namespace="sdk elsewhere")
    same(found, there)


def without_a_namespace_there_is_get_or_create_too(face: Served) -> None:
    client = kfp.Client(host=face.url)

    made = client.create_experiment("in no namespace at all")

    same(made.namespace, None)
    same(client.create_experiment("in no namespace at all"), made)


def what_is_not_there_is_said_so(face: Served) -> None:
    client = _client(face)

    try:
        client.get_experiment(experiment_name="nobody + nothing")
    except ValueError as error:
        same(str(error), "No experiment is found with name nobody + nothing.")
    else:
        raise AssertionError("it was found")
    with refused(NOT_FOUND):
        client.get_experiment(experiment_id="nobody")


def listings_are_paged_sorted_and_filtered(face: Served) -> None:
    client = _client(face, namespace="sdk list")
    for number in range(25):
        client.create_experiment(f"listed {number:02}")

    names: list[str] = []
    token = ""
    while True:
        page = client.list_experiments(page_token=token, sort_by="display_name desc")
        names += [item.display_name for item in page.experiments]
        same(page.total_size, 25)
        token = page.next_page_token or ""
        if not token:
            break
        same(len(page.experiments), 10, "the SDK's own page size")
    same(names, [f"listed {number:02}" for number in reversed(range(25))])

    predicate = {"operation": "IS_SUBSTRING", "key": "display_name", "stringValue": "d 1"}
    found = client.list_experiments(page_size=50, filter=json.dumps({"predicates": [predicate]}))
    same([item.display_name for item in found.experiments], [f"listed {n}" for n in range(10, 20)])


def archive_unarchive_and_delete_work(face: Served) -> None:
    client = _client(face)
    id = client.create_experiment("sdk life").experiment_id

    same(client.archive_experiment(id), {})
    same(client.get_experiment(experiment_id=id).storage_state, "ARCHIVED")
    same(client.create_experiment("sdk life").experiment_id, id, "archived ones are found too")
    same(client.unarchive_experiment(id), {})
    same(client.get_experiment(experiment_id=id).storage_state, "AVAILABLE")
    same(client.delete_experiment(id), {})
    for call in (client.archive_experiment, client.unarchive_experiment, client.delete_experiment):
        with refused(NOT_FOUND, call.__name__):
            call(id)
    assert client.create_experiment("sdk life").experiment_id != id


def a_namespace_is_remembered_in_the_home_folder(face: Served) -> None:
    context = Path.home() / ".config" / "kfp" / "context.json"
    assert not context.exists(), "the home folder is not empty"
    kfp.Client(host=face.url).set_user_namespace("sdk remembered")
    try:
        made = kfp.Client(host=face.url).create_experiment("remembering")
    finally:
        context.unlink()

    same(made.namespace, "sdk remembered")


def errors_reach_the_user_as_the_api_s(face: Served) -> None:
    try:
        _client(face).list_experiments(sort_by="nonsense")
    except ApiException as error:
        same((error.status, json.loads(error.body)["code"]), (400, 3))
    else:
        raise AssertionError("accepted")


def a_required_namespace_is_that_of_the_client(face: Served) -> None:
    client = _client(face)

    made = client.create_experiment("required")

    same(made.namespace, SDK)
    same(client.create_experiment("required"), made)
    same(client.list_experiments().total_size, 1)
    with refused(INVALID):
        kfp.Client(host=face.url).list_experiments()


def a_token_opens_its_own_namespace_only(face: Served) -> None:
    client = kfp.Client(host=face.url, namespace=OURS, existing_token=face.token)

    made = client.create_experiment("with a token")

    same(client.get_experiment(experiment_name="with a token"), made)
    with refused(FORBIDDEN):
        client.create_experiment("with a token", namespace=THEIRS)
    same(client.delete_experiment(made.experiment_id), {})


def _client(face: Served, namespace: str = SDK) -> Any:
    return kfp.Client(host=face.url, namespace=namespace)


EVERYTHING: Sequence[Any] = (
    no_cluster_is_needed,
    the_end_point_may_come_from_the_environment,
    creating_is_get_or_create_whatever_the_name,
    a_name_belongs_to_its_namespace,
    without_a_namespace_there_is_get_or_create_too,
    what_is_not_there_is_said_so,
    listings_are_paged_sorted_and_filtered,
    archive_unarchive_and_delete_work,
    a_namespace_is_remembered_in_the_home_folder,
    errors_reach_the_user_as_the_api_s,
)
NAMESPACE_REQUIRED: Sequence[Any] = (a_required_namespace_is_that_of_the_client,)
MEMBER: Sequence[Any] = (a_token_opens_its_own_namespace_only,)
