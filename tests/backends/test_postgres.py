"""The PostgreSQL backend keeps the contract, in any database; and what is its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings
from psycopg.sql import SQL, Identifier

from experiment_store.backend import Backend
from experiment_store.errors import BackendError, InvalidArgumentError, UnavailableError
from experiment_store.filters.predicates import Compare, Op
from experiment_store.planner import open_listing
from experiment_store.records import Labels
from experiment_store.schema import EXPERIMENT
from experiment_store.testing import BackendContract
from experiment_store.testing.cascading import Cascading
from experiment_store.testing.comparing import Comparing
from experiment_store.testing.deleting import Deleting
from experiment_store.testing.inserting import Inserting
from experiment_store.testing.owning import Owning
from experiment_store.testing.paging import Paging
from experiment_store.testing.racing import Racing
from experiment_store.testing.samples import assert_same, experiment, found, keep
from experiment_store.testing.updating import Updating
from experiment_store.testing.writing import Writing
from experiment_store_postgres import connect
from experiment_store_sql.tables import all_tables
from tests.emitted import emitted


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("7", r"schema 7, this version of experiment_store knows up to \d+: install a newer"),
        ("garbage", "'garbage' for its schema: it is damaged, restore a backup"),
    ],
)
def test_a_store_of_a_version_we_do_not_know_is_refused(
    postgres_schema_url: str, version: str, words: str
) -> None:
    with closing(connect(postgres_schema_url)) as backend:
        backend.setup()
        text = f"UPDATE {backend._dialect.schema}settings SET value = '{version}'"
        backend._steps.write("test", lambda work: work.execute(text), atomic=False)

        with pytest.raises(BackendError, match=words):
            backend.setup()


class TestPostgres(BackendContract):
    @pytest.fixture
    def backend(self, postgres_schema_url: str, tmp_path: Path) -> Iterator[Backend]:
        with emitted(tmp_path):
            yield connect(postgres_schema_url)


class Changing(Inserting, Updating, Cascading, Deleting, Owning, Writing, Racing):
    """What others may undo a step in the middle of."""


class TestPostgresWhereAllIsSerializable(
    BackendContract if settings.get_current_profile_name() == "soak" else Changing  # type: ignore[misc]  # bases by profile
):
    @pytest.fixture
    def backend(self, serializable_schema_url: str) -> Backend:
        return connect(serializable_schema_url)


# Locales that sort or fold as people do, the most foreign first: what a server has of
# them depends on how it was built and where it runs.
FOREIGN = (
    "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'",
    "LOCALE 'en_US.UTF-8'",
    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST' LOCALE 'C'",
    "LOCALE 'C.UTF-8'",
)


@pytest.fixture(scope="module")
def foreign_url(postgres_url: str) -> Iterator[str]:
    """A database with a locale of its own, far from Greenwich."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for locale in FOREIGN:
            with suppress(psycopg.errors.FeatureNotSupported, psycopg.errors.WrongObjectType):
                connection.execute(
                    f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' {locale}"
                )
                break
        connection.execute(f"ALTER DATABASE {name} SET timezone = 'America/New_York'")

        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))

        connection.execute(f"DROP DATABASE {name}")


class TestPostgresOfAnotherLocaleAndTimeZone(Comparing, Paging):
    """What depends on locale and time zone, where those are not what we would choose."""

    @pytest.fixture
    def backend(self, foreign_url: str) -> Iterator[Backend]:
        schema = f"test_{uuid4().hex}"
        separator = "&" if "?" in foreign_url else "?"
        yield connect(f"{foreign_url}{separator}schema={schema}")
        with psycopg.connect(foreign_url, autocommit=True) as connection:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")

    def test_the_database_is_as_foreign_as_it_is_meant_to_be(self, foreign_url: str) -> None:
        with psycopg.connect(foreign_url) as connection:
            row = connection.execute(
                "SELECT lower('\u00c4'), current_setting('timezone')"
            ).fetchone()

        assert row == ("\u00e4", "America/New_York")

    @pytest.mark.parametrize("year", [1, 9999])
    def test_the_first_and_the_last_moment_are_kept(self, ready: Backend, year: int) -> None:
        moment = datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
        if year == 1:
            moment = datetime(1, 1, 1, tzinfo=UTC)

        keep(ready, EXPERIMENT, record := experiment(created_at=moment))

        assert_same(ready.get(EXPERIMENT, "e"), record)
        assert found(ready, EXPERIMENT, Compare("created_at", Op.EQ, moment)) == ["e"]


def test_the_schema_of_the_url_is_made_and_nothing_outside_it(
    postgres_url: str, postgres_schema_url: str
) -> None:
    [schema] = parse_qs(urlsplit(postgres_schema_url).query)["schema"]
    ours = SQL("SELECT count(*) FROM pg_tables WHERE schemaname = {}").format(schema)
    others = SQL("SELECT count(*) FROM pg_tables WHERE schemaname <> {}").format(schema)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        before = connection.execute(others).fetchone()

        with closing(connect(postgres_schema_url)) as backend:
            backend.setup()

        assert connection.execute(others).fetchone() == before
        assert connection.execute(ours).fetchone() == (len(list(all_tables())),)


def test_stores_in_two_schemas_do_not_meet(postgres_schema_url: str, postgres_url: str) -> None:
    other = f"{postgres_schema_url}_2"
    with closing(connect(postgres_schema_url)) as one, closing(connect(other)) as two:
        one.setup()
        two.setup()
        keep(one, EXPERIMENT, experiment())

        assert two.get(EXPERIMENT, "e") is None

    [schema] = parse_qs(urlsplit(other).query)["schema"]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


