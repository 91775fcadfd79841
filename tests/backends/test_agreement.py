"""One history, all backends: equal answers, errors and page tokens, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from attrs import define, field, frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiment_store import Page
from experiment_store.backend import Backend
from experiment_store.testing import histories
from experiment_store.testing.listings import START, KindName, Listing, Row
from experiment_store.testing.model import KIND_NAMES
from experiment_store.testing.twins import attempt, collections_of, create, open_store
from experiment_store_memory import MemoryBackend
from experiment_store_postgres import connect as connect_postgres
from experiment_store_sqlite import connect as connect_sqlite

Step: TypeAlias = "Advance | Create | Call | Read"


@define
class Player:
    """One store on one backend, to which a history happens."""

    backend: Backend
    now: datetime = START
    ids: Mapping[KindName, list[str]] = field(factory=lambda: {kind: [] for kind in KIND_NAMES})
    collections: Mapping[KindName, Any] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.collections = collections_of(open_store(self.backend, lambda: self.now))
        for collection in self.collections.values():
            for record in collection.iterate():
                collection.delete(record.id)

    def id(self, kind: KindName, number: int) -> str:
        """Choose one of the ids that were used so far, mostly one of the latest."""
        used = self.ids[kind]
        return used[-1 - number % len(used)] if used else "nowhere"


@frozen
class Advance:
    """Let time pass, perhaps backwards."""

    step: timedelta

    def play(self, player: Player) -> Any:
        player.now += self.step


@frozen
class Create:
    """Create records, of the same experiment if they have one."""

    kind: KindName
    contents: Sequence[Row]
    parent: int

    def play(self, player: Player) -> Any:
        experiment = player.id("experiment", self.parent)
        below = {} if self.kind == "experiment" else {"experiment_id": experiment}
        contents = [{**below, **content} for content in self.contents]
        made = attempt(lambda: create(player.collections[self.kind], self.kind, contents))
        if not isinstance(made, Exception):
            player.ids[self.kind].extend(record.id for record in made)
        return made


@frozen
class Call:
    """Do something to one record."""

    verb: str
    kind: KindName
    number: int
    options: Row

    def play(self, player: Player) -> Any:
        call = getattr(player.collections[self.kind], self.verb)
        return attempt(lambda: call(player.id(self.kind, self.number), **self.options))


@frozen
class Read:
    """Read all pages of a listing."""

    listing: Listing
    size: int

    def play(self, player: Player) -> Any:
        pages: list[Page[Any]] = []
        while not pages or pages[-1].next_page_token:
            token = pages[-1].next_page_token if pages else ""
            call = player.collections[self.listing.kind].list
            pages.append(
                call(
                    **self.listing.arguments(),
                    page_size=self.size,
                    page_token=token,
                    with_total=True,
                )
            )
        return pages


def _steps(kind: KindName) -> st.SearchStrategy[Step]:
    numbers = st.integers(0, 5)
    conditions = st.sampled_from([{}, {}, {"etag": "etag-0"}])
    children = st.sampled_from([{}, {"children": "delete"}, {"children": "refuse"}])
    changes = histories.updates(kind)
    contents = st.lists(histories.contents(kind), max_size=3)

    def calls(verb: str, options: st.SearchStrategy[Row]) -> st.SearchStrategy[Step]:
        return st.builds(Call, st.just(verb), st.just(kind), numbers, options)

    return (
        st.builds(Create, st.just(kind), contents, numbers)
        | calls("update", changes)
        | calls("disable" if kind == "job" else "archive", conditions)
        | calls("enable" if kind == "job" else "unarchive", conditions)
        | calls("delete", children if kind == "experiment" else conditions)
        | st.builds(Read, histories.listings(kind), st.integers(1, 4))
        | st.builds(Advance, histories.steps)
    )


_histories = st.lists(st.sampled_from(KIND_NAMES).flatmap(_steps), min_size=10, max_size=40)


def _state(player: Player) -> Sequence[Any]:
    """Return all that a store keeps, etags included."""
    return [list(collection.iterate()) for collection in player.collections.values()]


def _words(outcome: Any) -> str:
    """Return *outcome* to the last byte: types, time zones, tokens, and the words of errors."""
    return f"{type(outcome).__name__}: {outcome}"


@pytest.fixture
def backends(tmp_path: Path, postgres_schema_url: str) -> Iterator[Sequence[Backend]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(backend))
            for backend in (
                MemoryBackend(),
                connect_sqlite(f"sqlite:///{tmp_path}/lab.db?synchronous=normal"),
                connect_sqlite("sqlite:///:memory:"),
                connect_postgres(postgres_schema_url),
            )
        ]


@settings(
    # Each example empties the backends of the one fixture.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=_histories)
def test_all_backends_give_the_same_answers(
    backends: Sequence[Backend], history: list[Step]
) -> None:
    players = [Player(backend) for backend in backends]

    for step in history:
        first, *others = [_words(step.play(player)) for player in players]
        assert others == [first] * len(others)

    first_state, *states = [_state(player) for player in players]
    assert states == [first_state] * len(states)
