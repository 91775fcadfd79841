"""Work: the statements of one step, on one connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from experiment_store.backend import Refusal
from experiment_store_sql.codec import Row
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.statements import Call
from experiment_store_sql.tables import Table


class Work:
    """Runs the statements of one step."""

    def __init__(self, cursor: Any, dialect: Dialect) -> None:
        """Use a cursor of the driver."""
        self._cursor = cursor
        self._dialect = dialect
        self.is_refused = False

    @property
    def connection(self) -> Any:
        """The driver's connection."""
        return self._cursor.connection

    def run(self, call: Call) -> int:
        """Run a statement; return how many rows it touched."""
        self._cursor.execute(call.text, call.parameters)
        touched: int = self._cursor.rowcount
        return touched

    def add(self, table: Table, rows: Iterable[Row]) -> int:
        """Add *rows*; return how many were added."""
        return self._dialect.add(self._cursor, table, rows)

    def all(self, call: Call) -> list[Row]:
        """Run a statement and read all its rows."""
        self._cursor.execute(call.text, call.parameters)
        rows: list[Row] = self._cursor.fetchall()
        return rows

    def first(self, call: Call) -> Row | None:
        """Run a statement that has one row at most."""
        rows = self.all(call)
        return rows[0] if rows else None

    def refuse(self, refusal: Refusal) -> Refusal:
        """Undo the step, and return *refusal*."""
        self.is_refused = True
        return refusal

    def execute(self, text: str) -> list[Row]:
        """Run a statement of other words than the store's own; return its rows, if it has any."""
        self._cursor.execute(text)
        return self._cursor.fetchall() if self._cursor.description else []
