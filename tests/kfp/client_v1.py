"""The checks through `kfp-server-api` 1.8.5, which speaks v1beta1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

import kfp_server_api  # type: ignore[import-not-found]  # only in its own environment

from tests.kfp.checks import INVALID, each, refused, same
from tests.kfp.face import Face, Listing, Seen
from tests.kfp.program import main


class V1:
    """The v1beta1 client as the shared checks see it."""

    id_member: Final = "id"
    name_member: Final = "name"
    operation: Final = "op"
    available: Final = "STORAGESTATE_AVAILABLE"
    archived: Final = "STORAGESTATE_ARCHIVED"
    other_archived: Final = "ARCHIVED"

    def __init__(self, url: str, token: str = "") -> None:
        configuration = kfp_server_api.Configuration(host=url)
        if token:
            configuration.api_key["authorization"] = token
            configuration.api_key_prefix["authorization"] = "Bearer"
        self.client = kfp_server_api.ApiClient(configuration)
        self.api = kfp_server_api.ExperimentServiceApi(self.client)

    def multi_user(self) -> bool:
        answer = kfp_server_api.HealthzServiceApi(self.client).get_healthz()
        assert isinstance(answer, kfp_server_api.ApiGetHealthzResponse)
        return bool(answer.multi_user)

    def create(self, name: str, *, namespace: str = "", description: str = "") -> Seen:
        references = [namespace_reference(namespace)] if namespace else None
        body = kfp_server_api.ApiExperiment(
            name=name, description=description or None, resource_references=references
        )
        return self.post(body)

    def post(self, body: Any) -> Seen:
        return _seen(self.api.create_experiment(body))

    def get(self, id: str) -> Seen:
        return _seen(self.api.get_experiment(id))

    def list(self, *, namespace: str = "", **query: Any) -> Listing:
        page = self.api.list_experiment(**_of_namespace(namespace), **query)
        assert isinstance(page, kfp_server_api.ApiListExperimentsResponse)
        items = [_seen(item) for item in page.experiments or ()]
        return Listing(items, page.total_size or 0, page.next_page_token or "")

    def list_raw(self, *, namespace: str = "") -> bytes:
        answer = self.api.list_experiment(**_of_namespace(namespace), _preload_content=False)
        data: bytes = answer.data
        return data

    def act(self, verb: str, id: str) -> Any:
        return getattr(self.api, f"{verb}_experiment")(id)


def namespace_reference(id: str, type: Any = "NAMESPACE") -> Any:
    """Make the reference that puts an experiment into a namespace."""
    key = kfp_server_api.ApiResourceKey(type=type, id=id)
    return kfp_server_api.ApiResourceReference(key=key, relationship="OWNER")


def _of_namespace(namespace: str) -> Mapping[str, str]:
    if not namespace:
        return {}
    return {
        "resource_reference_key_type": "NAMESPACE",
        "resource_reference_key_id": namespace,
    }


def _seen(experiment: Any) -> Seen:
    assert isinstance(experiment, kfp_server_api.ApiExperiment), experiment
    (reference,) = experiment.resource_references
    same(reference.key.type, "NAMESPACE")
    same(reference.relationship, "OWNER")
    return Seen(
        id=experiment.id,
        name=experiment.name,
        namespace=reference.key.id or "",
        description=experiment.description or "",
        storage_state=experiment.storage_state,
        created_at=experiment.created_at,
        last_run_created_at=None,
    )


def the_client_is_the_published_one(_: Face) -> None:
    same(version("kfp-server-api"), "1.8.5")


def the_first_namespace_reference_decides(face: V1) -> None:
    references = [
        namespace_reference("other", "EXPERIMENT"),
        namespace_reference("first", "NAMESPACE"),
        namespace_reference("second", "NAMESPACE"),
    ]
    body = kfp_server_api.ApiExperiment(name="referring", resource_references=references)

    same(face.post(body).namespace, "first")


def references_of_other_types_give_no_namespace(face: V1) -> None:
    body = kfp_server_api.ApiExperiment(
        name="no namespace among them", resource_references=[namespace_reference("e", "EXPERIMENT")]
    )

    same(face.post(body).namespace, "")


def resource_types_may_be_numbers(face: V1) -> None:
    body = kfp_server_api.ApiExperiment(
        name="by number", resource_references=[namespace_reference("numbered", 5)]
    )
    made = face.post(body)

    page = face.api.list_experiment(
        resource_reference_key_type=5, resource_reference_key_id="numbered"
    )

    same([item.id for item in page.experiments], [made.id])


def a_listing_of_another_type_of_key_is_refused(face: V1) -> None:
    def check(type: Any) -> None:
        with refused(INVALID, type):
            face.api.list_experiment(
                resource_reference_key_type=type, resource_reference_key_id="x"
            )

    types = ("EXPERIMENT", "JOB", "PIPELINE", "PIPELINE_VERSION", "UNKNOWN_RESOURCE_TYPE")
    each((*types, "namespace", "Namespace", "CAT", 0, 1, 4, 6, None), check)


def bodies_with_bad_references_are_refused(face: V1) -> None:
    def check(references: Any) -> None:
        with refused(INVALID, references):
            face.post({"name": "badly referring", "resource_references": references})

    each(
        [
            5,
            {},
            [5],
            [{"key": {"type": "CAT", "id": "x"}}],
            [{"key": {"type": "NAMESPACE", "id": 5}}],
            [{"key": {"type": "NAMESPACE", "uid": "x"}}],
            [{"kee": {}}],
            [{"key": {"type": "NAMESPACE", "id": "x"}, "relationship": "FRIEND"}],
        ],
        check,
    )


OWN: Sequence[Any] = (
    the_client_is_the_published_one,
    the_first_namespace_reference_decides,
    references_of_other_types_give_no_namespace,
    resource_types_may_be_numbers,
    a_listing_of_another_type_of_key_is_refused,
    bodies_with_bad_references_are_refused,
)

if __name__ == "__main__":
    main(V1, {"everything": OWN})
