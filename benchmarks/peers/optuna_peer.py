"""Optuna as a subject, by studies and trials on `RDBStorage`, as its documentation says.

* experiment: a study; run: a trial; all of namespace, description and labels: user attributes
* create: `create_study`, and `set_user_attr` for each attribute; bulk load: the same, one by one
* get by id: `get_study_name_from_id`, and then as by name: `load_study`
* lists and walk: `get_all_studies` of everything, which is then searched in Python; a study
  has no time, so its number tells its age
* archive: `delete_study`, which deletes the trials too, for good: there is nothing milder
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from json import dumps
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.peers.filling import Clock, Database, TableRow, new_database
from benchmarks.subject import Description
from benchmarks.workload import Row, RunRow


class Loaded(NamedTuple):
    """What was asked of a study, as a `Study` itself reads its attributes anew each time."""

    study_name: str
    user_attrs: Mapping[str, str]


class OptunaPeer:
    """A subject: Optuna on *server*, or in a SQLite file where that is None.

    With *fast*, rows are not loaded by its calls but put into its tables.
    """

    lacks = frozenset[str]()

    def __init__(self, server: str | None, *, fast: bool) -> None:
        self._server = server
        self._fast = fast
        self._clock = Clock()
        self._optuna = import_module("optuna")
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._database: Database
        self._storage: Any
        self._numbers: dict[str, str] = {}
        self._trials: dict[str, int] = {}

    def open(self, folder: Path) -> None:
        """Have Optuna make its tables."""
        self._database = new_database(self._server, folder)
        self._storage = self._optuna.storages.RDBStorage(self._database.url)

    def settle(self) -> None:
        """Have the database settle."""
        self._database.settle()

    def close(self) -> None:
        """Close the connections, and remove the database."""
        self._storage.engine.dispose()
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
            self._create(row.name, _attributes(row.namespace, row.description, row.labels))

    def ids(self, rows: Sequence[Row]) -> Sequence[str]:
        """Return the numbers that rows were put in with."""
        return [self._numbers[row.id] for row in rows]

    def load_runs(self, experiment_id: str, runs: Sequence[RunRow]) -> None:
        """Make a trial by `ask`, and put copies of its rows into the tables."""
        trial = self._load(self._name(experiment_id)).ask()
        trial.set_user_attr("key", "value")
        made = trial._trial_id  # noqa: SLF001 (Optuna tells it in no other way)
        (attribute,) = self._database.take("trial_user_attributes", "trial_id", made)
        del attribute["trial_user_attribute_id"]
        (model,) = self._database.take("trials", "trial_id", made)
        self._trials[experiment_id] = len(runs)
        trials, attributes = list[TableRow](), list[TableRow]()
        for place, run in enumerate(runs):
            number = made + place
            start = datetime.fromtimestamp(self._clock() / 1000, UTC).replace(tzinfo=None)
            time = str(start) if isinstance(model["datetime_start"], str) else start
            trials.append(model | {"trial_id": number, "number": place, "datetime_start": time})
            attributes.extend(
                attribute | {"trial_id": number, "key": key, "value_json": dumps(value)}
                for key, value in {"name": run.name, **run.labels}.items()
            )
        self._database.insert(("trials", trials), ("trial_user_attributes", attributes))
        self._database.advance("trials", "trial_id")

    def create(self, name: str, namespace: str, labels: Mapping[str, str]) -> Any:
        """Create a study, and set its attributes."""
        return self._create(name, {**labels, "namespace": namespace})

    def get(self, id: str) -> Loaded:
        """Look up the name, and load by that."""
        return self.get_by_name(self._name(id), "")

    def get_by_name(self, name: str, namespace: str) -> Loaded:
        """Load a study, which has a name that is unique in the whole storage."""
        study = self._load(name)
        return Loaded(study.study_name, study.user_attrs)

    def first_page(self, limit: int) -> Sequence[Any]:
        """Read all, and take the first."""
        return self._all()[:limit]

    def contains(self, text: str, limit: int) -> Sequence[Any]:
        """Read all, and take what matches."""
        newest = reversed(self._all())
        return [study for study in newest if text in study.study_name][:limit]

    def walk(self, page: int) -> Sequence[Any]:
        """Read all at once."""
        return self._all()

    def archive(self, id: str) -> str:
        """Delete a study with its trials; return its name."""
        name = self._name(id)
        self._optuna.delete_study(study_name=name, storage=self._storage)
        return name

    def archived_runs(self, experiment_id: str) -> int:
        """Return how many trials are gone."""
        left = self._database.rows("trials", "study_id", int(experiment_id))
        return self._trials[experiment_id] - len(left)

    def describe(self, record: Any) -> Description:
        """Name what can be compared; of a study that is gone, its name."""
        if isinstance(record, str):
            return {"name": record}
        labels = dict(record.user_attrs)
        return {
            "name": record.study_name,
            "namespace": labels.pop("namespace"),
            "description": labels.pop("description", ""),
            "labels": labels,
        }

    def program(self) -> str:
        """Import Optuna and open its storage."""
        return f"import optuna\noptuna.storages.RDBStorage({self._database.url!r})"

    def _name(self, id: str) -> str:
        name: str = self._storage.get_study_name_from_id(int(id))
        return name

    def _load(self, name: str) -> Any:
        return self._optuna.load_study(study_name=name, storage=self._storage)

    def _all(self) -> Sequence[Any]:
        found: Sequence[Any] = self._storage.get_all_studies()
        return found

    def _create(self, name: str, attributes: Mapping[str, str]) -> Any:
        study = self._optuna.create_study(storage=self._storage, study_name=name)
        for key, value in attributes.items():
            study.set_user_attr(key, value)
        return study

    def _put(self, batch: Sequence[Row]) -> None:
        study = self._create("pattern", {"key": "value"})
        made = study._study_id  # noqa: SLF001 (Optuna tells it in no other way)
        (attribute,) = self._database.take("study_user_attributes", "study_id", made)
        (direction,) = self._database.take("study_directions", "study_id", made)
        (model,) = self._database.take("studies", "study_id", made)
        del attribute["study_user_attribute_id"], direction["study_direction_id"]
        studies, directions, attributes = list[TableRow](), list[TableRow](), list[TableRow]()
        for number, row in enumerate(batch, made):
            self._numbers[row.id] = str(number)
            studies.append(model | {"study_id": number, "study_name": row.name})
            directions.append(direction | {"study_id": number})
            attributes.extend(
                attribute | {"study_id": number, "key": key, "value_json": dumps(value)}
                for key, value in _attributes(row.namespace, row.description, row.labels).items()
            )
        self._database.insert(
            ("studies", studies),
            ("study_directions", directions),
            ("study_user_attributes", attributes),
        )
        self._database.advance("studies", "study_id")


def _attributes(namespace: str, description: str, labels: Mapping[str, str]) -> dict[str, str]:
    return {**labels, "namespace": namespace, "description": description}
