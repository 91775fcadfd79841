"""From a URL to a backend."""

from __future__ import annotations

import re
from collections.abc import Mapping

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from experiment_store.errors import InvalidArgumentError
from experiment_store_postgres.backend import DEFAULT_SCHEMA, RETRY_TIMEOUT, PostgresBackend
from experiment_store_postgres.connections import POOL
from experiment_store_postgres.dialect import DEFAULT
from experiment_store_sql import check_names, seconds, split

_DRIVERS = ("postgresql", "postgresql+psycopg")
_SWITCH = {"on": True, "off": False}


def connect(url: str) -> PostgresBackend:
    """Open ``postgresql://user:password@host:port/database``.

    Parameters:

    * ``schema=experiment_store``, where the tables are, and ``prefix=``, what their
      names begin with;
    * ``pool_size=10``, how many connections are kept, ``max_overflow=5``, how many more
      are lent at a time, and ``pool_timeout=30``, how many seconds to wait for one;
    * ``retry_timeout=10``, for how many seconds to try again what others, or the loss of
      a connection, have kept from happening;
    * ``isolation=read-committed``, ``repeatable-read`` or ``serializable``;
    * ``replica=``, the percent-encoded URL of a hot standby to read from;
    * ``trigrams=on`` to find what a name contains by an index.

    All others are libpq's, such as ``host=/run/postgresql`` or ``sslmode=require``.

    Raises:
        InvalidArgumentError: The URL has another form.
    """
    place, given = _take_apart("url", url)
    trigrams = given.pop("trigrams", "off")
    if trigrams not in _SWITCH:
        raise InvalidArgumentError("url", "must have trigrams=on or off")
    pool = {name: _number(name, given.pop(name, usual)) for name, usual in POOL.items()}
    if not pool["pool_size"] + pool["max_overflow"]:
        raise InvalidArgumentError("url", "must have a pool_size or a max_overflow")
    replica = given.pop("replica", None)
    return PostgresBackend(
        schema=given.pop("schema", DEFAULT_SCHEMA),
        prefix=given.pop("prefix", ""),
        pool=pool,
        retry_timeout=seconds("retry_timeout", given.pop("retry_timeout", str(RETRY_TIMEOUT))),
        isolation=given.pop("isolation", DEFAULT),
        replica=None if replica is None else _conninfo(*_take_apart("replica", replica)),
        trigrams=_SWITCH[trigrams],
        conninfo=_conninfo(place, given),
    )


def _take_apart(argument: str, url: str) -> tuple[str, dict[str, str]]:
    location, given = split(url)
    driver, separator, place = location.partition("://")
    if driver.lower() not in _DRIVERS or not separator:
        forms = " or ".join(f"{name}://host/database" for name in _DRIVERS)
        raise InvalidArgumentError(argument, f"must begin as {forms}")
    return f"postgresql://{place}", given


def _conninfo(location: str, parameters: Mapping[str, str]) -> str:
    """Join the two as libpq reads them.

    Raises:
        InvalidArgumentError: It would refuse to.
    """
    try:
        conninfo_to_dict(location)
    except psycopg.Error:  # whose text repeats what it could not read, passwords too
        problem = "must be postgresql://user:password@host:port/database, percent-encoded"
        raise InvalidArgumentError("url", problem) from None
    check_names(parameters)  # the driver's text below repeats one
    try:
        joined = make_conninfo(location, **parameters)
    except psycopg.Error as error:
        raise InvalidArgumentError("url", f"has an {str(error).strip()}") from error
    ports = str(conninfo_to_dict(joined).get("port", ""))
    if re.fullmatch("[0-9,]*", ports) is None:
        raise InvalidArgumentError("url", "must be postgresql://host:port/database")
    return joined


def _number(name: str, value: object) -> int:
    if re.fullmatch("[0-9]{1,6}", str(value)) is None:
        raise InvalidArgumentError("url", f"must have a number as {name}")
    return int(str(value))
