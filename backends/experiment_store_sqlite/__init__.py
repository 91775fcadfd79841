"""Keeps experiments in a SQLite file, or in a SQLite database in memory.

Threads and processes may share a file: it is in WAL mode, readers never wait,
and writers take turns. Not over a network file system, which cannot lock.
"""

from experiment_store_sqlite.backend import SqliteBackend, connect

__all__ = ["SqliteBackend", "connect"]
