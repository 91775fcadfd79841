"""Which record is meant: by its name, its id, or as much of the id as only it begins with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from experiment_store.children import Children
from experiment_store.errors import InvalidArgumentError, NotFoundError, quote
from experiment_store.experiments import Experiments
from experiment_store.filters.predicates import All, AnyOf, Compare, Op, Predicate
from experiment_store.names import is_id
from experiment_store.records import Experiment
from experiment_store.store import ExperimentStore
from experiment_store.values import is_storable

Records: TypeAlias = Experiments | Children[Any]

LEAST = 4
"""As many characters of an id have to be given."""

_LENGTHS = (8, 13, 18, 23)  # where the groups of a UUID end; the first two are its time
_MOST_SHORTENED = 50  # ids; each is one more condition of a query
_BEYOND = "\x7f"  # greater than all that an id may have


def pick(records: Records, id: str, *, whole: bool = False) -> Any:
    """Read the record with this id, or the only one whose id begins so.

    Args:
        records: The experiments, runs or jobs of a store.
        id: The id, or at least `LEAST` characters of it.
        whole: Whether the beginning of an id is not enough.

    Raises:
        NotFoundError: There is none.
        InvalidArgumentError: Several ids begin so.
    """
    try:
        return records.get(id)
    except NotFoundError:
        if whole or not is_id(id) or len(id) < LEAST:
            raise
        found = records.list(filter=_begins(id), order_by="id", page_size=3).items
        if not found:
            raise
    if len(found) > 1:
        some = ", ".join(record.id for record in found)
        raise InvalidArgumentError("id", f"{quote(id)} is the beginning of several: {some}")
    return found[0]


def pick_all(records: Records, ids: Sequence[str]) -> list[Any]:
    """Read the records that *ids* mean, each once, in this order.

    Raises:
        NotFoundError, InvalidArgumentError: As of `pick`, for any of them.
    """
    found = (pick(records, id) for id in ids)
    return [*{record.id: record for record in found}.values()]


def pick_experiment(
    store: ExperimentStore, text: str, namespace: str | None, *, whole: bool = False
) -> Experiment:
    """Read the experiment with this name, else with this id, else whose id begins so.

    Args:
        store: Where it is.
        text: Its name or id.
        namespace: Where to look for the name; ``None`` for everywhere. An id needs none.
        whole: Whether the beginning of an id is not enough.

    Raises:
        NotFoundError: There is none.
        InvalidArgumentError: Several have the name, or ids that begin so.
    """
    found: Experiment
    if is_storable(text):
        named = store.list(
            namespace=namespace, filter=Compare("name", Op.EQ, text), page_size=3
        ).items
        if len(named) > 1:
            places = ", ".join(repr(experiment.namespace) for experiment in named)
            problem = f"{quote(text)} is in the namespaces {places}: give --namespace, or the id"
            raise InvalidArgumentError("experiment", problem)
        if named:
            return named[0]
    try:
        found = pick(store, text, whole=whole)
    except NotFoundError:
        where = {} if namespace is None else {"namespace": namespace}
        raise NotFoundError("experiment", {**where, "name or id": text}) from None
    return found


def parent_id(store: ExperimentStore, text: str, namespace: str | None) -> str:
    """Return the id of the experiment whose children are to be listed; it may have gone.

    Raises:
        NotFoundError: There is none, nor are there children of it.
        InvalidArgumentError: Several have the name, or ids that begin so.
    """
    try:
        return pick_experiment(store, text, namespace).id
    except NotFoundError:
        if is_id(text) and (_has_child(store.runs, text) or _has_child(store.jobs, text)):
            return text
        raise


def shortest(records: Records, ids: Iterable[str]) -> int | None:
    """Return to how many characters *ids* can be cut so that each still means one record.

    ``None`` if that is too many ids, or if they cannot be cut.
    """
    wanted = list(ids)
    if len(wanted) > _MOST_SHORTENED:
        return None
    for length in _LENGTHS:
        if len({id[:length] for id in wanted}) < len(wanted):
            continue
        same = AnyOf(tuple(_is(id) if len(id) <= length else _begins(id[:length]) for id in wanted))
        if len(records.list(filter=same, page_size=len(wanted) + 1).items) == len(wanted):
            return length
    return None


def _has_child(children: Children[Any], id: str) -> bool:
    return bool(children.list(experiment_id=id, page_size=1).items)


def _is(id: str) -> Predicate:
    return Compare("id", Op.EQ, id)


def _begins(text: str) -> Predicate:
    """As a range, which every backend finds by its index."""
    return All((Compare("id", Op.GE, text), Compare("id", Op.LT, text + _BEYOND)))
