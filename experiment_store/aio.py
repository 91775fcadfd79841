"""The store for programs that await: the same calls, each on a worker thread.

Every call of a store is one atomic step, so nothing has to stay on a thread
between two of them. Cancelling an await stops the waiting, not the step.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping
from datetime import datetime
from functools import partial, wraps
from itertools import islice
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, SupportsFloat, TypeVar

from experiment_store import registry
from experiment_store.jobs import Jobs
from experiment_store.records import Run
from experiment_store.runs import Runs
from experiment_store.store import ExperimentStore
from experiment_store.tracking import ActiveRun
from experiment_store.tracking.endings import catch_signals

P = ParamSpec("P")
T = TypeVar("T")
C_co = TypeVar("C_co", covariant=True)

_BATCH = 100  # items of an iteration per hop


class _Hopping(Generic[C_co]):
    """Wraps a collection whose methods run on worker threads."""

    def __init__(self, wrapped: C_co) -> None:
        self._wrapped = wrapped


def _hop(
    method: Callable[Concatenate[C_co, P], T],
) -> Callable[Concatenate[_Hopping[C_co], P], Coroutine[Any, Any, T]]:
    @wraps(method)
    async def hopping(self: _Hopping[C_co], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(method, self._wrapped, *args, **kwargs)

    return hopping


def _stream(
    method: Callable[Concatenate[C_co, P], Iterator[T]],
) -> Callable[Concatenate[_Hopping[C_co], P], AsyncIterator[T]]:
    @wraps(method)
    async def streaming(
        self: _Hopping[C_co], /, *args: P.args, **kwargs: P.kwargs
    ) -> AsyncIterator[T]:
        items = await asyncio.to_thread(method, self._wrapped, *args, **kwargs)
        while batch := await asyncio.to_thread(_take, items):
            for item in batch:
                yield item

    return streaming


def _take(items: Iterator[T]) -> list[T]:
    return list(islice(items, _BATCH))


class AsyncActiveRun(_Hopping[ActiveRun]):
    """Logs for one run; see `ActiveRun`. Nothing of it keeps the event loop waiting."""

    flush = _hop(ActiveRun.flush)
    link = _hop(ActiveRun.link)
    finish = _hop(ActiveRun.finish)

    @property
    def id(self) -> str:
        """The id of the run."""
        return self._wrapped.id

    @property
    def run(self) -> Run:
        """The run as it was when it was started, or after it was finished."""
        return self._wrapped.run

    async def log(
        self,
        values: Mapping[str, SupportsFloat] | None = None,
        /,
        *,
        step: int | None = None,
        time: datetime | None = None,
        **named: SupportsFloat,
    ) -> None:
        """Log a point for each metric; see `ActiveRun.log`."""
        # Only a million points that wait are worth a thread; else it takes microseconds.
        if self._wrapped.is_full:
            await asyncio.to_thread(self._wrapped.flush)
        self._wrapped.log(values, step=step, time=time, **named)

    async def __aenter__(self) -> Self:
        """Return the run itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the run as *error* says."""
        await asyncio.to_thread(self._wrapped.end, error)


class _Starting:
    """A run about to be executed: ``await`` it, or enter it with ``async with``."""

    _run: AsyncActiveRun

    def __init__(self, start: Callable[[], ActiveRun]) -> None:
        self._starting = start

    def __await__(self) -> Generator[Any, None, AsyncActiveRun]:
        return self._start().__await__()

    async def __aenter__(self) -> AsyncActiveRun:
        self._run = await self._start()
        return self._run

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._run.__aexit__(kind, error, trace)

    async def _start(self) -> AsyncActiveRun:
        run = AsyncActiveRun(await asyncio.to_thread(self._starting))
        catch_signals()  # which no worker thread can
        return run


def _starting(
    method: Callable[Concatenate[Runs, P], ActiveRun],
) -> Callable[Concatenate[_Hopping[Runs], P], _Starting]:
    @wraps(method)
    def starting(self: _Hopping[Runs], /, *args: P.args, **kwargs: P.kwargs) -> _Starting:
        return _Starting(partial(method, self._wrapped, *args, **kwargs))

    return starting


class AsyncRuns(_Hopping[Runs]):
    """The runs of all experiments; see `Runs`."""

    create = _hop(Runs.create)
    create_many = _hop(Runs.create_many)
    get = _hop(Runs.get)
    get_many = _hop(Runs.get_many)
    list = _hop(Runs.list)
    iterate = _stream(Runs.iterate)
    update = _hop(Runs.update)
    archive = _hop(Runs.archive)
    unarchive = _hop(Runs.unarchive)
    delete = _hop(Runs.delete)
    start = _starting(Runs.start)
    resume = _starting(Runs.resume)
    append = _hop(Runs.append)
    history = _hop(Runs.history)
    link = _hop(Runs.link)
    beat = _hop(Runs.beat)
    reap = _hop(Runs.reap)


class AsyncJobs(_Hopping[Jobs]):
    """The jobs of all experiments; see `Jobs`."""

    create = _hop(Jobs.create)
    create_many = _hop(Jobs.create_many)
    get = _hop(Jobs.get)
    get_many = _hop(Jobs.get_many)
    list = _hop(Jobs.list)
    iterate = _stream(Jobs.iterate)
    update = _hop(Jobs.update)
    enable = _hop(Jobs.enable)
    disable = _hop(Jobs.disable)
    delete = _hop(Jobs.delete)


class AsyncExperimentStore(_Hopping[ExperimentStore]):
    """A store whose calls are awaited; see `ExperimentStore`."""

    create = _hop(ExperimentStore.create)
    create_many = _hop(ExperimentStore.create_many)
    get = _hop(ExperimentStore.get)
    get_by_name = _hop(ExperimentStore.get_by_name)
    get_many = _hop(ExperimentStore.get_many)
    list = _hop(ExperimentStore.list)
    iterate = _stream(ExperimentStore.iterate)
    update = _hop(ExperimentStore.update)
    archive = _hop(ExperimentStore.archive)
    unarchive = _hop(ExperimentStore.unarchive)
    delete = _hop(ExperimentStore.delete)
    key = _hop(ExperimentStore.key)
    backup = _hop(ExperimentStore.backup)
    close = _hop(ExperimentStore.close)

    def __init__(self, store: ExperimentStore) -> None:
        """Serve *store*, and close it when closed."""
        super().__init__(store)
        self.runs = AsyncRuns(store.runs)
        self.jobs = AsyncJobs(store.jobs)

    async def __aenter__(self) -> Self:
        """Return the store itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the store; runs that are still active end as *error* says."""
        await asyncio.to_thread(self._wrapped.__exit__, kind, error, trace)


class _Opening:
    """A store about to be opened: ``await`` it, or enter it with ``async with``."""

    _store: AsyncExperimentStore

    def __init__(self, opening: Callable[[], ExperimentStore]) -> None:
        self._opening = opening

    def __await__(self) -> Generator[Any, None, AsyncExperimentStore]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncExperimentStore:
        self._store = await self._open()
        return self._store

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._store.__aexit__(kind, error, trace)

    async def _open(self) -> AsyncExperimentStore:
        return AsyncExperimentStore(await asyncio.to_thread(self._opening))


def _opening(
    method: Callable[P, ExperimentStore],
) -> Callable[P, _Opening]:
    @wraps(method)
    def opening(*args: P.args, **kwargs: P.kwargs) -> _Opening:
        return _Opening(partial(method, *args, **kwargs))

    return opening


connect = _opening(registry.connect)
