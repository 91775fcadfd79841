"""A host's own engine, and a host's own transaction: the contract holds there too."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from psycopg.rows import dict_row
from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from experiment_store import (
    AlreadyExistsError,
    ExperimentStore,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
    UnsupportedError,
)
from experiment_store.backend import Backend
from experiment_store.testing.cascading import Cascading
from experiment_store.testing.deleting import Deleting
from experiment_store.testing.inserting import Inserting
from experiment_store.testing.owning import Owning
from experiment_store.testing.racing import Racing
from experiment_store.testing.reading import Reading
from experiment_store.testing.updating import Updating
from experiment_store_memory import MemoryBackend
from experiment_store_postgres import PostgresBackend
from experiment_store_sql import SqlBackend
from experiment_store_sqlite import SqliteBackend

PREFIX = "es_"


def sqlite_engine(path: Path) -> Engine:
    return create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})


def engine_for(schema_url: str) -> tuple[Engine, str]:
    """An engine as a host makes it, and the schema that the test may use."""
    url = make_url(schema_url)
    schema = str(url.query["schema"])
    plain = url.set(drivername="postgresql+psycopg").difference_update_query(["schema"])
    return create_engine(plain), schema


@pytest.fixture
def postgres_engine(postgres_schema_url: str) -> Iterator[tuple[Engine, str]]:
    engine, schema = engine_for(postgres_schema_url)
    yield engine, schema
    engine.dispose()


class _Hosted(Inserting, Cascading, Racing):
    """What the contract asks of connections; the words of the statements are the same."""


class TestSqliteOfAHost(_Hosted):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Iterator[Backend]:
        engine = sqlite_engine(tmp_path / "host.db")
        yield SqliteBackend(engine=engine)
        engine.dispose()


class TestSqliteInMemoryOfAHost(Cascading, Deleting):
    @pytest.fixture
    def backend(self) -> Iterator[Backend]:
        engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        yield SqliteBackend(engine=engine, prefix=PREFIX)
        engine.dispose()


class TestPostgresOfAHost(_Hosted):
    @pytest.fixture
    def backend(self, postgres_engine: tuple[Engine, str]) -> Backend:
        engine, schema = postgres_engine
        return PostgresBackend(engine=engine, schema=schema, prefix=PREFIX)


class _Bound(Reading, Updating, Cascading, Deleting, Owning):
    """What the contract asks of one caller, inside one transaction of the host's."""


class TestSqliteBoundToATransaction(_Bound):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> Iterator[Backend]:
        engine = sqlite_engine(tmp_path / "host.db")
        backend = SqliteBackend(engine=engine)
        backend.setup()
        with engine.connect() as connection:
            yield backend.bound(connection)
        engine.dispose()


class TestPostgresBoundToATransaction(_Bound):
    @pytest.fixture
    def backend(self, postgres_engine: tuple[Engine, str]) -> Iterator[Backend]:
        engine, schema = postgres_engine
        backend = PostgresBackend(engine=engine, schema=schema)
        backend.setup()
        with engine.connect() as connection:
            yield backend.bound(connection)


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = sqlite_engine(tmp_path / "host.db")
    else:
        engine, schema = engine_for(request.getfixturevalue("postgres_schema_url"))
        engine.schema = schema  # type: ignore[attr-defined]  # for `backend_on`
    yield engine
    engine.dispose()


def backend_on(engine: Engine) -> SqlBackend:
    if engine.dialect.name == "sqlite":
        return SqliteBackend(engine=engine)
    return PostgresBackend(engine=engine, schema=engine.schema)  # type: ignore[attr-defined]


@pytest.fixture
def store(engine: Engine) -> Iterator[ExperimentStore]:
    with ExperimentStore(backend_on(engine)) as store:
        yield store


def test_what_a_bound_store_does_is_committed_with_the_hosts_transaction(
    engine: Engine, store: ExperimentStore
) -> None:
    with engine.begin() as connection:
        made = store.bound(connection).create("mnist", labels={"a": "b"})
        with pytest.raises(NotFoundError):
            store.get(made.id)

    assert store.get(made.id) == made


