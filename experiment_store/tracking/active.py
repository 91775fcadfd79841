"""A run that this process executes: what it logs is buffered, and written by a thread of its own.

Whatever has been logged is written within the *interval*, or as soon as ten thousand points
wait. While the store is out of reach they wait in memory, and `log` blocks only
at a million. Only what a process has logged since the last write can be lost with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import RLock, Thread, current_thread, main_thread
from time import monotonic
from types import TracebackType
from typing import Self, SupportsFloat

from experiment_store.errors import (
    ExperimentStoreError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    Obstacle,
)
from experiment_store.records import Artifact, Run, RunState
from experiment_store.schema import RUN
from experiment_store.services import Services
from experiment_store.tracking.buffer import Buffer
from experiment_store.tracking.endings import unwatch, watch
from experiment_store.tracking.outcomes import outcome, storable
from experiment_store.tracking.recorder import Recorder
from experiment_store.tracking.writer import Request, Writer

INTERVAL = 1.0
"""Seconds that points wait, unless there are many."""

HEARTBEAT = 15.0
"""Seconds between two signs of life."""

_ENDS = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED)
_ASKING_AGAIN = 1.0  # seconds, until whoever waits looks whether there is something to wait for
_MANY = 10_000
_TOO_MANY = 1_000_000


class ActiveRun:
    """Logs for one run, from any thread; a context manager that ends the run.

    It ends SUCCEEDED, CANCELED by KeyboardInterrupt, or FAILED by any other exception,
    whose text is kept. Without ``with``, call `finish`; what is forgotten is finished
    when the store is closed, or the process ends.
    """

    def __init__(
        self, run: Run, services: Services, recorder: Recorder, *, interval: float = INTERVAL
    ) -> None:
        """Log for *run*, which says that it is RUNNING; use `Runs.start` for that."""
        self._run = run
        self._services = services
        self._recorder = recorder
        self._interval = interval
        self._buffer = Buffer(services.now, run.metrics)
        # Reentrant, since a handler of signals may call whatever it has interrupted.
        self._ending = RLock()
        self._writer = Writer(run.id, services, self._buffer)
        self._is_over = False
        # An exception from a signal handler leaves the lock of an Event held, but no queue.
        self._requests: SimpleQueue[Request | None] = SimpleQueue()
        self._is_woken = False
        watch(self)
        self._thread = Thread(target=self._work, name=f"run {run.id}", daemon=True)
        self._thread.start()

    @property
    def id(self) -> str:
        """The id of the run."""
        return self._run.id

    @property
    def owner(self) -> object:
        """The collection that has started the run."""
        return self._recorder

    @property
    def run(self) -> Run:
        """The run as it was when it was started, or after it was finished."""
        return self._run

    @property
    def is_full(self) -> bool:
        """Whether the next `log` writes before it returns, because a million points wait."""
        return self._buffer.count >= _TOO_MANY

    def log(
        self,
        values: Mapping[str, SupportsFloat] | None = None,
        /,
        *,
        step: int | None = None,
        time: datetime | None = None,
        **named: SupportsFloat,
    ) -> None:
        """Log a point for each metric in *values* and *named*.

        Args:
            values: Numbers by metric, for names that are no words of Python: 1 to 128
                code points, at most 1,000 metrics in a run; NaN and infinities included.
            step: An integer of 64 bits, by default one more than that of the call before.
            time: When it was, aware; by default now.
            named: As *values*.

        Raises:
            InvalidArgumentError: An argument is out of bounds; nothing of the call is logged.
            FailedPreconditionError: The run is finished.
            BackendError: A million points are waiting, and cannot be written; nothing of
                the call is logged.
        """
        if values is not None:
            if not isinstance(values, Mapping):
                problem = f"must be a mapping, not {type(values).__name__}"
                raise InvalidArgumentError("values", problem)
            named = {**values, **named}
        if self.is_full:
            self.flush()
        if self._is_over or not self._buffer.add(named, step, time):
            raise FailedPreconditionError(RUN.name, self.id, Obstacle.FINISHED)
        if self._buffer.count >= _MANY and not self._is_woken:
            self._is_woken = True
            self._requests.put(None)

    def flush(self) -> None:
        """Write all that has been logged; then it is in the store.

        A handler of signals that has interrupted `log` does not wait for it.

        Raises:
            NotFoundError: The run has been deleted.
            UnavailableError: The store is out of reach; the points go on waiting.
            BackendError: The store cannot be written; the points go on waiting.
            InvalidArgumentError: Others have given the run so many metrics that ours
                find no room; what was logged since the last write is not kept.
        """
        if self._is_over:  # in a forked process, what waits is written by the other one
            return
        if self._buffer.is_in_use_here:  # by what a handler of signals has interrupted
            self._requests.put(Request())
        elif current_thread() is main_thread() and self._thread.is_alive():
            self._have_written()
        else:
            self._writer.write()

    def link(self, name: str, uri: str, *, digest: str = "", size: int | None = None) -> None:
        """Record where something is that the run has made or used; its name is replaced.

        Args:
            name: 1 to 128 code points; a link of this name is replaced.
            uri: 1 to 2,048 code points, kept as they are.
            digest: At most 256 code points, such as ``sha256:…``.
            size: In bytes.

        Raises:
            InvalidArgumentError: An argument is out of bounds, or the run has 64 links.
            NotFoundError: The run has been deleted.
        """
        self._recorder.link(self.id, Artifact(name, uri, digest, size))

    def finish(self, state: RunState = RunState.SUCCEEDED, *, error: str = "") -> Run:
        """Write what has been logged, and say how the run ended. Idempotent.

        Args:
            state: SUCCEEDED, FAILED or CANCELED.
            error: What it failed with; kept without NUL and surrogates, up to 4,096 code points.

        Raises:
            InvalidArgumentError: *state* is none of these, or *error* no text.
            NotFoundError: The run has been deleted.
            UnavailableError: The store is out of reach; the run goes on, and can be
                finished again.
            BackendError: The store cannot be written; likewise.
        """
        if state not in _ENDS:
            raise InvalidArgumentError("state", f"must be one of {', '.join(_ENDS)}")
        if not isinstance(error, str):
            raise InvalidArgumentError("error", f"must be text, not {type(error).__name__}")
        if self._is_over:
            return self._run
        with self._ending:
            if not self._is_over:
                self._finish(state, storable(error))
            return self._run

    def end(self, error: BaseException | None) -> None:
        """Finish as *error* says, as leaving a ``with`` does.

        Raises:
            ExperimentStoreError: As of `finish`; with an *error*, it is only noted there.
        """
        state, text = outcome(error)
        try:
            self.finish(state, error=text)
        except ExperimentStoreError as failure:
            if error is None:
                raise
            error.add_note(f"run {self.id} could not be finished: {failure}")

    def abandon(self) -> None:
        """Log no more, and leave the run as it is in the store. Idempotent."""
        self._is_over = True
        unwatch(self)
        self._requests.put(None)
        self._thread.join()  # it may be in the middle of a write

    def forget(self) -> None:
        """Log no more, in a process that has only a copy of this run, and not its thread."""
        self._is_over = True

    def __enter__(self) -> Self:
        """Return the run itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the run as *error* says."""
        self.end(error)

    def _finish(self, state: RunState, error: str) -> None:
        self._buffer.close()  # so that nothing is logged after the last write
        try:
            self.flush()
            now = self._services.now()
            self._run = self._recorder.update(self.id, state=state, error=error, finished_at=now)
            self._is_over = True
        except NotFoundError:
            self._is_over = True  # there is nothing left to finish
            raise
        finally:
            if self._is_over:
                self.abandon()
            else:
                self._buffer.reopen()

    def _have_written(self) -> None:
        """Let the other thread write: on this one, signals may interrupt whatever is done."""
        request = Request()
        self._requests.put(request)
        while True:
            try:
                error = request.answer.get(timeout=_ASKING_AGAIN)
            except Empty:
                if not self._thread.is_alive():  # which only an error outside of the store can do
                    return self.flush()
            else:
                if error is not None:
                    raise error
                return None

    def _work(self) -> None:
        """Write now and then and when asked to, and show that the run is alive."""
        next_write, next_beat = monotonic() + self._interval, monotonic() + HEARTBEAT
        is_told = is_gone = False
        while True:
            with suppress(Empty):
                pause = max(0.0, min(next_write, next_beat) - monotonic())
                if (request := self._requests.get(timeout=pause)) is not None:
                    self._writer.serve(request)
            if self._is_over:
                return
            self._is_woken = False
            now = monotonic()
            has_to_beat, has_to_write = now >= next_beat, now >= next_write
            next_beat = now + HEARTBEAT if has_to_beat else next_beat
            next_write = now + self._interval if has_to_write else next_write
            if is_gone:
                continue  # the caller is told by the next flush
            try:
                if has_to_write or self._buffer.count >= _MANY:
                    self._writer.write_unless_others_do()
                if has_to_beat:
                    self._recorder.beat(self.id)
                is_told = False
            except ExperimentStoreError as error:
                if not is_told:
                    _warn(self.id, error)
                is_told, is_gone = True, isinstance(error, NotFoundError)


def _warn(id: str, error: ExperimentStoreError) -> None:
    from logging import getLogger  # noqa: PLC0415 (a tenth of our import time)

    getLogger("experiment_store").warning("run %s: what is logged waits: %s", id, error)
