"""The checks through `kfp-server-api` and `kfp` 2.17.3, which speak v2beta1."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

import kfp_server_api  # type: ignore[import-not-found]  # only in its own environment

from tests.kfp import sdk
from tests.kfp.checks import INVALID, refused, same
from tests.kfp.face import EPOCH, Face, Listing, Seen
from tests.kfp.program import main


class V2:
    """The v2beta1 client as the shared checks see it."""

    id_member: Final = "experiment_id"
    name_member: Final = "display_name"
    operation: Final = "operation"
    available: Final = "AVAILABLE"
    archived: Final = "ARCHIVED"
    other_archived: Final = "STORAGESTATE_ARCHIVED"

    def __init__(self, url: str, token: str = "") -> None:
        configuration = kfp_server_api.Configuration(host=url)
        if token:
            configuration.api_key["authorization"] = token
            configuration.api_key_prefix["authorization"] = "Bearer"
        self.url = url
        self.token = token
        self.client = kfp_server_api.ApiClient(configuration)
        self.api = kfp_server_api.ExperimentServiceApi(self.client)

    def multi_user(self) -> bool:
        answer = kfp_server_api.HealthzServiceApi(self.client).healthz_service_get_healthz()
        assert isinstance(answer, kfp_server_api.V2beta1GetHealthzResponse)
        return bool(answer.multi_user)

    def create(self, name: str, *, namespace: str = "", description: str = "") -> Seen:
        body = kfp_server_api.V2beta1Experiment(
            display_name=name, description=description or None, namespace=namespace or None
        )
        return self.post(body)

    def post(self, body: Any) -> Seen:
        return _seen(self.api.experiment_service_create_experiment(body))

    def get(self, id: str) -> Seen:
        return _seen(self.api.experiment_service_get_experiment(id))

    def list(self, *, namespace: str = "", **query: Any) -> Listing:
        scope = {"namespace": namespace} if namespace else {}
        page = self.api.experiment_service_list_experiments(**scope, **query)
        assert isinstance(page, kfp_server_api.V2beta1ListExperimentsResponse)
        items = [_seen(item) for item in page.experiments or ()]
        return Listing(items, page.total_size or 0, page.next_page_token or "")

    def list_raw(self, *, namespace: str = "") -> bytes:
        answer = self.api.experiment_service_list_experiments(
            namespace=namespace, _preload_content=False
        )
        data: bytes = answer.data
        return data

    def act(self, verb: str, id: str) -> Any:
        return getattr(self.api, f"experiment_service_{verb}_experiment")(id)


def _seen(experiment: Any) -> Seen:
    assert isinstance(experiment, kfp_server_api.V2beta1Experiment), experiment
    return Seen(
        id=experiment.experiment_id,
        name=experiment.display_name,
        namespace=experiment.namespace or "",
        description=experiment.description or "",
        storage_state=experiment.storage_state,
        created_at=experiment.created_at,
        last_run_created_at=experiment.last_run_created_at,
    )


def the_clients_are_the_published_ones(_: Face) -> None:
    same((version("kfp"), version("kfp-server-api")), ("2.17.3", "2.17.3"))


def an_experiment_that_never_ran_shows_the_epoch(face: V2) -> None:
    face.create("never ran", namespace="epoch")

    (item,) = json.loads(face.list_raw(namespace="epoch"))["experiments"]

    same(item["last_run_created_at"], EPOCH)


def an_empty_namespace_is_left_out(face: V2) -> None:
    made = face.api.experiment_service_create_experiment(
        kfp_server_api.V2beta1Experiment(display_name="nowhere", namespace="")
    )

    same(made.namespace, None)


def a_namespace_that_is_no_text_is_refused(face: V2) -> None:
    with refused(INVALID):
        face.post({"display_name": "x", "namespace": 5})


def the_members_of_the_other_version_are_refused(face: V2) -> None:
    with refused(INVALID):
        face.post({"name": "x"})


OWN: Sequence[Any] = (
    the_clients_are_the_published_ones,
    an_experiment_that_never_ran_shows_the_epoch,
    an_empty_namespace_is_left_out,
    a_namespace_that_is_no_text_is_refused,
    the_members_of_the_other_version_are_refused,
    *sdk.EVERYTHING,
)

if __name__ == "__main__":
    main(
        V2,
        {
            "everything": OWN,
            "namespace-required": sdk.NAMESPACE_REQUIRED,
            "member": sdk.MEMBER,
        },
    )
