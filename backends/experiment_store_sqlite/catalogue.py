"""What SQLite tells of its tables, indexes and plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiment_store_sql import Call, Table, Work
from experiment_store_sql.examining import FoundIndex, FoundTable


class SqliteCatalogue:
    """Reads SQLite's own tables; the names of ours begin with *prefix*."""

    def __init__(self, prefix: str) -> None:
        """Look for tables with this prefix."""
        self._prefix = prefix

    def table(self, work: Work, table: Table) -> FoundTable | None:
        """Ask for the columns; a table without any is not there."""
        text = 'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)'
        rows = work.all(Call(text, (self._prefix + table.name,)))
        if not rows:
            return None
        key = sorted((place, name) for name, _, _, place in rows if place)
        columns = {name: f"{of}{' NOT NULL' * needed}" for name, of, needed, _ in rows}
        return FoundTable(columns, tuple(name for _, name in key))

    def indexes(self, work: Work, table: Table) -> Mapping[str, FoundIndex]:
        """Ask for the indexes, and for the columns of each."""
        listed = 'SELECT name, "unique" FROM pragma_index_list(?) WHERE NOT partial'
        columns = (
            "SELECT coalesce(name, '') || CASE \"desc\" WHEN 1 THEN ' DESC' ELSE '' END"
            ' FROM pragma_index_xinfo(?) WHERE "key" ORDER BY seqno'
        )
        return {
            name: FoundIndex(
                tuple(column for (column,) in work.all(Call(columns, (name,)))), bool(unique)
            )
            for name, unique in work.all(Call(listed, (self._prefix + table.name,)))
        }

    def rows(self, work: Work, table: Table) -> int:
        """Do not know: the plans do not depend on it."""
        return 0

    def reads_all(self, lines: Sequence[str], *, pinned: bool) -> bool:
        """Look for scans; without a condition, one in the order of an index ends with the page."""
        scans = [line for line in lines if line.startswith("SCAN")]
        return any(pinned or " INDEX " not in line for line in scans)

    def sorts(self, lines: Sequence[str]) -> bool:
        """Look for the trees in which SQLite sorts."""
        return any("TEMP B-TREE" in line for line in lines)

    def insist(self, work: Work) -> None:
        """Do nothing: SQLite uses an index where it can."""
