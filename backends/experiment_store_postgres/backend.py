"""The PostgreSQL backend: from a URL to a pool of connections and a schema with our tables."""

from __future__ import annotations

import re
from collections.abc import Mapping

import psycopg
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from experiment_store.errors import BackendError, InvalidArgumentError
from experiment_store_postgres.dialect import PostgresDialect
from experiment_store_postgres.pool import EngineConnections
from experiment_store_sql import SqlBackend, Work, build_tables, create_statements

DEFAULT_SCHEMA = "experiment_store"

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_DRIVERS = ("postgresql", "postgresql+psycopg")
_POOL = {"pool_size": 5, "max_overflow": 10, "pool_timeout": 30}
_ATTEMPTS = 5


def connect(url: str) -> PostgresBackend:
    """Open ``postgresql://user:password@host:port/database``.

    Parameters: ``schema=experiment_store``, where the tables are; ``pool_size=5``,
    ``max_overflow=10`` and ``pool_timeout=30`` as of SQLAlchemy's pool. All others
    are libpq's, such as ``host=/run/postgresql`` or ``sslmode=require``.

    Raises:
        InvalidArgumentError: The URL has another form.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InvalidArgumentError("url", "must be postgresql://host/database") from error
    if parsed.drivername.lower() not in _DRIVERS:
        raise InvalidArgumentError("url", f"must begin with {' or '.join(_DRIVERS)}")
    pool = {name: _number(name, parsed.query.get(name, most)) for name, most in _POOL.items()}
    schema = str(parsed.query.get("schema", DEFAULT_SCHEMA))
    return PostgresBackend(
        parsed.difference_update_query((*_POOL, "schema")), schema=schema, pool=pool
    )


class PostgresBackend(SqlBackend):
    """The backend contract over one schema of a PostgreSQL database."""

    def __init__(
        self,
        url: str | URL,
        *,
        schema: str = DEFAULT_SCHEMA,
        pool: Mapping[str, int] = _POOL,
    ) -> None:
        """Prepare to use *schema*; nothing is opened before `setup`.

        Raises:
            InvalidArgumentError: *schema* is no plain identifier of at most 63 characters.
        """
        if _IDENTIFIER.fullmatch(schema) is None:
            raise InvalidArgumentError("schema", "must be an identifier of letters, digits and _")
        self._schema = schema
        self._tables = build_tables(schema)
        super().__init__(_connections(make_url(url), pool), self._tables, PostgresDialect())

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
                return
        raise BackendError("open", f"failed: the schema {self._schema!r} has other tables")

    def _is_there(self) -> bool:
        with self._reading("open") as work:
            [[found]] = work.execute(
                f"SELECT to_regclass('\"{self._schema}\".settings') IS NOT NULL"
            )
        return bool(found)

    def _create(self) -> bool:
        try:
            with self._writing("open", atomic=True) as work:
                _check_encoding(work)
                # Not IF NOT EXISTS, which needs a right that who owns the schema may lack.
                [[missing]] = work.execute(f"SELECT to_regnamespace('\"{self._schema}\"') IS NULL")
                if missing:
                    work.execute(f'CREATE SCHEMA "{self._schema}"')
                for text in create_statements(self._tables, self._dialect.wording):
                    work.execute(text)
                self._record_version(work)
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


def _connections(url: URL, pool: Mapping[str, int]) -> EngineConnections:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"autocommit": True, "client_encoding": "utf8"},
            pool_reset_on_return=None,
            pool_use_lifo=True,
            **pool,
        )
    except (ArgumentError, ValueError) as error:
        raise InvalidArgumentError("url", f"is not of PostgreSQL: {error}") from error
    return EngineConnections(engine)


def _number(name: str, value: object) -> int:
    if re.fullmatch("[0-9]{1,6}", str(value)) is None:
        raise InvalidArgumentError("url", f"must have a number as {name}")
    return int(str(value))
