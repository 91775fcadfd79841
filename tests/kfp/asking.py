"""The service in this process, asked in the words of either version of the API."""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen
from starlette.testclient import TestClient

from experiment_store import ExperimentStore
from experiment_store.kfp import create_app


@frozen
class Words:
    """How one version of the API calls things."""

    base: str
    id: str
    name: str
    available: str
    archived: str
    unspecified: str

    def __str__(self) -> str:
        return self.base.rpartition("/")[2]


V1: Final = Words(
    "/apis/v1beta1",
    "id",
    "name",
    "STORAGESTATE_AVAILABLE",
    "STORAGESTATE_ARCHIVED",
    "STORAGESTATE_UNSPECIFIED",
)
V2: Final = Words(
    "/apis/v2beta1",
    "experiment_id",
    "display_name",
    "AVAILABLE",
    "ARCHIVED",
    "STORAGE_STATE_UNSPECIFIED",
)
VERSIONS: Final = (V1, V2)

INVALID: Final = (400, 3)
NOT_FOUND: Final = (404, 5)
TAKEN: Final = (409, 6)
ABORTED: Final = (409, 10)
UNIMPLEMENTED: Final = (405, 12)
"""HTTP status and gRPC code."""


@frozen
class Caller:
    """Someone who speaks one version of the API."""

    client: TestClient
    words: Words

    @property
    def url(self) -> str:
        """Where the experiments are."""
        return f"{self.words.base}/experiments"

    def draft(self, name: Any, namespace: str = "", **more: Any) -> dict[str, Any]:
        """Make the body that asks for an experiment."""
        if not namespace:
            return {self.words.name: name, **more}
        if self.words is V2:
            return {self.words.name: name, "namespace": namespace, **more}
        references = [{"key": {"type": "NAMESPACE", "id": namespace}, "relationship": "OWNER"}]
        return {self.words.name: name, "resource_references": references, **more}

    def post(self, body: Any) -> Any:
        """Send *body*, JSON or raw, to the collection."""
        if isinstance(body, bytes):
            return self.client.post(self.url, content=body)
        return self.client.post(self.url, json=body)

    def create(self, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
        """Create an experiment."""
        return done(self.post(self.draft(name, namespace, **more)))

    def get(self, id: str) -> dict[str, Any]:
        """Get an experiment."""
        return done(self.client.get(f"{self.url}/{id}"))

    def scope(self, namespace: str) -> dict[str, str]:
        """Make the parameters that choose a namespace."""
        if self.words is V2:
            return {"namespace": namespace}
        return {
            "resource_reference_key.type": "NAMESPACE",
            "resource_reference_key.id": namespace,
        }

    def ask(self, **parameters: Any) -> Any:
        """Ask for a page, and take whatever comes."""
        return self.client.get(self.url, params=parameters)

    def page(self, **parameters: Any) -> dict[str, Any]:
        """Get a page."""
        return done(self.ask(**parameters))

    def names(self, **parameters: Any) -> list[str]:
        """Get the names on a page."""
        return [found[self.words.name] for found in self.page(**parameters).get("experiments", [])]

    def do(self, verb: str, id: str) -> Any:
        """Delete, archive or unarchive, and take whatever comes."""
        if verb == "delete":
            return self.client.delete(f"{self.url}/{id}")
        return self.client.post(f"{self.url}/{id}:{verb}")


def caller(store: ExperimentStore, words: Words = V2, **options: Any) -> Caller:
    """Speak *words* to a new service of *store*; its failures are answers too."""
    app = create_app(store, **options)
    return Caller(TestClient(app, raise_server_exceptions=False), words)


def done(answer: Any) -> dict[str, Any]:
    """Return the body of an answer that has to be a success."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    return body


def refusal(answer: Any) -> tuple[int, int]:
    """Return status and code of an answer that has to be a failure, with a body as it should be."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error", "code", "message", "details"]
    assert body["error"] == body["message"] != ""
    assert body["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.Status",
            "code": body["code"],
            "message": body["message"],
        }
    ]
    return answer.status_code, body["code"]
