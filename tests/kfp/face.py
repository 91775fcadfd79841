"""What the checks see of a client: the same for both versions of the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Seen:
    """An experiment as a client parsed it; *last_run_created_at* is shown by v2 only."""

    id: str
    name: str
    namespace: str
    description: str
    storage_state: str
    created_at: datetime
    last_run_created_at: datetime | None


@dataclass(frozen=True)
class Listing:
    """One page; a member that the server left out has its default here."""

    items: Sequence[Seen]
    total_size: int
    next_page_token: str


class Face(Protocol):
    """One version's client.

    Every call goes through the generated client, and raises its `ApiException`
    for any answer but 2xx.
    """

    @property
    def id_member(self) -> str:
        """The member of an experiment that is its id."""
        ...

    @property
    def name_member(self) -> str:
        """The member that is its name."""
        ...

    @property
    def operation(self) -> str:
        """The member of a filter's predicate that names the operation."""
        ...

    @property
    def available(self) -> str:
        """The word for the state of a new experiment."""
        ...

    @property
    def archived(self) -> str:
        """The word for the state of an archived one."""
        ...

    @property
    def other_archived(self) -> str:
        """The other version's word for that."""
        ...

    def multi_user(self) -> bool:
        """Ask healthz whether a namespace is required."""
        ...

    def create(self, name: str, *, namespace: str = "", description: str = "") -> Seen:
        """Create an experiment."""
        ...

    def post(self, body: Any) -> Seen:
        """Create an experiment from a raw JSON body."""
        ...

    def get(self, id: str) -> Seen:
        """Read one."""
        ...

    def list(self, *, namespace: str = "", **query: Any) -> Listing:
        """Read a page, with page_size, page_token, sort_by and filter as the client sends them."""
        ...

    def list_raw(self, *, namespace: str = "") -> bytes:
        """Read the first page as it is on the wire."""
        ...

    def act(self, verb: str, id: str) -> Any:
        """Archive, unarchive or delete; return the parsed answer."""
        ...


def read_all(face: Face, *, namespace: str, page_size: int, **query: Any) -> list[Seen]:
    """Follow the tokens to the end; the total has to be the same on every page."""
    items: list[Seen] = []
    page = face.list(namespace=namespace, page_size=page_size, **query)
    total = page.total_size
    while True:
        assert page.total_size == total, f"total_size {page.total_size}, was {total}"
        items += page.items
        if not page.next_page_token:
            assert len(items) == total, f"{len(items)} items, but total_size {total}"
            return items
        assert len(page.items) == page_size, f"a page of {len(page.items)}, not {page_size}"
        token = page.next_page_token
        page = face.list(namespace=namespace, page_size=page_size, page_token=token, **query)
