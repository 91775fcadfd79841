"""Where products are measured, each beside a floor of its own, on one backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.backends import Backend
from benchmarks.databases import Place, Schema
from benchmarks.harness import Effort, Measurement, WrongAnswerError, measure, summary
from benchmarks.peers.environments import NotInstalledError, interpreter
from benchmarks.peers.opening import OPEN, Opening, floor_opening, store_opening
from benchmarks.peers.pair import Pair
from benchmarks.peers.remote import PeerFailedError, Remote
from benchmarks.peers.table import COLUMNS, Line
from benchmarks.scenarios import SCENARIOS
from benchmarks.session import Contestant
from benchmarks.store import StoreSubject
from benchmarks.subject import Subject
from benchmarks.targets import FLOOR, STORE
from benchmarks.workload import Workload

_NAMES = {STORE: "experiment-store", "mlflow": "MLflow", "mlmd": "ML Metadata", "optuna": "Optuna"}


@dataclass(frozen=True)
class Side:
    """A contestant, how it is opened, and its version."""

    contestant: Contestant
    opening: Opening
    version: str = ""


@dataclass(frozen=True)
class Ring:
    """A backend, how many rows are stored and loaded there, and where what is needed lies."""

    database: str
    backend: Backend
    place: Place
    workloads: tuple[Workload, Workload]
    folder: Path
    environments: Path
    effort: Effort

    def measure(self, product: str) -> Line:
        """Measure all that can be measured of a product; the line's remarks tell the rest."""
        line = Line(f"{_NAMES[product]} on {self.database}")
        folder = self.folder / product
        try:
            with self._floor(folder / FLOOR) as floor, self._side(product, folder) as side:
                line.title = f"{_NAMES[product]} {side.version} on {self.database}"
                for measured in self._measurements(floor, side, line):
                    line.ratios[measured.scenario] = measured.ratios[product]
                    times = measured.seconds[FLOOR], measured.seconds[product]
                    print(line.title, measured.scenario, *times, flush=True)
        except (NotInstalledError, PeerFailedError) as error:
            line.remarks.append(f"{error}")
        return line

    def _measurements(self, floor: Side, side: Side, line: Line) -> Iterator[Measurement]:
        for scenario in SCENARIOS:
            if scenario.name in COLUMNS:
                try:
                    yield measure(scenario, floor.contestant, [side.contestant], self.effort)
                except WrongAnswerError as error:
                    line.remarks.append(f"{error}")
        sides = {FLOOR: floor, side.contestant.title: side}
        rounds = [
            {title: one.opening.time() for title, one in sides.items()}
            for _ in range(self.effort.rounds + 1)
        ]
        yield summary(OPEN, FLOOR, rounds[1:])  # the first may have compiled modules

    @contextmanager
    def _floor(self, folder: Path) -> Iterator[Side]:
        with closing(self._pair(FLOOR, self.backend.floor, folder)) as pair:
            yield Side(pair, floor_opening(self.place))

    @contextmanager
    def _side(self, product: str, folder: Path) -> Iterator[Side]:
        if product == STORE:
            with closing(self._pair(STORE, self._store, folder)) as pair:
                yield Side(pair, store_opening(self.place), version("experiment-store"))
            return
        python = interpreter(self.environments, product)
        many, few = self.workloads
        server = self.place.server if isinstance(self.place, Schema) else None
        settings = {"peer": product, "server": server, "rows": many.rows, "sample": few.rows}
        with Remote(product, python, folder, **settings) as remote:
            yield Side(remote, Opening(remote.program(), python), remote.version())

    def _pair(self, title: str, factory: Callable[[], Subject], folder: Path) -> Pair:
        rows = self.workloads[0].rows
        return Pair(title, (factory, factory), self.workloads, folder, loads=rows)

    def _store(self) -> StoreSubject:
        return StoreSubject(self.backend.place)
