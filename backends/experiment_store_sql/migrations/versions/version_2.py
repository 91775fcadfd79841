"""Parameters, metrics, links, errors and heartbeats of runs, and the histories of metrics."""

from __future__ import annotations

from experiment_store_sql.migrations.ground import Ground
from experiment_store_sql.tables import Storage

revision = "2"
down_revision = "1"

_NONE = "'{}'"
_TEXTS = {
    "params": _NONE,
    "metrics": _NONE,
    "artifacts": "'[]'",
    "error": "''",
    "params_keys": _NONE,
    "metrics_keys": _NONE,
}
_NEVER = "-9223372036854775808"
_CHUNKS = {
    "id": Storage.TEXT,
    "run_id": Storage.TEXT,
    "metric": Storage.TEXT,
    "created_at": Storage.INTEGER,
    "points": Storage.TEXT,
}


def upgrade(ground: Ground) -> None:
    """Add columns in which all runs have nothing, and a table that is empty."""
    for name, none in _TEXTS.items():
        ground.add_column("runs", name, Storage.TEXT, default=none)
    ground.add_column("runs", "heartbeat_at", Storage.INTEGER, default=_NEVER)
    ground.create_table("chunks", _CHUNKS, ("id",))
    ground.create_index(
        "chunks_by_run_id_metric_created_at", "chunks", ["run_id", "metric", "created_at", "id"]
    )
