"""ML Metadata as a subject, by `MetadataStore`, as its documentation says.

* experiment: a context; run: an execution associated with it
* namespace, description and state: properties of their types; labels: custom properties
* create, get: `put_contexts`, `get_contexts_by_id`, `get_context_by_type_and_name`
* lists: `get_contexts` with `ListOptions`; walk: the same for all at once, as it takes no token
* archive: sets the state of the context and its executions by one `put_lineage_subgraph`
* bulk load: `put_contexts` of all
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.peers.filling import (
    Clock,
    PostgresDatabase,
    SqliteFile,
    TableRow,
    new_database,
)
from benchmarks.subject import Description
from benchmarks.workload import Row, RunRow

_EXPERIMENT = "Experiment"
_RUN = "Run"
_PROPERTIES = ("namespace", "description", "storage_state")


_PROGRAM = """
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto.metadata_store_pb2 import ConnectionConfig

metadata_store.MetadataStore(ConnectionConfig.FromString({config!r}))
"""


class MlmdPeer:
    """A subject: ML Metadata on *server*, or in a SQLite file where that is None.

    With *fast*, rows are not loaded by its calls but put into its tables.
    """

    lacks = frozenset[str]()

    def __init__(self, server: str | None, *, fast: bool) -> None:
        self._server = server
        self._fast = fast
        self._clock = Clock()
        self._proto = import_module("ml_metadata.proto.metadata_store_pb2")
        self._module = import_module("ml_metadata.metadata_store.metadata_store")
        self._order = self._module.OrderByField
        self._database: SqliteFile | PostgresDatabase
        self._store: Any
        self._experiment_type = self._run_type = 0
        self._numbers: dict[str, str] = {}

    def open(self, folder: Path) -> None:
        """Have ML Metadata make its tables, and tell it our types."""
        self._database = new_database(self._server, folder)
        self._store = self._module.MetadataStore(self._config())
        text = self._proto.STRING
        self._experiment_type = self._store.put_context_type(
            self._proto.ContextType(name=_EXPERIMENT, properties=dict.fromkeys(_PROPERTIES, text))
        )
        self._run_type = self._store.put_execution_type(
            self._proto.ExecutionType(name=_RUN, properties={"storage_state": text})
        )

    def settle(self) -> None:
        """Have the database settle."""
        self._database.settle()

    def close(self) -> None:
        """Let go of the store, which closes it, and remove the database."""
        del self._store
        self._database.remove()

    def prepare(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Make the contexts, unless rows are put into the tables."""
        if self._fast:
            return rows
        return [self._context(row.name, row.namespace, row.description, row.labels) for row in rows]

    def load(self, batch: Sequence[Any]) -> None:
        """Put all contexts in one transaction."""
        if self._fast:
            self._put(batch)
        else:
            self._store.put_contexts(batch)

    def ids(self, rows: Sequence[Row]) -> Sequence[str]:
        """Return the numbers that rows were put in with."""
        return [self._numbers[row.id] for row in rows]

    def load_runs(self, experiment_id: str, runs: Sequence[RunRow]) -> None:
        """Put an execution by the library, and copies of its rows into the tables."""
        pattern = self._proto.Execution(type_id=self._run_type, name="pattern")
        pattern.properties["storage_state"].string_value = "AVAILABLE"
        pattern.custom_properties["key"].string_value = "value"
        context = self.get(experiment_id)
        (made,), _, _ = self._store.put_lineage_subgraph([pattern], [], [context], [])
        (link,) = self._database.take("Association", "execution_id", made)
        properties = self._database.take("ExecutionProperty", "execution_id", made)
        state, label = sorted(properties, key=lambda found: bool(found["is_custom_property"]))
        (model,) = self._database.take("Execution", "id", made)
        del link["id"]
        executions, values, links = list[TableRow](), list[TableRow](), list[TableRow]()
        for number, run in enumerate(runs, made):
            executions.append(model | self._head(number, f"{experiment_id}/{run.name}"))
            values.append(state | {"execution_id": number})
            values.extend(
                label | {"execution_id": number, "name": key, "string_value": value}
                for key, value in run.labels.items()
            )
            links.append(link | {"execution_id": number})
        self._database.insert(
            ("Execution", executions), ("ExecutionProperty", values), ("Association", links)
        )
        self._database.advance("Execution", "id")

    def create(self, name: str, namespace: str, labels: Mapping[str, str]) -> str:
        """Create one; the library returns its id."""
        (id,) = self._store.put_contexts([self._context(name, namespace, "", labels)])
        return str(id)

    def get(self, id: str) -> Any:
        """Read one by its id."""
        (found,) = self._store.get_contexts_by_id([int(id)])
        return found

    def get_by_name(self, name: str, namespace: str) -> Any:
        """Read one by its name, which is unique in the whole store."""
        return self._store.get_context_by_type_and_name(_EXPERIMENT, name)

    def first_page(self, limit: int) -> Sequence[Any]:
        """List with nothing but an order."""
        return self._list(limit=limit, order_by=self._order.CREATE_TIME)

    def contains(self, text: str, limit: int) -> Sequence[Any]:
        """List by LIKE."""
        return self._list(
            limit=limit,
            order_by=self._order.CREATE_TIME,
            is_asc=False,
            filter_query=f"name LIKE '%{text}%'",
        )

    def walk(self, page: int) -> Sequence[Any]:
        """List all at once: the library reads a hundred at a time, and keeps the token."""
        return self._list(order_by=self._order.CREATE_TIME)

    def archive(self, id: str) -> Any:
        """Read the experiment and its runs, and write them back in one transaction."""
        context = self.get(id)
        context.properties["storage_state"].string_value = "ARCHIVED"
        executions = self._store.get_executions_by_context(context.id)
        for execution in executions:
            execution.properties["storage_state"].string_value = "ARCHIVED"
        self._store.put_lineage_subgraph(executions, [], [context], [])
        return context

    def archived_runs(self, experiment_id: str) -> int:
        """Count them."""
        return sum(
            execution.properties["storage_state"].string_value == "ARCHIVED"
            for execution in self._store.get_executions_by_context(int(experiment_id))
        )

    def describe(self, record: Any) -> Description:
        """Name what can be compared; of an id, what is stored."""
        found = self.get(record) if isinstance(record, str) else record
        return {
            "name": found.name,
            **{name: found.properties[name].string_value for name in _PROPERTIES},
            "labels": {key: value.string_value for key, value in found.custom_properties.items()},
        }

    def program(self) -> str:
        """Import ML Metadata and open its store."""
        return _PROGRAM.format(config=self._config().SerializeToString())

    def _config(self) -> Any:
        config = self._proto.ConnectionConfig()
        match self._database:
            case SqliteFile(path=path):
                config.sqlite.filename_uri = str(path)
            case PostgresDatabase(parameters=parameters):
                config.postgresql.skip_db_creation = True
                for name, value in parameters.items():
                    setattr(config.postgresql, name, value)
        return config

    def _list(self, **options: Any) -> Sequence[Any]:
        found: Sequence[Any] = self._store.get_contexts(self._module.ListOptions(**options))
        return found

    def _context(
        self, name: str, namespace: str, description: str, labels: Mapping[str, str]
    ) -> Any:
        context = self._proto.Context(type_id=self._experiment_type, name=name)
        for key, value in zip(_PROPERTIES, (namespace, description, "AVAILABLE"), strict=True):
            context.properties[key].string_value = value
        for key, value in labels.items():
            context.custom_properties[key].string_value = value
        return context

    def _head(self, number: int, name: str) -> dict[str, Any]:
        now = self._clock()
        times = {"create_time_since_epoch": now, "last_update_time_since_epoch": now}
        return {"id": number, "name": name, **times}

    def _put(self, batch: Sequence[Row]) -> None:
        made = int(self.create("pattern", "", {"key": "value"}))
        properties = self._database.take("ContextProperty", "context_id", made)
        own, *_, label = sorted(properties, key=lambda found: bool(found["is_custom_property"]))
        (model,) = self._database.take("Context", "id", made)
        contexts, values = list[TableRow](), list[TableRow]()
        for number, row in enumerate(batch, made):
            self._numbers[row.id] = str(number)
            contexts.append(model | self._head(number, row.name))
            fixed = (row.namespace, row.description, "AVAILABLE")
            for pattern, pairs in (
                (own, zip(_PROPERTIES, fixed, strict=True)),
                (label, row.labels.items()),
            ):
                values.extend(
                    pattern | {"context_id": number, "name": name, "string_value": value}
                    for name, value in pairs
                )
        self._database.insert(("Context", contexts), ("ContextProperty", values))
        self._database.advance("Context", "id")
