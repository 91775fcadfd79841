"""What is examined: a store in SQL, and what its database's own catalogue says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import frozen

from experiment_store_sql.backend import SqlBackend
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.steps import Steps
from experiment_store_sql.tables import Table
from experiment_store_sql.work import Work


@frozen
class FoundTable:
    """A table as it is: its columns with their types, in the dialect's words, and its key."""

    columns: Mapping[str, str]
    primary_key: tuple[str, ...]


@frozen
class FoundIndex:
    """An index as it is; one that is not *valid* is written to, and not read."""

    columns: tuple[str, ...]
    unique: bool
    valid: bool = True


class Catalogue(Protocol):
    """What a database tells of its tables, indexes and plans."""

    def table(self, work: Work, table: Table) -> FoundTable | None:
        """Describe a table; ``None`` if it is not there."""

    def indexes(self, work: Work, table: Table) -> Mapping[str, FoundIndex]:
        """Describe the indexes of a table by their names; partial ones are left out."""
        ...

    def rows(self, work: Work, table: Table) -> int:
        """Estimate how many rows a table has, without reading them."""
        ...

    def reads_all(self, lines: Sequence[str], *, pinned: bool) -> bool:
        """Tell whether a plan reads a whole table; *pinned*: the listing is of a part of it."""
        ...

    def sorts(self, lines: Sequence[str]) -> bool:
        """Tell whether a plan sorts what it has read."""
        ...

    def insist(self, work: Work) -> None:
        """Have the rest of the step planned by indexes wherever one serves."""


@frozen
class Subject:
    """A store: its *reader*, the steps that this runs on, and its dialect and catalogue."""

    reader: SqlBackend
    steps: Steps
    dialect: Dialect
    catalogue: Catalogue
