"""The store for programs that await has the same calls, and never blocks the loop."""

from __future__ import annotations

import asyncio
import inspect
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from threading import Event, current_thread, main_thread
from typing import Any, TypeVar

import pytest

from experiment_store import (
    AlreadyExistsError,
    ExperimentStore,
    InvalidArgumentError,
    InvalidFilterError,
    NewExperiment,
    NewJob,
    NewRun,
    NotFoundError,
    RunState,
    StorageState,
    connect,
)
from experiment_store.aio import AsyncExperimentStore, AsyncJobs, AsyncRuns
from experiment_store.aio import connect as connect_async
from experiment_store.backend import Parent, Refusal
from experiment_store.jobs import Jobs
from experiment_store.records import Artifact
from experiment_store.runs import Runs
from experiment_store.schema import Kind, R
from experiment_store.tracking import active, endings
from experiment_store_memory import MemoryBackend

T = TypeVar("T")

_LONG = 20  # seconds, after which a test that would hang fails instead
_TWINS: list[tuple[type, type]] = [
    (AsyncExperimentStore, ExperimentStore),
    (AsyncRuns, Runs),
    (AsyncJobs, Jobs),
]
_ON_ONE_THREAD = {"bound"}  # a host's connection is: AsyncConnection.run_sync is the way there
_ENTERED = {"start", "resume"}  # by await or async with, as a store is
_METHODS = [
    (twin, original, name)
    for twin, original in _TWINS
    for name in dir(original)
    if not name.startswith("_") and name not in _ON_ONE_THREAD
]


@pytest.mark.parametrize(("twin", "original"), _TWINS)
def test_the_calls_are_those_of_the_store_and_no_others(twin: type, original: type) -> None:
    names = {name for name in dir(twin) if not name.startswith("_")}

    theirs = {name for name in dir(original) if not name.startswith("_")}
    assert names == theirs - _ON_ONE_THREAD


@pytest.mark.parametrize(("twin", "original", "name"), _METHODS)
def test_a_call_is_its_namesake_with_the_same_arguments_and_words(
    twin: type, original: type, name: str
) -> None:
    ours, theirs = getattr(twin, name), getattr(original, name)

    assert ours.__wrapped__ is theirs
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert inspect.getdoc(ours) == inspect.getdoc(theirs)


@pytest.mark.parametrize(("twin", "original", "name"), _METHODS)
def test_a_call_is_awaited_and_only_an_iteration_is_iterated(
    twin: type, original: type, name: str
) -> None:
    assert callable(getattr(original, name))

    call = getattr(twin, name)

    assert inspect.isasyncgenfunction(call) == (name == "iterate")
    assert inspect.iscoroutinefunction(call) == (name not in {"iterate", *_ENTERED})


def test_connecting_takes_the_arguments_of_its_namesake() -> None:
    ours, theirs = inspect.signature(connect_async), inspect.signature(connect)

    assert ours.parameters == theirs.parameters


def test_a_store_can_be_awaited_and_closed() -> None:
    async def use() -> str:
        store = await connect_async("memory://", new_id=lambda: "e-1")
        made = await store.create("mnist")
        await store.close()
        return made.id

    assert _run(use()) == "e-1"


def test_a_store_that_was_awaited_can_be_entered_and_is_closed_once() -> None:
    backend = _Gated()
    backend.gate.set()

    async def use() -> None:
        async with AsyncExperimentStore(ExperimentStore(backend)) as store:
            await store.create("mnist")

    _run(use())

    assert backend.closed == 1


def test_a_store_can_be_opened_with_a_block() -> None:
    async def use() -> list[str]:
        async with connect_async("memory://") as store:
            await store.create("mnist")
            return [record.name async for record in store.iterate()]

    assert _run(use()) == ["mnist"]


def test_a_block_closes_its_store_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[MemoryBackend] = []

    def close(backend: MemoryBackend) -> None:
        closed.append(backend)

    async def use() -> None:
        async with connect_async("memory://"):
            raise KeyError("ours")

    monkeypatch.setattr(MemoryBackend, "close", close)
    with pytest.raises(KeyError, match="ours"):
        _run(use())

    assert len(closed) == 1


def test_a_url_that_is_refused_is_refused_when_awaited() -> None:
    async def use() -> None:
        async with connect_async("nothing://"):
            pass

    with pytest.raises(InvalidArgumentError, match="url has the scheme 'nothing'"):
        _run(use())


