"""The collection of experiments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from experiment_store import lifecycle
from experiment_store.backend import Change, Parent
from experiment_store.collection import ATTEMPTS, Collection, Content
from experiment_store.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    Obstacle,
    shown,
)
from experiment_store.filters.predicates import All, Compare, Op, Predicate
from experiment_store.names import UNSET, Unset, check_field, check_fields
from experiment_store.observing import observed, observed_iteration, on_page
from experiment_store.plan import Plan
from experiment_store.records import Experiment, NewExperiment, Page, StorageState
from experiment_store.schema import EXPERIMENT
from experiment_store.services import Services
from experiment_store.values import is_storable


class Experiments(Collection[Experiment]):
    """The experiments of a store, which is this collection with a life of its own."""

    def __init__(self, services: Services) -> None:
        """Serve experiments from the backend of *services*."""
        super().__init__(EXPERIMENT, NewExperiment, services)

    @observed()
    def create(
        self,
        name: str,
        *,
        namespace: str = "",
        description: str = "",
        labels: Mapping[str, str] | None = None,
        id: str | None = None,
        if_exists: Literal["error", "return"] = "error",
    ) -> Experiment:
        """Create an experiment.

        With an *id* of the caller's, a repeated call returns what the first one
        made (AIP-133, AIP-155). ``if_exists="return"`` is get-or-create by name,
        atomic however many callers race; what it finds is returned as it is.

        Args:
            name: 1 to 128 code points, unique in its namespace.
            namespace: At most 63 code points.
            description: At most 4,096 code points.
            labels: At most 64; keys of 1 to 128, values of at most 512 code points.
            id: 1 to 64 visible ASCII characters.
            if_exists: What to do about an experiment that has the name.

        Raises:
            InvalidArgumentError: An argument is out of bounds.
            AlreadyExistsError: The name is taken, or the id by other content.
        """
        if if_exists not in ("error", "return"):
            raise InvalidArgumentError("if_exists", "must be one of error, return")
        new = NewExperiment(
            name, namespace=namespace, description=description, labels=labels, id=id
        )
        return self._create(new, is_found_too=if_exists == "return")

    @observed(len)
    def create_many(self, experiments: Iterable[NewExperiment]) -> Sequence[Experiment]:
        """Create all *experiments* or none, in one atomic step (AIP-233).

        Where every one has an id of the caller's, a repeated call returns what
        the first one made.

        Raises:
            InvalidArgumentError: An argument is out of bounds.
            AlreadyExistsError: A name is taken or stands twice, or an id by other content.
        """
        return self._create_many(self._contents(experiments))

    @observed()
    def get_by_name(self, name: str, *, namespace: str = "") -> Experiment:
        """Read the experiment that has this name in this namespace.

        Raises:
            NotFoundError: There is none.
        """
        possible = is_storable(namespace) and is_storable(name)
        found = self._by_name(namespace, name) if possible else None
        if found is None:
            key = {"namespace": shown(namespace), "name": shown(name)}
            raise NotFoundError(self._kind.name, key)
        return found

    @observed(on_page)
    def list(
        self,
        *,
        namespace: str | None = None,
        filter: str | Predicate = "",
        order_by: str = "",
        page_size: int | None = None,
        page_token: str = "",
        with_total: bool = False,
    ) -> Page[Experiment]:
        """Read one page of the experiments that match.

        Args:
            namespace: Only experiments of this namespace; ``None`` for all.
            filter: docs/filter-language.md (AIP-160), or a predicate made by a program.
            order_by: Fields, each perhaps with ``desc``; ``created_at`` by default.
            page_size: 0 or absent for 20; cut to the store's maximum.
            page_token: From the page before; all else but the page size must be as it was there.
            with_total: Count all that match, which reads all of them.

        Raises:
            InvalidFilterError, InvalidOrderByError: The text means nothing.
            InvalidPageTokenError: The token is damaged or of another listing.
            InvalidArgumentError: The page size is negative.
        """
        return self._list(
            _scope(namespace),
            filter,
            order_by,
            page_size=page_size,
            page_token=page_token,
            with_total=with_total,
        )

    @observed_iteration
    def iterate(
        self,
        *,
        namespace: str | None = None,
        filter: str | Predicate = "",
        order_by: str = "",
        page_size: int | None = None,
    ) -> Iterator[Experiment]:
        """Read all experiments that match, a page at a time; the arguments are those of `list`."""
        return self._iterate(_scope(namespace), filter, order_by, page_size)

    @observed()
    def update(
        self,
        id: str,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        labels: Mapping[str, str] | Unset = UNSET,
        etag: str | None = None,
    ) -> Experiment:
        """Change what is given, and nothing else; *labels* replace all labels.

        Raises:
            InvalidArgumentError: An argument is out of bounds.
            NotFoundError: There is no such experiment.
            AlreadyExistsError: The name is taken in the namespace.
            ConflictError: The experiment has changed since *etag* was read (AIP-154).
        """
        given = {"name": name, "description": description, "labels": labels}
        return self._assign(id, check_fields(given), etag)

    @observed()
    def archive(self, id: str, *, etag: str | None = None) -> Experiment:
        """Archive the experiment and its runs and disable its jobs, atomically; idempotent.

        Raises:
            NotFoundError: There is no such experiment.
            ConflictError: The experiment has changed since *etag* was read.
        """
        change = lifecycle.archive_experiment(self._services.stamp(), etag)
        return self._change(id, change, etag, is_done=_is_archived)

    @observed()
    def unarchive(self, id: str, *, etag: str | None = None) -> Experiment:
        """Make the experiment available; its runs and jobs stay as they are; idempotent.

        Raises:
            NotFoundError: There is no such experiment.
            ConflictError: The experiment has changed since *etag* was read.
        """
        change = lifecycle.unarchive_experiment(self._services.stamp(), etag)
        return self._change(id, change, etag, is_done=lambda found: not _is_archived(found))

    @observed()
    def delete(
        self, id: str, *, children: lifecycle.Children = "keep", etag: str | None = None
    ) -> None:
        """Remove the experiment at once and free its name.

        Its runs and jobs stay readable (``children="keep"``), go with it
        (``"delete"``), or prevent it (``"refuse"``).

        Raises:
            NotFoundError: There is no such experiment.
            FailedPreconditionError: It has children, and they were to prevent it (AIP-135).
            ConflictError: The experiment has changed since *etag* was read.
        """
        self._remove(id, lifecycle.delete_experiment(children, etag), etag)

    def _build(self, contents: Sequence[Content]) -> tuple[Sequence[Experiment], Parent | None]:
        now = self._services.now()
        records = [
            Experiment(
                **self._services.new(content, now),
                storage_state=StorageState.AVAILABLE,
                last_run_created_at=None,
            )
            for content in contents
        ]
        return records, None

    def _create(self, new: NewExperiment, *, is_found_too: bool) -> Experiment:
        content = self._content(new)
        for _ in range(ATTEMPTS):
            key = content["namespace"], content["name"]
            if is_found_too and (found := self._by_name(*key)):
                return found
            try:
                return self._create_many([content])[0]
            except AlreadyExistsError as error:
                if not is_found_too or "id" in error.key:
                    raise
        self._give_up("create")

    def _by_name(self, namespace: str, name: str) -> Experiment | None:
        where = All((Compare("namespace", Op.EQ, namespace), Compare("name", Op.EQ, name)))
        items = self._backend.select(Plan(EXPERIMENT, where)).items
        return items[0] if items else None

    def _explain(self, current: Experiment, change: Change) -> None:
        counts = {kind.name: self._count_children(kind, current.id) for kind in change.childless}
        if any(counts.values()):
            raise FailedPreconditionError(
                self._kind.name, current.id, Obstacle.HAS_CHILDREN, counts
            )

    def _count_children(self, kind: Any, id: str) -> int:
        where = Compare(kind.parent_field, Op.EQ, id)
        return self._backend.select(Plan(kind, where, limit=0, total=True)).total or 0


def _scope(namespace: str | None) -> Mapping[str, str]:
    return {} if namespace is None else {"namespace": check_field("namespace", namespace)}


def _is_archived(experiment: Experiment) -> bool:
    return experiment.storage_state is StorageState.ARCHIVED
