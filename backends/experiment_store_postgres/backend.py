"""The PostgreSQL backend: from a URL to a pool of connections and a schema with our tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from experiment_store.errors import BackendError, InvalidArgumentError
from experiment_store_postgres.dialect import PostgresDialect
from experiment_store_postgres.trigrams import add_trigrams
from experiment_store_sql import Call, Pool, SqlBackend, Work, split

DEFAULT_SCHEMA = "experiment_store"

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_DRIVERS = ("postgresql", "postgresql+psycopg")
_POOL = {"pool_size": 10, "max_overflow": 5, "pool_timeout": 30}
_SWITCH = {"on": True, "off": False}
_ATTEMPTS = 5


def connect(url: str) -> PostgresBackend:
    """Open ``postgresql://user:password@host:port/database``.

    Parameters: ``schema=experiment_store``, where the tables are; ``pool_size=10``,
    how many connections are kept, ``max_overflow=5``, how many more are lent at a
    time, and ``pool_timeout=30``, how many seconds to wait for one;
    ``trigrams=on`` to find what a name contains by an index. All others are
    libpq's, such as ``host=/run/postgresql`` or ``sslmode=require``.

    Raises:
        InvalidArgumentError: The URL has another form.
    """
    location, given = split(url)
    driver, separator, place = location.partition("://")
    if driver.lower() not in _DRIVERS or not separator:
        forms = " or ".join(f"{name}://host/database" for name in _DRIVERS)
        raise InvalidArgumentError("url", f"must begin as {forms}")
    trigrams = given.pop("trigrams", "off")
    if trigrams not in _SWITCH:
        raise InvalidArgumentError("url", "must have trigrams=on or off")
    pool = {name: _number(name, given.pop(name, usual)) for name, usual in _POOL.items()}
    if not pool["pool_size"] + pool["max_overflow"]:
        raise InvalidArgumentError("url", "must have a pool_size or a max_overflow")
    schema = given.pop("schema", DEFAULT_SCHEMA)
    return PostgresBackend(
        _conninfo(f"postgresql://{place}", given),
        schema=schema,
        pool=pool,
        trigrams=_SWITCH[trigrams],
    )


class PostgresBackend(SqlBackend):
    """The backend contract over one schema of a PostgreSQL database."""

    def __init__(
        self,
        conninfo: str,
        *,
        schema: str = DEFAULT_SCHEMA,
        pool: Mapping[str, int] = _POOL,
        trigrams: bool = False,
    ) -> None:
        """Prepare to use *schema* of the database that libpq finds by *conninfo*.

        Nothing is opened before `setup`.

        Raises:
            InvalidArgumentError: *schema* is no plain identifier of at most 63 characters.
        """
        if _IDENTIFIER.fullmatch(schema) is None:
            raise InvalidArgumentError("schema", "must be an identifier of letters, digits and _")
        self._schema = schema
        self._trigrams = trigrams
        connections = Pool(
            partial(psycopg.connect, conninfo, autocommit=True, client_encoding="utf8"),
            idle=pool["pool_size"],
            most=pool["pool_size"] + pool["max_overflow"],
            timeout=pool["pool_timeout"],
        )
        super().__init__(connections, PostgresDialect(schema))

    def setup(self) -> None:
        """Create the schema and its tables if there are none.

        All of it is one transaction. Where several create at once, one succeeds;
        the others wait for it, fail because the tables are there, and look again.

        Raises:
            BackendError: The schema has other tables, or the database is not in UTF-8.
        """
        for _ in range(_ATTEMPTS):
            if self._is_there() or self._create():
                self._check_version()
                if not self._trigrams or self._add_trigrams():
                    return
        raise BackendError("open", f"failed: the schema {self._schema!r} has other tables")

    def _is_there(self) -> bool:
        text = f"SELECT to_regclass('\"{self._schema}\".settings') IS NOT NULL"
        [(found,)] = self._fetch("open", Call(text))
        return bool(found)

    def _create(self) -> bool:
        try:
            with self._writing("open", atomic=True) as work:
                _check_encoding(work)
                # Not IF NOT EXISTS, which needs a right that who owns the schema may lack.
                [[missing]] = work.execute(f"SELECT to_regnamespace('\"{self._schema}\"') IS NULL")
                if missing:
                    work.execute(f'CREATE SCHEMA "{self._schema}"')
                for call in self.statements.create():
                    work.run(call)
                self._record_version(work)
        except BackendError as error:
            if isinstance(error.__cause__, _CREATED_BY_ANOTHER):
                return False
            raise
        return True

    def _add_trigrams(self) -> bool:
        try:
            with self._writing("open", atomic=False) as work:
                add_trigrams(work, self._dialect.prefix)
        except BackendError as error:
            if isinstance(error.__cause__, _CREATED_BY_ANOTHER):
                return False
            raise
        return True


_CREATED_BY_ANOTHER = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.DuplicateSchema,
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateObject,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)


def _check_encoding(work: Work) -> None:
    [[encoding]] = work.execute("SHOW server_encoding")
    if encoding != "UTF8":
        raise BackendError("open", f"failed: the database is encoded in {encoding}, not in UTF8")


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
