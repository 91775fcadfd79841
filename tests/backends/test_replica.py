"""A hot standby answers reads, unless it would show less than the caller has written.

Which server has answered is seen by a change of somebody else's: once replay is
paused, only the primary knows of it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from attrs import define, field, frozen
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from experiment_store import (
    ConflictError,
    Experiment,
    ExperimentStore,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)
from experiment_store.registry import open_backend
from experiment_store_postgres import replica
from experiment_store_postgres.connections import hurried
from experiment_store_postgres.replica import REST
from experiment_store_sql import Call
from tests.emitted import emitted
from tests.outages.proxy import proxied
from tests.servers import (
    Server,
    catch_up,
    pause,
    private_server,
    private_standby,
    resume,
    wait_until,
    with_parameters,
)


@define
class Clock:
    """What tells the store how long a standby has rested."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@frozen
class Lab:
    """A store that reads from a standby, and somebody else who does not."""

    primary: Server
    standby: Server
    store: ExperimentStore
    other: ExperimentStore
    clock: Clock
    steps: Any

    @property
    def table(self) -> str:
        """The experiments of the store."""
        return f"{self.steps._dialect.schema}experiments"

    def catch_up(self) -> None:
        """Have the standby replay all that the store has to see, and the store know of it."""
        self.store.list(page_size=1)
        mark = self.steps._mark
        catch_up(self.primary, self.standby, mark and mark.position)
        self.store.list(page_size=1)

    def answers(self, record: Experiment) -> str:
        """Tell which server answers now; the standby is up to date before, and paused after."""
        self.catch_up()
        pause(self.standby)
        new = self.other.update(record.id, description=uuid4().hex)
        shown = self.store.get(record.id)
        return "primary" if shown == new else "standby"


@contextmanager
def opened(primary: Server, standby: Server, address: str = "", **given: str) -> Iterator[Lab]:
    """Open a store of its own on the two."""
    schema = f"test_{uuid4().hex}"
    alone = with_parameters(primary.url, schema=schema, **given)
    with TemporaryDirectory() as folder, emitted(Path(folder)):
        backend: Any = open_backend(with_parameters(alone, replica=address or standby.url))
        backend._steps._clock = clock = Clock()
        with ExperimentStore(backend) as store, ExperimentStore(open_backend(alone)) as other:
            yield Lab(primary, standby, store, other, clock, backend._steps)


@pytest.fixture(scope="module")
def primary() -> Iterator[Server]:
    with private_server() as server:
        yield server


@pytest.fixture(scope="module")
def shared_standby(primary: Server) -> Iterator[Server]:
    with private_standby(primary) as server:
        yield server


@pytest.fixture
def standby(shared_standby: Server) -> Iterator[Server]:
    yield shared_standby
    resume(shared_standby)


@pytest.fixture
def own_standby(primary: Server) -> Iterator[Server]:
    """A standby for one test."""
    with private_standby(primary) as server:
        yield server


@pytest.fixture
def lab(primary: Server, standby: Server) -> Iterator[Lab]:
    with opened(primary, standby) as lab:
        yield lab


@pytest.fixture
def experiment(lab: Lab) -> Experiment:
    return lab.store.create("mine")


READS: list[Callable[[ExperimentStore, Experiment], Experiment]] = [
    lambda store, record: store.get(record.id),
    lambda store, record: store.get_by_name(record.name),
    lambda store, _: store.list().items[0],
    lambda store, _: store.list(with_total=True).items[0],
    lambda store, _: next(iter(store.iterate(filter="name:mine", order_by="name"))),
]


@pytest.mark.parametrize("read", READS)
def test_what_is_replayed_is_read_from_the_standby(
    lab: Lab, experiment: Experiment, read: Callable[[ExperimentStore, Experiment], Experiment]
) -> None:
    lab.catch_up()
    pause(lab.standby)

    lab.other.update(experiment.id, description="of others")

    assert read(lab.store, experiment) == experiment


@pytest.mark.parametrize("read", READS)
def test_what_is_not_yet_replayed_is_read_from_the_primary(
    lab: Lab, experiment: Experiment, read: Callable[[ExperimentStore, Experiment], Experiment]
) -> None:
    assert lab.answers(experiment) == "standby"

    written = lab.store.update(experiment.id, description="mine")

    assert read(lab.store, experiment) == written
    resume(lab.standby)
    assert lab.answers(experiment) == "standby"


def test_a_record_that_is_deleted_stays_deleted(lab: Lab, experiment: Experiment) -> None:
    assert lab.answers(experiment) == "standby"

    lab.store.delete(experiment.id)

    with pytest.raises(NotFoundError):
        lab.store.get(experiment.id)


