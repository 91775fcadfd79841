"""The few things on which databases differ, for a store in SQL to ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from experiment_store.errors import BackendError
from experiment_store_sql.codec import Plain, Row
from experiment_store_sql.tables import Storage, Table

JOINT = "\x01"
"""What stands between values that are searched together; where it can, a value may hold it too."""


class Dialect(Protocol):
    """How one database says what the others say differently.

    Names stand in no quotes. *prefix* begins the name of every table and index, and
    *schema* stands before it where the name of a table is used; *mark* stands for a
    parameter.
    The driver, and whatever pools its connections, raise *errors*.
    *copied_label* is the value of a label in the record's own copy, NULL without it.
    `begin_write` opens a transaction whose reads other writers cannot undermine
    once they are locked; `begin_read` opens one that sees a single snapshot.
    """

    schema: str
    prefix: str
    mark: str
    types: Mapping[Storage, str]
    clustered: str
    plain: str
    greatest: str
    for_update: str
    for_share: str
    chains: bool  # whether a statement may go on with what another one returns
    errors: tuple[type[Exception], ...]
    begin_write: str
    begin_read: str
    explain: str
    engine: str  # what SQLAlchemy calls database and driver
    copied_label: str

    def reading(self) -> AbstractContextManager[Any]:
        """Return what a read holds while it runs."""

    def writing(self) -> AbstractContextManager[Any]:
        """Return what a write holds while it runs."""

    def add(self, cursor: Any, table: Table, rows: Iterable[Row]) -> int:
        """Add *rows* as fast as the driver can; return how many were added.

        Those whose keys are taken are passed over, or make it raise a duplicate.
        """

    def one_of(self, column: str, of: Storage) -> str:
        """Whether *column* equals an element of a list, which is one parameter."""

    def bind_list(self, values: Sequence[Plain]) -> Any:
        """The parameter for `one_of`."""

    def like(self, column: str) -> str:
        """Whether *column* matches a pattern, by code points and exact case."""

    def bind_pattern(self, parts: Sequence[str]) -> str:
        """The parameter for `like`: *parts* with any run of characters between them."""

    def bind_label(self, key: str) -> str | None:
        """The parameter for *copied_label*; None if the copy cannot be asked for *key*."""

    def entry(
        self, column: str, key: str, place: int | None = None, *, once: bool = False
    ) -> tuple[str, str]:
        """The entry *key* of the JSON in *column* of *r*, NULL without it, and its parameter.

        *key* has no quote, backslash or control character and is not empty. *place* is one
        in a list. *once* says that `with_maps` has made the column ready to be read.
        """

    def with_maps(
        self, condition: str, labels: str, *, copy: bool, words: bool, columns: Sequence[str] = ()
    ) -> str:
        """Read what is in JSON in *r* once, for all that *condition* asks of it.

        *copy* says whether *copied_label* stands there, *words* whether ``x.words``
        does: the values of all labels, in the table *labels* too, joined by `JOINT`.
        Of *columns*, there is an `entry` that is read *once*.
        """

    def is_idle(self, connection: Any) -> bool:
        """Tell whether a connection is ready for its next step."""

    def is_duplicate(self, error: Exception) -> bool:
        """Tell whether the driver's *error* says that a unique key is taken."""

    def is_undone(self, error: Exception) -> bool:
        """Tell whether the database has undone the step for the sake of others."""

    def is_lost(self, error: Exception) -> bool:
        """Tell whether the connection is gone, or the server not ready: another may do."""

    def undoes_ddl(self, connection: Any) -> bool:
        """Tell whether a rollback takes back changes of tables, too."""

    def translate(self, operation: str, error: Exception) -> BackendError:
        """Return our error for the driver's."""


def table_name(dialect: Dialect, table: Table) -> str:
    """Return the name of *table* as statements have it."""
    return f"{dialect.schema}{dialect.prefix}{table.name}"
