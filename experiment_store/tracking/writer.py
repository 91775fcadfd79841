"""Brings what waits in a buffer into the store, a batch after the other."""

from __future__ import annotations

from queue import SimpleQueue
from threading import RLock

from experiment_store.errors import ExperimentStoreError, InvalidArgumentError
from experiment_store.recording import Batch, make_batch, write
from experiment_store.services import Services
from experiment_store.tracking.buffer import Buffer


class Request:
    """To write what waits, and tell."""

    def __init__(self) -> None:
        self.answer: SimpleQueue[ExperimentStoreError | None] = SimpleQueue()


class Writer:
    """Writes for one run; any thread may call, and one at a time writes."""

    def __init__(self, run_id: str, services: Services, buffer: Buffer) -> None:
        """Write what is in *buffer*."""
        self._run_id = run_id
        self._services = services
        self._buffer = buffer
        # Reentrant, since a handler of signals may call whatever it has interrupted.
        self._writing = RLock()
        self._batch: Batch | None = None

    def write(self) -> None:
        """Write all that waits.

        Raises:
            ExperimentStoreError: As of `ActiveRun.flush`.
        """
        with self._writing:
            self._write_waiting()

    def write_unless_others_do(self) -> None:
        """Write all that waits, or leave it to another thread that is writing.

        Raises:
            ExperimentStoreError: As of `write`.
        """
        if self._writing.acquire(blocking=False):
            try:
                self._write_waiting()
            finally:
                self._writing.release()

    def serve(self, request: Request) -> None:
        """Write all that waits, and answer with the error if there is one."""
        error = None
        try:
            self.write()
        except ExperimentStoreError as failure:
            error = failure
        request.answer.put(error)

    def _write_waiting(self) -> None:
        while self._batch is not None or self._buffer:
            # A batch that could not be written comes again as it is: perhaps it was. And
            # whatever line of this an interrupt has kept from being run, nothing is lost.
            if self._batch is None:
                self._batch = make_batch(self._services, self._run_id, self._buffer.take())
            self._buffer.release()
            try:
                write(self._services, self._batch)
            except InvalidArgumentError:
                self._batch = None  # it would never be written
                raise
            self._batch = None
