"""``python -m benchmarks.large.load``: one step of a load or one walk, in a process of its own.

So its peak of memory is that of this step alone. It prints a report as JSON, and
how far it has come to standard error.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from time import perf_counter

import experiment_store
from benchmarks.large.crowd import Crowd
from experiment_store import ExperimentStore

_BATCH = 10_000
_PAGE = 1000
_NOTICES = 10
_ROOT = Path(__file__).parents[2]
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Report:
    """How fast a step was, and the most memory that it had used at a tenth of it and at its end."""

    step: str
    rows: int
    seconds: float
    early_mib: float
    mib: float


def run(step: str, url: str, crowd: Crowd) -> Report:
    """Take one of `STEPS` in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, step, url, str(crowd.experiments)]
    done = subprocess.run(
        [*command, str(crowd.runs)], cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return Report(**json.loads(done.stdout))


def _experiments(store: ExperimentStore, crowd: Crowd) -> Iterator[int]:
    numbers = iter(range(crowd.experiments))
    while batch := [crowd.experiment(number) for number in islice(numbers, _BATCH)]:
        yield len(store.create_many(batch))


def _runs(store: ExperimentStore, crowd: Crowd) -> Iterator[int]:
    numbered = enumerate(store.iterate(page_size=_PAGE))
    runs = chain.from_iterable(crowd.make_runs(number, found.id) for number, found in numbered)
    while batch := list(islice(runs, _BATCH)):
        yield len(store.runs.create_many(batch))


def _archives(store: ExperimentStore, crowd: Crowd) -> Iterator[int]:
    for number in filter(crowd.is_archived, range(crowd.experiments)):
        new = crowd.experiment(number)
        store.archive(store.get_by_name(new.name, namespace=new.namespace).id)
        yield 1


def _walk(store: ExperimentStore, _: Crowd) -> Iterator[int]:
    yield from (1 for _ in store.iterate(page_size=_PAGE))


Step = Callable[[ExperimentStore, Crowd], Iterator[int]]
STEPS: Mapping[str, tuple[Step, Callable[[Crowd], int]]] = {
    "load experiments": (_experiments, lambda crowd: crowd.experiments),
    "load runs": (_runs, lambda crowd: crowd.experiments * crowd.runs),
    "archive one by one": (_archives, lambda crowd: crowd.experiments // 100),
    "walk experiments": (_walk, lambda crowd: crowd.experiments),
}
"""What is done in turn, and about how many rows that is."""


def _take(step: str, store: ExperimentStore, crowd: Crowd) -> Report:
    do, count = STEPS[step]
    about, rows, early, noticed = count(crowd), 0, 0.0, 0
    start = perf_counter()
    for done in do(store, crowd):
        rows += done
        if not early and rows * 10 >= about:
            early = _peak()
        if rows * _NOTICES // about > noticed:
            noticed = rows * _NOTICES // about
            seconds = perf_counter() - start
            notice = f"{step}: {rows:,} of about {about:,}, {seconds:.0f} s, {_peak():.0f} MiB"
            print(notice, file=sys.stderr, flush=True)
    return Report(step, rows, perf_counter() - start, early or _peak(), _peak())


def _peak() -> float:
    """Return the MiB of memory that this program had at most.

    Where Linux can tell: `getrusage` begins with what the parent process had.
    """
    if _STATUS.exists() and (found := re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text())):
        return int(found[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def main() -> None:
    """Take the step that the command line names."""
    step, url, experiments, runs = sys.argv[1:]
    with experiment_store.connect(url) as store:
        report = _take(step, store, Crowd(int(experiments), int(runs)))
    print(json.dumps(asdict(report)))


if __name__ == "__main__":
    main()
