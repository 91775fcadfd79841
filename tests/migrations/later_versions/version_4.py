"""Every experiment's note is its name.

The rows are rewritten in batches, each of which is a transaction.
"""

from __future__ import annotations

import sqlalchemy as sa

from experiment_store_sql.migrations import Ground
from tests.migrations.interrupting import pause

revision = "4"
down_revision = "3"
atomic = False


def upgrade(ground: Ground) -> None:
    """Rewrite rows; those that are done are passed over."""
    rows = sa.table(
        ground.name("experiments"),
        *map(sa.column, ("id", "name", "note", "rank")),
        schema=ground.schema,
    )
    for after, last in ground.batches("experiments", size=4):
        these = (rows.c.id > after) & (rows.c.id <= last) & (rows.c.note == "")
        ground.op.execute(
            sa.update(rows).where(these).values(note=rows.c.name, rank=rows.c.rank + 1)
        )
        if after:  # the first batch is done
            pause("4")
