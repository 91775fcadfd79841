"""``python -m benchmarks``: measures, prints a table per backend, and writes it down."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import tables
from benchmarks.backends import BACKENDS, Backend, own_versions
from benchmarks.harness import Effort, Measurement, measure
from benchmarks.scenarios import SCENARIOS
from benchmarks.session import Session
from benchmarks.startup import STARTUP, measure_startup
from benchmarks.store import StoreSubject
from benchmarks.subject import Subject
from benchmarks.targets import FLOOR, STORE
from benchmarks.workbench import SMALL
from benchmarks.workload import Workload

_README = Path(__file__).with_name("README.md")
_QUICK = Effort(seconds=0.01, rounds=3)
_QUICK_ROWS = 5000


@dataclass(frozen=True)
class Request:
    """What to measure of each backend."""

    workload: Workload
    effort: Effort
    only: str

    def table(self, name: str) -> str:
        """Measure a backend; print the table line by line, and return it."""
        with BACKENDS[name]() as backend:
            lines = [self._conditions(backend), "", *tables.HEADER]
            print(f"\n## {name}\n", *lines, sep="\n", flush=True)
            for measured in self._measurements(name, backend):
                lines.append(tables.line(name, measured))
                print(lines[-1], flush=True)
        return "\n".join(lines)

    def _measurements(self, name: str, backend: Backend) -> Iterator[Measurement]:
        with TemporaryDirectory(prefix="es-bench-") as folder:
            base = Path(folder)
            with (
                closing(Session(FLOOR, backend.floor, self.workload, base / FLOOR)) as floor,
                closing(Session(STORE, _store(backend), self.workload, base / STORE)) as store,
            ):
                for scenario in SCENARIOS:
                    if self.only in scenario.name and scenario.backend in ("", name):
                        yield measure(scenario, floor, [store], self.effort)
            if name == "sqlite" and any(self.only in startup for startup in STARTUP):
                yield from measure_startup(base, self.effort.rounds)

    def _conditions(self, backend: Backend) -> str:
        machine = f"{os.cpu_count()} cores, {self.workload.rows:,} rows"
        return f"{own_versions()}, {backend.versions}, {machine}."


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # after cleaning up
    options = _parser().parse_args(arguments)
    quick = options.quick
    workload = Workload(options.rows or (_QUICK_ROWS if quick else Workload.rows))
    request = Request(workload, _QUICK if quick else Effort(), options.only)
    output = options.output or ("none" if quick or options.only else str(_README))
    workload.experiments()
    gc.freeze()  # the collector need not look at these rows while others are measured
    written = {name: request.table(name) for name in options.backends}
    if output != "none":
        for name, text in written.items():
            tables.write(Path(output), name, text)


def _store(backend: Backend) -> Callable[[], Subject]:
    return lambda: StoreSubject(backend.place)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures the store against its floor."
    )
    parser.add_argument(
        "--backends", type=_backends, default=list(BACKENDS), help="default: all, by commas"
    )
    parser.add_argument("--rows", type=_rows, help=f"default: {Workload.rows:,}")
    parser.add_argument("--only", default="", help="only operations whose names contain this")
    parser.add_argument("--quick", action="store_true", help="few rows and rounds; proves nothing")
    parser.add_argument(
        "--output",
        help="a Markdown file with places for the tables, or none;"
        f" default: {_README.parent.name}/{_README.name}, if all operations are measured well",
    )
    return parser


def _backends(text: str) -> Sequence[str]:
    names = text.split(",")
    if not BACKENDS.keys() >= set(names):
        raise argparse.ArgumentTypeError(f"must be some of {', '.join(BACKENDS)}")
    return names


def _rows(text: str) -> int:
    rows = int(text)
    if rows < SMALL:
        raise argparse.ArgumentTypeError(f"must be at least {SMALL:,}")
    return rows


if __name__ == "__main__":
    main()
