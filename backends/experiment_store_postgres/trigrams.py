"""Indexes of trigrams: what a name contains, without reading all names.

An option, since the extension is not everywhere, and every write pays for them.
"""

from __future__ import annotations

from experiment_store_sql import Dialect, Work, table_name
from experiment_store_sql.tables import RECORDS

_EXTENSION = "pg_trgm"


def add_trigrams(work: Work, dialect: Dialect) -> None:
    """Create the extension and the indexes that are missing; until then, writers wait.

    Raises:
        BackendError: The server does not have the extension, or the user not the right.
    """
    work.execute(f"CREATE EXTENSION IF NOT EXISTS {_EXTENSION}")
    [[home]] = work.execute(
        f"SELECT quote_ident(extnamespace::regnamespace::text) FROM pg_extension "
        f"WHERE extname = '{_EXTENSION}'"
    )
    for table in RECORDS.values():
        if "name" in table.columns:
            work.execute(
                f"CREATE INDEX IF NOT EXISTS {dialect.prefix}{table.name}_by_trigrams_of_name "
                f"ON {table_name(dialect, table)} USING gin (name {home}.gin_trgm_ops)"
            )
