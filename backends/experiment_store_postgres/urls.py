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
_POOLERS = {"transaction": True, "none": False}


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
    * ``pooler=transaction`` where a pooler that lends sessions for one transaction is between,
      such as PgBouncer in that mode;
    * ``replica=``, the percent-encoded URL of a hot standby to read from; of the
      parameters here, that URL may have ``pooler``;
    * ``trigrams=on`` to find what a name contains by an index.

    All others are libpq's, such as ``host=/run/postgresql`` or ``sslmode=require``.

    Raises:
        InvalidArgumentError: The URL has another form.
    """
    place, given = _take_apart("url", url)
    trigrams = _choice("url", given, "trigrams", _SWITCH, "off")
    pool = {name: _number(name, given.pop(name, usual)) for name, usual in POOL.items()}
    if not pool["pool_size"] + pool["max_overflow"]:
        raise InvalidArgumentError("url", "must have a pool_size or a max_overflow")
    pooled = _choice("url", given, "pooler", _POOLERS, "none")
    replica, replica_pooled = _replica(given.pop("replica", None))
    return PostgresBackend(
        schema=given.pop("schema", DEFAULT_SCHEMA),
        prefix=given.pop("prefix", ""),
        pool=pool,
        retry_timeout=seconds("retry_timeout", given.pop("retry_timeout", str(RETRY_TIMEOUT))),
        isolation=given.pop("isolation", DEFAULT),
        pooled=pooled,
        replica=replica,
        replica_pooled=replica_pooled,
        trigrams=trigrams,
        conninfo=_conninfo("url", place, given),
    )


def _replica(url: str | None) -> tuple[str | None, bool]:
    if url is None:
        return None, False
    place, given = _take_apart("replica", url)
    pooled = _choice("replica", given, "pooler", _POOLERS, "none")
    return _conninfo("replica", place, given), pooled


def _choice(
    argument: str, given: dict[str, str], name: str, choices: Mapping[str, bool], usual: str
) -> bool:
    chosen = choices.get(given.pop(name, usual))
    if chosen is None:
        raise InvalidArgumentError(argument, f"must have {name}={' or '.join(choices)}")
    return chosen


def _take_apart(argument: str, url: str) -> tuple[str, dict[str, str]]:
    location, given = split(url)
    driver, separator, place = location.partition("://")
    if driver.lower() not in _DRIVERS or not separator:
        forms = " or ".join(f"{name}://host/database" for name in _DRIVERS)
        raise InvalidArgumentError(argument, f"must begin as {forms}")
    return f"postgresql://{place}", given


def _conninfo(argument: str, location: str, parameters: Mapping[str, str]) -> str:
    """Join the two as libpq reads them.

    Raises:
        InvalidArgumentError: It would refuse to.
    """
    try:
        conninfo_to_dict(location)
    except psycopg.Error:  # whose text repeats what it could not read, passwords too
        problem = "must be postgresql://user:password@host:port/database, percent-encoded"
        raise InvalidArgumentError(argument, problem) from None
    check_names(parameters, argument=argument)  # the driver's text below repeats one
    try:
        joined = make_conninfo(location, **parameters)
    except psycopg.Error as error:
        raise InvalidArgumentError(argument, f"has an {str(error).strip()}") from error
    ports = str(conninfo_to_dict(joined).get("port", ""))
    if re.fullmatch("[0-9,]*", ports) is None:
        raise InvalidArgumentError(argument, "must be postgresql://host:port/database")
    return joined


def _number(name: str, value: object) -> int:
    if re.fullmatch("[0-9]{1,6}", str(value)) is None:
        raise InvalidArgumentError("url", f"must have a number as {name}")
    return int(str(value))