def test_what_a_bound_store_does_is_rolled_back_with_the_hosts_transaction(
    engine: Engine, store: ExperimentStore
) -> None:
    kept = store.create("kept")
    run = store.runs.create(kept.id, "run")
    with engine.connect() as connection:
        bound = store.bound(connection)
        bound.create("mnist", labels={"a": "b"})
        bound.archive(kept.id)
        assert bound.runs.get(run.id).storage_state == "ARCHIVED"
        connection.rollback()

    assert [found.name for found in store.iterate()] == ["kept"]
    assert store.runs.get(run.id) == run


def test_a_call_that_fails_leaves_the_hosts_transaction_as_it_was(
    engine: Engine, store: ExperimentStore
) -> None:
    other = store.create("other")
    with engine.begin() as connection:
        bound = store.bound(connection)
        made = bound.create("mnist")
        with pytest.raises(AlreadyExistsError):
            bound.create("mnist")
        with pytest.raises(AlreadyExistsError):
            bound.update(other.id, name="mnist")
        bound.archive(made.id)
        with pytest.raises(FailedPreconditionError):
            bound.runs.create(made.id, "run")
        connection.execute(text("CREATE TABLE of_the_host (id INTEGER)"))

    assert store.get(made.id).storage_state == "ARCHIVED"
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE of_the_host"))


def test_a_read_that_fails_leaves_the_hosts_transaction_as_it_was(
    postgres_engine: tuple[Engine, str],
) -> None:
    engine, schema = postgres_engine
    with (
        ExperimentStore(PostgresBackend(engine=engine, schema=schema)) as store,
        engine.connect() as other,
        engine.connect() as connection,
    ):
        made = store.bound(connection).create("mnist")
        connection.commit()
        other.execute(text(f'LOCK TABLE "{schema}".experiments'))
        connection.execute(text("SET LOCAL lock_timeout = '10ms'"))
        bound = store.bound(connection)

        with pytest.raises(UnavailableError):
            bound.get(made.id)
        with pytest.raises(UnavailableError):
            bound.list(with_total=True)

        other.rollback()
        assert bound.get(made.id) == made


def test_the_hosts_own_statements_and_those_of_the_store_stand_or_fall_together(
    engine: Engine, store: ExperimentStore
) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE of_the_host (id TEXT)"))
    with engine.connect() as connection:
        made = store.bound(connection).create("mnist")
        connection.execute(text("INSERT INTO of_the_host VALUES (:id)"), {"id": made.id})
        connection.rollback()

        assert connection.execute(text("SELECT count(*) FROM of_the_host")).scalar() == 0
        assert list(store.bound(connection).iterate()) == []
        connection.execute(text("DROP TABLE of_the_host"))
        connection.commit()


def test_a_page_token_of_a_bound_store_is_good_for_the_store(
    engine: Engine, store: ExperimentStore
) -> None:
    with engine.begin() as connection:
        bound = store.bound(connection)
        for name in ("a", "b"):
            bound.create(name)
        page = bound.list(page_size=1, order_by="name", with_total=True)

    rest = store.list(page_size=1, order_by="name", page_token=page.next_page_token)
    assert ([item.name for item in rest.items], page.total_size) == (["b"], 2)


def test_no_run_is_created_below_what_a_host_is_archiving(
    engine: Engine, store: ExperimentStore
) -> None:
    made = store.create("mnist")
    with ThreadPoolExecutor(1) as thread, engine.connect() as connection:
        store.bound(connection).archive(made.id)
        creating = thread.submit(store.runs.create, made.id, "run")
        wait_for_a_waiting_lock(engine, creating)
        connection.commit()

        with pytest.raises(FailedPreconditionError):
            creating.result()


