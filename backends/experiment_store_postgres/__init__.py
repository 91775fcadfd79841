"""Keeps experiments in a schema of a PostgreSQL database, for any number of processes."""

from experiment_store_postgres.backend import PostgresBackend
from experiment_store_postgres.urls import connect

__all__ = ["PostgresBackend", "connect"]
