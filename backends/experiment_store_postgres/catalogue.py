"""What PostgreSQL tells of its tables, indexes and plans."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from experiment_store_sql import Call, Dialect, Table, Work, table_name
from experiment_store_sql.examining import FoundIndex, FoundTable

_COLUMNS = """
SELECT a.attname, upper(format_type(a.atttypid, a.atttypmod)), l.collname, a.attnotnull
FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""
_INDEXES = """
SELECT c.relname, i.indisunique, i.indisprimary, i.indisvalid AND i.indisready,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, false)
             FROM generate_series(1, i.indnkeyatts) AS n)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass(%s) AND i.indpred IS NULL
"""
_SORTS = re.compile("Sort|Hash|Materialize")
_METHODS = ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin", "material")


class PostgresCatalogue:
    """Reads PostgreSQL's own tables."""

    def __init__(self, dialect: Dialect) -> None:
        """Look for tables where *dialect* has them."""
        self._dialect = dialect

    def table(self, work: Work, table: Table) -> FoundTable | None:
        """Ask for the columns; a table without any is not there."""
        columns = {
            name: of
            + (f' COLLATE "{collation}"' if collation and of == "TEXT" else "")
            + " NOT NULL" * needed
            for name, of, collation, needed in work.all(self._about(_COLUMNS, table))
        }
        if not columns:
            return None
        keys = [tuple(key) for _, _, primary, _, key in self._indexes(work, table) if primary]
        return FoundTable(columns, keys[0] if keys else ())

    def indexes(self, work: Work, table: Table) -> Mapping[str, FoundIndex]:
        """Ask for the indexes; one that was made concurrently, and not to the end, is not valid."""
        return {
            name: FoundIndex(tuple(columns), unique, valid)
            for name, unique, _, valid, columns in self._indexes(work, table)
        }

    def rows(self, work: Work, table: Table) -> int:
        """Ask for the planner's estimate, or the count of what was written since."""
        text = """
        SELECT greatest(c.reltuples, pg_stat_get_live_tuples(c.oid))::bigint
        FROM pg_class c WHERE c.oid = to_regclass(%s)
        """
        [[rows]] = work.all(self._about(text, table))
        return int(rows)

    def reads_all(self, lines: Sequence[str], *, pinned: bool) -> bool:
        """Look for scans of tables, and for a condition that an index decides."""
        plan = "\n".join(lines)
        return "Seq Scan" in plan or (pinned and "Index Cond" not in plan)

    def sorts(self, lines: Sequence[str]) -> bool:
        """Look for what has to read all before it returns the first row."""
        return any(_SORTS.search(line) for line in lines)

    def insist(self, work: Work) -> None:
        """Make everything but indexes expensive, for the rest of the transaction."""
        for method in _METHODS:
            work.execute(f"SET LOCAL enable_{method} = off")

    def _indexes(self, work: Work, table: Table) -> list[tuple[str, bool, bool, bool, list[str]]]:
        return [
            (name, unique, primary, valid, list(columns))
            for name, unique, primary, valid, columns in work.all(self._about(_INDEXES, table))
        ]

    def _about(self, text: str, table: Table) -> Call:
        return Call(text, (table_name(self._dialect, table),))
