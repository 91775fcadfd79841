"""What is asked of both stores: the operations that should not grow, and the scans that must."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from benchmarks.harness import WrongAnswerError
from benchmarks.large import pages
from benchmarks.large.bench import Bench, Call, Question
from benchmarks.large.crowd import CROWDED, FREQUENT_PREFIX, NO_WORD, PREFIX, QUIET, TEAMS, WORD
from benchmarks.large.pages import Asked, Pages, Scan
from experiment_store import StorageState

_VARIANTS = 50  # of a question; so many that a store does not always read the same rows
_WIDE = {"of all": None, "of a large namespace": CROWDED}
_SCOPES = {**_WIDE, "of a small namespace": QUIET}
_CREATES = 200  # in a round, so that a store stays about as large as it was
_ARCHIVES = 40
_CHECKED = 5


@dataclass(frozen=True)
class Single:
    """A question about one record: *prepare* makes a call, and what tells a right answer."""

    name: str
    prepare: Callable[[Bench], tuple[Call, Callable[[Any], bool]]]
    most: int = 2_000

    def room(self, bench: Bench) -> int:
        """It has no page."""
        return 0

    def check(self, bench: Bench, size: int) -> int:
        """Check a few answers."""
        for _ in range(_CHECKED):
            call, holds = self.prepare(bench)
            found = call()
            if not holds(found):
                raise WrongAnswerError(f"{self.name}: {found}")
        return _CHECKED

    def calls(self, bench: Bench, size: int, count: int) -> Sequence[Call]:
        """Prepare calls about records from anywhere."""
        return [self.prepare(bench)[0] for _ in range(count)]


def _get(bench: Bench) -> tuple[Call, Callable[[Any], bool]]:
    one = bench.random.choice(bench.sample)
    return partial(bench.store.get, one.id), lambda found: bool(found.name == one.name)


def _get_by_name(bench: Bench) -> tuple[Call, Callable[[Any], bool]]:
    new = bench.random_experiment()
    call = partial(bench.store.get_by_name, new.name, namespace=new.namespace)
    return call, lambda found: bool(found.labels == new.labels)


def _create(bench: Bench) -> tuple[Call, Callable[[Any], bool]]:
    new, name = bench.random_experiment(), f"new-{uuid4()}"
    call = partial(bench.store.create, name, namespace=new.namespace, labels=new.labels)
    return call, lambda made: bench.store.get(made.id) == made


def _create_run(bench: Bench) -> tuple[Call, Callable[[Any], bool]]:
    parent = bench.random.choice(bench.available)
    call = partial(bench.store.runs.create, parent.id, "run", labels={"seed": "7"})
    return call, lambda made: bench.store.runs.get(made.id) == made


def _archive(bench: Bench) -> tuple[Call, Callable[[Any], bool]]:
    id = next(bench.archivable)

    def holds(archived: Any) -> bool:
        runs = bench.store.runs.list(experiment_id=id).items
        return len(runs) == bench.crowd.runs and all(map(_is_archived, [archived, *runs]))

    return partial(bench.store.archive, id), holds


def _teams(_: Bench) -> Sequence[str]:
    return [f"team-{number:02}" for number in range(TEAMS)]


def _seeds(namespace: str | None) -> Callable[[Bench], Sequence[str]]:
    def seeds(bench: Bench) -> Sequence[str]:
        if namespace == QUIET:  # few of the sample are there
            found = bench.store.list(namespace=namespace, page_size=_VARIANTS).items
        else:
            found = [one for one in bench.sample if namespace in (None, one.namespace)]
        return [one.labels["seed"] for one in found[:_VARIANTS] if "seed" in one.labels]

    return seeds


def _runs_of_some(bench: Bench) -> Sequence[Asked]:
    """Ask for the runs of experiments that have as many as most have."""
    numbers = (
        number
        for number in bench.some(5 * _VARIANTS)
        if bench.crowd.runs_of(number) == bench.crowd.runs
    )
    ids = [bench.read(number).id for number, _ in zip(numbers, range(_VARIANTS), strict=False)]
    return [_runs_of(id) for id in ids]


def _runs_of_many(bench: Bench) -> Sequence[Asked]:
    """Ask for the runs of the experiment that has the most."""
    return [_runs_of(bench.read(bench.crowd.most_famous).id)]


def _runs_of(id: str) -> Asked:
    return Asked({"experiment_id": id}, lambda run: bool(run.experiment_id == id))


def _is_archived(item: Any) -> bool:
    return item.storage_state is StorageState.ARCHIVED


def _starting(name: str, prefix: str, order: str) -> Pages:
    def fits(item: Any) -> bool:
        return bool(item.name.startswith(prefix))

    return Pages(name, pages.having(None, f'name = "{prefix}*"', fits), order=order)


_ARCHIVED = "storage_state = ARCHIVED"
_TEAM = "labels.team = team-03"

READS: Sequence[Question] = (
    Single("get by id", _get),
    Single("get by name", _get_by_name),
    *(Pages(f"first page {what}", pages.first(where)) for what, where in _SCOPES.items()),
    *(Pages(f"middle page {what}", pages.middle(where)) for what, where in _WIDE.items()),
    *(Pages(f"last page {what}", pages.end(where)) for what, where in _WIDE.items()),
    *(
        Pages(f"frequent label {what}", pages.labelled(where, "team", _teams))
        for what, where in _SCOPES.items()
    ),
    *(
        Pages(f"rare label {what}", pages.labelled(where, "seed", _seeds(where)))
        for what, where in _SCOPES.items()
    ),
    *(
        Pages(f"archived {what}", pages.having(where, _ARCHIVED, _is_archived))
        for what, where in _SCOPES.items()
    ),
    _starting("rare prefix, by name", PREFIX, "name"),
    _starting("rare prefix, newest first", PREFIX, "created_at desc"),
    _starting("frequent prefix, by name", FREQUENT_PREFIX, "name"),
    Pages("runs of an experiment", _runs_of_some, kind="runs"),
    Pages("runs of one that has 10,000", _runs_of_many, kind="runs"),
    Pages("runs of a large namespace", pages.first(CROWDED), kind="runs"),
    Pages("runs of a small namespace", pages.first(QUIET), kind="runs"),
)
"""Each should cost the same at every size."""

WRITES: Sequence[Question] = (
    Single("create", _create, most=_CREATES),
    Single("create a run", _create_run, most=_CREATES),
    Single("archive with its runs", _archive, most=_ARCHIVES),
)
"""Likewise; they come last, as they change what the others read."""

SCANS: Sequence[Question] = (
    Scan("name contains, one in 1,000", {"filter": f"name:{WORD}"}, with_total=False),
    Scan("name contains, none", {"filter": f"name:{NO_WORD}"}, with_total=False),
    Scan(
        "frequent prefix, newest first",
        {"filter": f'name = "{FREQUENT_PREFIX}*"'},
        with_total=False,
    ),
    Scan("total of all", {}),
    Scan("total of a large namespace", {"namespace": CROWDED}),
    Scan("total of a frequent label", {"filter": _TEAM}),
    Scan("total of a frequent label of a large namespace", {"namespace": CROWDED, "filter": _TEAM}),
    Scan("total of archived", {"filter": _ARCHIVED}),
    Scan("total of name contains", {"filter": f"name:{WORD}"}),
)
"""Each costs as much more as there are more rows."""
