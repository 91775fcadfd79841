"""What the dearest filters within the limits do to the databases: by their plans, not by clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from experiment_store.plan import Plan
from experiment_store.planner import open_listing
from experiment_store.registry import open_backend
from experiment_store.schema import EXPERIMENT, RUN, Kind
from experiment_store_sql import SqlBackend

_NOW = datetime(2026, 1, 1, tzinfo=UTC)

MANY_LABELS = [
    " OR ".join(f"labels.k{n} = v{n}" for n in range(50)),
    " ".join(f"NOT labels.k{n} = v{n}" for n in range(50)),
    " OR ".join(f"(labels.k{n} > a NOT labels.l{n}:*)" for n in range(25)),
    " OR ".join(f'labels.k{n} = "*a*"' for n in range(33)),
]
MANY_WORDS = [
    " OR ".join(f"word{n}" for n in range(10)),
    " ".join(f"-word{n}" for n in range(10)),
    " OR ".join(f"(a{n} -b{n})" for n in range(5)),
]


MANY_ENTRIES = [
    " OR ".join(f"params.k{n} = {n}" for n in range(33)),
    " ".join(f"NOT metrics.k{n}.max > {n}" for n in range(33)),
    " OR ".join(f"(params.k{n} = a* metrics.l{n}:*)" for n in range(14)),
    " ".join(f"-word{n}" for n in range(5)) + " labels.k = v (params.k = 1 OR metrics.k = 1)",
]


def _plan(text: str, kind: Kind[Any] = EXPERIMENT, order_by: str = "") -> Plan[Any]:
    return open_listing(kind, {}, text, order_by, _NOW).plan(21)


def _open(url: str) -> Iterator[SqlBackend]:
    backend = open_backend(url)
    assert isinstance(backend, SqlBackend)
    backend.setup()
    yield backend
    backend.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqlBackend]:
    yield from _open(f"sqlite:///{tmp_path}/store.db")


@pytest.fixture
def postgres(postgres_schema_url: str) -> Iterator[SqlBackend]:
    yield from _open(postgres_schema_url)


@pytest.mark.parametrize("text", MANY_LABELS)
def test_sqlite_looks_for_many_labels_without_their_table(sqlite: SqlBackend, text: str) -> None:
    lines = sqlite.explain(_plan(text))

    assert not [line for line in lines if "labels" in line], lines


@pytest.mark.parametrize("text", MANY_WORDS)
def test_sqlite_reads_the_labels_of_a_record_once_for_many_words(
    sqlite: SqlBackend, text: str
) -> None:
    lines = sqlite.explain(_plan(text))

    assert len([line for line in lines if line.startswith("SEARCH l ")]) == 1, lines


@pytest.mark.parametrize("text", [*MANY_LABELS, *MANY_WORDS])
def test_postgres_reads_the_labels_of_a_record_once(postgres: SqlBackend, text: str) -> None:
    plan = "\n".join(postgres.explain(_plan(text)))

    assert "experiment_labels" not in plan, plan
    assert plan.count("Subquery Scan on x") == 1, plan


@pytest.mark.parametrize("text", MANY_ENTRIES)
def test_postgres_parses_the_parameters_and_metrics_of_a_run_once(
    postgres: SqlBackend, text: str
) -> None:
    plan = _plan(text, RUN)
    written = postgres.statements.select(plan).text

    lines = "\n".join(postgres.explain(plan))
    assert lines.count("Subquery Scan on x") == 1, lines
    assert [written.count(f"{name}_keys::jsonb") for name in ("params", "metrics")] == [
        int("params" in text), int("metrics" in text),
    ]  # fmt: skip


@pytest.mark.parametrize("sql", ["sqlite", "postgres"])
@pytest.mark.parametrize("order_by", ["", "params.k desc, metrics.k.min"])
def test_what_parameters_and_metrics_are_compared_by_is_never_read(
    request: pytest.FixtureRequest, sql: str, order_by: str
) -> None:
    backend: SqlBackend = request.getfixturevalue(sql)

    call = backend.statements.select(_plan("params.k = 1 OR metrics.k > 1", RUN, order_by))

    columns, _, rest = call.text.partition(" FROM ")
    assert "_keys" not in columns
    assert "params_keys" in rest


@pytest.mark.parametrize("sql", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    "word",
    [
        lambda n: f"labels.k = v{n}",
        lambda n: f"name = v{n}",
        lambda n: f"params.k = v{n}",
        lambda n: f"metrics.k = {n}",
    ],
    ids=["label", "name", "parameter", "metric"],
)
def test_five_hundred_equalities_are_one_parameter(
    request: pytest.FixtureRequest, sql: str, word: Callable[[int], str]
) -> None:
    backend: SqlBackend = request.getfixturevalue(sql)
    few, many = (
        backend.statements.select(_plan(" OR ".join(map(word, range(count))), RUN))
        for count in (2, 500)
    )

    assert many.text == few.text


@pytest.mark.parametrize("sql", ["sqlite", "postgres"])
def test_what_needs_no_label_is_still_answered_by_an_index(
    request: pytest.FixtureRequest, sql: str
) -> None:
    backend: SqlBackend = request.getfixturevalue(sql)
    labels = " OR ".join(f"labels.k{n} = v" for n in range(9))

    plan = "\n".join(backend.explain(_plan(f"id = e-1 AND ({labels}) AND (a OR b OR c OR d)")))

    assert "id=?" in plan or "Index Cond: (id = 'e-1'" in plan, plan
