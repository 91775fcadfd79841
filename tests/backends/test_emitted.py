"""The store does without what poolers and distributed engines lack; see tests/emitted.py.

The whole contract, the state machine and the standby's tests are watched in their own modules.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from experiment_store import ExperimentStore, FailedPreconditionError, NewExperiment
from experiment_store.registry import open_backend
from tests.emitted import DRIVERS_OWN, Emitted, emitted, forbidden
from tests.servers import with_parameters


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Emitted]:
    with emitted(tmp_path) as recorded:
        yield recorded


@pytest.mark.parametrize("given", [{}, {"isolation": "serializable"}, {"prefix": "ours_"},
                                   {"pooler": "transaction"}])  # fmt: skip
def test_whatever_the_options_nothing_forbidden_is_sent(
    recorded: Emitted, postgres_schema_url: str, given: dict[str, str]
) -> None:
    with ExperimentStore(open_backend(with_parameters(postgres_schema_url, **given))) as store:
        experiments = store.create_many(
            NewExperiment(f"e-{n}", labels={"a": "b"}) for n in range(3)
        )
        for experiment in experiments:
            store.runs.create(experiment.id, "run", labels={"a": "b"})
            store.jobs.create(experiment.id, "job")
            store.update(experiment.id, labels={"c": "d"})
            store.archive(experiment.id)
            store.list(filter='labels.a = "b" OR name:"e"', with_total=True, page_size=1)
            store.delete(experiment.id, children="delete")

    sent = recorded.statements()
    firsts = {text.split()[0] for text in sent}
    assert firsts >= {"BEGIN", "COMMIT", "SELECT", "INSERT", "UPDATE", "DELETE", "COPY", "CREATE"}


@pytest.mark.parametrize(("pooler", "expected"), [("none", DRIVERS_OWN), ("transaction", set())])
def test_behind_a_pooler_the_driver_has_no_words_of_its_own(
    recorded: Emitted, postgres_schema_url: str, pooler: str, expected: set[str]
) -> None:
    url = with_parameters(postgres_schema_url, pooler=pooler)
    with ExperimentStore(open_backend(url)) as store:
        id = [store.create(f"e-{number}").id for number in range(10)][-1]  # enough to prepare it
        store.runs.create(id, "run")
        with pytest.raises(FailedPreconditionError):
            store.delete(id, children="refuse")

    assert recorded.statements() & DRIVERS_OWN == expected


def test_more_statements_than_the_driver_prepares_do_not_make_it_say_so(
    recorded: Emitted, postgres_schema_url: str
) -> None:
    with ExperimentStore(open_backend(postgres_schema_url)) as store:
        store.create("mnist")
        for size, namespace in product(range(1, 26), (None, "vision")):
            words = " AND ".join(f"name:m{word}" for word in range(size))
            for _, order in product(range(6), ("", "name")):
                store.list(filter=words, namespace=namespace, order_by=order, with_total=True)

    assert len(recorded.statements()) > 100


ALLOWED = [
    'UPDATE "lab".experiments AS r SET name = $1 WHERE id = $2',
    'SELECT value FROM "lab".settings WHERE key = $1',
    "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
    "SELECT pg_current_wal_insert_lsn()::text",
]
REFUSED = [
    *("CREATE SEQUENCE s", "CREATE TABLE t (id BIGSERIAL)", "CREATE TABLE t (id serial8)"),
    *("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY)", "SELECT nextval('s')"),
    *("CREATE TRIGGER t", "CREATE OR REPLACE FUNCTION f()", "DO $$ $$"),
    *("SELECT pg_advisory_xact_lock(1)", "CREATE TEMP TABLE t ()", "create temporary table t ()"),
    *("LISTEN c", "NOTIFY c", "SELECT pg_notify('c', '')", "UNLISTEN *"),
    *("SET statement_timeout = 0", " set local lock_timeout = 0", "RESET ALL", "DISCARD ALL"),
    *("SELECT set_config('a', 'b', false)", "SELECT now()", "SELECT current_timestamp"),
    *("INSERT INTO t VALUES (clock_timestamp())", "SELECT statement_timestamp()"),
    *("SELECT random()", "SELECT gen_random_uuid()", "SELECT uuidv7()"),
    *("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "PREPARE p AS SELECT 1", "DEALLOCATE p"),
]


@pytest.mark.parametrize("text", ALLOWED)
def test_what_is_allowed_is_not_found_fault_with(text: str) -> None:
    assert forbidden(text) == []


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_forbidden_is_found(text: str) -> None:
    assert len(forbidden(text)) == 1


def test_a_forbidden_statement_is_seen_on_the_wire(
    tmp_path: Path, postgres_schema_url: str
) -> None:
    def set_something(work: Any) -> None:
        work.execute("SET statement_timeout = 0")

    def run() -> None:
        with emitted(tmp_path):
            backend: Any = open_backend(postgres_schema_url)
            with closing(backend):
                backend._steps.look("test", set_something)

    with pytest.raises(AssertionError, match="session setting"):
        run()


def test_the_schema_has_tables_and_indexes_and_nothing_else(postgres_schema_url: str) -> None:
    url = make_url(postgres_schema_url)
    schema = url.query["schema"]
    with closing(open_backend(postgres_schema_url)) as backend:
        backend.setup()

    address = url.difference_update_query(["schema"]).render_as_string(hide_password=False)
    with psycopg.connect(address) as connection:

        def asked(text: str) -> list[Any]:
            return [value for (value,) in connection.execute(text, [schema])]

        of = "JOIN pg_class c ON c.oid = {} WHERE c.relnamespace = %s::regnamespace"
        assert set(asked("SELECT relkind::text FROM pg_class WHERE relnamespace = %s::regnamespace")
                   ) == {"r", "i"}  # fmt: skip
        assert asked(f"SELECT tgname FROM pg_trigger {of.format('tgrelid')}") == []
        assert asked(f"SELECT adnum FROM pg_attrdef {of.format('adrelid')}") == []
        assert set(asked(f"SELECT contype::text FROM pg_constraint {of.format('conrelid')}")) <= {
            "p", "n",
        }  # fmt: skip
        assert asked("SELECT proname FROM pg_proc WHERE pronamespace = %s::regnamespace") == []
