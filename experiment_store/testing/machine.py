"""The store against its model, through any history of calls that Hypothesis thinks of.

After every step the whole state is compared: that is how a refused call is seen
to have changed nothing, and a cascade to have been complete.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import cycle, islice

import pytest
from attrs import evolve
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from experiment_store.backend import Backend
from experiment_store.errors import InvalidPageTokenError
from experiment_store.records import StorageState
from experiment_store.testing import histories
from experiment_store.testing.executing import ExecutingMachine
from experiment_store.testing.histories import Etag, Ref
from experiment_store.testing.listings import KindName, Listing, Row
from experiment_store.testing.model import KIND_NAMES
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.twins import Opened, Twins


class StoreContract(Fixtures):
    """Subclass this in a test module, and provide a fixture *backend*: new, and empty.

    The active Hypothesis profile says how many histories there are, of how many
    steps (``stateful_step_count``). All of them use the one backend, which is
    emptied by the store's own calls.
    """

    def test_any_history_matches_the_model(self, ready: Backend) -> None:
        class History(StoreMachine):
            def __init__(self) -> None:
                super().__init__(ready)

        run_state_machine_as_test(
            History, settings=settings(deadline=None, suppress_health_check=list(HealthCheck))
        )


class StoreMachine(ExecutingMachine):
    """Calls a store and its model alike."""

    def __init__(self, backend: Backend) -> None:
        """Empty *backend*, and begin."""
        super().__init__()
        self._twins = Twins(backend)
        self._store = self._twins.store
        self._model = self._twins.model
        self._opened: list[Opened] = []
        self._last_runs: dict[str, datetime] = {}

    @initialize(
        data=st.data(),
        contents=st.lists(histories.contents("experiment"), min_size=1, max_size=4),
    )
    def begin_with_some_of_each(self, data: st.DataObject, contents: list[Row]) -> None:
        """Have something to do things to, and to list."""
        for content in contents:
            self._twins.create("experiment", [content])
        for kind in KIND_NAMES[1:]:
            self.create_children(data, kind, len(contents))

    @rule(step=histories.steps)
    def let_time_pass(self, step: timedelta) -> None:
        """Move the clock, perhaps back."""
        self._model.now += step

    @rule(
        contents=st.lists(histories.contents("experiment"), max_size=3),
        if_exists=st.sampled_from(["error", "return"]),
    )
    def create_experiments(self, contents: list[Row], if_exists: str) -> None:
        """Create one or several, with or without ids of the caller's; or none."""
        options = {"if_exists": if_exists} if len(contents) == 1 else {}
        self._twins.create("experiment", contents, **options)

    @rule(data=st.data(), kind=st.sampled_from(KIND_NAMES[1:]), size=st.integers(1, 3))
    def create_children(self, data: st.DataObject, kind: KindName, size: int) -> None:
        """Create one or several, in one experiment or several, perhaps where none may be."""
        parents = [self._ref(data, "experiment") for _ in range(size)]
        contents = [
            {"experiment_id": id, **data.draw(histories.contents(kind))} for _, id in parents
        ]
        self._twins.create(kind, contents)

    @rule(data=st.data(), change=histories.retries)
    def retry_a_creation(self, data: st.DataObject, change: Row) -> None:
        """Find the same record, or be refused, or make it anew where it was deleted."""
        self._twins.retry(self._ref(data), change)

    @rule(data=st.data(), size=st.integers(0, 3))
    def read_by_id(self, data: st.DataObject, size: int) -> None:
        """Read one record, and several of its kind, some perhaps twice."""
        kind, first = self._ref(data)
        ids = [first, *(self._ref(data, kind)[1] for _ in range(size))]
        call = self._twins.collections[kind]
        self._twins.both(lambda: call.get(first), lambda _: self._model.get(kind, first))
        self._twins.both(lambda: call.get_many(ids), lambda _: self._model.get_many(kind, ids))

    @rule(data=st.data(), name=histories.names, namespace=histories.namespaces)
    def read_by_name(self, data: st.DataObject, name: str, namespace: str) -> None:
        """Read an experiment by a name that is in use, or may be."""
        key = {"name": name, "namespace": namespace}
        taken = data.draw(st.sampled_from([key, *self._model.rows["experiment"]]))
        name, namespace = taken["name"], taken["namespace"]
        self._twins.both(
            lambda: self._store.get_by_name(name, namespace=namespace),
            lambda _: self._model.get_by_name(name, namespace),
        )

    @rule(data=st.data(), etag=histories.etags)
    def update(self, data: st.DataObject, etag: Etag) -> None:
        """Change some fields, all or none."""
        kind, id = ref = self._ref(data)
        values = data.draw(histories.updates(kind))
        given, stale = self._twins.etag(ref, etag)
        self._twins.both(
            lambda: self._twins.collections[kind].update(id, **values, etag=given),
            lambda _: self._model.update(kind, id, values, stale),
        )

    @rule(data=st.data(), etag=histories.etags)
    def archive_or_disable(self, data: st.DataObject, etag: Etag) -> None:
        """Put a record away."""
        kind, id = ref = self._ref(data)
        collection = self._twins.collections[kind]
        call = collection.disable if kind == "job" else collection.archive
        given, stale = self._twins.etag(ref, etag)
        self._twins.both(
            lambda: call(id, etag=given), lambda _: self._model.deactivate(kind, id, stale)
        )

    @rule(data=st.data(), etag=histories.etags)
    def unarchive_or_enable(self, data: st.DataObject, etag: Etag) -> None:
        """Take a record back into use, mostly one that was put away."""
        refs = [*self._twins.refs(*KIND_NAMES), *(self._twins.away() * 8)]
        kind, id = ref = data.draw(st.sampled_from(refs), "record")
        collection = self._twins.collections[kind]
        call = collection.enable if kind == "job" else collection.unarchive
        given, stale = self._twins.etag(ref, etag)
        self._twins.both(
            lambda: call(id, etag=given), lambda _: self._model.activate(kind, id, stale)
        )

    @rule(
        data=st.data(),
        etag=histories.etags,
        children=st.sampled_from([None, "keep", "delete", "refuse"]),
        again=st.none() | histories.retries,
    )
    def delete(
        self, data: st.DataObject, etag: Etag, children: str | None, again: Row | None
    ) -> None:
        """Remove a record, perhaps with its children, and perhaps make another with its id."""
        kind, id = ref = self._ref(data)
        options = {"children": children} if children and kind == "experiment" else {}
        given, stale = self._twins.etag(ref, etag)
        self._twins.both(
            lambda: self._twins.collections[kind].delete(id, etag=given, **options),
            lambda _: self._model.delete(kind, id, stale, **options),
        )
        if again is not None:
            self._twins.retry(ref, again)

    @rule(
        data=st.data(),
        count=st.integers(1, 5),
        sizes=st.lists(st.integers(1, 4), min_size=1),
        step=histories.steps,
    )
    def read_all(self, data: st.DataObject, count: int, sizes: list[int], step: timedelta) -> None:
        """Read whole listings in both ways: iterating, and page by page while the clock moves."""
        for _ in range(count):
            self._read_all_of(self._listing(data), sizes, step)

    @rule(data=st.data(), size=st.integers(1, 3), with_total=st.booleans())
    def read_a_first_page(self, data: st.DataObject, size: int, *, with_total: bool) -> None:
        """Begin a listing, to go on when the records may have changed."""
        opened = Opened(self._listing(data), self._model.now)
        if rest := self._twins.both_pages(opened, size, with_total=with_total):
            self._opened.append(rest)

    @precondition(lambda self: self._opened)
    @rule(data=st.data(), size=st.integers(1, 3), with_total=st.booleans())
    def read_a_next_page(self, data: st.DataObject, size: int, *, with_total: bool) -> None:
        """Go on from the bookmark, whatever has happened since, in that listing and no other."""
        opened = self._opened.pop(data.draw(st.integers(0, len(self._opened) - 1)))
        other = data.draw(histories.variations(opened.listing), "other")
        if other != opened.listing:
            with pytest.raises(InvalidPageTokenError):
                self._twins.page(Opened(other, opened.now, token=opened.token), size)
        if rest := self._twins.both_pages(opened, size, with_total=with_total):
            self._opened.append(rest)

    @invariant()
    def the_states_are_equal(self) -> None:
        """Compare all that both keep."""
        self._twins.compare()

    @invariant()
    def no_child_of_an_archived_experiment_is_active(self) -> None:
        """Look at the store alone: the model could be wrong in the same way."""
        archived = {
            experiment.id
            for experiment in self._store.iterate()
            if experiment.storage_state is StorageState.ARCHIVED
        }
        runs = self._store.runs.iterate(filter="storage_state = AVAILABLE")
        jobs = self._store.jobs.iterate(filter="enabled = true")

        assert archived.isdisjoint(run.experiment_id for run in runs)
        assert archived.isdisjoint(job.experiment_id for job in jobs)

    @invariant()
    def the_time_of_the_last_run_never_moves_back(self) -> None:
        """Look at the store alone, at each experiment for as long as it is there."""
        before, self._last_runs = self._last_runs, {}
        for experiment in self._store.iterate(filter="last_run_created_at:*"):
            if time := experiment.last_run_created_at:
                self._last_runs[experiment.id] = time

        assert all(time >= before.get(id, time) for id, time in self._last_runs.items())

    def _ref(self, data: st.DataObject, *kinds: KindName) -> Ref:
        """Choose a record that is there, or perhaps one that was or never has been."""
        return data.draw(st.sampled_from(self._twins.refs(*kinds or KIND_NAMES)), "record")

    def _listing(self, data: st.DataObject) -> Listing:
        """Choose a listing of a kind that has records, perhaps those of one experiment."""
        kinds = [kind for kind in KIND_NAMES if self._model.rows[kind]]
        kind = data.draw(st.sampled_from(kinds or KIND_NAMES))
        listing = data.draw(histories.listings(kind), "listing")
        if kind == "experiment" or data.draw(st.booleans()):
            return listing
        return evolve(listing, experiment_id=self._ref(data, "experiment")[1])

    def _read_all_of(self, listing: Listing, sizes: list[int], step: timedelta) -> None:
        iterate = self._twins.collections[listing.kind].iterate
        self._twins.both(
            lambda: list(iterate(**listing.arguments(), page_size=sizes[0])),
            lambda _: self._model.listed(listing, self._model.now),
        )
        rest: Opened | None = Opened(listing, self._model.now)
        for size in islice(cycle(sizes), len(self._model.rows[listing.kind]) + 1):
            if rest:
                rest = self._twins.both_pages(rest, size, with_total=False)
                self._model.now += step
        assert rest is None
