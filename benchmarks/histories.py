"""``python -m benchmarks.histories``: what logging costs, against rows written by hand.

The floor writes a row a point into a table whose key is run, metric and number: with
`executemany` (SQLite), with COPY (PostgreSQL). Both sides write the same points in batches
of ten thousand, each a transaction, and take turns.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import psycopg

import experiment_store
from benchmarks import tables
from benchmarks.backends import BACKENDS, own_versions
from benchmarks.databases import File, Place, Schema
from benchmarks.harness import Measurement, summary
from benchmarks.targets import FLOOR, STORE, Target
from experiment_store import ExperimentStore, History

WRITE, LOG, READ = "write 100,000 points", "log a point", "read 1,000,000 points thinned to 1,000"
BATCH = 10_000
_README = Path(__file__).with_name("README.md")
_TARGETS = {WRITE: Target(2.0), LOG: Target(seconds=10e-6)}
_TABLE = """
CREATE TABLE points (
  run_id TEXT{text} NOT NULL, metric TEXT{text} NOT NULL, number {whole} NOT NULL,
  step {whole} NOT NULL, value {real} NOT NULL, time {whole} NOT NULL,
  PRIMARY KEY (run_id, metric, number)){form}
"""
_SQLITE = {"text": "", "whole": "INTEGER", "real": "REAL", "form": " STRICT, WITHOUT ROWID"}
_POSTGRES = {"text": ' COLLATE "C"', "whole": "BIGINT", "real": "FLOAT8", "form": ""}

Row = tuple[str, str, int, int, float, int]
Write = Callable[[Sequence[Row]], None]


@dataclass(frozen=True)
class Size:
    """How many points are logged and written, how many read, and how often."""

    points: int = 100_000
    history: int = 1_000_000
    rounds: int = 7


def measure(name: str, size: Size) -> Iterator[Measurement]:
    """Measure a backend, beside a floor where there is one."""
    with TemporaryDirectory(prefix="es-bench-") as folder, BACKENDS[name]() as backend:
        place = backend.place(Path(folder))
        try:
            with closing(experiment_store.connect(place.url)) as store, _floor(place) as floor:
                yield _writing(store, floor, size)
                yield _logging(store, size)
                yield _reading(store, size)
        finally:
            place.remove()


def _writing(store: ExperimentStore, floor: Write, size: Size) -> Measurement:
    rounds: list[Mapping[str, float]] = []
    for number in range(size.rounds + 1):
        id = store.runs.start("written").finish().id
        batches = [range(n, n + BATCH) for n in range(0, size.points, BATCH)]
        rows = [[(id, "loss", n, n, n / 3, n) for n in batch] for batch in batches]
        turns: dict[str, Callable[[], None]] = {
            FLOOR: partial(_write_rows, floor, rows),
            STORE: partial(_append, store, id, batches),
        }
        order = list(turns) if number % 2 else list(turns)[::-1]
        rounds.append({side: _time(turns[side]) for side in order})
    return summary(WRITE, FLOOR, rounds[1:])  # the first fills caches


def _write_rows(write: Write, batches: Sequence[Sequence[Row]]) -> None:
    for rows in batches:
        write(rows)


def _append(store: ExperimentStore, id: str, batches: Sequence[range]) -> None:
    for batch in batches:
        store.runs.append(id, {"loss": History(batch, [n / 3 for n in batch], batch)})


def _logging(store: ExperimentStore, size: Size) -> Measurement:
    """Time the caller's loop, two metrics a call, while a thread writes."""
    times = []
    for _ in range(size.rounds):
        with store.runs.start("logged") as run:
            begin = perf_counter()
            for step in range(size.points // 2):
                run.log(step=step, loss=step / 3, accuracy=step / 7)
            times.append((perf_counter() - begin) / size.points)
    return Measurement(LOG, {STORE: median(times)}, {})


def _reading(store: ExperimentStore, size: Size) -> Measurement:
    id = store.runs.start("read").finish().id
    every = range(size.history)
    store.runs.append(id, {"loss": History(every, [n % 997 / 3 for n in every], every)})
    times = [_time(lambda: store.runs.history(id, "loss", points=1000)) for _ in range(size.rounds)]
    return Measurement(READ, {STORE: median(times)}, {})


@contextmanager
def _floor(place: Place) -> Iterator[Write]:
    match place:
        case File(path):
            with closing(sqlite3.connect(path.with_name("floor.db"), isolation_level=None)) as own:
                own.execute("PRAGMA journal_mode = WAL")
                own.execute("PRAGMA synchronous = FULL")
                own.execute(_TABLE.format(**_SQLITE))
                yield lambda rows: _execute_many(own, rows)
        case Schema():
            with closing(place.connect()) as connection:
                connection.execute(_TABLE.format(**_POSTGRES).encode())
                yield lambda rows: _copy(connection, rows)
        case _:
            raise ValueError(place)


def _execute_many(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")


def _copy(connection: psycopg.Connection, rows: Sequence[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY points FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _time(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin


def _line(measured: Measurement) -> str:
    target, beside = _TARGETS.get(measured.scenario), FLOOR in measured.seconds
    cells = (
        measured.scenario,
        tables.duration(measured.seconds[FLOOR]) if beside else "",
        tables.duration(measured.seconds[STORE]),
        f"{measured.ratios[STORE]:.2f}" if beside else "",
        "" if target is None else str(target) if target.seconds is None else "10 µs",
        "" if target is None else ("yes" if target.is_reached(measured) else "**no**"),
    )
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table per backend, and write it down unless it was a quick try."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.histories")
    parser.add_argument("--quick", action="store_true", help="few points; proves nothing")
    parser.add_argument("--backends", default="sqlite,postgresql", help="by commas")
    options = parser.parse_args(arguments)
    size = Size(20_000, 50_000, 1) if options.quick else Size()
    for name in options.backends.split(","):
        lines = [f"{own_versions()}.", "", *tables.HEADER, *map(_line, measure(name, size))]
        print(f"\n## {name}\n", *lines, sep="\n")
        if not options.quick:
            tables.write(_README, f"histories {name}", "\n".join(lines))


if __name__ == "__main__":
    main()
