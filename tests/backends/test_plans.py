"""What listings read: the databases' own plans, at 100,000 rows of each kind."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import field, frozen
from psycopg.sql import SQL, Literal
from sqlalchemy import make_url

import experiment_store_postgres
import experiment_store_sqlite
from experiment_store.mappings import NO_METRICS, NO_PARAMS
from experiment_store.plan import Plan
from experiment_store.planner import open_listing
from experiment_store.records import Experiment, Labels, Run, RunState, StorageState
from experiment_store.schema import EXPERIMENT, RUN, Kind
from experiment_store_sql import SqlBackend

ROWS = 100_000
NAMESPACES = 50
START = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = 21


def experiment(number: int) -> Experiment:
    """One of many: every thousandth archived, all in ns-3, every other one with runs."""
    time = START + timedelta(seconds=number)
    return Experiment(
        id=f"e-{number * 7919 % ROWS:06}",  # not in the order of creation
        namespace=f"ns-{number % NAMESPACES}",
        name=f"name-{number * 104_729 % ROWS:06}",
        description="",
        labels=Labels({"team": f"t-{number % 100}"}),
        storage_state=(StorageState.AVAILABLE, StorageState.ARCHIVED)[number % 1000 == 3],
        created_at=time,
        updated_at=time,
        last_run_created_at=time if number % 2 else None,
        etag="e",
    )


def run(number: int) -> Run:
    """One of many: a hundred in each of a thousand experiments."""
    time = START + timedelta(seconds=number)
    return Run(
        id=f"r-{number * 7919 % ROWS:06}",
        experiment_id=f"e-{number % 1000:06}",
        namespace=f"ns-{number % NAMESPACES}",
        name=f"run-{number % 10}",
        description="",
        labels=Labels({"seed": f"s-{number % 100}"}),
        storage_state=StorageState.AVAILABLE,
        state=RunState.PENDING,
        created_at=time,
        updated_at=time,
        started_at=None,
        finished_at=None,
        job_id=None,
        params=NO_PARAMS,
        metrics=NO_METRICS,
        artifacts=(),
        error="",
        heartbeat_at=None,
        etag="e",
    )


def fill(backend: SqlBackend) -> None:
    """Insert everything."""
    backend.setup()
    for start in range(0, ROWS, 5000):
        numbers = range(start, start + 5000)
        backend.insert(EXPERIMENT, [experiment(number) for number in numbers])
        backend.insert(RUN, [run(number) for number in numbers])


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlBackend]:
    path: Path = tmp_path_factory.mktemp("plans") / "store.db"
    backend = experiment_store_sqlite.connect(f"sqlite:///{path}?synchronous=normal")
    fill(backend)
    yield backend
    backend.close()
    path.unlink()


@pytest.fixture(scope="module")
def postgres_plans_url(postgres_url: str) -> Iterator[str]:
    schema = "plans"
    url = make_url(postgres_url).update_query_dict({"schema": schema})
    yield url.render_as_string(hide_password=False)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture(scope="module")
def postgres(postgres_url: str, postgres_plans_url: str) -> Iterator[SqlBackend]:
    backend = experiment_store_postgres.connect(postgres_plans_url)
    fill(backend)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    yield backend
    backend.close()


@frozen
class Case:
    """A listing that has to be read in the order of an index, and what it scopes."""

    filter: str = ""
    order_by: str = ""
    scope: Mapping[str, str] = field(factory=dict)
    kind: Kind[Any] = EXPERIMENT

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.kind.name, self.filter, self.order_by, *self.scope)))

    def plan(self, *, deep: bool) -> Plan[Any]:
        """The first page, or the one after the middle of the table."""
        listing = open_listing(self.kind, self.scope, self.filter, self.order_by, START)
        middle = experiment(ROWS // 2 + 3) if self.kind is EXPERIMENT else run(ROWS // 2 + 3)
        return listing.plan(PAGE, listing.bookmark(middle).after if deep else None)


NAMESPACE = {"namespace": "ns-3"}
ARCHIVED = [
    Case("storage_state = ARCHIVED", order_by=order_by, scope=NAMESPACE)
    for order_by in ("created_at", "created_at desc")
]
CASES = [
    *(
        Case(order_by=f"{field} {direction}", scope=scope)
        for field in ("created_at", "name", "last_run_created_at")
        for direction in ("asc", "desc")
        for scope in ({}, NAMESPACE)
    ),
    Case('name = "name-000007"'),
    Case('labels.team = "t-3"'),
    Case('labels.team = "no such"'),
    Case('labels.team = "t-3"', scope=NAMESPACE),
    Case('labels.team = "t-3"', order_by="created_at desc", scope=NAMESPACE),
    Case('labels.team = "t-3"', order_by="created_at desc"),
    *ARCHIVED,
    *(
        Case(order_by=f"created_at {direction}", scope=scope, kind=RUN)
        for direction in ("asc", "desc")
        for scope in ({}, NAMESPACE, {"experiment_id": "e-000003"})
    ),
    Case("name = run-7", kind=RUN),
    Case("labels.seed = s-3", kind=RUN),
    Case('experiment_id = "e-000003"', kind=RUN),
]
# Where one row can match, or few: found by an index, and what is found may be sorted.
FEW = [
    Case('id = "e-000007"'),
    Case('id = "r-000007"', kind=RUN),
    Case('name = "name-000007"', scope=NAMESPACE),
    Case('name = "name-0500*"', order_by="name"),
    Case('name = "name-0500*"', order_by="name desc", scope=NAMESPACE),
    Case('experiment_id = "e-000003" AND labels.seed = s-3', kind=RUN),
]
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_page = pytest.mark.parametrize("deep", [False, True], ids=["first page", "deep page"])


@each_case
@each_page
def test_sqlite_reads_an_indexed_listing_without_scan_and_sort(
    sqlite: SqlBackend, case: Case, *, deep: bool
) -> None:
    plan = case.plan(deep=deep)

    lines = sqlite.explain(plan)

    walks_all = not (deep or case.filter or case.scope)  # a first page in the order of an index
    for line in lines:
        assert line.startswith("SEARCH") or (walks_all and "USING INDEX" in line), lines
        assert "TEMP B-TREE" not in line, lines


@each_case
@each_page
def test_postgres_reads_an_indexed_listing_without_scan_and_sort(
    postgres: SqlBackend, case: Case, *, deep: bool
) -> None:
    plan = case.plan(deep=deep)

    check_postgres(postgres.explain(plan), case, deep=deep)


@each_case
@each_page
def test_postgres_needs_no_other_plan_for_a_prepared_statement(
    postgres: SqlBackend, postgres_url: str, case: Case, *, deep: bool
) -> None:
    call = postgres.statements.select(case.plan(deep=deep))
    numbers = itertools.count(1)
    text = re.sub("%s", lambda _: f"${next(numbers)}", call.text)

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        connection.execute(f"PREPARE page AS {text}".encode())
        arguments = SQL(", ").join(map(Literal, call.parameters))
        execute = SQL("page({})").format(arguments) if call.parameters else SQL("page")
        lines = [row[0] for row in connection.execute(SQL("EXPLAIN EXECUTE {}").format(execute))]

    check_postgres(lines, case, deep=deep)


def check_postgres(lines: Sequence[str], case: Case, *, deep: bool) -> None:
    """Look for what costs more than the page.

    The few rows that it expects to be archived PostgreSQL reads by their index
    in the order of the table, and sorts them then: that is cheaper for it.
    """
    plan = "\n".join(lines)
    costly = "Seq Scan" if case in ARCHIVED else "Seq Scan|Sort|Bitmap|Hash|Materialize"
    assert not re.search(costly, plan), plan
    if deep or case.filter or case.scope:
        assert "Index Cond" in plan, plan
    if case in ARCHIVED:
        assert re.search(r"Index Cond: \(\(namespace = .* AND \(storage_state = ", plan), plan


@pytest.mark.parametrize("case", FEW, ids=str)
def test_what_matches_little_is_found_by_an_index(
    sqlite: SqlBackend, postgres: SqlBackend, case: Case
) -> None:
    plan = case.plan(deep=False)

    lines = sqlite.explain(plan)
    assert not any(line.startswith("SCAN") for line in lines), lines
    text = "\n".join(postgres.explain(plan))
    assert "Seq Scan" not in text, text
    assert "Index Cond" in text, text


@pytest.mark.parametrize("case", FEW[:3], ids=str)
def test_what_is_unique_is_not_even_sorted(
    sqlite: SqlBackend, postgres: SqlBackend, case: Case
) -> None:
    plan = case.plan(deep=False)

    assert len(sqlite.explain(plan)) == 1
    assert "Sort" not in "\n".join(postgres.explain(plan))


def test_lookups_by_unique_keys_are_answered_by_their_indexes(
    sqlite: SqlBackend, postgres: SqlBackend
) -> None:
    where = open_listing(EXPERIMENT, {**NAMESPACE, "name": "name-000007"}, "", "", START).where
    by_name = Plan(EXPERIMENT, where)
    by_ids = Plan(EXPERIMENT, open_listing(EXPERIMENT, {}, "id = (a OR b)", "", START).where)

    assert "(namespace=? AND name=?)" in sqlite.explain(by_name)[0]
    assert "experiments_unique" in "\n".join(postgres.explain(by_name))
    assert "(id=?)" in sqlite.explain(by_ids)[0]
    assert "experiments_pkey" in "\n".join(postgres.explain(by_ids))


def test_a_deep_page_in_mixed_directions_starts_at_its_place(
    sqlite: SqlBackend, postgres: SqlBackend
) -> None:
    plan = Case(order_by="name, created_at desc").plan(deep=True)

    assert "(name>?)" in sqlite.explain(plan)[0]
    assert "Index Cond: (name >=" in "\n".join(postgres.explain(plan))
