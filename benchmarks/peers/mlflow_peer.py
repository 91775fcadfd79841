"""MLflow as a subject, by `MlflowClient` on a SQL store, as its documentation says.

* namespace and labels: tags of the experiment; description: the tag that its pages show
* create, get: `create_experiment`, `get_experiment`, `get_experiment_by_name`
* lists and walk: `search_experiments`, in the order of `creation_time`, page by token
* archive: `delete_experiment`, which marks the experiment and its runs as deleted
* bulk load: `create_experiment` one by one, as there is no call for many
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.peers.filling import Clock, Database, TableRow, new_database
from benchmarks.subject import Description
from benchmarks.workload import Row, RunRow

_DESCRIPTION = "mlflow.note.content"
_RUN_NAME = "mlflow.runName"


class MlflowPeer:
    """A subject: MLflow on *server*, or in a SQLite file where that is None.

    With *fast*, rows are not loaded by its calls but put into its tables.
    """

    lacks = frozenset[str]()

    def __init__(self, server: str | None, *, fast: bool) -> None:
        self._server = server
        self._fast = fast
        self._clock = Clock()
        self._database: Database
        self._client: Any
        self._numbers: dict[str, str] = {}

    def open(self, folder: Path) -> None:
        """Have MLflow make its tables, and put away the experiment it makes with them."""
        self._database = new_database(self._server, folder)
        self._client = import_module("mlflow").MlflowClient(tracking_uri=self._database.url)
        self._client.delete_experiment("0")

    def settle(self) -> None:
        """Have the database settle."""
        self._database.settle()

    def close(self) -> None:
        """Remove the database; a client cannot be closed."""
        self._database.remove()

    def prepare(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Leave the rows as they are."""
        return rows

    def load(self, batch: Sequence[Row]) -> None:
        """Create one by one; only where they are put into the tables, it is all or nothing."""
        if self._fast:
            self._put(batch)
            return
        for row in batch:
            tags = _tags(row.namespace, row.description, row.labels)
            self._numbers[row.id] = self._client.create_experiment(row.name, tags=tags)

    def ids(self, rows: Sequence[Row]) -> Sequence[str]:
        """Return the numbers that MLflow gave them."""
        return [self._numbers[row.id] for row in rows]

    def load_runs(self, experiment_id: str, runs: Sequence[RunRow]) -> None:
        """Create the first by `create_run`, and put the others into the tables."""
        first, *others = runs
        made = self._client.create_run(experiment_id, run_name=first.name, tags=first.labels)
        (model,) = self._database.rows("runs", "run_uuid", made.info.run_id)
        tags = self._database.rows("tags", "run_uuid", made.info.run_id)
        if {tag["key"] for tag in tags} != {_RUN_NAME, *first.labels}:
            raise RuntimeError("MLflow keeps other tags than expected")
        new_runs, new_tags = list[TableRow](), list[TableRow]()
        for run in others:
            id = run.id.replace("-", "")
            uri = model["artifact_uri"].replace(model["run_uuid"], id)
            start = self._clock()
            change = {"run_uuid": id, "name": run.name, "artifact_uri": uri, "start_time": start}
            new_runs.append(model | change)
            new_tags.extend(
                tags[0] | {"run_uuid": id, "key": key, "value": value}
                for key, value in {_RUN_NAME: run.name, **run.labels}.items()
            )
        self._database.insert(("runs", new_runs), ("tags", new_tags))

    def create(self, name: str, namespace: str, labels: Mapping[str, str]) -> str:
        """Create one; the client returns its id."""
        id: str = self._client.create_experiment(name, tags={**labels, "namespace": namespace})
        return id

    def get(self, id: str) -> Any:
        """Read one by its id."""
        return self._client.get_experiment(id)

    def get_by_name(self, name: str, namespace: str) -> Any:
        """Read one by its name, which is unique in the whole store."""
        return self._client.get_experiment_by_name(name)

    def first_page(self, limit: int) -> Sequence[Any]:
        """Search with nothing but an order."""
        page: Sequence[Any] = self._client.search_experiments(
            order_by=["creation_time ASC"], max_results=limit
        )
        return page

    def contains(self, text: str, limit: int) -> Sequence[Any]:
        """Search by LIKE."""
        page: Sequence[Any] = self._client.search_experiments(
            filter_string=f"name LIKE '%{text}%'",
            order_by=["creation_time DESC"],
            max_results=limit,
        )
        return page

    def walk(self, page: int) -> Iterator[Any]:
        """Search page by page."""
        token = None
        while True:
            found = self._client.search_experiments(
                order_by=["creation_time ASC"], max_results=page, page_token=token
            )
            yield from found
            token = found.token
            if not token:
                return

    def archive(self, id: str) -> str:
        """Delete it, which can be undone; the client returns nothing."""
        self._client.delete_experiment(id)
        return id

    def archived_runs(self, experiment_id: str) -> int:
        """Search the deleted runs."""
        only_deleted = import_module("mlflow.entities").ViewType.DELETED_ONLY
        return len(
            self._client.search_runs([experiment_id], run_view_type=only_deleted, max_results=50000)
        )

    def describe(self, record: Any) -> Description:
        """Name what can be compared; of an id, what is stored."""
        found = self.get(record) if isinstance(record, str) else record
        labels = dict(found.tags)
        return {
            "namespace": labels.pop("namespace"),
            "name": found.name,
            "description": labels.pop(_DESCRIPTION, ""),
            "labels": labels,
            "storage_state": "AVAILABLE" if found.lifecycle_stage == "active" else "ARCHIVED",
        }

    def program(self) -> str:
        """Import MLflow and open its store."""
        return f"import mlflow\nmlflow.MlflowClient(tracking_uri={self._database.url!r})"

    def _put(self, batch: Sequence[Row]) -> None:
        pattern = self._client.create_experiment("pattern", tags={"key": "value"})
        (tag,) = self._database.take("experiment_tags", "experiment_id", int(pattern))
        (model,) = self._database.take("experiments", "experiment_id", int(pattern))
        folder = model["artifact_location"].removesuffix(pattern)
        experiments, tags = list[TableRow](), list[TableRow]()
        for number, row in enumerate(batch, int(pattern)):
            self._numbers[row.id] = str(number)
            now = self._clock()
            change = {
                "experiment_id": number,
                "name": row.name,
                "artifact_location": f"{folder}{number}",
                "creation_time": now,
                "last_update_time": now,
            }
            experiments.append(model | change)
            tags.extend(
                tag | {"experiment_id": number, "key": key, "value": value}
                for key, value in _tags(row.namespace, row.description, row.labels).items()
            )
        self._database.insert(("experiments", experiments), ("experiment_tags", tags))
        self._database.advance("experiments", "experiment_id")


def _tags(namespace: str, description: str, labels: Mapping[str, str]) -> dict[str, str]:
    return {**labels, "namespace": namespace, _DESCRIPTION: description}
