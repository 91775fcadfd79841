"""Notes of experiments, and an index over them."""

from __future__ import annotations

from experiment_store_sql.migrations import Ground
from experiment_store_sql.tables import Storage
from tests.migrations.interrupting import pause

revision = "3"
down_revision = "2"


def upgrade(ground: Ground) -> None:
    """Add a column and an index, in two statements."""
    ground.add_column("experiments", "note", Storage.TEXT, default="''")
    ground.add_column("experiments", "rank", Storage.INTEGER, default="7")
    pause("3")
    ground.create_index("experiments_by_note", "experiments", ["note", "id"])
