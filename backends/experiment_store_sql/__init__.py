"""What backends on SQL databases share; the kit for another dialect."""

from experiment_store_sql.backend import SqlBackend
from experiment_store_sql.codec import Plain, Row
from experiment_store_sql.connections import Connections
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.pool import Pool
from experiment_store_sql.statements import Call, insert_text
from experiment_store_sql.tables import Storage, Table
from experiment_store_sql.urls import split
from experiment_store_sql.work import Work

__all__ = [
    "Call",
    "Connections",
    "Dialect",
    "Plain",
    "Pool",
    "Row",
    "SqlBackend",
    "Storage",
    "Table",
    "Work",
    "insert_text",
    "split",
]
