"""A call is logged at DEBUG with its kind, verb, duration and rows, and never with a value."""

from __future__ import annotations

import inspect
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import (
    BackendError,
    ExperimentStore,
    ExperimentStoreError,
    InvalidArgumentError,
    NewExperiment,
    observing,
)
from experiment_store.jobs import Jobs
from experiment_store.plan import Plan, Rows
from experiment_store.runs import Runs
from experiment_store_memory import MemoryBackend
from experiment_store_sqlite import SqliteBackend
from tests.watching import CALLS, EACH, REFUSED, Call, Lab, listening, told, traced

# Letters that no word of ours, no path and no number has.
_FOREIGN = st.text(st.characters(min_codepoint=0x13000, max_codepoint=0x1342E), min_size=1)
_SECRETS = _FOREIGN | st.uuids().map(str)


class _Breaking(MemoryBackend):
    """Breaks down with the second page that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 1

    def select(self, plan: Plan[Any]) -> Rows[Any]:
        if self._left == 0:
            raise BackendError("select")
        self._left -= 1
        return super().select(plan)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A furnished store in memory."""
    furnished = Lab.over(MemoryBackend())
    with furnished.store:
        yield furnished


def test_every_call_of_a_store_is_among_these_but_for_those_that_touch_no_record() -> None:
    owners = {"experiment": ExperimentStore, "run": Runs, "job": Jobs}
    public = {
        (kind, name)
        for kind, owner in owners.items()
        for name, _ in inspect.getmembers(owner, callable)
        if not name.startswith("_")
    }

    of_the_store = {("experiment", name) for name in ("backup", "bound", "close", "key")}
    assert public - of_the_store == CALLS.keys() - {("store", "key")}


@pytest.mark.parametrize(("kind", "verb", "rows", "call"), EACH)
def test_a_call_is_told_once_with_its_kind_verb_and_rows(
    kind: str, verb: str, rows: int, call: Call, lab: Lab
) -> None:
    with listening() as heard:
        call(lab)

    (record,) = heard
    data = told(record)
    seconds = data.pop("duration")
    words = "1 row" if rows == 1 else f"{rows} rows"
    assert (record.name, record.levelno) == ("experiment_store", logging.DEBUG)
    assert data == {"kind": kind, "verb": verb, "rows": rows}
    assert seconds > 0
    assert record.getMessage() == f"{kind}.{verb}: {words} in {seconds * 1000:.3f} ms"


def test_a_backup_is_told_of_without_rows(tmp_path: Path) -> None:
    with ExperimentStore(SqliteBackend()) as store, listening() as heard:
        store.backup(tmp_path / "copy.db")

    (record,) = heard
    data = told(record)
    assert (data["kind"], data["verb"], data["rows"]) == ("store", "backup", 0)


