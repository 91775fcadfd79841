"""A store and its model, called alike: both return the same or refuse in the same words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import count
from operator import itemgetter
from typing import Any

from attrs import asdict, frozen

from experiment_store.backend import Backend
from experiment_store.errors import ExperimentStoreError
from experiment_store.records import NewExperiment, NewJob, NewRun
from experiment_store.store import ExperimentStore
from experiment_store.testing.exact import exactly
from experiment_store.testing.executions import ExecutionModel
from experiment_store.testing.histories import Etag, Ref, undecided_by_id
from experiment_store.testing.listings import START, KindName, Listing, Row
from experiment_store.testing.model import KIND_NAMES, is_active

_NEW: Mapping[KindName, Callable[..., Any]] = {
    "experiment": NewExperiment,
    "run": NewRun,
    "job": NewJob,
}

_INNER = ("etag", "version", "points")  # what one of the two alone has
_EXACT = ("params", "metrics")


def open_store(backend: Backend, now: Callable[[], datetime]) -> ExperimentStore:
    """Open a store whose ids, etags and page tokens are the same in every run."""
    return ExperimentStore(
        backend,
        clock=now,
        new_id=map("id-{}".format, count()).__next__,
        new_etag=map("etag-{}".format, count()).__next__,
        token_key=b"the same in every run",
    )


def collections_of(store: ExperimentStore) -> Mapping[KindName, Any]:
    """Return the collections of *store* by the kind of their records."""
    return {"experiment": store, "run": store.runs, "job": store.jobs}


def create(collection: Any, kind: KindName, contents: Sequence[Row], **options: str) -> Any:
    """Create one record by `create`, or several, or none, by `create_many`."""
    if len(contents) == 1:
        return [collection.create(**contents[0], **options)]
    return collection.create_many([_NEW[kind](**content) for content in contents])


def attempt(call: Callable[[], Any]) -> Any:
    """Return what *call* returns, or the error that it raises on purpose."""
    try:
        return call()
    except ExperimentStoreError as error:
        return error


@frozen
class Opened:
    """A listing of which the rows up to *last* have been read, and more are left."""

    listing: Listing
    now: datetime
    last: Row | None = None
    token: str = ""


class Twins:
    """A store on a backend, which is emptied first, and its model."""

    def __init__(self, backend: Backend) -> None:
        """Start empty."""
        self.backend = backend
        self.model = ExecutionModel(START)
        self.store = open_store(backend, lambda: self.model.now)
        self.collections = collections_of(self.store)
        self._said: dict[Ref, Row] = {}
        self._etags: dict[Ref, dict[int, str]] = {}
        for collection in self.collections.values():
            for record in collection.iterate():
                collection.delete(record.id)

    def both(self, call: Callable[[], Any], model: Callable[[Any], Any]) -> Any:
        """Return the outcome of *call*; *model* gets it, and must come to the same."""
        outcome = attempt(call)
        wanted = attempt(lambda: model(outcome))
        if isinstance(outcome, Exception) and not isinstance(wanted, Exception):
            raise outcome
        assert _plain(outcome) == _plain(wanted)
        return outcome

    def create(self, kind: KindName, contents: Sequence[Row], **options: str) -> Sequence[Ref]:
        """Create records, and return where they are; nowhere, if that was refused."""

        def model(outcome: Any) -> Any:
            refused = isinstance(outcome, Exception)
            # An id that was refused is nobody's, and two of them would be the same.
            ids = [str(n) if refused else outcome[n].id for n in range(len(contents))]
            return self.model.create(kind, contents, ids, **options)

        call = self.collections[kind]
        outcome = self.both(lambda: create(call, kind, contents, **options), model)
        if isinstance(outcome, Exception):
            return []
        refs: list[Ref] = [(kind, record.id) for record in outcome]
        self._said.update(zip(refs, contents, strict=True))
        return refs

    def refs(self, *kinds: KindName) -> Sequence[Ref]:
        """Return where records of these *kinds* are, mostly, and were, or never have been."""
        here: list[Ref] = [(kind, row["id"]) for kind in kinds for row in self.model.rows[kind]]
        gone = [ref for ref in self._said if ref[0] in kinds and ref not in here]
        return [*here, *here, *(gone[-2:] or [(kinds[0], "nowhere")])]

    def away(self) -> list[Ref]:
        """Return where records are archived or disabled."""
        rows = ((kind, row) for kind in KIND_NAMES for row in self.model.rows[kind])
        return [(kind, row["id"]) for kind, row in rows if not is_active(kind, row)]

    def retry(self, ref: Ref, change: Row) -> None:
        """Create with an id that is or was in use, and what was said then but for *change*."""
        if said := self._said.get(ref):
            different = {name: change[name] for name in said.keys() & change.keys()}
            self.create(ref[0], [{**said, **different, "id": ref[1]}])

    def etag(self, ref: Ref, which: Etag) -> tuple[str | None, str | None]:
        """Return the etag to give, and the same again if it is not the record's."""
        row = self.model.find(*ref)
        known = self._etags.get(ref, {})
        match which:
            case "none":
                return None, None
            case "current" if row is not None:
                return known[row["version"]], None
            case "earlier" if row is not None and len(known) > 1:
                stale = next(etag for at, etag in known.items() if at != row["version"])
                return stale, stale
            case _:
                return "of-no-record", "of-no-record"

    def page(self, opened: Opened, size: int, *, with_total: bool = False) -> Any:
        """Read a page of the store alone."""
        return self.collections[opened.listing.kind].list(
            **opened.listing.arguments(),
            page_size=size,
            page_token=opened.token,
            with_total=with_total,
        )

    def both_pages(self, opened: Opened, size: int, *, with_total: bool) -> Opened | None:
        """Read a page of both; return the listing behind it, if that has more."""
        listing, now = opened.listing, opened.now
        page = self.page(opened, size, with_total=with_total)
        decided = undecided_by_id(listing)
        rows, more, total = self.model.page(decided, now, size, opened.last)
        assert _plain(page.items) == _plain(rows)
        assert bool(page.next_page_token) is more
        assert page.total_size == (total if with_total else None)
        return Opened(listing, now, dict(rows[-1]), page.next_page_token) if more else None

    def compare(self) -> None:
        """Compare all records; the etag of one differs from all it had before a change."""
        for kind in KIND_NAMES:
            records = list(self.collections[kind].iterate(order_by="id"))
            rows = sorted(self.model.rows[kind], key=itemgetter("id"))
            assert _plain(records) == _plain(rows)
            for record, row in zip(records, rows, strict=True):
                known = self._etags.setdefault((kind, record.id), {})
                earlier = {etag for version, etag in known.items() if version != row["version"]}
                assert record.etag not in earlier, f"{record} has changed, its etag has not"
                assert record.etag == known.setdefault(row["version"], record.etag), (
                    f"{record} has not changed, its etag has"
                )


def _plain(outcome: Any) -> Any:
    """Return *outcome* as both sides would word it."""
    match outcome:
        case None:
            return None
        case Exception():
            return type(outcome), str(outcome)
        case list() | tuple():
            return [_plain(item) for item in outcome]
        case _:
            row = outcome if isinstance(outcome, dict) else asdict(outcome, recurse=False)
            return {
                name: exactly(value) if name in _EXACT else value
                for name, value in row.items()
                if name not in _INNER
            }