def test_every_call_does_what_its_namesake_does() -> None:
    async def use(store: AsyncExperimentStore) -> None:
        made = await store.create("mnist", namespace="vision", labels={"a": "b"})
        run = await store.runs.create(made.id, "run")
        job = await store.jobs.create(made.id, "job")
        assert await store.get_by_name("mnist", namespace="vision") == await store.get(made.id)
        assert await store.runs.get(run.id) == run
        assert await store.jobs.get_many([job.id]) == [job]
        assert (await store.archive(made.id)).storage_state is StorageState.ARCHIVED
        assert (await store.runs.get(run.id)).storage_state is StorageState.ARCHIVED
        await store.unarchive(made.id)
        assert (await store.runs.unarchive(run.id)).storage_state is StorageState.AVAILABLE
        assert (await store.runs.archive(run.id)).storage_state is StorageState.ARCHIVED
        assert (await store.jobs.enable(job.id)).enabled
        assert not (await store.jobs.disable(job.id)).enabled
        assert (await store.update(made.id, name="cifar")).name == "cifar"
        assert (await store.runs.update(run.id, state="FAILED")).state == "FAILED"
        assert (await store.jobs.update(job.id, schedule="@daily")).schedule == "@daily"
        await store.runs.delete(run.id)
        await store.jobs.delete(job.id)
        await store.delete(made.id, children="refuse")
        assert (await store.list(with_total=True)).total_size == 0

    _with_store(use)


def test_many_are_created_and_read_and_listed_by_pages() -> None:
    async def use(store: AsyncExperimentStore) -> None:
        made = await store.create_many([NewExperiment(name) for name in "abc"])
        runs = await store.runs.create_many([NewRun(made[0].id, "a"), NewRun(made[1].id, "b")])
        jobs = await store.jobs.create_many([NewJob(made[0].id, "a")])

        first = await store.list(page_size=2)
        rest = await store.list(page_token=first.next_page_token)

        assert [*first.items, *rest.items] == await store.get_many(x.id for x in made)
        assert (await store.runs.list(experiment_id=made[1].id)).items == runs[1:]
        assert (await store.jobs.list()).items == jobs
        assert await store.runs.get_many([runs[1].id]) == runs[1:]
        assert await store.jobs.get(jobs[0].id) == jobs[0]
        assert [run async for run in store.runs.iterate()] == runs
        assert [job async for job in store.jobs.iterate()] == jobs

    _with_store(use)


@pytest.mark.parametrize("many", [0, 1, 99, 100, 101, 200, 250])
@pytest.mark.parametrize("page_size", [None, 7])
def test_iterating_yields_everything_in_order_across_batches(
    many: int, page_size: int | None
) -> None:
    names = [f"{number:03}" for number in range(many)]

    async def use(store: AsyncExperimentStore) -> None:
        await store.create_many([NewExperiment(name) for name in names])

        walk = store.iterate(order_by="name", page_size=page_size)

        assert [record.name async for record in walk] == names

    _with_store(use)


def test_iterating_can_be_given_up() -> None:
    async def use(store: AsyncExperimentStore) -> None:
        await store.create_many([NewExperiment(f"{number:03}") for number in range(150)])

        walk = store.iterate(order_by="name")
        first = await anext(walk)
        await walk.aclose()  # type: ignore[attr-defined]  # an async generator, in fact

        assert first.name == "000"
        assert [record async for record in walk] == []

    _with_store(use)


def test_errors_come_through_as_they_are() -> None:
    async def use(store: AsyncExperimentStore) -> None:
        await store.create("mnist")
        with pytest.raises(NotFoundError):
            await store.get("e-9")
        with pytest.raises(AlreadyExistsError):
            await store.create("mnist")
        with pytest.raises(InvalidFilterError):
            await store.list(filter="name =")
        with pytest.raises(InvalidFilterError):
            await anext(store.iterate(filter="name ="))

    _with_store(use)


