"""What the dearest filters within the limits do to the databases: by their plans, not by clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiment_store.plan import Plan
from experiment_store.planner import open_listing
from experiment_store.records import Experiment
from experiment_store.registry import open_backend
from experiment_store.schema import EXPERIMENT
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


def _plan(text: str) -> Plan[Experiment]:
    return open_listing(EXPERIMENT, {}, text, "", _NOW).plan(21)


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


@pytest.mark.parametrize("sql", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    "word", [lambda n: f"labels.k = v{n}", lambda n: f"name = v{n}"], ids=["label", "name"]
)
def test_five_hundred_equalities_are_one_parameter(
    request: pytest.FixtureRequest, sql: str, word: Callable[[int], str]
) -> None:
    backend: SqlBackend = request.getfixturevalue(sql)
    few, many = (
        backend.statements.select(_plan(" OR ".join(map(word, range(count))))) for count in (2, 500)
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
