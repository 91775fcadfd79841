"""Stores move between all backends, whoever is killed meanwhile, and in little memory."""

from __future__ import annotations

import io
import itertools
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from attrs import astuple
from hypothesis import strategies as st

import experiment_store
from experiment_store import ExperimentStore, NewExperiment, NewJob, NewRun, PerKind
from experiment_store.schema import CHUNK
from experiment_store.testing.samples import LISTED, chunk, dump, for_all, keep, refill
from experiment_store.testing.strategies import several
from experiment_store_memory import MemoryBackend
from tests.toy_backend import FileBackend

Stores: TypeAlias = Callable[[str, str], ExperimentStore]

PAIRS = [
    *itertools.product(("memory", "sqlite", "postgresql"), repeat=2),
    ("memory", "toy"),  # written from docs/writing-a-backend.md alone
    ("toy", "memory"),
]
BATCH = 1_000  # what is written at once

MOVE = """
import sys, experiment_store

left = int(sys.argv[1])

def tell(progress):
    global left
    if progress.done:
        print(progress.kind, progress.done, flush=True)
        left -= 1
        if left == 0:
            sys.stdin.read()

getattr(experiment_store, sys.argv[2])(*sys.argv[3:], progress=tell)
"""


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """What closes the stores of a test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def stores(tmp_path: Path, opened: ExitStack, request: pytest.FixtureRequest) -> Stores:
    """What opens a new store on the backend of a name, for the source or the target of a test."""

    def open_one(name: str, side: str) -> ExperimentStore:
        fixtures = {"source": "postgres_schema_url", "target": "other_postgres_schema_url"}
        match name:
            case "toy":
                return ExperimentStore(FileBackend(tmp_path / f"{side}.json"))
            case "postgresql":
                url = request.getfixturevalue(fixtures[side])
            case "sqlite":
                url = f"sqlite:///{tmp_path}/{side}.db"
            case _:
                url = "memory://"
        return opened.enter_context(experiment_store.connect(url))

    return open_one


def fill(store: ExperimentStore, count: int) -> None:
    """Create *count* experiments, half as many runs, a tenth as many jobs; some without parents.

    Every run has a parameter and a chunk of a history.
    """
    made = store.create_many(
        NewExperiment(f"\N{GRINNING FACE}{n}", labels={"b": "1", "a": f"é{n}"})
        for n in range(count)
    )
    store.runs.create_many(NewRun(one.id, "run", params={"n": 0.5}) for one in made[: count // 2])
    store.jobs.create_many(NewJob(one.id, "job", schedule="@daily") for one in made[: count // 10])
    store.archive(made[0].id)
    store.delete(made[1].id)
    runs = store.runs.iterate(order_by="id")
    keep(store._backend, CHUNK, *(chunk(f"of-{run.id}", of=run.id) for run in runs))


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_copy_between_any_two_backends_is_exact_and_can_be_repeated(
    stores: Stores, source: str, target: str
) -> None:
    here, there = stores(source, "source"), stores(target, "target")
    fill(here, 150)
    token = here.list(page_size=1).next_page_token

    first = experiment_store.copy(here, there)
    second = experiment_store.copy(here, there)

    assert dump(there._backend) == dump(here._backend)
    assert experiment_store.digest(here) == experiment_store.digest(there)
    assert (first.experiments.inserted, second.experiments.unchanged) == (149, 149)
    assert second.runs.inserted + second.runs.updated == 0
    assert (first.chunks.inserted, second.chunks.unchanged) == (75, 75)
    assert there.list(page_size=1, page_token=token).items
    changed = here.update(here.list().items[0].id, name="new", labels={})
    assert experiment_store.copy(here, there).experiments.updated == 1
    assert there.get(changed.id) == changed


@pytest.fixture
def ring(stores: Stores) -> list[ExperimentStore]:
    """A store on each backend."""
    return [stores(name, "target") for name in ("sqlite", "postgresql", "memory")]


@for_all(contents=st.fixed_dictionaries({kind.name: several(kind) for kind in LISTED}))
def test_whatever_a_store_keeps_has_the_same_digest_and_export_on_every_backend(
    ring: list[ExperimentStore], contents: dict[str, Any]
) -> None:
    here = start = ExperimentStore(MemoryBackend())
    refill(start._backend, contents)
    wanted = experiment_store.digest(start)

    exports: set[bytes] = set()
    for there in ring:
        refill(there._backend, {})
        said = experiment_store.copy(here, there)
        assert PerKind(*(tally.digest for tally in astuple(said, recurse=False))) == wanted
        assert dump(there._backend) == dump(start._backend)
        file = io.BytesIO()
        assert experiment_store.export_lines(there, file) == wanted
        exports.add(file.getvalue())
        here = there

    assert len(exports) == 1


@pytest.mark.parametrize(
    ("verb", "name"),
    [("copy", "sqlite"), ("copy", "postgresql"), ("import_lines", "sqlite")],
)
def test_who_is_killed_again_and_again_gets_there_and_does_nothing_twice(
    request: pytest.FixtureRequest, tmp_path: Path, verb: str, name: str
) -> None:
    source = f"sqlite:///{tmp_path}/source.db?synchronous=normal"
    target = f"sqlite:///{tmp_path}/target.db"
    if name == "postgresql":
        target = request.getfixturevalue("postgres_schema_url")
    with experiment_store.connect(source) as store:
        fill(store, 3 * BATCH)
        wanted = dump(store._backend)
    arguments = (source, target)
    if verb == "import_lines":
        arguments = (target, f"{tmp_path}/lab.jsonl.gz")
        experiment_store.export_lines(source, arguments[1])

    there = 0
    for batches, least in ((1, BATCH), (2, 2 * BATCH), (4, 3 * BATCH)):
        _kill_after(batches, verb, *arguments)
        with experiment_store.connect(target) as store:
            found = dump(store._backend)
        assert all(set(found[kind]) <= set(wanted[kind]) for kind in wanted)
        there = sum(map(len, found.values()))
        assert there >= least
    tallies = getattr(experiment_store, verb)(*arguments)

    inserted = sum(tally.inserted for tally in astuple(tallies, recurse=False))
    assert 0 < inserted == sum(map(len, wanted.values())) - there
    assert experiment_store.digest(source) == experiment_store.digest(target)


def _kill_after(batches: int, *arguments: str) -> None:
    """Start a copy in a process, and kill it in the middle of the batch after the first few.

    Should the kill be late, it finds the process waiting after that batch.
    """
    command = [sys.executable, "-c", MOVE, str(batches + 1), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(batches):
            assert process.stdout.readline()
        process.kill()
    assert process.returncode == -signal.SIGKILL


PEAK = """
import sys, experiment_store
getattr(experiment_store, sys.argv[1])(*sys.argv[2:])
[line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(line.split()[1]) // 1024)
"""


def peak(*arguments: str) -> int:
    """The most memory, in MiB, that a process had which makes one call."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return int(done.stdout)


@pytest.fixture
def many(tmp_path: Path, soaking: bool) -> str:  # noqa: FBT001 (a fixture)
    """A store with very many records, or with fewer that have long texts."""
    total, length = (1_000_000, 200) if soaking else (20_000, 4_000)
    url = f"sqlite:///{tmp_path}/many.db?synchronous=normal"
    with experiment_store.connect(url) as store:
        for start in range(0, total, 10 * BATCH):
            made = store.create_many(
                NewExperiment(f"{start + n}", labels={"n": f"{n}"}) for n in range(2 * BATCH)
            )
            for one in range(0, len(made), 500):
                store.runs.create_many(
                    NewRun(parent.id, "run", description="x" * length)
                    for parent in made[one : one + 500]
                    for _ in range(4)
                )
    return url


def test_many_records_take_little_memory(many: str, tmp_path: Path, soaking: bool) -> None:  # noqa: FBT001 (a fixture)
    most = 300 if soaking else 100  # MiB; all records at once would be more
    copied, brought = f"sqlite:///{tmp_path}/copied.db", f"sqlite:///{tmp_path}/brought.db"
    file = f"{tmp_path}/lab.jsonl.gz"

    assert peak("copy", many, f"{copied}?synchronous=normal") < most
    assert peak("export_lines", many, file) < most
    assert peak("import_lines", f"{brought}?synchronous=normal", file) < most
