"""How long a fresh interpreter takes until a database is open: a floor's, the store's, a peer's."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import File, Place, Schema
from benchmarks.peers.remote import QUIET

OPEN = "import and open"

# Timed from inside, so that the interpreter's own start is not in it.
_TIMED = "from time import perf_counter; start = perf_counter()\n{}\nprint(perf_counter() - start)"
_SQLITE = """
import json, sqlite3, threading
connection = sqlite3.connect({address!r}, isolation_level=None, check_same_thread=False)
connection.execute("PRAGMA synchronous = FULL")
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
"""
_POSTGRES = """
import json, psycopg, threading
psycopg.connect({address!r}, autocommit=True)
"""


@dataclass(frozen=True)
class Opening:
    """A program that opens what exists, and the interpreter that it needs."""

    program: str
    python: Path = Path(sys.executable)

    def time(self) -> float:
        """Run it; return its seconds, of which the interpreter's own are not part."""
        done = subprocess.run(
            [self.python, "-c", _TIMED.format(self.program)],
            env={**os.environ, **QUIET},
            capture_output=True,
            text=True,
            check=True,
        )
        return float(done.stdout.splitlines()[-1])


def floor_opening(place: Place) -> Opening:
    """Open with nothing but the driver."""
    match place:
        case Schema(server=server):
            return Opening(_POSTGRES.format(address=server))
        case File(path=path):
            return Opening(_SQLITE.format(address=str(path)))
        case _:
            raise TypeError(place)


def store_opening(place: Place) -> Opening:
    """Open the store."""
    return Opening(f"import experiment_store\nstore = experiment_store.connect({place.url!r})")
