"""``python -m benchmarks.peers``: measures the peers beside the store, and writes a table."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import experiment_store
from benchmarks import tables
from benchmarks.backends import BACKENDS, own_versions
from benchmarks.harness import Effort
from benchmarks.peers.ring import Ring
from benchmarks.peers.serve import PEERS
from benchmarks.peers.table import Line, table
from benchmarks.targets import STORE
from benchmarks.workload import Workload

_ROOT = Path(__file__).parents[2]
_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_EFFORT = Effort(rounds=5)  # the ratios are so large that their second digit means little


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # clean up first
    options = _parser().parse_args(arguments)
    workloads = Workload(options.rows), Workload(min(options.sample, options.rows))
    versions, lines = [own_versions()], list[Line]()
    for name in options.backends:
        with _ring(name, workloads, options.environments.absolute()) as ring:
            versions.append(ring.backend.versions)
            lines.extend(ring.measure(product) for product in [STORE, *options.peers])
    rows = f"{options.rows:,} rows, of which peers load {workloads[1].rows:,}"
    conditions = f"{', '.join([*versions, f'{os.cpu_count()} cores', rows])}."
    text = f"{conditions}\n\n{table(lines, workloads[0].runs)}"
    print(f"\n{text}")
    if options.output != "none":
        tables.write(Path(options.output), "peers", text)


@contextmanager
def _ring(name: str, workloads: tuple[Workload, Workload], environments: Path) -> Iterator[Ring]:
    with BACKENDS[name]() as backend, TemporaryDirectory(prefix="es-bench-") as text:
        folder = Path(text)
        place = backend.place(folder)
        try:
            experiment_store.connect(place.url).close()  # for those who measure how it is opened
            yield Ring(_DATABASES[name], backend, place, workloads, folder, environments, _EFFORT)
        finally:
            place.remove()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description="Measures other products beside the store."
    )
    parser.add_argument("--backends", nargs="+", choices=_DATABASES, default=list(_DATABASES))
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--rows", type=int, default=Workload.rows, help="default: %(default)s")
    parser.add_argument(
        "--sample", type=int, default=500, help="rows of the bulk load; default: %(default)s"
    )
    parser.add_argument(
        "--environments", type=Path, default=_ROOT / ".venv-peers", help="default: .venv-peers"
    )
    parser.add_argument(
        "--output",
        default=str(_ROOT / "benchmarks" / "README.md"),
        help="a Markdown file with a place for the table, or none; default: benchmarks/README.md",
    )
    return parser


if __name__ == "__main__":
    main()
