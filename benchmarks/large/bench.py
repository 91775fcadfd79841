"""One store among those that are compared: what it is asked about, and what it answered."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from random import Random
from time import perf_counter
from typing import Any, Protocol

from benchmarks.large.crowd import Crowd
from benchmarks.scenarios import Answer
from experiment_store import Experiment, ExperimentStore, NewExperiment, StorageState

Call = Callable[[], object]

PAGE = 20
_SEED = 7
_SAMPLE = 20_000
_LONG_PAGE = 1000
_STRIDES = 50  # pages of a walk that looks for places, at least


class Bench:
    """A store with the rows of *crowd*, and random samples of them; the same in every run."""

    def __init__(self, store: ExperimentStore, crowd: Crowd) -> None:
        self.store = store
        self.crowd = crowd
        self.random = Random(_SEED)
        self.ways: dict[str, Sequence[Any]] = {}  # to ask a question, by its name

    @cached_property
    def sample(self) -> Sequence[Experiment]:
        """Experiments from anywhere in the store, read once."""
        return [self.read(number) for number in self.some(min(_SAMPLE, self.crowd.experiments))]

    @cached_property
    def available(self) -> Sequence[Experiment]:
        """Those of the sample that may be given runs."""
        return [one for one in self.sample if one.storage_state is StorageState.AVAILABLE]

    @cached_property
    def archivable(self) -> Iterator[str]:
        """The ids of experiments that are available and have five runs, none of them twice."""
        numbers = list(range(self.crowd.experiments))
        self.random.shuffle(numbers)
        return filter(None, map(self._archivable, numbers))

    def some(self, count: int) -> Sequence[int]:
        """Return numbers of experiments."""
        return [self.random.randrange(self.crowd.experiments) for _ in range(count)]

    def random_experiment(self) -> NewExperiment:
        """Return what one of the experiments was made of."""
        return self.crowd.experiment(self.random.randrange(self.crowd.experiments))

    def read(self, number: int) -> Experiment:
        """Read an experiment by its number."""
        new = self.crowd.experiment(number)
        return self.store.get_by_name(new.name, namespace=new.namespace)

    def places(self, **listing: Any) -> tuple[Sequence[str], str]:
        """Walk a listing; return tokens of places in its middle, and that of its last page."""
        total = self.store.list(**listing, page_size=1, with_total=True).total_size or 0
        stride = max(min(_LONG_PAGE, total // _STRIDES), PAGE)
        tokens, page = [""], self.store.list(**listing, page_size=stride)
        while page.next_page_token:
            tokens.append(page.next_page_token)
            page = self.store.list(**listing, page_size=stride, page_token=tokens[-1])
        rest = len(page.items)
        back = 1 if rest > PAGE else 2  # a short last page has its first rows on the one before
        size = rest + (back - 1) * stride - PAGE
        last = self.store.list(**listing, page_size=size, page_token=tokens[-back])
        middle = range(int(len(tokens) * 0.4), int(len(tokens) * 0.6))
        return [tokens[number] for number in middle], last.next_page_token

    def _archivable(self, number: int) -> str | None:
        if self.crowd.is_archived(number) or self.crowd.runs_of(number) != self.crowd.runs:
            return None
        found = self.read(number)
        runs = self.store.runs.list(experiment_id=found.id, page_size=PAGE).items
        fits = found.storage_state is StorageState.AVAILABLE and len(runs) == self.crowd.runs
        return found.id if fits else None


class Question(Protocol):
    """An operation: checked once, and then called with arguments that differ."""

    @property
    def name(self) -> str:
        """What the operation is called."""

    @property
    def most(self) -> int:
        """How many calls a round has at most."""

    def room(self, bench: Bench) -> int:
        """Tell how many items a page could have; 0 for what is no page."""

    def check(self, bench: Bench, size: int) -> int:
        """Call it once with pages of *size*; return how many items came back.

        Raises:
            WrongAnswerError: They are not what was asked for.
        """

    def calls(self, bench: Bench, size: int, count: int) -> Sequence[Call]:
        """Prepare *count* calls."""


class Side:
    """A contestant of the harness: asks one store the questions."""

    def __init__(
        self, title: str, bench: Bench, questions: Mapping[str, Question], sizes: Mapping[str, int]
    ) -> None:
        """Ask *questions* by name, with pages of such *sizes*."""
        self.title = title
        self._bench = bench
        self._questions = questions
        self._sizes = sizes

    def offers(self, scenario: str) -> bool:
        """Take part in all."""
        return True

    def answer(self, scenario: str) -> Answer:
        """Check the answer to a question; say how long it is."""
        found = self._questions[scenario].check(self._bench, self._sizes[scenario])
        return [{"name": scenario, "items": found}]

    def time(self, scenario: str, count: int) -> float:
        """Return the seconds that one of *count* calls took."""
        calls = self._questions[scenario].calls(self._bench, self._sizes[scenario], count)
        gc.collect()
        start = perf_counter()
        for call in calls:
            call()
        return (perf_counter() - start) / count

    def close(self) -> None:
        """Close the store."""
        self._bench.store.close()


def page_size(question: Question, benches: Sequence[Bench]) -> int:
    """Choose a size so that pages are as long, and as seldom the last ones, in every store."""
    fewest = min(question.room(bench) for bench in benches)
    return PAGE if fewest >= PAGE else max(fewest - 1, 1)
