"""What backends on SQL databases share; the kit for another dialect."""

from experiment_store_sql.backend import BoundBackend, SqlBackend
from experiment_store_sql.codec import Plain, Row
from experiment_store_sql.connections import Connections
from experiment_store_sql.dialect import JOINT, Dialect, table_name
from experiment_store_sql.hosted import EngineConnections, Host
from experiment_store_sql.pool import Pool
from experiment_store_sql.statements import Call, insert_text
from experiment_store_sql.steps import PooledSteps, Steps
from experiment_store_sql.tables import Storage, Table
from experiment_store_sql.urls import check_identifier, check_names, check_prefix, seconds, split
from experiment_store_sql.work import Work

__all__ = [
    "JOINT",
    "BoundBackend",
    "Call",
    "Connections",
    "Dialect",
    "EngineConnections",
    "Host",
    "Plain",
    "Pool",
    "PooledSteps",
    "Row",
    "SqlBackend",
    "Steps",
    "Storage",
    "Table",
    "Work",
    "check_identifier",
    "check_names",
    "check_prefix",
    "insert_text",
    "seconds",
    "split",
    "table_name",
]