def test_what_the_standby_does_not_find_is_found_on_the_primary(
    lab: Lab, experiment: Experiment
) -> None:
    assert lab.answers(experiment) == "standby"

    made = lab.other.create("of others")

    assert lab.store.get(made.id) == made
    assert lab.store.get_by_name("of others") == made
    assert lab.store.list(filter="name:others").items == [made]


def test_reads_by_several_ids_are_read_from_the_primary(lab: Lab, experiment: Experiment) -> None:
    assert lab.answers(experiment) == "standby"

    made = lab.other.create("of others")

    assert [found.id for found in lab.store.get_many([experiment.id, made.id])] == [
        experiment.id,
        made.id,
    ]


def test_who_is_refused_is_told_of_the_state_that_refused_him(
    lab: Lab, experiment: Experiment
) -> None:
    assert lab.answers(experiment) == "standby"

    changed = lab.other.archive(experiment.id)

    with pytest.raises(ConflictError):
        lab.store.update(experiment.id, description="mine", etag=experiment.etag)
    with pytest.raises(FailedPreconditionError):
        lab.store.runs.create(experiment.id, "run")
    assert lab.store.get(experiment.id) == changed
    assert lab.store.archive(experiment.id) == changed
    lab.other.delete(experiment.id)
    with pytest.raises(NotFoundError):
        lab.store.update(experiment.id, description="mine")


def test_what_a_host_commits_in_its_own_transaction_is_seen_at_once(
    lab: Lab, experiment: Experiment
) -> None:
    assert lab.answers(experiment) == "standby"
    engine = create_engine(lab.primary.url.replace("://", "+psycopg://"))

    with engine.connect() as connection:
        bound = lab.store.bound(connection)
        first = bound.update(experiment.id, description="first")
        connection.commit()
        assert lab.store.get(experiment.id) == first
        second = bound.update(experiment.id, description="second")
        connection.commit()
    engine.dispose()

    assert lab.store.get(experiment.id) == second
    resume(lab.standby)
    assert lab.answers(experiment) == "standby"
    assert not lab.steps._hosts


def test_connections_of_hosts_are_forgotten_when_they_are_closed(lab: Lab) -> None:
    engine = create_engine(lab.primary.url.replace("://", "+psycopg://"))

    for _ in range(5):
        with engine.connect() as connection:
            lab.store.bound(connection)
    engine.dispose()

    assert len(lab.steps._hosts) == 1


def test_a_standby_that_crashes_is_done_without_and_tried_again_later(
    primary: Server, own_standby: Server
) -> None:
    with opened(primary, own_standby) as lab:
        record = lab.store.create("mine")
        assert lab.answers(record) == "standby"

        lab.standby.crash()

        assert lab.store.get(record.id) == lab.other.get(record.id)
        lab.clock.now += REST
        assert lab.store.list(with_total=True).items == [lab.other.get(record.id)]
        lab.standby.start()
        assert lab.answers(record) == "primary"
        lab.clock.now += REST
        assert lab.answers(record) == "standby"


def test_while_one_thread_tries_a_lost_standby_the_others_do_not(
    lab: Lab, experiment: Experiment
) -> None:
    lab.catch_up()
    assert lab.store.get(experiment.id) == experiment
    lab.steps._rest()
    lab.clock.now += REST

    assert lab.steps._is_awake()

    assert not lab.steps._is_awake()


def test_a_standby_that_is_promoted_is_not_asked_any_more(
    primary: Server, own_standby: Server
) -> None:
    with opened(primary, own_standby) as reader, opened(primary, own_standby) as writer:
        read, written = reader.store.create("read"), writer.store.create("written")
        reader.catch_up()
        writer.catch_up()

        own_standby.promote()
        changed = reader.other.update(read.id, description="after the promotion")

        assert reader.store.get(read.id) == read  # by a connection that was good before
        reader.clock.now += REST
        assert reader.store.get(read.id) == changed
        mine = writer.store.update(written.id, description="mine")
        assert writer.store.get(written.id) == mine


def test_a_standby_that_comes_back_older_than_it_was_is_measured_anew(
    primary: Server, own_standby: Server
) -> None:
    with opened(primary, own_standby) as lab:
        record = lab.store.create("mine")
        lab.catch_up()
        lab.standby.stop()
        lab.standby.save("earlier")
        lab.standby.start()
        mine = lab.store.update(record.id, description="mine")
        assert lab.answers(record) == "standby"

        lab.standby.crash()
        lab.standby.restore("earlier")
        lab.standby.start()
        lab.clock.now += REST

        assert lab.store.get(record.id) == lab.other.get(record.id)
        assert mine.description == "mine"
        old = f"SELECT description FROM {lab.table}"
        assert lab.standby.ask(old) == ""


