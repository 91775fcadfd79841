"""The few things on which databases differ, for a store in SQL to ask."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.engine.interfaces import Dialect as EngineDialect
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.schema import Table

from experiment_store.errors import BackendError
from experiment_store_sql.codec import Plain


class Dialect(Protocol):
    """How one database says what the others say differently.

    SQLAlchemy uses its *wording*; the driver, and whatever pools its connections,
    raise its *errors*.
    `begin_write` opens a transaction whose reads other writers cannot undermine
    once they are locked; `begin_read` opens one that sees a single snapshot.
    """

    wording: EngineDialect
    errors: tuple[type[Exception], ...]
    begin_write: str
    begin_read: str
    explain: str

    def reading(self) -> AbstractContextManager[Any]:
        """Return what a read holds while it runs."""

    def writing(self) -> AbstractContextManager[Any]:
        """Return what a write holds while it runs."""

    def insert_new(self, table: Table) -> Insert:
        """An INSERT that passes over rows whose keys are taken."""

    def later(self, column: ColumnElement[Any], bound: ColumnElement[Any]) -> ColumnElement[Any]:
        """The greater of two integers."""

    def one_of(
        self, column: ColumnElement[Any], bound_list: ColumnElement[Any]
    ) -> ColumnElement[bool]:
        """Whether *column* equals an element of a list, whatever its length."""

    def bind_list(self, values: Sequence[Plain]) -> Any:
        """The parameter for `one_of`."""

    def like(self, column: ColumnElement[Any], bound: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether *column* matches a pattern, by code points and exact case."""

    def bind_pattern(self, parts: Sequence[str]) -> str:
        """The parameter for `like`: *parts* with any run of characters between them."""

    def is_idle(self, connection: Any) -> bool:
        """Tell whether a connection is ready for its next step."""

    def is_duplicate(self, error: Exception) -> bool:
        """Tell whether the driver's *error* says that a unique key is taken."""

    def translate(self, operation: str, error: Exception) -> BackendError:
        """Return our error for the driver's."""
