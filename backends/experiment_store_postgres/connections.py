"""Connections to PostgreSQL: opened, kept, and looked at before they are lent again."""

from __future__ import annotations

import os
import select
from collections.abc import Mapping
from functools import partial
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from experiment_store_sql import Pool

POOL = {"pool_size": 10, "max_overflow": 5, "pool_timeout": 30}
"""How many connections are kept, how many more are lent, and seconds to wait for one."""


_CONNECT_TIMEOUT = "connect_timeout"
_SHORT = 3  # seconds


def open_pool(conninfo: str, sizes: Mapping[str, int], *, pooled: bool = False) -> Pool:
    """Make a pool of connections to the database that libpq finds by *conninfo*.

    Behind a pooler, what one transaction has prepared is unknown to the next one.
    """
    options = {"prepare_threshold": None} if pooled else {}
    return Pool(
        partial(psycopg.connect, conninfo, autocommit=True, client_encoding="utf8", **options),
        idle=sizes["pool_size"],
        most=sizes["pool_size"] + sizes["max_overflow"],
        timeout=sizes["pool_timeout"],
        is_alive=is_alive,
    )


def hurried(conninfo: str) -> str:
    """Wait for a connection for seconds, not minutes, unless somebody has said how long."""
    if _CONNECT_TIMEOUT in conninfo_to_dict(conninfo) or "PGCONNECT_TIMEOUT" in os.environ:
        return conninfo
    return make_conninfo(conninfo, connect_timeout=_SHORT)


def is_alive(connection: Any) -> bool:
    """Tell whether the server has not hung up on an idle connection; nothing is sent to it.

    Otherwise a write on it would fail with an unknown outcome, though it never left.
    The server speaks up by itself when it ends a session, and now and then to say
    that a setting has changed.
    """
    socket = connection.pgconn
    try:
        while _has_news(socket.socket):
            socket.consume_input()
    except psycopg.Error:
        return False
    return bool(socket.status == psycopg.pq.ConnStatus.OK)


if hasattr(select, "poll"):

    def _has_news(file: int) -> bool:
        poll = select.poll()
        poll.register(file, select.POLLIN)
        return bool(poll.poll(0))

else:  # pragma: no cover (Windows)

    def _has_news(file: int) -> bool:
        return bool(select.select([file], [], [], 0)[0])
