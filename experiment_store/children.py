"""What the collections of runs and jobs have in common: they lie below experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import evolve

from experiment_store.backend import Assignments, Change, Parent, Refusal
from experiment_store.collection import Collection, Content
from experiment_store.errors import FailedPreconditionError, NotFoundError, Obstacle
from experiment_store.filters.predicates import Compare, OneOf, Op, Predicate, all_of
from experiment_store.keys import room_for
from experiment_store.lifecycle import below_available
from experiment_store.names import check_field
from experiment_store.observing import observed, observed_iteration, on_page
from experiment_store.plan import Plan
from experiment_store.records import Page, StorageState
from experiment_store.schema import EXPERIMENT, R


class Children(Collection[R]):
    """Records that belong to an experiment and carry its namespace."""

    @observed(on_page)
    def list(
        self,
        *,
        experiment_id: str | None = None,
        namespace: str | None = None,
        filter: str | Predicate = "",
        order_by: str = "",
        page_size: int | None = None,
        page_token: str = "",
        with_total: bool = False,
    ) -> Page[R]:
        """Read one page of the records that match.

        Args:
            experiment_id: Only children of this experiment, which need not exist any more.
            namespace: Only records of this namespace; ``None`` for all.
            filter: docs/filter-language.md (AIP-160), or a predicate made by a program.
            order_by: Fields, each perhaps with ``desc``; ``created_at`` by default.
            page_size: 0 or absent for 20; cut to the store's maximum.
            page_token: From the page before; all else but the page size must be as it was there.
            with_total: Count all that match, which reads all of them.

        Raises:
            InvalidFilterError, InvalidOrderByError: The text means nothing.
            InvalidPageTokenError: The token is damaged or of another listing.
            InvalidArgumentError: Another argument is out of bounds.
        """
        return self._list(
            _scope(experiment_id, namespace),
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
        experiment_id: str | None = None,
        namespace: str | None = None,
        filter: str | Predicate = "",
        order_by: str = "",
        page_size: int | None = None,
    ) -> Iterator[R]:
        """Read all records that match, a page at a time; the arguments are those of `list`."""
        return self._iterate(_scope(experiment_id, namespace), filter, order_by, page_size)

    def _parents(self, contents: Iterable[Content]) -> Mapping[str, str]:
        """Read the namespaces of the experiments that children are to be made in, by id.

        Raises:
            NotFoundError: One of them does not exist.
        """
        wanted = frozenset(content["experiment_id"] for content in contents)
        plan = Plan(EXPERIMENT, OneOf("id", wanted), limit=room_for(wanted))
        found = {parent.id: parent.namespace for parent in self._backend.select(plan).items}
        for id in sorted(wanted - found.keys()):
            raise NotFoundError(EXPERIMENT.name, {"id": id})
        return found

    def _activate(
        self,
        id: str,
        change: Callable[[Assignments, str | None, Parent], Change],
        etag: str | None,
        *,
        is_done: Callable[[R], bool],
    ) -> R:
        """Make a *change* that only children of an available experiment may undergo."""
        child = self._get(id)
        parent = below_available({child.experiment_id: child.namespace})
        wanted = change(self._services.stamp(), etag, parent)
        # Should another child have taken the id since, its experiment must be the same.
        same = Compare("experiment_id", Op.EQ, child.experiment_id)
        wanted = evolve(wanted, where=all_of((wanted.where, same)))
        return self._change(id, wanted, etag, is_done=is_done)

    def _explain(self, current: R, change: Change) -> None:
        if change.parent is not None:
            self._check_available(current.experiment_id, current.namespace)

    def _explain_insert(self, refusal: Refusal, records: Sequence[R]) -> None:
        if refusal is Refusal.DUPLICATE:
            super()._explain_insert(refusal, records)
        elif refusal is Refusal.BLOCKED:
            for id in sorted({record.experiment_id for record in records}):
                self._check_available(id)

    def _check_available(self, experiment_id: str, namespace: str | None = None) -> None:
        parent = self._backend.get(EXPERIMENT, experiment_id)
        # In another namespace it is another experiment, which has taken the id.
        if parent is None or namespace not in (None, parent.namespace):
            obstacle = Obstacle.MISSING
        elif parent.storage_state is StorageState.ARCHIVED:
            obstacle = Obstacle.ARCHIVED
        else:
            return
        raise FailedPreconditionError(EXPERIMENT.name, experiment_id, obstacle)


def _scope(experiment_id: str | None, namespace: str | None) -> Mapping[str, str]:
    scope: dict[str, str] = {}
    if experiment_id is not None:
        scope["experiment_id"] = check_field("experiment_id", experiment_id)
    if namespace is not None:
        scope["namespace"] = check_field("namespace", namespace)
    return scope
