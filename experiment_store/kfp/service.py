"""The six operations on a store, for either version of the API; they may block.

Authorization comes before: what is not allowed does not get here.
"""

from __future__ import annotations

import json
from typing import Any

from experiment_store.errors import ExperimentStoreError, InvalidPageTokenError, NotFoundError
from experiment_store.kfp.bodies import Draft, write_experiment
from experiment_store.kfp.failures import Code, Failure, failure, invalid, unknown
from experiment_store.kfp.messages import Version
from experiment_store.kfp.queries import MAX_PAGE_SIZE, Listing, Query, agrees, read_listing
from experiment_store.records import Experiment
from experiment_store.sealing import Seal
from experiment_store.store import ExperimentStore

DEFAULT_NAME = "Default"
DEFAULT_DESCRIPTION = "All runs created without specifying an experiment will be grouped here."

_KEY = "kfp tokens"


class Service:
    """Kubeflow's ExperimentService over one store."""

    def __init__(
        self, store: ExperimentStore, *, require_namespace: bool, default_experiment: bool
    ) -> None:
        """Serve *store*, and make or adopt the default experiment if asked to."""
        self._store = store
        self._require_namespace = require_namespace
        self._default = self._adopt_default() if default_experiment else None
        self._seal: Seal | None = None

    def find(self, id: str) -> Experiment | None:
        """Return the experiment with this id, if there is one."""
        try:
            return self._store.get(id)
        except NotFoundError:
            return None

    def show(self, version: Version, experiment: Experiment) -> dict[str, Any]:
        """Return an experiment that was found."""
        return write_experiment(version, experiment)

    def create(self, version: Version, draft: Draft) -> dict[str, Any]:
        """Create an experiment."""
        made = self._store.create(
            draft.name, namespace=draft.namespace, description=draft.description
        )
        return write_experiment(version, made)

    def check_namespace(self, namespace: str | None) -> None:
        """Refuse to go on without a namespace, where one is required.

        Raises:
            Failure: It is required, and empty or "-".
        """
        if self._require_namespace and namespace in (None, "", "-"):
            raise invalid("Invalid input error: the namespace is empty")

    def listing(self, query: Query) -> tuple[Listing, str]:
        """Return what a list call asks for, and the store's own page token.

        Raises:
            Failure: The page token was not made here.
        """
        if query.page_size < 0:
            raise invalid("The page size should be greater than 0")
        if not query.page_token:
            return read_listing(query), ""
        try:
            content = json.loads(self._sealed().open(query.page_token))
        except InvalidPageTokenError as error:
            raise invalid("Invalid page token") from error
        listing = Listing(content["namespace"], content["order_by"], content["filter"])
        return listing, content["token"]

    def check_agreement(self, query: Query, listing: Listing) -> None:
        """Refuse what was sent along with the page token of another listing.

        Raises:
            Failure: It does not agree.
        """
        if not agrees(query, listing):
            text = "page token does not match the supplied namespace, sort by or filter"
            raise invalid(text)

    def list(
        self, version: Version, listing: Listing, page_size: int, token: str
    ) -> dict[str, Any]:
        """List a page; members with default values are left out."""
        page = self._store.list(
            namespace=listing.namespace,
            filter=listing.predicate,
            order_by=listing.order_by,
            page_size=min(page_size, MAX_PAGE_SIZE),
            page_token=token,
            with_total=True,
        )
        answer = {
            "experiments": [write_experiment(version, found) for found in page.items],
            "total_size": page.total_size,
            "next_page_token": self._token(listing, page.next_page_token),
        }
        return {name: value for name, value in answer.items() if value}

    def delete(self, experiment: Experiment) -> None:
        """Delete an experiment; its runs and jobs stay, as Kubeflow documents it."""
        if experiment.id == self._default:
            raise Failure(409, Code.ABORTED, "The default experiment cannot be deleted")
        self._store.delete(experiment.id)

    def archive(self, experiment: Experiment) -> None:
        """Archive an experiment with its runs and jobs."""
        self._store.archive(experiment.id)

    def unarchive(self, experiment: Experiment) -> None:
        """Make an experiment available again."""
        self._store.unarchive(experiment.id)

    def _adopt_default(self) -> str:
        made = self._store.create(DEFAULT_NAME, description=DEFAULT_DESCRIPTION, if_exists="return")
        return made.id

    def _token(self, listing: Listing, token: str) -> str:
        if not token:
            return ""
        content = {
            "namespace": listing.namespace,
            "order_by": listing.order_by,
            "filter": listing.filter,
            "token": token,
        }
        return self._sealed().seal(json.dumps(content).encode())

    def _sealed(self) -> Seal:
        if self._seal is None:
            self._seal = Seal(self._store.key(_KEY), b"kfp token")
        return self._seal


def translated(error: ExperimentStoreError, id: str) -> Failure:
    """Return the failure for *error*; an id that has gone meanwhile is unknown."""
    return unknown(id) if isinstance(error, NotFoundError) else failure(error)
