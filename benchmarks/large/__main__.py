"""``python -m benchmarks.large``: asks a small store and a large one the same."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import experiment_store
from benchmarks import tables
from benchmarks.backends import own_versions
from benchmarks.harness import Effort, Measurement, measure
from benchmarks.large import table
from benchmarks.large.bench import Bench, Question, Side, page_size
from benchmarks.large.crowd import Crowd
from benchmarks.large.places import Built, Site, site
from benchmarks.large.questions import READS, SCANS, WRITES
from benchmarks.scenarios import Scenario

_README = Path(__file__).parents[1] / "README.md"
_BACKENDS = ("sqlite", "postgresql")
_SMALL, _LARGE, _RUNS = 100_000, 1_000_000, 5
_LEAST = 1_000
_SCAN_ROUNDS = 5


@dataclass(frozen=True)
class Request:
    """What to compare, and how hard to try."""

    small: Crowd
    large: Crowd
    effort: Effort

    def text(self, at: Site) -> str:
        """Build and measure the stores of one backend; return its tables."""
        return "\n".join(self._lines(at, at.build(self.small), at.build(self.large)))

    def _lines(self, at: Site, small: Built, large: Built) -> Iterator[str]:
        sizes = self.small.experiments, self.large.experiments
        conditions = f"{own_versions()}, {at.backend.versions}, {os.cpu_count()} cores"
        scanning = Effort(rounds=min(_SCAN_ROUNDS, self.effort.rounds))
        with (
            closing(experiment_store.connect(small.place.url)) as few,
            closing(experiment_store.connect(large.place.url)) as many,
        ):
            benches = Bench(few, self.small), Bench(many, self.large)
            reads = list(_measure(READS, benches, self.effort))
            scans = list(_measure(SCANS, benches, scanning))
            writes = list(_measure(WRITES, benches, self.effort))
        yield f"{conditions}, {self.large.runs} runs for each experiment."
        yield ""
        yield from table.growth(*sizes, [*reads, *writes])
        yield ""
        yield from table.scans(*sizes, scans)
        yield ""
        yield from table.loading([*small.reports, *large.reports])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # clean up first
    options = _parser().parse_args(arguments)
    sizes = options.small, options.large, options.runs_per_experiment
    small, large = (Crowd(rows, options.runs_per_experiment) for rows in sizes[:2])
    effort = Effort(seconds=0.01, rounds=3) if options.quick else Effort()
    request = Request(small, large, effort)
    usual = sizes == (_SMALL, _LARGE, _RUNS) and not options.quick
    written: dict[str, str] = {}
    for name in options.backends:
        with site(name, options.folder) as at:
            written[name] = request.text(at)
        print(f"\n## {name}\n\n{written[name]}", flush=True)
    if usual and options.output != "none":
        for name, text in written.items():
            tables.write(Path(options.output), f"large {name}", text)


def _measure(
    questions: Sequence[Question], benches: tuple[Bench, Bench], effort: Effort
) -> Iterator[Measurement]:
    by_name = {question.name: question for question in questions}
    sizes = {question.name: page_size(question, benches) for question in questions}
    gc.freeze()  # the collector need not look at the samples while others are measured
    small, large = (
        Side(title, bench, by_name, sizes)
        for title, bench in zip((table.SMALL, table.LARGE), benches, strict=True)
    )
    for question in questions:
        measured = measure(_scenario(question), small, [large], effort)
        print(f"{question.name}: {measured.ratios[table.LARGE]:.2f}", file=sys.stderr, flush=True)
        yield measured


def _scenario(question: Question) -> Scenario:
    """Name a question to the harness; its sides know how to ask it."""
    return Scenario(question.name, lambda _: [], lambda *_: list, most=question.most)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.large",
        description="Measures how costs grow with the number of experiments.",
    )
    parser.add_argument("--backends", nargs="+", choices=_BACKENDS, default=list(_BACKENDS))
    parser.add_argument("--small", type=_rows, default=_SMALL, help="default: %(default)s")
    parser.add_argument("--large", type=_rows, default=_LARGE, help="default: %(default)s")
    parser.add_argument(
        "--runs-per-experiment", type=_runs, default=_RUNS, help="default: %(default)s"
    )
    parser.add_argument("--folder", type=Path, help="keep the databases here, for the next time")
    parser.add_argument("--quick", action="store_true", help="few rounds; proves nothing")
    parser.add_argument(
        "--output",
        default=str(_README),
        help="a Markdown file with places for the tables, or none; unused with other sizes than"
        f" usual or --quick; default: {_README.parent.name}/{_README.name}",
    )
    return parser


def _rows(text: str) -> int:
    rows = int(text)
    if rows < _LEAST:
        raise argparse.ArgumentTypeError(f"must be at least {_LEAST:,}")
    return rows


def _runs(text: str) -> int:
    runs = int(text)
    if runs < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return runs


if __name__ == "__main__":
    main()
