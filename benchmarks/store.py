"""The store as a subject, by its public calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import experiment_store
from benchmarks.databases import Place
from benchmarks.subject import Description
from benchmarks.workload import Row, RunRow
from experiment_store import Experiment, ExperimentStore, NewExperiment, NewRun


class StoreSubject:
    """A subject: experiment-store, where *place* says."""

    lacks = frozenset[str]()

    def __init__(self, place: Callable[[Path], Place]) -> None:
        self._choose = place
        self._place: Place
        self._store: ExperimentStore

    def open(self, folder: Path) -> None:
        """Connect to an empty store."""
        self._place = self._choose(folder)
        self._store = experiment_store.connect(self._place.url)

    def settle(self) -> None:
        """Have the database settle."""
        self._place.settle()

    def close(self) -> None:
        """Close the store."""
        self._store.close()
        self._place.remove()

    def prepare(self, rows: Sequence[Row]) -> Sequence[NewExperiment]:
        """Make what `create_many` takes."""
        return [
            NewExperiment(
                row.name,
                namespace=row.namespace,
                description=row.description,
                labels=row.labels,
                id=row.id,
            )
            for row in rows
        ]

    def load(self, batch: Sequence[NewExperiment]) -> None:
        """Create all."""
        self._store.create_many(batch)

    def ids(self, rows: Sequence[Row]) -> Sequence[str]:
        """They are the rows' own."""
        return [row.id for row in rows]

    def load_runs(self, experiment_id: str, runs: Sequence[RunRow]) -> None:
        """Create all."""
        self._store.runs.create_many(
            NewRun(experiment_id, run.name, labels=run.labels, id=run.id) for run in runs
        )

    def create(self, name: str, namespace: str, labels: Mapping[str, str]) -> Experiment:
        """Create one."""
        return self._store.create(name, namespace=namespace, labels=labels)

    def get(self, id: str) -> Experiment:
        """Read one by its id."""
        return self._store.get(id)

    def get_by_name(self, name: str, namespace: str) -> Experiment:
        """Read one by its name."""
        return self._store.get_by_name(name, namespace=namespace)

    def first_page(self, limit: int) -> Sequence[Experiment]:
        """Read a page in the default order."""
        return self._store.list(page_size=limit).items

    def contains(self, text: str, limit: int) -> Sequence[Experiment]:
        """Read a page that a filter selects."""
        filter = f'name:"{text}"'
        page = self._store.list(filter=filter, order_by="created_at desc", page_size=limit)
        return page.items

    def walk(self, page: int) -> Iterator[Experiment]:
        """Read all pages."""
        return self._store.iterate(page_size=page)

    def archive(self, id: str) -> Experiment:
        """Archive one."""
        return self._store.archive(id)

    def archived_runs(self, experiment_id: str) -> int:
        """Count them."""
        page = self._store.runs.list(
            experiment_id=experiment_id, filter="storage_state = ARCHIVED", with_total=True
        )
        return page.total_size or 0

    def describe(self, record: Experiment) -> Description:
        """Name the fields that can be compared."""
        return {
            "id": record.id,
            "namespace": record.namespace,
            "name": record.name,
            "description": record.description,
            "labels": dict(record.labels),
            "storage_state": str(record.storage_state),
        }
