"""What the collections of experiments, runs and jobs have in common.

A collection words requests for the backend and turns its answers into records
or errors. It holds nothing of its own, so any thread may call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, NoReturn

from attrs import AttrsInstance, fields

from experiment_store import certainty
from experiment_store.backend import Change, Parent, Refusal
from experiment_store.errors import (
    AlreadyExistsError,
    ConflictError,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidPageTokenError,
    NotFoundError,
    UnavailableError,
    shown,
)
from experiment_store.filters.predicates import OneOf, Predicate
from experiment_store.keys import holders, key_of, room_for
from experiment_store.lifecycle import unchanged_since
from experiment_store.names import check_field, is_id
from experiment_store.observing import observed, observed_lookup
from experiment_store.ordering import sort_values
from experiment_store.page_sizes import page_limit
from experiment_store.plan import Plan
from experiment_store.records import Page
from experiment_store.schema import Kind, R
from experiment_store.services import Services

if TYPE_CHECKING:
    from experiment_store.planner import Listing

Content = Mapping[str, Any]
"""What a caller says of a record to be created, checked; an id of ``None`` is to be made."""

ATTEMPTS = 20  # of a step whose reason to fail is gone whenever it is looked for


class Collection(ABC, Generic[R]):
    """The records of one kind: reading, listing, and what changes them."""

    def __init__(self, kind: Kind[R], new: type[AttrsInstance], services: Services) -> None:
        self._kind = kind
        self._new = new
        self._given = tuple(field.name for field in fields(new))
        self._services = services
        self._backend = services.backend

    @observed_lookup
    def get(self, id: str) -> R:
        """Read the record with this id.

        Raises:
            NotFoundError: There is none.
        """
        return self._get(id)

    @observed(len)
    def get_many(self, ids: Iterable[str]) -> Sequence[R]:
        """Read the records with these ids, in their order, from one snapshot (AIP-231).

        Raises:
            NotFoundError: One of them does not exist; nothing is returned.
        """
        wanted = list(ids)
        found = self._find(id for id in wanted if is_id(id))
        for id in wanted:
            if not is_id(id) or id not in found:
                raise NotFoundError(self._kind.name, {"id": shown(id)})
        return [found[id] for id in wanted]

    @observed()
    def delete(self, id: str, *, etag: str | None = None) -> None:
        """Remove the record.

        Raises:
            NotFoundError: There is no such record.
            ConflictError: It has changed since *etag* was read.
        """
        self._remove(id, Change(where=unchanged_since(etag)), etag)

    def _get(self, id: str) -> R:
        found = self._backend.get(self._kind, id) if is_id(id) else None
        if found is None:
            raise NotFoundError(self._kind.name, {"id": shown(id)})
        return found

    def _find(self, ids: Iterable[str]) -> Mapping[str, R]:
        wanted = frozenset(ids)
        plan = Plan(self._kind, OneOf("id", wanted), limit=room_for(wanted))
        return {record.id: record for record in self._backend.select(plan).items}

    def _list(
        self,
        scope: Mapping[str, str],
        filter: str | Predicate,
        order_by: str,
        *,
        page_size: int | None,
        page_token: str,
        with_total: bool,
    ) -> Page[R]:
        services = self._services
        limit = page_limit(page_size, services.max_page_size)
        first = isinstance(page_token, str) and not page_token
        bookmark = None if first else services.tokens.decode(page_token)
        now = bookmark.now if bookmark else services.now()
        listing = self._open(scope, filter, order_by, now)
        if bookmark and bookmark.listing != listing.digest:
            raise InvalidPageTokenError
        after = bookmark.after if bookmark else None
        rows = self._backend.select(listing.plan(limit + 1, after, total=with_total))
        if len(rows.items) <= limit:
            return Page(rows.items, "", rows.total)
        items = rows.items[:limit]
        return Page(items, services.tokens.encode(listing.bookmark(items[-1])), rows.total)

    def _iterate(
        self,
        scope: Mapping[str, str],
        filter: str | Predicate,
        order_by: str,
        page_size: int | None,
    ) -> Iterator[R]:
        maximum = self._services.max_page_size
        asked = page_limit(page_size, maximum)
        limit = asked if page_size else maximum
        listing = self._open(scope, filter, order_by, self._services.now())

        def walk() -> Iterator[R]:  # so that a wrong argument is refused before the first item
            plan = listing.plan(limit)
            while items := self._backend.select(plan).items:
                yield from items
                if len(items) < limit:
                    return
                plan = listing.plan(limit, sort_values(listing.order, items[-1]))

        return walk()

    def _open(
        self, scope: Mapping[str, str], filter: str | Predicate, order_by: str, now: datetime
    ) -> Listing[R]:
        # A third of the library is about listings, and loaded by the first one.
        from experiment_store.planner import open_listing  # noqa: PLC0415 (see above)

        return open_listing(self._kind, scope, filter, order_by, now)

    def _assign(self, id: str, values: Mapping[str, Any], etag: str | None) -> R:
        """Assign *values* to the record; with none of them it stays as it is."""
        if not values:
            unchanged_since(etag)
            return self._read(id, etag)
        change = Change({**values, **self._services.stamp()}, unchanged_since(etag))
        return self._change(id, change, etag)

    def _change(
        self,
        id: str,
        change: Change,
        etag: str | None,
        *,
        is_done: Callable[[R], bool] = lambda _: False,
    ) -> R:
        """Apply *change*, unless the record is found as the change would leave it."""
        for _ in range(ATTEMPTS):
            match self._update(id, change, guarded=etag is not None):
                case Refusal.BLOCKED:
                    current = self._read(id, etag)
                    if is_done(current):
                        return current
                    self._explain(current, change)
                case Refusal.MISSING:
                    raise NotFoundError(self._kind.name, {"id": shown(id)})
                case Refusal.DUPLICATE:
                    raise AlreadyExistsError(self._kind.name, self._key_after(id, change))
                case record:
                    return record
        self._give_up("update")

    def _update(self, id: str, change: Change, *, guarded: bool) -> R | Refusal:
        if not is_id(id):
            return Refusal.MISSING
        return certainty.update(self._backend, self._kind, id, change, guarded=guarded)

    def _remove(self, id: str, change: Change, etag: str | None) -> None:
        for _ in range(ATTEMPTS):
            refusal = self._backend.delete(self._kind, id, change) if is_id(id) else Refusal.MISSING
            if refusal is None:
                return
            if refusal is not Refusal.BLOCKED:
                raise NotFoundError(self._kind.name, {"id": shown(id)})
            self._explain(self._read(id, etag), change)
        self._give_up("delete")

    def _read(self, id: str, etag: str | None) -> R:
        current = self._get(id)
        if etag is not None and current.etag != etag:
            raise ConflictError(self._kind.name, id, etag)
        return current

    def _explain(self, current: R, change: Change) -> None:
        """Raise what, beside the etag, blocks *change*, unless it is gone by now."""

    def _create_many(self, contents: Sequence[Content]) -> Sequence[R]:
        """Insert what callers say of new records, all or none.

        Where they chose every id, and all are there with this content, an
        earlier call had succeeded: its records are returned.
        """
        if not contents:
            return []
        for _ in range(ATTEMPTS):
            try:
                records, parent = self._build(contents)
                refusal = certainty.insert(self._backend, self._kind, records, parent)
                if refusal is None:
                    return records
                self._explain_insert(refusal, records)
            except (NotFoundError, AlreadyExistsError, FailedPreconditionError):
                if earlier := self._earlier(contents):
                    return earlier
                raise
        self._give_up("create")

    def _contents(self, given: Iterable[AttrsInstance]) -> Sequence[Content]:
        return [self._content(new) for new in given]

    def _content(self, new: AttrsInstance) -> Content:
        if not isinstance(new, self._new):
            problem = f"must be {self._new.__name__}, not {type(new).__name__}"
            raise InvalidArgumentError(f"new {self._kind.name}", problem)
        return {name: check_field(name, getattr(new, name)) for name in self._given}

    @abstractmethod
    def _build(self, contents: Sequence[Content]) -> tuple[Sequence[R], Parent | None]:
        """Make new records of *contents*, and say what their parents have to be.

        Raises:
            NotFoundError: A parent does not exist.
        """

    def _earlier(self, contents: Sequence[Content]) -> Sequence[R]:
        found = self._find(content["id"] for content in contents if content["id"] is not None)
        same = len(found) == len(contents) and all(
            getattr(found[content["id"]], name) == value
            for content in contents
            for name, value in content.items()
        )
        return [found[content["id"]] for content in contents] if same else []

    def _key_after(self, id: str, change: Change) -> Mapping[str, str]:
        current = self._get(id)
        return {
            name: str(change.assign.get(name, getattr(current, name))) for name in self._kind.unique
        }

    def _explain_insert(self, refusal: Refusal, records: Sequence[R]) -> None:
        """Raise what kept *records* out, unless it is gone by now."""
        for names in filter(None, (("id",), self._kind.unique)):
            seen = set(holders(self._backend, self._kind, names, records))
            for record in records:
                key = key_of(names, record)
                if key in seen:
                    raise AlreadyExistsError(self._kind.name, dict(zip(names, key, strict=True)))
                seen.add(key)

    def _give_up(self, operation: str) -> NoReturn:
        """Only a record that others change all the time gets here."""
        raise UnavailableError(f"{operation} of {self._kind.name}", "gave up: it changes too fast")
