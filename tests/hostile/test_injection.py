"""What looks like SQL is text: kept, found, given back, and never a part of a statement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from experiment_store import ExperimentStore, InvalidArgumentError, NotFoundError, connect
from experiment_store.filters.lexis import encode
from experiment_store.planner import open_listing
from experiment_store.registry import open_backend
from experiment_store.schema import EXPERIMENT
from experiment_store_sql import SqlBackend
from tests.hostile.inputs import INJECTIONS

_TOLD = "canary-7f3a"  # stands in every attempt, and in nothing that is ours

each_attempt = pytest.mark.parametrize("attempt", INJECTIONS)


@pytest.fixture(params=["sqlite", "postgres"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlBackend]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/store.db?synchronous=normal"
    else:
        url = request.getfixturevalue("postgres_schema_url")
    backend = open_backend(url)
    assert isinstance(backend, SqlBackend)
    yield backend
    backend.close()


class Noting:
    """A connection or cursor that notes the texts it is given, and is the driver's in all else."""

    def __init__(self, driver: Any, texts: list[str]) -> None:
        self.driver, self.texts = driver, texts

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.driver, name)
        if name not in ("execute", "executemany", "copy", "cursor"):
            return value

        def noted(*arguments: Any, **options: Any) -> Any:
            self.texts.extend(map(str, arguments[:1]))
            made = value(*arguments, **options)
            return Noting(made, self.texts) if name == "cursor" else made

        return noted

    def __enter__(self) -> Any:
        return Noting(self.driver.__enter__(), self.texts)

    def __exit__(self, *error: object) -> Any:
        return self.driver.__exit__(*error)

    def __iter__(self) -> Any:
        return iter(self.driver)


@pytest.fixture
def sent(backend: SqlBackend, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of all statements, as they go to the driver."""
    texts: list[str] = []
    steps: Any = backend._steps
    connections = steps._connections
    borrow, give_back = connections.borrow, connections.give_back
    monkeypatch.setattr(connections, "borrow", lambda: Noting(borrow(), texts))
    monkeypatch.setattr(
        connections, "give_back", lambda noting, **usable: give_back(noting.driver, **usable)
    )
    return texts


@each_attempt
def test_an_attempt_is_kept_and_found_as_text(backend: SqlBackend, attempt: str) -> None:
    store = ExperimentStore(backend)
    other = store.create("other")

    made = store.create(
        attempt, namespace=attempt[:63], description=attempt, labels={attempt: attempt}
    )
    run = store.runs.create(made.id, attempt, labels={attempt: attempt})
    job = store.jobs.create(made.id, attempt, schedule=attempt)

    assert store.get(made.id).labels == {attempt: attempt}
    assert store.get_by_name(attempt, namespace=attempt[:63]).id == made.id
    written = encode((attempt,))
    for text in (
        f"name = {written}", f"description:{written}", f"labels.{written} = {written}",
        f"labels:{written}", f"startsWith(name, {written}) OR {written}",
        " OR ".join(f"labels.{written} > {encode((chr(code),))}" for code in range(0x20, 0x20 + 5))
        + f" OR name = {written}",
        " ".join([written, *(f"-unheard{n}" for n in range(4))]),
    ):  # fmt: skip
        assert [e.id for e in store.list(filter=text).items] == [made.id], text
    assert [e.id for e in store.list(namespace=attempt[:63]).items] == [made.id]
    assert store.list(order_by=f"labels.{written} desc").items[0].id == made.id
    assert store.runs.get(run.id).name == store.jobs.get(job.id).schedule == attempt
    assert store.update(made.id, name=attempt + "!", description=attempt).description == attempt
    assert {e.id for e in store.iterate()} == {made.id, other.id}


@each_attempt
def test_an_attempt_as_an_id_finds_nothing_and_breaks_nothing(
    backend: SqlBackend, attempt: str
) -> None:
    store = ExperimentStore(backend)
    kept = store.create("kept")

    for call in (store.get, store.archive, store.delete, store.runs.get, store.jobs.delete):
        with pytest.raises(NotFoundError):
            call(attempt)

    assert list(store.iterate()) == [kept]


@each_attempt
def test_no_statement_holds_what_a_caller_said(
    backend: SqlBackend, sent: list[str], attempt: str
) -> None:
    store = ExperimentStore(backend)
    said = f"{attempt}{_TOLD}"[-60:]
    written = encode((said,))

    made = store.create(said, namespace=said, description=said, labels={said: said})
    for call in (
        lambda: store.list(filter=f"labels.{written} = {written} {written}", namespace=said),
        lambda: store.list(filter=f"name = {encode((said, ''))}", order_by=f"labels.{written}"),
        lambda: store.update(made.id, description=said, labels={said: said}, etag=made.etag),
        lambda: store.get_by_name(said, namespace=said),
    ):
        call()

    assert len(sent) > 5
    assert not [text for text in sent if _TOLD in text]
    assert not [call.text for call in _worded(backend, said) if _TOLD in call.text]


def _worded(backend: SqlBackend, said: str) -> Iterator[Any]:
    """The statements that the shared SQL makes of a listing with *said* everywhere."""
    written = encode((said,))
    for text in (
        f"labels.{written} = {written}", f"name = {written} {written} NOT labels:{written}",
        " OR ".join(f"(labels.{written} > {written} -labels.k{n}:*)" for n in range(9)),
        " ".join(f"{written} OR w{n}" for n in range(4)),
    ):  # fmt: skip
        now = datetime(2026, 1, 1, tzinfo=UTC)
        listing = open_listing(EXPERIMENT, {"namespace": said}, text, f"labels.{written}", now)
        yield backend.statements.select(listing.plan(3))


@pytest.mark.parametrize("attempt", [text for text in INJECTIONS if text != "_"])
def test_a_schema_is_a_plain_name_or_refused(postgres_url: str, attempt: str) -> None:
    joint = "&" if "?" in postgres_url else "?"

    with pytest.raises(InvalidArgumentError) as caught:
        connect(f"{postgres_url}{joint}schema={quote(attempt, safe='')}")

    assert caught.value.argument == "schema"


@pytest.mark.parametrize("attempt", [text for text in INJECTIONS if text != "_"])
def test_a_prefix_is_a_plain_name_or_refused(postgres_url: str, attempt: str) -> None:
    joint = "&" if "?" in postgres_url else "?"

    with pytest.raises(InvalidArgumentError) as caught:
        connect(f"{postgres_url}{joint}prefix={quote(attempt, safe='')}")

    assert caught.value.argument == "prefix"