def test_each_of_several_standbys_answers_for_itself(
    primary: Server, standby: Server, own_standby: Server
) -> None:
    both = f"postgresql://postgres@/postgres?host={own_standby.folder},{standby.folder}"
    with opened(primary, own_standby, both) as lab:
        record = lab.store.create("mine")
        catch_up(primary, standby)
        pause(standby)
        mine = lab.store.update(record.id, description="mine")
        lab.catch_up()
        assert lab.store.get(record.id) == mine

        own_standby.crash()  # and the next connection is to the other one

        assert lab.store.get(record.id) == mine
        lab.clock.now += REST
        assert lab.store.get(record.id) == mine
        resume(standby)
        catch_up(primary, standby)
        pause(standby)
        lab.other.update(record.id, description="of others")
        assert lab.store.get(record.id) == mine


def test_a_read_in_the_way_of_replay_is_answered_by_the_primary(
    lab: Lab, experiment: Experiment
) -> None:
    lab.standby.ask("ALTER SYSTEM SET max_standby_streaming_delay = 0")
    lab.standby.ask("SELECT pg_reload_conf()")
    lab.catch_up()
    table, here = lab.table, []

    def step(work: Any) -> Any:
        [[is_standby]] = work.execute("SELECT pg_is_in_recovery()")
        here.append(is_standby)
        if is_standby:
            work.execute(f"SELECT * FROM {table}")
            lab.other.delete(experiment.id)
            lab.primary.ask(f"VACUUM {table}")
            pid = work.connection.info.backend_pid
            gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = %s"
            wait_until(lambda: lab.standby.ask(gone, [pid]))
        return work.execute(f"SELECT count(*) FROM {table}")

    assert lab.steps.read("test", step, stale=True) == [(0,)]

    assert here == [True, False]
    assert lab.steps._is_awake()


def test_where_serializable_is_the_default_the_standby_is_read_all_the_same(
    primary: Server, standby: Server
) -> None:
    name = f"test_{uuid4().hex}"
    primary.ask(f"CREATE DATABASE {name}")
    primary.ask(f"ALTER DATABASE {name} SET default_transaction_isolation = serializable")
    catch_up(primary, standby)
    try:
        url = f"postgresql://postgres@/{name}?host={standby.folder}"
        with opened(primary, standby, url, dbname=name, isolation="serializable") as lab:
            record = lab.store.create("mine")
            assert lab.answers(record) == "standby"
            assert lab.store.list(with_total=True).items == [record]
            mine = lab.store.update(record.id, description="mine")
            assert lab.store.get(record.id) == mine
            assert lab.store.list(with_total=True).items == [mine]
    finally:
        resume(standby)
        primary.ask(f"DROP DATABASE {name}")


def test_behind_a_pooler_every_read_asks_the_server_that_answers_it(
    primary: Server, standby: Server
) -> None:
    url = with_parameters(standby.url, pooler="transaction")
    with opened(primary, standby, url) as lab:
        record = lab.store.create("mine")

        assert lab.answers(record) == "standby"

        # Two statements and one snapshot, but on which server? Better none of them.
        assert lab.store.list(with_total=True).items == [lab.other.get(record.id)]
        mine = lab.store.update(record.id, description="mine")
        assert lab.store.get(record.id) == mine
        assert not lab.steps._seen


def test_a_primary_without_such_a_log_answers_alone(
    lab: Lab, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lab.answers(experiment) == "standby"
    resume(lab.standby)
    monkeypatch.setattr(replica, "_WRITTEN", Call("SELECT a_function_of_other_engines()"))

    lab.store.update(experiment.id, description="mine")

    assert lab.answers(experiment) == "primary"


def test_while_the_primary_is_away_the_standby_answers_who_has_not_written(
    primary: Server, standby: Server
) -> None:
    with proxied(primary.url) as (wire, url):
        through = with_parameters(url, schema=f"test_{uuid4().hex}", retry_timeout="0.2")
        backend: Any = open_backend(with_parameters(through, replica=standby.url))
        with ExperimentStore(backend) as store:
            record = store.create("mine")
            Lab(primary, standby, store, store, Clock(), backend._steps).catch_up()

            wire.close()

            assert store.get(record.id) == record
            with pytest.raises(UnavailableError):
                store.update(record.id, description="mine")
            with pytest.raises(UnavailableError):
                store.get(record.id)


def test_a_replica_that_is_a_primary_is_not_asked(primary: Server) -> None:
    with opened(primary, primary) as lab:
        record = lab.store.create("mine")

        assert lab.store.get(record.id) == record
        assert not lab.steps._is_awake()


def test_a_host_that_never_answers_holds_up_one_read_for_seconds(primary: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql://127.0.0.1:{port}/postgres?connect_timeout=2&sslmode=disable"
        with opened(primary, primary, url) as lab:
            record = lab.store.create("mine")

            assert lab.store.get(record.id) == record
            assert not lab.steps._is_awake()


def test_connecting_to_a_replica_takes_three_seconds_at_most_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert hurried("host=h") == "host=h connect_timeout=3"
    assert hurried("host=h connect_timeout=9") == "host=h connect_timeout=9"
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "9")
    assert hurried("host=h") == "host=h"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ada:hunter2@[h/lab",
        "postgresql://ada:hunter2@h:port/lab",
        "postgresql://ada:hunter2@h/lab?schema=no",
        "postgresql://ada:hunter2@h/lab?pooler=hunter2",
        "mysql://ada:hunter2@h/lab",
        "hunter2",
        "postgresql://ada:100%hunter2@h/lab",
    ],
)
def test_the_password_of_a_replica_stands_in_no_error(address: str) -> None:
    url = f"postgresql://h/lab?replica={quote(address, safe='')}"

    with pytest.raises(InvalidArgumentError, match="replica") as caught:
        open_backend(url)

    error: BaseException | None = caught.value
    while error is not None:
        assert "hunter2" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@define
