"""What is measured: one scenario for each question that users ask of a store.

Imports the standard library only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Barrier
from typing import Any, TypeAlias

from benchmarks.subject import Description, Subject
from benchmarks.workbench import THREADS, Workbench
from benchmarks.workload import TEXT

Answer: TypeAlias = Sequence[Description]
Operation: TypeAlias = Callable[[], object]

PAGE = 20
LONG_PAGE = 100
WALK_PAGE = 1000
_FEW = 400  # creates in a round, so that the database stays about as large as it was


@dataclass(frozen=True)
class Scenario:
    """A question, how its answer is checked, and how it is asked many times.

    *answer* asks once; what it returns is compared with the floor's answer before
    anything is timed. *operations* prepares so many operations, outside the timed
    part, and returns what does them all. A round has at most *most* of them, in
    multiples of *step*; there are at most *rounds*. A scenario of one *backend*
    means little on others.
    """

    name: str
    answer: Callable[[Workbench], Answer]
    operations: Callable[[Workbench, int], Operation]
    most: int = 20_000
    step: int = 1
    rounds: int = 15
    backend: str = ""


def _describe(subject: Subject, records: Iterable[Any]) -> Answer:
    return [subject.describe(record) for record in records]


def _without_id(subject: Subject, record: Any) -> Answer:
    return [{**subject.describe(record), "id": None}]


def _load(bench: Workbench, _count: int) -> Operation:
    return bench.reload()[1]  # of all rows, once


def _loaded(bench: Workbench) -> Answer:
    return _describe(bench.small, bench.small.walk(LONG_PAGE))


def _get(bench: Workbench, count: int) -> Operation:
    ids, get = [bench.ids[number] for number in bench.some(count)], bench.subject.get
    return lambda: deque(map(get, ids), maxlen=0)


def _got(bench: Workbench) -> Answer:
    ids = [bench.ids[number] for number in bench.sample]
    return _describe(bench.subject, map(bench.subject.get, ids))


def _get_by_name(bench: Workbench, count: int) -> Operation:
    rows, get = [bench.rows[number] for number in bench.some(count)], bench.subject.get_by_name
    names, namespaces = [row.name for row in rows], [row.namespace for row in rows]
    return lambda: deque(map(get, names, namespaces), maxlen=0)


def _got_by_name(bench: Workbench) -> Answer:
    rows, get = [bench.rows[number] for number in bench.sample], bench.subject.get_by_name
    return _describe(bench.subject, (get(row.name, row.namespace) for row in rows))


def _first_page(bench: Workbench, count: int) -> Operation:
    first_page = bench.subject.first_page
    return lambda: deque((first_page(PAGE) for _ in range(count)), maxlen=0)


def _first_page_read(bench: Workbench) -> Answer:
    return _describe(bench.subject, bench.subject.first_page(PAGE))


def _short_first_page(bench: Workbench, count: int) -> Operation:
    first_page = bench.small.first_page
    return lambda: deque((first_page(PAGE) for _ in range(count)), maxlen=0)


def _short_first_page_read(bench: Workbench) -> Answer:
    return _describe(bench.small, bench.small.first_page(PAGE))


def _contains(bench: Workbench, count: int) -> Operation:
    contains = bench.subject.contains
    return lambda: deque((contains(TEXT, LONG_PAGE) for _ in range(count)), maxlen=0)


def _contained(bench: Workbench) -> Answer:
    return _describe(bench.subject, bench.subject.contains(TEXT, LONG_PAGE))


def _walk(bench: Workbench, count: int) -> Operation:
    walk = bench.subject.walk
    return lambda: deque((deque(walk(WALK_PAGE), maxlen=0) for _ in range(count)), maxlen=0)


def _walked(bench: Workbench) -> Answer:
    subject = bench.subject
    return [{"name": subject.describe(found)["name"]} for found in subject.walk(WALK_PAGE)]


def _create(bench: Workbench, count: int) -> Operation:
    rows, create = bench.fresh(count), bench.subject.create
    calls = [(row.name, row.namespace, row.labels) for row in rows]
    return lambda: deque((create(*call) for call in calls), maxlen=0)


def _created(bench: Workbench) -> Answer:
    (row,) = bench.fresh(1)
    subject = bench.subject
    made = subject.create(row.name, row.namespace, row.labels)
    found = subject.get_by_name(row.name, row.namespace)
    return [*_without_id(subject, made), *_without_id(subject, found)]


def _create_bare(bench: Workbench, count: int) -> Operation:
    rows, create = bench.fresh(count), bench.subject.create
    calls = [(row.name, row.namespace) for row in rows]
    return lambda: deque((create(*call, {}) for call in calls), maxlen=0)


def _created_bare(bench: Workbench) -> Answer:
    (row,) = bench.fresh(1)
    made = bench.subject.create(row.name, row.namespace, {})
    return _without_id(bench.subject, made)


def _archive(bench: Workbench, count: int) -> Operation:
    ids, archive = [next(bench.archivable) for _ in range(count)], bench.subject.archive
    return lambda: deque(map(archive, ids), maxlen=0)


def _archived(bench: Workbench) -> Answer:
    id = next(bench.archivable)
    archived = bench.subject.archive(id)
    runs = {"name": "runs", "archived": bench.subject.archived_runs(id)}
    return [bench.subject.describe(archived), runs]


def _at_once(operations: Callable[[Workbench, int], Operation]) -> Any:
    """Share the operations among threads that begin together."""

    def shared(bench: Workbench, count: int) -> Operation:
        shares = [operations(bench, count // THREADS) for _ in range(THREADS)]
        start = Barrier(THREADS)

        def work(share: Operation) -> None:
            start.wait()
            share()

        return lambda: deque(bench.pool.map(work, shares), maxlen=0)

    return shared


SCENARIOS = (
    Scenario("bulk load", _loaded, _load, most=1, rounds=3),
    Scenario("get by id", _got, _get),
    Scenario("get by name", _got_by_name, _get_by_name),
    Scenario("first page", _first_page_read, _first_page),
    Scenario(
        "first page of 1,000 rows", _short_first_page_read, _short_first_page, backend="memory"
    ),
    Scenario("filtered list", _contained, _contains),
    Scenario("walk", _walked, _walk, most=1, rounds=5),
    Scenario("8 threads: get", _got, _at_once(_get), step=THREADS),
    Scenario("8 threads: list", _contained, _at_once(_contains), step=THREADS),
    Scenario("create", _created, _create, most=_FEW),
    Scenario("create without labels", _created_bare, _create_bare, most=_FEW),
    Scenario("8 threads: create", _created, _at_once(_create), most=_FEW, step=THREADS),
    Scenario("archive with its runs", _archived, _archive, most=1, rounds=9),
)
