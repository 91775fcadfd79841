"""What backends on SQL databases share; the kit for another dialect."""

from experiment_store_sql.backend import SqlBackend
from experiment_store_sql.codec import Plain
from experiment_store_sql.connections import Connections
from experiment_store_sql.dialect import Dialect
from experiment_store_sql.tables import Tables, build_tables, create_statements
from experiment_store_sql.work import Work

__all__ = [
    "Connections",
    "Dialect",
    "Plain",
    "SqlBackend",
    "Tables",
    "Work",
    "build_tables",
    "create_statements",
]
