"""How long a fresh interpreter takes until the store is imported, and until it is open."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import experiment_store
from benchmarks.floor_sqlite import SqliteFloor
from benchmarks.harness import Measurement, summary

IMPORT = "import"
OPEN = "import and open"
STARTUP = (IMPORT, OPEN)

# Timed from inside, so that the interpreter's own start is not in it.
_TIMED = "from time import perf_counter; start = perf_counter()\n{}\nprint(perf_counter() - start)"
_FLOOR = "import json, sqlite3, threading"
_STORE = "import experiment_store"
_FLOOR_OPEN = """
connection = sqlite3.connect({path!r}, isolation_level=None, check_same_thread=False)
connection.execute("PRAGMA synchronous = FULL")
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
"""
_STORE_OPEN = """
store = experiment_store.connect({url!r})
"""


def measure_startup(folder: Path, rounds: int) -> list[Measurement]:
    """Measure both, with databases that exist already, in *folder*."""
    floor = SqliteFloor()
    floor.open(folder)
    floor.close()
    url = f"sqlite:///{folder / 'store.db'}"
    experiment_store.connect(url).close()
    opening = {
        "floor": _FLOOR + _FLOOR_OPEN.format(path=str(folder / "floor.db")),
        "store": _STORE + _STORE_OPEN.format(url=url),
    }
    return [
        _measure(IMPORT, {"floor": _FLOOR, "store": _STORE}, rounds),
        _measure(OPEN, opening, rounds),
    ]


def _measure(name: str, programs: Mapping[str, str], rounds: int) -> Measurement:
    times = [{side: _run(text) for side, text in programs.items()} for _ in range(rounds + 1)]
    return summary(name, "floor", times[1:])  # the first may have compiled modules


def _run(text: str) -> float:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", _TIMED.format(text)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)