class _Gated(MemoryBackend):
    """Lets no read or insert pass before its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.gate, self.left = Event(), Event(), Event()
        self.closed = 0
        self.on_main_thread = False

    def get(self, kind: Kind[R], id: str) -> R | None:
        self._pass()
        return super().get(kind, id)

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        if not self.gate.is_set():
            self._pass()
        refusal = super().insert(kind, records, parent)
        self.left.set()
        return refusal

    def close(self) -> None:
        self.closed += 1

    def _pass(self) -> None:
        self.on_main_thread = current_thread() is main_thread()
        self.entered.set()
        assert self.gate.wait(_LONG), "nobody opened the gate: the loop is blocked"


def test_the_loop_goes_on_while_a_call_waits() -> None:
    backend = _Gated()

    async def use() -> None:
        store = AsyncExperimentStore(ExperimentStore(backend))
        reading = asyncio.create_task(store.get("e-9"))
        await asyncio.to_thread(backend.entered.wait, _LONG)
        assert not reading.done()
        backend.gate.set()
        with pytest.raises(NotFoundError):
            await reading

    _run(use())

    assert not backend.on_main_thread


def test_a_cancelled_await_does_not_cancel_the_write() -> None:
    backend = _Gated()
    store = ExperimentStore(backend)

    async def use() -> None:
        writing = asyncio.create_task(AsyncExperimentStore(store).create("mnist"))
        await asyncio.to_thread(backend.entered.wait, _LONG)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert list(store.iterate()) == []
        backend.gate.set()
        assert await asyncio.to_thread(backend.left.wait, _LONG)

    _run(use())

    assert [record.name for record in store.iterate()] == ["mnist"]


def test_many_awaits_at_once_create_one_of_each_name() -> None:
    async def use(store: AsyncExperimentStore) -> None:
        made = await asyncio.gather(
            *(store.create(f"{number % 10}", if_exists="return") for number in range(100))
        )

        assert len({record.id for record in made}) == 10
        assert (await store.list(with_total=True)).total_size == 10

    _with_store(use)


def test_a_run_is_executed_in_a_block() -> None:
    async def use(store: AsyncExperimentStore) -> None:
        async with store.runs.start("mnist", params={"lr": 0.1}) as run:
            assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
            for step in range(10):
                await run.log({"a b": 2.0}, step=step, loss=step % 4)
            await run.flush()
            assert len(await store.runs.history(run.id, "loss", points=4)) == 3
            await run.link("model", "file:///model.pt")
            await store.runs.link(run.id, Artifact("data", "file:///data"))
            await store.runs.beat(run.id)
            await store.runs.append(run.id, {"loss": []})
            assert run.run.state == "RUNNING"

        assert run.run.state == "SUCCEEDED"
        found = await store.runs.get(run.id)
        assert [artifact.name for artifact in found.artifacts] == ["model", "data"]
        assert found.metrics["a b"].count == 10
        assert await store.runs.reap() == []

    _with_store(use)


def test_a_run_is_executed_by_hand() -> None:
    async def use(store: AsyncExperimentStore) -> None:
        run = await store.runs.start("mnist")
        await run.log(loss=1.0)
        await run.finish(RunState.FAILED, error="diverged")
        async with store.runs.resume(run.id) as run:
            await run.log(loss=2.0)

        assert (await store.runs.history(run.id, "loss")).steps.tolist() == [0, 1]
        assert run.run.state is RunState.SUCCEEDED

    _with_store(use)


def test_a_run_whose_task_is_cancelled_is_canceled() -> None:
    async def use(store: AsyncExperimentStore) -> None:
        entered = asyncio.Event()

        async def execute() -> None:
            async with store.runs.start("mnist"):
                entered.set()
                await asyncio.sleep(_LONG)

        task = asyncio.create_task(execute())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        [run] = (await store.runs.list()).items
        assert run.state is RunState.CANCELED

    _with_store(use)


def test_a_store_whose_block_fails_fails_its_runs() -> None:
    backend = _Gated()
    backend.gate.set()

    async def use() -> None:
        async with AsyncExperimentStore(ExperimentStore(backend)) as store:
            await store.runs.start("mnist")
            raise KeyError("ours")

    with pytest.raises(KeyError):
        _run(use())

    [run] = ExperimentStore(backend).runs.iterate()
    assert (run.state, run.error) == (RunState.FAILED, "KeyError: 'ours'")


def test_logging_does_not_block_the_loop_even_when_it_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend = _Gated()
    backend.gate.set()
    monkeypatch.setattr(active, "_TOO_MANY", 2)

    async def use() -> None:
        store = AsyncExperimentStore(ExperimentStore(backend))
        async with store.runs.start("mnist", interval=3_000.0) as run:
            backend.gate.clear()
            backend.entered.clear()
            await run.log(loss=1.0)
            await run.log(loss=2.0)
            assert not backend.entered.is_set()
            logging = asyncio.create_task(run.log(loss=3.0))
            await asyncio.to_thread(backend.entered.wait, _LONG)
            assert not logging.done()
            backend.gate.set()
            await logging
        assert len(await store.runs.history(run.id, "loss")) == 3

    _run(use())

    assert not backend.on_main_thread


@pytest.fixture(autouse=True)
def _signals_are_left_to_the_system() -> Iterator[None]:
    yield  # a run that ends on a worker thread cannot do so
    endings._leave_signals()


def _with_store(use: Callable[[AsyncExperimentStore], Coroutine[Any, Any, None]]) -> None:
    async def used() -> None:
        async with connect_async("memory://") as store:
            await use(store)

    _run(used())


def _run(using: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(using, _LONG))
