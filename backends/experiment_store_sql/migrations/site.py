"""Where a migration works: the database of one store, and the rows that steer the migration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from experiment_store_sql.dialect import Dialect, table_name
from experiment_store_sql.statements import Call
from experiment_store_sql.steps import Steps
from experiment_store_sql.tables import RECORDS
from experiment_store_sql.work import Work

T = TypeVar("T")

_OPERATION = "migrate"


class Site:
    """Runs steps where those of a store run, and words statements on its settings.

    The table of settings, with the columns `id` and `value`, is the same in every
    version, for it is what all versions read first.
    """

    def __init__(self, steps: Steps, dialect: Dialect) -> None:
        """Work on *steps* as *dialect* has it."""
        self._steps = steps
        self.dialect = dialect
        self._settings = table_name(dialect, RECORDS["setting"])

    @property
    def schema(self) -> str | None:
        """The schema of the tables, if the database has such."""
        return self.dialect.schema.strip('".') or None

    @property
    def prefix(self) -> str:
        """What the names of all tables and indexes begin with."""
        return self.dialect.prefix

    def undoes_ddl(self) -> bool:
        """Tell whether the database takes back changes of tables with the transaction."""
        return self.write(lambda work: self.dialect.undoes_ddl(work.connection), atomic=False)

    def read(self, id: str) -> str | None:
        """Return the value of a setting."""
        call = self.call(f"SELECT value FROM {self._settings} WHERE id = ?", id)
        rows = self._steps.fetch(_OPERATION, call)
        return rows[0][0] if rows else None

    def write(self, step: Callable[[Work], T], *, atomic: bool) -> T:
        """Run *step*, in a transaction if it is *atomic*."""
        return self._steps.write(_OPERATION, step, atomic=atomic)

    def change(self, call: Call) -> int:
        """Run one statement; return how many rows it touched."""
        return self.write(lambda work: work.run(call), atomic=False)

    def insert(self, id: str, value: str) -> Call:
        """Add a setting, unless it is there."""
        text = f"INSERT INTO {self._settings} (id, value) VALUES (?, ?) ON CONFLICT DO NOTHING"
        return self.call(text, id, value)

    def replace(self, id: str, old: str, new: str) -> Call:
        """Change a setting that has the value *old*."""
        text = f"UPDATE {self._settings} SET value = ? WHERE id = ? AND value = ?"
        return self.call(text, new, id, old)

    def replace_own(self, id: str, owner: str, new: str) -> Call:
        """Change a setting whose value begins with *owner*."""
        text = f"UPDATE {self._settings} SET value = ? WHERE id = ? AND {self._begins(owner)}"
        return self.call(text, new, id, owner)

    def delete_own(self, id: str, owner: str) -> Call:
        """Remove a setting whose value begins with *owner*."""
        text = f"DELETE FROM {self._settings} WHERE id = ? AND {self._begins(owner)}"
        return self.call(text, id, owner)

    def call(self, text: str, *parameters: Any) -> Call:
        """Word a statement with the parameter marks of the database."""
        values: Sequence[Any] = parameters
        return Call(text.replace("?", self.dialect.mark), values)

    def _begins(self, owner: str) -> str:
        return f"substr(value, 1, {len(owner)}) = ?"