def test_no_experiment_is_archived_before_a_host_has_committed_its_run(
    engine: Engine, store: ExperimentStore
) -> None:
    made = store.create("mnist")
    with ThreadPoolExecutor(1) as thread, engine.connect() as connection:
        run = store.bound(connection).runs.create(made.id, "run")
        archiving = thread.submit(store.archive, made.id)
        wait_for_a_waiting_lock(engine, archiving)
        connection.commit()

        assert archiving.result().storage_state == "ARCHIVED"
    assert store.runs.get(run.id).storage_state == "ARCHIVED"


def wait_for_a_waiting_lock(engine: Engine, waiting: Future[Any]) -> None:
    """Go on when PostgreSQL reports that somebody waits; SQLite lets nobody in anyway."""
    if engine.dialect.name == "sqlite":
        return
    with engine.connect() as connection:
        while not connection.execute(
            text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        ).scalar():
            assert not waiting.done()


def test_nothing_is_closed_that_the_store_did_not_open(engine: Engine) -> None:
    disposed: list[Engine] = []
    event.listen(engine, "engine_disposed", disposed.append)

    with ExperimentStore(backend_on(engine)) as store, engine.connect() as connection:
        store.create("mnist")
        with store.bound(connection) as bound:
            bound.create("another")
        assert not connection.closed
        connection.rollback()

    assert disposed == []
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # of a QueuePool
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_a_lent_connection_comes_back_in_the_mode_that_the_host_had_it_in(
    engine: Engine, store: ExperimentStore
) -> None:
    store.create("mnist")
    store.list(with_total=True)

    with closing(engine.raw_connection()) as pooled:
        driver: Any = pooled.driver_connection
        mode = driver.isolation_level if engine.dialect.name == "sqlite" else driver.autocommit
        assert mode == ("" if engine.dialect.name == "sqlite" else False)


def test_a_host_that_names_its_rows_gets_no_rows_named(engine: Engine) -> None:
    def name_rows(connection: Any, _: Any) -> None:
        is_sqlite = engine.dialect.name == "sqlite"
        connection.row_factory = sqlite3.Row if is_sqlite else dict_row

    event.listen(engine, "connect", name_rows)
    with ExperimentStore(backend_on(engine)) as store:
        made = store.create("mnist")

        assert store.get(made.id) == made


def test_two_stores_with_prefixes_of_their_own_share_a_database(engine: Engine) -> None:
    def named(prefix: str) -> SqlBackend:
        if engine.dialect.name == "sqlite":
            return SqliteBackend(engine=engine, prefix=prefix)
        schema: str = engine.schema  # type: ignore[attr-defined]
        return PostgresBackend(engine=engine, schema=schema, prefix=prefix)

    with ExperimentStore(named("one_")) as one, ExperimentStore(named("two_")) as two:
        one.create("mnist")

        assert list(two.iterate()) == []


@pytest.mark.parametrize("prefix", ["a b", "1a", 'a"', "x" * 21, "é", "a;"])
def test_a_prefix_is_a_short_identifier(prefix: str) -> None:
    with pytest.raises(InvalidArgumentError, match="prefix"):
        PostgresBackend("", prefix=prefix)


NO_CONNECTIONS: list[Callable[[], Any]] = [
    lambda: None,
    lambda: "sqlite://",
    lambda: create_engine("sqlite://"),
    lambda: create_async_engine("sqlite+aiosqlite://").connect(),
]


@pytest.mark.parametrize("make", NO_CONNECTIONS)
def test_what_is_no_connection_of_sqlalchemys_is_refused(
    store: ExperimentStore, make: Callable[[], Any]
) -> None:
    with pytest.raises(InvalidArgumentError, match="connection must be"):
        store.bound(make())


def test_a_connection_to_another_kind_of_database_is_refused(
    store: ExperimentStore, engine: Engine
) -> None:
    other = "sqlite://" if engine.dialect.name == "postgresql" else "mysql+pymysql://"
    if engine.dialect.name == "postgresql":
        with (
            create_engine(other).connect() as connection,
            pytest.raises(InvalidArgumentError, match="must be for postgresql"),
        ):
            store.bound(connection)
    else:
        with pytest.raises(InvalidArgumentError, match="must be for postgresql"):
            PostgresBackend(engine=engine)