@pytest.mark.parametrize(("error", "call"), REFUSED.items())
def test_a_call_that_fails_is_told_with_the_class_of_its_error_and_not_with_its_words(
    error: str, call: Call, lab: Lab
) -> None:
    with listening() as heard, pytest.raises(ExperimentStoreError):
        call(lab)

    (record,) = heard
    assert (told(record)["error"], told(record)["rows"]) == (error, 0)
    assert re.fullmatch(rf"\w+\.\w+: {error} in \d+\.\d+ ms", record.getMessage())
    assert record.exc_info is None


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_nobody_watches_is_told_to_nobody(
    name: tuple[str, str], lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, call = CALLS[name]
    monkeypatch.delitem(
        sys.modules, "opentelemetry.trace"
    )  # as in a program that has no use for it

    with listening(logging.INFO) as heard:
        call(lab)

    assert heard == []


def test_found_by_name_is_told_as_one_record_of_the_call_that_found_it(lab: Lab) -> None:
    with listening() as heard:
        lab.store.create("mnist", if_exists="return")

    assert [(told(record)["verb"], told(record)["rows"]) for record in heard] == [("create", 1)]


def test_an_iteration_is_told_when_it_is_over_and_not_before(lab: Lab) -> None:
    with listening() as heard:
        items = lab.store.jobs.iterate(page_size=2)
        before = [len(heard) for _ in zip(range(3), items, strict=False)]
        after = list(items)

    assert (before, after) == ([0, 0, 0], [])
    assert [told(record)["rows"] for record in heard] == [3]


@pytest.mark.parametrize("taken", range(3))
def test_an_iteration_that_its_caller_drops_is_told_with_what_was_taken(
    taken: int, lab: Lab
) -> None:
    with listening() as heard:
        items = lab.store.jobs.iterate()
        for _ in range(taken):
            next(items)
        del items

    (record,) = heard
    assert told(record)["rows"] == taken
    assert "error" not in told(record)


def test_an_iteration_that_fails_midway_is_told_with_what_it_gave_and_its_error() -> None:
    with ExperimentStore(_Breaking()) as store:
        store.create_many([NewExperiment("a"), NewExperiment("b")])

        with listening() as heard, pytest.raises(BackendError):
            list(store.iterate(page_size=1))

    (record,) = heard
    assert (told(record)["rows"], told(record)["error"]) == (1, "BackendError")


def test_an_iteration_that_is_watched_refuses_an_argument_at_once(lab: Lab) -> None:
    with listening(), pytest.raises(InvalidArgumentError):
        lab.store.iterate(page_size=-1)


def test_the_time_of_an_iteration_is_that_in_the_store_and_not_its_callers(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = count()
    monkeypatch.setattr(observing, "perf_counter", lambda: float(next(ticks)))

    with listening() as heard:
        for _ in lab.store.jobs.iterate():
            next(ticks)  # the caller takes its time

    (record,) = heard
    beginning, items, end = 1, 3, 1
    assert told(record)["duration"] == beginning + items + end


@given(
    id=_SECRETS,
    name=_FOREIGN,
    namespace=_FOREIGN,
    text=_FOREIGN,
    etag=_SECRETS,
)
def test_nothing_that_a_caller_sends_is_told(
    id: str, name: str, namespace: str, text: str, etag: str
) -> None:
    with ExperimentStore(MemoryBackend()) as store, listening() as heard, traced() as spans:
        steps = _steps(store, id=id, name=name, namespace=namespace, text=text, etag=etag)
        for step in steps:
            with suppress(ExperimentStoreError):
                step()

        logged = [f"{vars(record)} {record.getMessage()}" for record in heard]
        shown = [
            f"{span.name} {dict(span.attributes or {})} {span.events} {span.status.description}"
            for span in spans()
        ]

    assert len(logged) == len(shown) == len(steps)
    everything = "\n".join(logged + shown)
    assert not [secret for secret in (id, name, namespace, text, etag) if secret in everything]


def _steps(
    store: ExperimentStore, *, id: str, name: str, namespace: str, text: str, etag: str
) -> list[Callable[[], object]]:
    labels = {text: text}
    filter = f'name = "{text}"'
    return [
        lambda: store.create(name, namespace=namespace, description=text, labels=labels, id=id),
        lambda: store.create(name, namespace=namespace, if_exists="return"),
        lambda: store.create_many([NewExperiment(text, namespace=namespace, id=id)]),
        lambda: store.get(id),
        lambda: store.get_many([id, text]),
        lambda: store.get_by_name(name, namespace=namespace),
        lambda: store.list(namespace=namespace, filter=filter, page_token=text),
        lambda: store.list(filter=text, order_by=text),
        lambda: list(store.iterate(namespace=namespace, filter=filter)),
        lambda: store.key(text),
        lambda: store.runs.create(id, name, description=text, labels=labels, job_id=text),
        lambda: store.runs.list(experiment_id=id, filter=filter),
        lambda: store.jobs.create(id, name, schedule=text),
        lambda: store.jobs.update(id, schedule=text),
        lambda: store.update(id, description=text, etag=etag),
        lambda: store.archive(id, etag=etag),
        lambda: store.delete(id, children="refuse"),
    ]


def test_a_program_that_does_not_log_is_not_made_to_load_logging() -> None:
    program = """
import sys
import experiment_store
with experiment_store.connect("memory://") as store:
    made = store.create("mnist")
    assert made == store.get(made.id) == store.get_by_name("mnist")
    assert "logging" not in sys.modules
    import logging
    logging.basicConfig(level=logging.DEBUG, format="%(name)s %(kind)s %(verb)s", stream=sys.stdout)
    store.get(made.id)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True
    )

    assert (done.stdout, done.stderr) == ("experiment_store experiment get\n", "")


def test_an_iteration_that_outlives_the_program_is_told_without_a_complaint() -> None:
    program = """
import logging
import sys
import experiment_store
logging.basicConfig(level=logging.DEBUG, format="%(message)s", stream=sys.stdout)
store = experiment_store.connect("memory://")
store.create("mnist")
items = store.iterate()
next(items)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True
    )

    assert done.stdout.splitlines()[-1].startswith("experiment.iterate: 1 row in ")
    assert done.stderr == ""
