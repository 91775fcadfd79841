"""How many statements and round trips a call costs, as the drivers' own traces tell.

Every call is made a few times first: PostgreSQL's driver prepares what is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import frozen

from experiment_store import ExperimentStore, NewExperiment
from experiment_store.registry import open_backend
from experiment_store_sql import Pool

LABELS = {"team": "vision", "stage": "draft", "seed": "7"}
WARM = 12  # after five, psycopg prepares; after five more, PostgreSQL keeps one plan

_SENT = re.compile(r"^F\t\d+\t(?P<message>Query|Execute|Sync)\b", re.MULTILINE)


@frozen
class Trace:
    """What one call has sent."""

    statements: Sequence[str]
    round_trips: int


@frozen
class Traced:
    """A store, and a way to see what its calls send."""

    store: ExperimentStore
    trace: Callable[[Callable[[], Any]], Trace]


def connections_of(backend: Any) -> Pool:
    pool: Pool = backend._steps._connections
    return pool


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Traced]:
    backend = open_backend(f"sqlite:///{tmp_path}/store.db?synchronous=normal")
    connections = connections_of(backend)

    def trace(call: Callable[[], Any]) -> Trace:
        sent: list[str] = []
        connection = connections.borrow()
        connection.set_trace_callback(sent.append)
        connections.give_back(connection, usable=True)
        call()
        connection.set_trace_callback(None)
        return Trace([text for text in sent if not text.startswith("--")], len(sent))

    with ExperimentStore(backend) as store:
        yield Traced(store, trace)


@pytest.fixture
def postgres(postgres_schema_url: str, tmp_path: Path) -> Iterator[Traced]:
    backend = open_backend(postgres_schema_url)
    connections = connections_of(backend)

    def trace(call: Callable[[], Any]) -> Trace:
        connection: psycopg.Connection = connections.borrow()
        connections.give_back(connection, usable=True)
        with (tmp_path / "trace").open("w+") as file:
            connection.pgconn.trace(file.fileno())
            connection.pgconn.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)
            call()
            connection.pgconn.untrace()
            file.seek(0)
            sent = [found["message"] for found in _SENT.finditer(file.read())]
        return Trace([m for m in sent if m != "Sync"], sum(m != "Execute" for m in sent))

    with ExperimentStore(backend) as store:
        yield Traced(store, trace)


@pytest.fixture(params=["sqlite", "postgres"])
def traced(request: pytest.FixtureRequest) -> Traced:
    found: Traced = request.getfixturevalue(request.param)
    return found


def fill(store: ExperimentStore) -> list[str]:
    """Create some experiments, with runs and jobs below them; return their ids."""
    ids = [store.create(f"e-{n}", namespace="lab", labels=LABELS).id for n in range(2 * WARM)]
    for id in ids:
        store.runs.create(id, "run")
        store.jobs.create(id, "job")
    return ids


Call = Callable[[ExperimentStore, str], Any]


def last_traced(traced: Traced, call: Call) -> Trace:
    """Make *call* for one experiment after the other; return what the last one sent."""
    *others, last = fill(traced.store)
    for id in others[:WARM]:
        call(traced.store, id)
    return traced.trace(lambda: call(traced.store, last))


@pytest.mark.parametrize(
    "call",
    [
        lambda store, id: store.get(id),
        lambda store, _: store.get_by_name("e-3", namespace="lab"),
        lambda store, id: store.get_many([id, id]),
        lambda store, _: store.list(),
        lambda store, _: store.list(namespace="lab", page_size=3),
        lambda store, _: store.list(filter="labels.team = vision AND name:e", page_size=3),
        lambda store, _: store.list(order_by="name desc", page_size=3),
        lambda store, id: store.runs.list(experiment_id=id),
        lambda store, id: store.create(f"new-{id}"),
        lambda store, id: store.update(id, description="changed"),
    ],
    ids=[
        *("get", "get by name", "get many", "list", "list of a namespace", "filtered list"),
        *("ordered list", "list of runs", "create", "update"),
    ],
)
def test_is_one_statement_and_one_round_trip(traced: Traced, call: Call) -> None:
    sent = last_traced(traced, call)

    assert (len(sent.statements), sent.round_trips) == (1, 1), sent


def test_a_page_after_a_token_is_one_statement(traced: Traced) -> None:
    fill(traced.store)
    token = traced.store.list(page_size=3).next_page_token
    for _ in range(WARM):
        traced.store.list(page_size=3, page_token=token)

    sent = traced.trace(lambda: traced.store.list(page_size=3, page_token=token))

    assert (len(sent.statements), sent.round_trips) == (1, 1), sent


def test_creating_with_labels_is_one_round_trip_to_postgres(postgres: Traced) -> None:
    sent = last_traced(postgres, lambda store, id: store.create(f"new-{id}", labels=LABELS))

    assert (len(sent.statements), sent.round_trips) == (1, 1), sent


def test_creating_with_labels_is_one_transaction_in_sqlite(sqlite: Traced) -> None:
    sent = last_traced(sqlite, lambda store, id: store.create(f"new-{id}", labels=LABELS))

    begin, record, *labels, commit = sent.statements
    assert (begin, commit) == ("BEGIN IMMEDIATE", "COMMIT")
    assert record.startswith("INSERT INTO experiments ")
    assert len(labels) == len(LABELS)
    assert all(text.startswith("INSERT INTO experiment_labels ") for text in labels)


def test_archiving_is_three_statements_in_a_transaction(traced: Traced) -> None:
    sent = last_traced(traced, lambda store, id: store.archive(id))

    assert len(sent.statements) == 3 + len(("BEGIN", "COMMIT")), sent
    assert sent.round_trips == len(sent.statements)


def test_creating_a_run_reads_its_experiment_and_then_adds_to_it(
    traced: Traced,
) -> None:
    sent = last_traced(traced, lambda store, id: store.runs.create(id, "another"))

    assert len(sent.statements) == 1 + 2 + len(("BEGIN", "COMMIT")), sent


def test_the_total_is_read_with_the_page_in_one_transaction(traced: Traced) -> None:
    sent = last_traced(traced, lambda store, _: store.list(with_total=True))

    assert len(sent.statements) == 2 + len(("BEGIN", "COMMIT")), sent


def test_a_batch_is_loaded_by_one_statement_a_table(postgres: Traced) -> None:
    sent = postgres.trace(
        lambda: postgres.store.create_many(
            [NewExperiment(f"e-{number}", labels=LABELS) for number in range(100)]
        )
    )

    assert len(sent.statements) == 2 + len(("BEGIN", "COMMIT")), sent
