"""What every subject offers: the store, its floors and its peers, each in its own words.

Imports the standard library only. A subject's methods return what is native to it
(a record, a tuple), as converting it would cost time; `describe`, which is never
timed, makes it comparable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.workload import Row, RunRow

Description = dict[str, Any]
"""What `describe` returns: ``name`` in any case, and where the subject has them ``id``,
``namespace``, ``description``, ``labels`` and ``storage_state``. What both sides have is compared.
"""


class Subject(Protocol):
    """Something that stores experiments; any of eight threads may call it.

    *lacks* has the names of the scenarios that it cannot take part in; the methods
    that only those use may then raise anything. It is made without arguments, or
    by a function without arguments, once for each database.
    """

    lacks: frozenset[str]

    def open(self, folder: Path) -> None:
        """Make an empty database; its files, if it has any, go into *folder*, which exists."""

    def settle(self) -> None:
        """Do at once, after a load, what the database does by itself later (statistics)."""

    def close(self) -> None:
        """Release everything, and remove what is not in the folder."""

    def prepare(self, rows: Sequence[Row]) -> Any:
        """Make of *rows* what a program would give to `load`; not timed."""

    def load(self, batch: Any) -> None:
        """Store what `prepare` has made, all of it or nothing."""

    def ids(self, rows: Sequence[Row]) -> Sequence[str]:
        """Return the ids that loaded *rows* have; not timed."""

    def load_runs(self, experiment_id: str, runs: Sequence[RunRow]) -> None:
        """Store *runs* of an experiment."""

    def create(self, name: str, namespace: str, labels: Mapping[str, str]) -> Any:
        """Store one experiment; return it."""

    def get(self, id: str) -> Any:
        """Return an experiment."""

    def get_by_name(self, name: str, namespace: str) -> Any:
        """Return an experiment."""

    def first_page(self, limit: int) -> Sequence[Any]:
        """Return the oldest experiments."""

    def contains(self, text: str, limit: int) -> Sequence[Any]:
        """Return the newest experiments whose names contain *text*, newest first."""

    def walk(self, page: int) -> Iterable[Any]:
        """Go through all experiments, oldest first, reading *page* of them at a time."""

    def archive(self, id: str) -> Any:
        """Archive an experiment and its runs; return the experiment."""

    def archived_runs(self, experiment_id: str) -> int:
        """Return how many runs of the experiment are archived; not timed."""

    def describe(self, record: Any) -> Description:
        """Make what is native to the subject comparable; not timed."""
