"""A program that executes a run, and ends in one of many ways.

``python -m tests.processes.ending URL INTERVAL END``. It prints the id of its run and then,
before it logs a point, a line with the step and the time: so of what was logged
every line is kept but perhaps the last.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from types import FrameType

from experiment_store import ExperimentStore, FailedPreconditionError
from experiment_store.registry import open_backend
from experiment_store.tracking import ActiveRun

POINTS = 100
FORKS = 6
REASON = "no more data"
_PAUSE = 0.001  # seconds, so that points wait for the interval, and not for being many


class Executed:
    """A run, and what is said of it."""

    def __init__(self, store: ExperimentStore, interval: float) -> None:
        """Start it."""
        self.store = store
        self.run: ActiveRun = store.runs.start("mnist", interval=interval)
        self._steps: Iterator[int] = count()
        _say(self.run.id)

    def log(self, points: int = POINTS) -> None:
        """Log some points."""
        for _ in range(points):
            step = next(self._steps)
            _say(f"{step} {time.monotonic()}")
            self.run.log(step=step, loss=1 / (step + 1))

    def go_on(self) -> None:
        """Log until a signal comes."""
        while True:
            self.log(1)
            time.sleep(_PAUSE)


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())  # at a stroke, whatever signal comes


def inside(work: Callable[[Executed], None]) -> Callable[[ExperimentStore, float], None]:
    """Work inside ``with``."""

    def end(store: ExperimentStore, interval: float) -> None:
        with store:
            executed = Executed(store, interval)
            with executed.run:
                work(executed)

    return end


def outside(work: Callable[[Executed], None]) -> Callable[[ExperimentStore, float], None]:
    """Work, and forget to finish and to close."""
    return lambda store, interval: work(Executed(store, interval))


def _exit(executed: Executed) -> None:
    executed.log()
    sys.exit(3)


def _fail(executed: Executed) -> None:
    executed.log()
    raise ValueError(REASON)


def _fork(executed: Executed) -> None:
    """Have children while points are written, each of which ends in another way."""
    for number in range(FORKS):
        executed.log()
        if child := os.fork():
            executed.log()
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == number
        else:
            _end_child(executed.run, number)
    executed.log()


def _end_child(run: ActiveRun, number: int) -> None:
    try:
        run.log(step=-1, loss=0.0)
    except FailedPreconditionError:
        run.flush()
    else:
        os._exit(99)
    if number % 2:
        sys.exit(number)
    os._exit(number)


def _close_early(executed: Executed) -> None:
    executed.log()
    executed.store.close()
    try:
        executed.run.log(loss=0.0)
    except FailedPreconditionError:
        return
    sys.exit("a point was taken after the end")


def _go_on_until_heard(store: ExperimentStore, interval: float) -> None:
    """Handle one signal from before the run on, and the other from within, beyond its end."""
    heard: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        heard.append(number)

    signal.signal(signal.SIGTERM, handle)
    with store:
        executed = Executed(store, interval)
        with executed.run:
            signal.signal(signal.SIGHUP, handle)
            while not heard:
                executed.log(1)
            executed.log()
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGHUP)
    assert heard[1:] == [signal.SIGTERM, signal.SIGHUP]


def _fail_in_the_store(store: ExperimentStore, interval: float) -> None:
    with store:
        _fail(Executed(store, interval))


ENDS = {
    "go on": inside(Executed.go_on),
    "go on, forgotten": outside(Executed.go_on),
    "until heard": _go_on_until_heard,
    "return": inside(Executed.log),
    "return, forgotten": outside(Executed.log),
    "exit": inside(_exit),
    "fail": inside(_fail),
    "fail, forgotten": outside(_fail),
    "fail in the store": _fail_in_the_store,
    "fork": inside(_fork),
    "close early": inside(_close_early),
    "close early, forgotten": outside(_close_early),
}


def main(url: str, interval: str, end: str) -> None:
    """Execute a run, and end."""
    # As in a terminal, whatever was ignored by those who run the tests.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    ENDS[end](ExperimentStore(open_backend(url)), float(interval))


if __name__ == "__main__":
    main(*sys.argv[1:])
