"""A subject at work: opened and loaded when that is first needed, never asked the same twice.

Imports the standard library only.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from random import Random
from shutil import rmtree

from benchmarks.subject import Subject
from benchmarks.workload import Row, Workload

THREADS = 8
SMALL = 1000


class Workbench:
    """One kind of subject, with a large database, and a small one to check answers on."""

    def __init__(self, factory: Callable[[], Subject], workload: Workload, folder: Path) -> None:
        """Work with subjects that *factory* makes, in folders below *folder*."""
        self.workload = workload
        self.random = Random(workload.rows)
        self._factory = factory
        self._folder = folder
        self._opened: dict[Subject, Path] = {}
        self._large: Subject | None = None
        self._is_settled = False
        self._numbers = itertools.count()
        self._created = itertools.count()

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The rows of the large database."""
        return self.workload.experiments()

    @cached_property
    def ids(self) -> Sequence[str]:
        """Their ids, in the same order."""
        return self.subject.ids(self.rows)

    @property
    def subject(self) -> Subject:
        """The large database, loaded and settled."""
        subject = self._large
        if subject is None:
            subject, load = self.reload()
            load()
        if not self._is_settled:
            subject.settle()
            self._is_settled = True
        return subject

    @cached_property
    def small(self) -> Subject:
        """The small database, loaded with the first rows."""
        subject = self.open()
        subject.load(subject.prepare(self.rows[:SMALL]))
        subject.settle()
        return subject

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """Threads that keep their connections from one use to the next."""
        return ThreadPoolExecutor(THREADS)

    @cached_property
    def archivable(self) -> Iterator[str]:
        """Experiments with many runs, which are stored when this is first read."""
        subject, step = self.subject, len(self.rows) // self.workload.archives
        chosen = [self.ids[number * step] for number in range(self.workload.archives)]
        for number, id in enumerate(chosen):
            subject.load_runs(id, self.workload.runs_of(number))
        subject.settle()
        return iter(chosen)

    def reload(self) -> tuple[Subject, Callable[[], None]]:
        """Open an empty large database in the place of the one there was; return what fills it."""
        if self._large is not None:
            self._discard(self._large)
        subject = self._large = self.open()
        self._is_settled = False
        batches = [
            subject.prepare(self.rows[start : start + self.workload.batch])
            for start in range(0, len(self.rows), self.workload.batch)
        ]

        def load() -> None:
            for batch in batches:
                subject.load(batch)

        return subject, load

    @property
    def sample(self) -> Sequence[int]:
        """A few numbers of rows, always the same."""
        return range(0, len(self.rows), len(self.rows) // 25)

    def some(self, count: int) -> list[int]:
        """Return numbers of rows, the same for every subject that is asked the same."""
        return [self.random.randrange(len(self.rows)) for _ in range(count)]

    def fresh(self, count: int) -> list[Row]:
        """Return rows that are not stored yet."""
        return [self.workload.fresh(next(self._created)) for _ in range(count)]

    def open(self) -> Subject:
        """Open an empty database."""
        folder = self._folder / str(next(self._numbers))
        folder.mkdir(parents=True)
        subject = self._factory()
        self._opened[subject] = folder
        subject.open(folder)
        return subject

    def close(self) -> None:
        """Close and remove all databases."""
        if "pool" in vars(self):
            self.pool.shutdown()
        while self._opened:
            self._discard(next(iter(self._opened)))

    def _discard(self, subject: Subject) -> None:
        folder = self._opened.pop(subject)
        subject.close()
        rmtree(folder)