def test_a_connection_without_transactions_is_refused_where_it_would_lose_atomicity(
    postgres_engine: tuple[Engine, str],
) -> None:
    engine, schema = postgres_engine
    with (
        ExperimentStore(PostgresBackend(engine=engine, schema=schema)) as store,
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        pytest.raises(InvalidArgumentError, match="AUTOCOMMIT"),
    ):
        store.bound(connection).create("mnist")


@pytest.mark.parametrize("has_options", [False, True])
def test_on_sqlite_too_a_connection_without_transactions_is_refused(
    tmp_path: Path, *, has_options: bool
) -> None:
    path = f"sqlite:///{tmp_path / 'host.db'}"
    options = {"isolation_level": "AUTOCOMMIT"}
    engine = create_engine(path) if has_options else create_engine(path, **options)
    if has_options:
        engine = engine.execution_options(**options)
    with ExperimentStore(SqliteBackend(engine=engine)) as store:
        with engine.connect() as connection:
            bound = store.bound(connection)
            with pytest.raises(InvalidArgumentError, match="AUTOCOMMIT"):
                bound.create("mnist")
            connection.execute(text("CREATE TABLE of_the_host (id TEXT)"))
            connection.execute(text("INSERT INTO of_the_host VALUES ('kept')"))

        assert list(store.iterate()) == []
        with engine.connect() as connection:
            assert connection.execute(text("SELECT id FROM of_the_host")).scalar() == "kept"
    engine.dispose()


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN IMMEDIATE"])
@pytest.mark.parametrize("has_begun", [False, True])
def test_a_host_may_begin_transactions_of_sqlite_itself(
    tmp_path: Path, begin: str, *, has_begun: bool
) -> None:
    # As the documentation of SQLAlchemy has it, for savepoints and serializable isolation.
    engine = sqlite_engine(tmp_path / "host.db")

    @event.listens_for(engine, "connect")
    def leave_transactions_alone(driver: Any, _: object) -> None:
        driver.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_one(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    with ExperimentStore(SqliteBackend(engine=engine)) as store:
        for is_kept in (False, True):
            with engine.connect() as connection:
                if has_begun:
                    connection.begin()
                store.bound(connection).create("mnist")
                if is_kept:
                    connection.commit()
            assert bool(list(store.iterate())) is is_kept
    engine.dispose()


def test_a_backend_without_transactions_of_a_host_says_so() -> None:
    with ExperimentStore(MemoryBackend()) as store, pytest.raises(UnsupportedError, match="bound"):
        store.bound(None)


@pytest.mark.parametrize("ends", ["commit", "rollback"])
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_bound_store_works_inside_run_sync_of_asyncio(
    database: str, ends: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if database == "sqlite":
        path = tmp_path / "host.db"
        engine = sqlite_engine(path)
        backend: SqlBackend = SqliteBackend(engine=engine)
        url: Any = f"sqlite+aiosqlite:///{path}"
    else:
        engine, schema = engine_for(request.getfixturevalue("postgres_schema_url"))
        backend = PostgresBackend(engine=engine, schema=schema)
        url = engine.url

    def work(connection: Connection, store: ExperimentStore) -> list[str]:
        bound = store.bound(connection)
        made = bound.create("mnist", labels={"a": "b"})
        bound.runs.create(made.id, "run")
        bound.archive(made.id)
        bound.create_many([])
        with pytest.raises(AlreadyExistsError):
            bound.create("mnist")
        return [run.storage_state for run in bound.runs.list(filter="name = run").items]

    async def main(store: ExperimentStore) -> list[str]:
        host = create_async_engine(url)
        async with host.connect() as connection:
            states = await connection.run_sync(work, store)
            await getattr(connection, ends)()
        await host.dispose()
        return states

    with ExperimentStore(backend) as store:
        assert asyncio.run(main(store)) == ["ARCHIVED"]
        assert len(list(store.runs.iterate())) == (1 if ends == "commit" else 0)
    engine.dispose()
