"""A full disk costs no acknowledged write, and the store goes on when there is room again."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from experiment_store import ExperimentStore, NewExperiment, NewRun, StorageState, UnavailableError
from experiment_store.registry import connect
from experiment_store_sqlite import SqliteBackend

KIB = 1024
DISK = 3_000 * KIB
FILLING = 1_500 * KIB


@frozen
class Disk:
    """A folder with little room, and how to make more."""

    folder: Path
    make_room: Callable[[], None]
    words: str


@pytest.fixture(params=["disk", "limit"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """A small disk where this machine lets us mount one, else a limit on the size of files.

    The limit is tested everywhere; it is also how a quota shows.
    """
    if request.param == "disk":
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(tmp_path)]
        if run(mounting):
            try:
                filling = tmp_path / "filling"
                filling.write_bytes(b"\0" * FILLING)
                yield Disk(tmp_path, filling.unlink, "is full: make room")
            finally:
                assert run(["umount", "--lazy", str(tmp_path)])
            return
    with limited_files(FILLING) as lift:
        yield Disk(tmp_path, lift, "a quota or a limit on the size of files")


def run(command: list[str]) -> bool:
    """Tell whether a command could be run, and has done what it should."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def limited_files(size: int) -> Iterator[Callable[[], None]]:
    """Let no file grow beyond *size* bytes."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)

    def lift() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield lift
    finally:
        lift()


def fill(store: ExperimentStore, kept: list[str], words: str, most: int = 10_000) -> None:
    """Create *most* experiments, but expect no room for them; note what was acknowledged."""
    with pytest.raises(UnavailableError, match=words):
        add(store, kept, most)


def add(store: ExperimentStore, kept: list[str], most: int) -> None:
    """Create *most* experiments, three at a time."""
    for number in range(0, most, 3):
        batch = [
            NewExperiment(f"{number}-{part}", description="x" * 4000, labels={"a": "b"})
            for part in range(3)
        ]
        kept.extend(made.name for made in store.create_many(batch))


def names(store: ExperimentStore) -> list[str]:
    return [found.name for found in store.iterate(page_size=1000)]


def test_a_store_goes_on_when_the_disk_has_room_again(disk: Disk) -> None:
    path = disk.folder / "s.db"
    kept: list[str] = []
    with connect(f"sqlite:///{path}") as store:
        fill(store, kept, disk.words)
        assert names(store) == kept

        disk.make_room()
        store.create("after")

        assert names(store) == [*kept, "after"]
    assert integrity(path) == "ok"
    with connect(f"sqlite:///{path}") as store:
        assert names(store) == [*kept, "after"]


def test_a_store_closed_on_a_full_disk_has_all_that_was_acknowledged(disk: Disk) -> None:
    path = disk.folder / "s.db"
    kept: list[str] = []
    with connect(f"sqlite:///{path}") as store:
        fill(store, kept, disk.words)
    disk.make_room()

    with connect(f"sqlite:///{path}") as store:
        assert names(store) == kept
    assert integrity(path) == "ok"


def test_what_finds_no_room_is_done_as_a_whole_or_not_at_all(disk: Disk) -> None:
    path = disk.folder / "s.db"
    with connect(f"sqlite:///{path}") as store:
        made = store.create("parent")
        store.runs.create_many(
            [NewRun(made.id, f"{number}", description="x" * 4000) for number in range(60)]
        )
        fill(store, ["parent"], disk.words)

        with pytest.raises(UnavailableError):
            store.archive(made.id)

        assert store.get(made.id).storage_state is StorageState.AVAILABLE
        assert {run.storage_state for run in store.runs.iterate()} == {StorageState.AVAILABLE}
        disk.make_room()
        store.archive(made.id)
        assert {run.storage_state for run in store.runs.iterate()} == {StorageState.ARCHIVED}


def test_a_backup_without_room_leaves_nothing_and_works_when_there_is(disk: Disk) -> None:
    target = disk.folder / "copy.db"
    kept: list[str] = []
    with connect("sqlite://") as store:
        add(store, kept, 450)
        before = sorted(file.name for file in disk.folder.iterdir())

        with pytest.raises(UnavailableError, match=f"copy.db.*{disk.words}"):
            store.backup(target)

        assert sorted(file.name for file in disk.folder.iterdir()) == before
        disk.make_room()
        store.backup(target)
    with connect(f"sqlite:///{target}") as copy:
        assert names(copy) == kept


def test_a_store_that_found_no_room_to_begin_can_begin_later(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with limited_files(20 * KIB), pytest.raises(UnavailableError, match="make room"):
        connect(f"sqlite:///{path}")

    with connect(f"sqlite:///{path}") as store:
        store.create("a")

    assert integrity(path) == "ok"


def test_a_database_that_may_not_grow_counts_as_a_full_disk(tmp_path: Path) -> None:
    kept: list[str] = []
    backend: Any = SqliteBackend(str(tmp_path / "s.db"))
    with ExperimentStore(backend) as store:
        limit(backend, 200)
        fill(store, kept, "s.db' is full: make room, and try again")
        assert names(store) == kept

        limit(backend, 1_000_000)
        store.create("after")

        assert names(store) == [*kept, "after"]
    assert integrity(tmp_path / "s.db") == "ok"


def limit(backend: Any, pages: int) -> None:
    """Limit the database as its one connection sees it."""
    backend._steps.read("test", lambda work: work.execute(f"PRAGMA max_page_count = {pages}"))


def integrity(path: Path) -> object:
    with closing(sqlite3.connect(path)) as connection:
        [verdict] = connection.execute("PRAGMA integrity_check").fetchone()
    return verdict