class History:
    """What the store and somebody else have written: versions that only grow."""

    lab: Lab
    prefix: str = field(factory=lambda: uuid4().hex)
    version: int = 0
    latest: dict[str, int] = field(factory=dict)
    floor: dict[str, int] = field(factory=dict)

    def write(self, id: str) -> None:
        self._write(self.lab.store, id)
        self.floor = dict(self.latest)

    def write_by_others(self, id: str) -> None:
        self._write(self.lab.other, id)

    def get(self, id: str) -> None:
        if id in self.latest:
            self._check([self.lab.store.get(id)], {id})

    def get_by_name(self, id: str) -> None:
        if id in self.latest:
            self._check([self.lab.store.get_by_name(id)], {id})

    def list(self, _: str) -> None:
        found = self.lab.store.list(filter=f"name:{self.prefix}")
        self._check(found.items, self.floor.keys())

    def count(self, _: str) -> None:
        found = self.lab.store.list(filter=f"name:{self.prefix}", with_total=True)
        assert found.total_size == len(found.items)
        self._check(found.items, self.floor.keys())

    def pause(self, _: str) -> None:
        pause(self.lab.standby)

    def resume(self, _: str) -> None:
        resume(self.lab.standby)

    def catch_up(self, _: str) -> None:
        resume(self.lab.standby)
        self.lab.catch_up()

    def let_time_pass(self, _: str) -> None:
        self.lab.clock.now += REST

    def _write(self, by: ExperimentStore, id: str) -> None:
        self.version += 1
        if id in self.latest:
            by.update(id, description=f"{self.version}")
        else:
            by.create(id, id=id, description=f"{self.version}")
        self.latest[id] = self.version

    def _check(self, shown: Sequence[Experiment], expected: AbstractSet[str]) -> None:
        versions = {record.id: int(record.description) for record in shown}
        assert versions.keys() >= expected
        for id, version in versions.items():
            assert self.floor.get(id, 0) <= version <= self.latest[id]


ACTIONS = [
    History.write, History.write_by_others, History.get, History.get_by_name, History.list,
    History.count, History.pause, History.resume, History.catch_up, History.let_time_pass,
]  # fmt: skip


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to search a smaller one takes minutes
)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from("abc")), max_size=20))
def test_no_read_shows_less_than_all_there_was_at_the_last_write(
    lab: Lab, actions: list[tuple[Callable[[History, str], None], str]]
) -> None:
    resume(lab.standby)
    history = History(lab)

    for act, record in actions:
        act(history, f"{history.prefix}-{record}")


def test_every_thread_sees_its_own_writes(lab: Lab, *, soaking: bool) -> None:
    rounds = 2_000 if soaking else 40
    done, failures = Event(), []

    def work(number: int) -> None:
        record = lab.store.create(f"thread {number}")
        for turn in range(rounds):
            if turn % 4 == 0:
                record = lab.store.update(record.id, description=f"{turn}")
            shown = [
                lab.store.get(record.id),
                *lab.store.list(filter=f'name = "thread {number}"', with_total=True).items,
            ]
            if shown != [record, record]:
                failures.append((number, turn, shown))

    def interfere() -> None:
        while not done.is_set():
            pause(lab.standby)
            resume(lab.standby)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    interfering = threading.Thread(target=interfere)
    for thread in (*threads, interfering):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    interfering.join()

    assert failures == []
    assert len(lab.other.list().items) == 6
