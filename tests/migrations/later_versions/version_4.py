"""Labels without empty keys, and a table of metrics."""

from __future__ import annotations

import sqlalchemy as sa

from experiment_store_sql.migrations import Ground
from experiment_store_sql.tables import Storage
from tests.migrations.interrupting import pause

revision = "4"
down_revision = "3"


def upgrade(ground: Ground) -> None:
    """Let SQLite copy a table, for it cannot add a constraint to one."""
    text, integer = ground.type(Storage.TEXT), ground.type(Storage.INTEGER)
    ground.op.create_table(
        ground.name("metrics"),
        sa.Column("id", text, nullable=False),
        sa.Column("step", integer, nullable=False),
        sa.PrimaryKeyConstraint("id", "step"),
        schema=ground.schema,
        if_not_exists=True,
        **ground.options(clustered=True),
    )
    pause("4")
    with ground.altering("experiment_labels", clustered=True) as labels:
        labels.create_check_constraint("labels_have_keys", "key <> ''")
    with ground.altering("jobs") as jobs:
        jobs.alter_column("schedule", new_column_name="timetable")
