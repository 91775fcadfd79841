"""The schema of the first release."""

from __future__ import annotations

from experiment_store_sql.migrations.ground import Ground

revision = "1"
down_revision = None


def upgrade(ground: Ground) -> None:
    """Do nothing: no store has an older one, and `setup` makes new ones."""
