"""The shape of a store's tables: what two ways to one schema have to agree on.

Neither the order of columns, which statements name, nor their defaults, which only
writers of an older schema make use of.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

Fact = tuple[Any, ...]
Shape = frozenset[Fact]


def sqlite_shape(path: Path) -> Shape:
    """Describe all tables of a file, and its mark."""
    with closing(sqlite3.connect(path)) as connection:
        return frozenset(_sqlite_facts(connection))


def postgres_shape(url: str, schema: str) -> Shape:
    """Describe all relations of a schema."""
    with psycopg.connect(url) as connection:
        # From PostgreSQL 18 on, NOT NULL is a constraint too, with a name that tells nothing.
        return frozenset(
            tuple(str(part).replace(f"{schema}.", "") for part in row)
            for text in (_COLUMNS, _INDEXES, _CONSTRAINTS)
            for row in connection.execute(text, [schema]).fetchall()
        )


def _sqlite_facts(connection: sqlite3.Connection) -> Iterator[Fact]:
    yield "mark", *connection.execute("PRAGMA application_id").fetchone()
    for name, without_rowid, strict in connection.execute(_TABLES).fetchall():
        yield name, "without rowid" if without_rowid else "", "strict" if strict else ""
        for column in connection.execute(_TABLE_COLUMNS, (name,)).fetchall():
            yield name, *column
        for index, *form in connection.execute(_TABLE_INDEXES, (name,)).fetchall():
            columns = connection.execute(_INDEX_COLUMNS, (index,)).fetchall()
            # SQLite numbers the indexes that it makes for keys.
            yield name, re.sub("sqlite_autoindex.*", "key", index), *form, *columns
        [text] = connection.execute(_TEXT, (name,)).fetchone()
        for check in re.findall(r"CHECK \(.*\)", text):
            yield name, check


_TABLES = (
    "SELECT name, wr, strict FROM pragma_table_list"
    " WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"
)
_TABLE_COLUMNS = 'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?)'
_TABLE_INDEXES = 'SELECT name, "unique", origin, partial FROM pragma_index_list(?)'
_INDEX_COLUMNS = 'SELECT name, "desc", coll FROM pragma_index_xinfo(?) WHERE "key" ORDER BY seqno'
_TEXT = "SELECT sql FROM sqlite_master WHERE name = ?"

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, l.collname
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' AND a.attnum > 0
AND NOT a.attisdropped
"""
_INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = %s"
_CONSTRAINTS = """
SELECT conrelid::regclass, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = %s::regnamespace AND contype <> 'n'
"""
