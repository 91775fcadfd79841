"""A program that changes a store until it is killed, or its standard input ends.

``python -m tests.processes.writer URL JOURNAL NAME SEED THREADS``. It prints a
byte before it opens the store, and one for every answer that settles something.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from random import Random

from experiment_store.registry import open_backend
from tests.processes.journal import Journal
from tests.processes.mixing import OwnMix, SharedMix
from tests.processes.operations import UNKNOWN, Performer

_SHARED_PART = 0.2
_PAUSE = 0.05  # seconds, for a server that is down


class Hand:
    """One thread of a writer, with a namespace of its own."""

    def __init__(
        self, performer: Performer, journal: Journal, name: str, random: Random, number: int
    ) -> None:
        """Go on with what is in the namespace."""
        self._performer = performer
        self._journal = journal
        self._prefix = f"{name}.{number}"
        self._random = random
        # Processes that take turns have names that differ only after the last hyphen.
        self._home = f"{name.rpartition('-')[2]}-{number}"
        self._moves = 0
        self._own = OwnMix(random, self._home, performer.store)
        self._shared = SharedMix(random)

    def work(self, stopping: threading.Event) -> None:
        """Change things until told to stop."""
        number = 0
        while not stopping.is_set():
            self._step(f"{self._prefix}.{number}", stopping)
            number += 1

    def _step(self, key: str, stopping: threading.Event) -> None:
        shared = self._random.random() < _SHARED_PART
        operation = (self._shared if shared else self._own).next(key)
        self._journal.intend(operation)
        answer = self._performer.perform(operation)
        self._journal.answered(operation, answer)
        if answer.outcome == UNKNOWN:
            if not shared:
                self._move()
            stopping.wait(_PAUSE)
            return
        if not shared:
            self._own.learn(operation, answer)
        report()

    def _move(self) -> None:
        """Leave the namespace: in each, no more than one operation may be undecided."""
        self._moves += 1
        self._own = OwnMix(self._random, f"{self._home}-{self._moves}")


def report() -> None:
    """Print a byte, if there is room for it: nobody may be reading."""
    with suppress(BlockingIOError):
        os.write(sys.stdout.fileno(), b".")


def end_at_once(args: threading.ExceptHookArgs) -> None:
    """Let no thread die alone."""
    traceback.print_exception(args.exc_value)
    sys.stderr.flush()
    os._exit(3)


def main(url: str, journal: str, name: str, seed: str, threads: str) -> None:
    """Open the store, and work with several hands."""
    os.set_blocking(sys.stdout.fileno(), False)
    threading.excepthook = end_at_once
    backend = open_backend(url)
    report()
    performer = Performer(backend)
    file = Journal(Path(journal))
    stopping = threading.Event()
    hands = [
        Hand(performer, file, name, Random(f"{seed}-{number}"), number)
        for number in range(int(threads))
    ]
    workers = [threading.Thread(target=hand.work, args=[stopping]) for hand in hands]
    for worker in workers:
        worker.start()
    sys.stdin.read()
    stopping.set()
    for worker in workers:
        worker.join()
    performer.store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
