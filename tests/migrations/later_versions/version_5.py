"""Labels without empty keys, and a table of metrics."""

from __future__ import annotations

from experiment_store_sql.migrations import Ground
from experiment_store_sql.tables import Storage
from tests.migrations.interrupting import pause

revision = "5"
down_revision = "4"


def upgrade(ground: Ground) -> None:
    """Let SQLite copy a table, for it cannot add a constraint to one."""
    columns = {"id": Storage.TEXT, "step": Storage.INTEGER}
    ground.create_table("metrics", columns, ("id", "step"), clustered=True)
    pause("5")
    with ground.altering("experiment_labels", clustered=True) as labels:
        labels.create_check_constraint("labels_have_keys", "key <> ''")
    with ground.altering("jobs") as jobs:
        jobs.alter_column("schedule", new_column_name="timetable")