def test_what_is_written_outlives_the_backend(postgres_schema_url: str) -> None:
    with closing(connect(postgres_schema_url)) as backend:
        backend.setup()
        keep(backend, EXPERIMENT, record := experiment(labels=Labels(k="v")))

    with closing(connect(postgres_schema_url)) as backend:
        backend.setup()

        assert backend.get(EXPERIMENT, "e") == record


def test_every_column_of_text_compares_by_code_point(
    postgres_url: str, postgres_schema_url: str
) -> None:
    [schema] = parse_qs(urlsplit(postgres_schema_url).query)["schema"]
    with closing(connect(postgres_schema_url)) as backend:
        backend.setup()

    with psycopg.connect(postgres_url) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, data_type, collation_name, is_nullable"
            " FROM information_schema.columns WHERE table_schema = %s",
            [schema],
        ).fetchall()

    assert len(columns) > 40
    assert {(type_, collation) for _, _, type_, collation, _ in columns} == {
        ("text", "C"),
        ("bigint", None),
    }
    assert {nullable for *_, nullable in columns} == {"NO"}


def test_a_schema_with_tables_of_another_program_is_refused_and_left_alone(
    postgres_url: str, postgres_schema_url: str
) -> None:
    [schema] = parse_qs(urlsplit(postgres_schema_url).query)["schema"]
    tables = SQL("SELECT tablename FROM pg_tables WHERE schemaname = {}").format(schema)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(f"CREATE TABLE {schema}.runs (id int)")

        with (
            closing(connect(postgres_schema_url)) as backend,
            pytest.raises(BackendError, match="other tables"),
        ):
            backend.setup()

        assert connection.execute(tables).fetchall() == [("runs",)]


def test_a_store_of_another_version_is_refused(postgres_url: str, postgres_schema_url: str) -> None:
    [schema] = parse_qs(urlsplit(postgres_schema_url).query)["schema"]
    with closing(connect(postgres_schema_url)) as backend:
        backend.setup()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(SQL("UPDATE {}.settings SET value = '999'").format(Identifier(schema)))

    with (
        closing(connect(postgres_schema_url)) as backend,
        pytest.raises(BackendError, match="schema 999"),
    ):
        backend.setup()


def test_a_database_that_is_not_in_utf_8_is_refused(postgres_url: str) -> None:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        )
        url = urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))

        with closing(connect(url)) as backend, pytest.raises(BackendError, match="LATIN1"):
            backend.setup()

        connection.execute(f"DROP DATABASE {name}")


def test_a_step_that_fails_half_way_leaves_nothing_behind(
    postgres_url: str, postgres_schema_url: str
) -> None:
    [schema] = parse_qs(urlsplit(postgres_schema_url).query)["schema"]
    with (
        closing(connect(postgres_schema_url)) as backend,
        psycopg.connect(postgres_url, autocommit=True) as other,
    ):
        backend.setup()
        other.execute(f"ALTER TABLE {schema}.experiment_labels RENAME TO hidden")

        with pytest.raises(BackendError):
            keep(backend, EXPERIMENT, experiment(labels=Labels(k="v")))

        other.execute(f"ALTER TABLE {schema}.hidden RENAME TO experiment_labels")
        assert backend.get(EXPERIMENT, "e") is None
        keep(backend, EXPERIMENT, experiment())


def test_a_server_out_of_reach_is_worth_a_retry(tmp_path: object) -> None:
    with (
        closing(connect(f"postgresql:///postgres?host={tmp_path}")) as backend,
        pytest.raises(UnavailableError),
    ):
        backend.setup()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("postgresql", "postgresql://host/database"),
        ("mysql://host/database", "must begin as postgresql"),
        ("postgresql+asyncpg://host/database", "must begin as postgresql"),
        ("postgresql://host/database?pool_size=many", "number as pool_size"),
        ("postgresql://host/database?pool_timeout=-5", "number as pool_timeout"),
        ("postgresql://host/database?pool_size=0&max_overflow=0", "a pool_size or"),
        ("postgresql://host/database?trigrams=maybe", "trigrams=on or off"),
        ("postgresql://host/database?colour=red", 'invalid connection option "colour"'),
        ("postgresql://host:port/database", "postgresql://host:port/database"),
        ("postgresql://[::1/database", "postgresql://user:password@host:port/database"),
        ("postgresql://host/database?schema=a-b", "identifier"),
        ('postgresql://host/database?schema=a"b', "identifier"),
        (f"postgresql://host/database?schema={'a' * 64}", "identifier"),
    ],
)
def test_a_url_of_another_form_is_an_invalid_argument(url: str, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        connect(url)


@pytest.mark.parametrize("place", ["me:secret@[::1/x", "me:sec ret@h/x", "me:sec%ZZret@h/x"])
def test_a_url_that_cannot_be_read_is_refused_without_repeating_it(place: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        connect(f"postgresql://{place}")

    assert "sec" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_trigrams_find_what_a_name_contains_where_the_server_has_them(
    postgres_url: str, postgres_schema_url: str
) -> None:
    backend = connect(f"{postgres_schema_url}&trigrams=on")
    available = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'"
    with psycopg.connect(postgres_url) as connection:
        [there] = connection.execute(available).fetchone() or [0]

    with closing(backend):
        if not there:
            with pytest.raises(BackendError, match="pg_trgm"):
                backend.setup()
            return
        backend.setup()
        backend.setup()  # again
        names = (f"name-{number:05}-of-an-experiment" for number in range(20_000))
        keep(backend, EXPERIMENT, *(experiment(name[:10], name=name) for name in names))
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")  # new entries wait in a list of their own
        plan = open_listing(EXPERIMENT, {}, 'name:"-12345-"', "", datetime.now(UTC)).plan(20)

        assert "experiments_by_trigrams_of_name" in "\n".join(backend.explain(plan))
        assert [record.id for record in backend.select(plan).items] == ["name-12345"]
