"""The PostgreSQL backend: a schema with our tables, in a database of ours or of a host's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import psycopg

from experiment_store.backend import Backend
from experiment_store.errors import BackendError, InvalidArgumentError
from experiment_store.findings import Finding
from experiment_store_postgres.connections import POOL, hurried, open_pool
from experiment_store_postgres.dialect import DEFAULT, ISOLATIONS, PostgresDialect
from experiment_store_postgres.hosted import HOST
from experiment_store_postgres.replica import ReplicatedSteps
from experiment_store_postgres.trigrams import add_trigrams
from experiment_store_sql import (
    BoundBackend,
    Call,
    Connections,
    EngineConnections,
    PooledSteps,
    SqlBackend,
    Steps,
    Work,
    check_identifier,
    check_prefix,
)

DEFAULT_SCHEMA = "experiment_store"
RETRY_TIMEOUT = 10.0

_LONGEST_NAME = 63
_ATTEMPTS = 5


class PostgresBackend(SqlBackend):
    """The backend contract over one schema of a PostgreSQL database."""

    def __init__(
        self,
        conninfo: str | None = None,
        *,
        engine: Any = None,
        schema: str = DEFAULT_SCHEMA,
        prefix: str = "",
        pool: Mapping[str, int] = POOL,
        retry_timeout: float = RETRY_TIMEOUT,
        isolation: str = DEFAULT,
        pooled: bool = False,
        replica: str | None = None,
        replica_pooled: bool = False,
        trigrams: bool = False,
    ) -> None:
        """Prepare to use *schema*; nothing is opened before `setup`.

        Args:
            conninfo: What libpq finds the database by.
            engine: Instead, a SQLAlchemy engine of the host's, with psycopg 3 as its driver.
            schema: Where the tables are.
            prefix: What their names begin with, at most 20 characters.
            pool: The sizes of the pool that *conninfo* gets.
            retry_timeout: For how many seconds to try again what others, or the loss of a
                connection, have kept from happening.
            isolation: That of steps that write: ``read-committed``, ``repeatable-read`` or
                ``serializable``.
            pooled: Whether *conninfo* leads to a pooler which lends a session for one
                transaction, like PgBouncer in transaction mode.
            replica: What libpq finds a hot standby by, to read from.
            replica_pooled: The same of *replica*.
            trigrams: Whether to index what names contain.

        Raises:
            InvalidArgumentError: An argument is none of these.
        """
        if isolation not in ISOLATIONS:
            raise InvalidArgumentError("isolation", f"must be one of {', '.join(ISOLATIONS)}")
        self._schema = check_identifier("schema", schema, most=_LONGEST_NAME)
        self._trigrams = trigrams
        dialect = PostgresDialect(schema, prefix=check_prefix(prefix), isolation=isolation)
        if (conninfo is None) is (engine is None):
            raise InvalidArgumentError("conninfo", "or an engine must be given, and not both")
        if conninfo is not None:
            connections: Connections = open_pool(conninfo, pool, pooled=pooled)
        else:
            connections = EngineConnections(engine, HOST)
        steps: Steps = PooledSteps(connections, dialect, patience=retry_timeout)
        self._replicated: ReplicatedSteps | None = None
        if replica is not None:
            standby = PooledSteps(open_pool(hurried(replica), pool, pooled=replica_pooled), dialect)
            steps = ReplicatedSteps(steps, standby, dialect, pooled=replica_pooled)
            self._replicated = steps
        super().__init__(steps, dialect, HOST)

    def bound(self, connection: Any) -> BoundBackend:
        """Return a backend whose steps are parts of the host's transaction on *connection*.

        Raises:
            InvalidArgumentError: It is no connection of SQLAlchemy's to PostgreSQL by psycopg 3,
                or has no transactions.
        """
        bound = super().bound(connection)
        if self._replicated is not None:
            self._replicated.watch(connection)
        return bound

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

    def examine(self, meaning: Callable[[Backend], Iterable[Finding]]) -> Iterator[Finding]:
        """Make all checks, in transactions that only read."""
        from experiment_store_postgres.examining import (  # noqa: PLC0415 (few programs need it)
            examine_schema,
        )

        yield from examine_schema(self, self._steps, self._dialect, self._is_there, meaning)

    def _is_there(self) -> bool:
        text = f"SELECT to_regclass('{self._dialect.schema}{self._dialect.prefix}settings')"
        [(found,)] = self._steps.fetch("open", Call(f"{text} IS NOT NULL"))
        return bool(found)

    def _create(self) -> bool:
        def step(work: Work) -> None:
            _check_encoding(work)
            # Not IF NOT EXISTS, which needs a right that who owns the schema may lack.
            [[missing]] = work.execute(f"SELECT to_regnamespace('\"{self._schema}\"') IS NULL")
            if missing:
                work.execute(f'CREATE SCHEMA "{self._schema}"')
            for call in self.statements.create():
                work.run(call)
            self._record_version(work)

        try:
            self._steps.write("open", step, atomic=True)
        except BackendError as error:
            if isinstance(error.__cause__, _CREATED_BY_ANOTHER):
                return False
            raise
        return True

    def _add_trigrams(self) -> bool:
        def step(work: Work) -> None:
            add_trigrams(work, self._dialect)

        try:
            self._steps.write("open", step, atomic=True)
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
