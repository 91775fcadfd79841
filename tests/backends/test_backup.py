"""A backup is a store of its own: one moment of the one it was made of, whole or not there."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from experiment_store import (
    AlreadyExistsError,
    BackendError,
    ExperimentStore,
    InvalidArgumentError,
    NewExperiment,
    NewJob,
    NewRun,
    StorageState,
    UnavailableError,
    UnsupportedError,
)
from experiment_store.records import Experiment
from experiment_store.registry import connect
from experiment_store_sqlite import SqliteBackend
from experiment_store_sqlite import backup as backup_module
from experiment_store_sqlite.backup import copy_database

WRITERS = 2
BATCH = 5


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ExperimentStore]:
    place = "" if request.param == "memory" else f"{tmp_path}/store.db"
    with connect(f"sqlite:///{place}?synchronous=normal&timeout=0.2") as store:
        yield store


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "copy.db"


def test_a_backup_has_every_record_and_the_same_keys(store: ExperimentStore, target: Path) -> None:
    made = store.create_many([NewExperiment(f"{number}") for number in range(9)])
    run = store.runs.create(made[0].id, "run", labels={"a": "b"})
    job = store.jobs.create(made[1].id, "job")
    page = store.list(page_size=4)

    store.backup(target)

    with connect(f"sqlite:///{target}") as copy:
        assert list(copy.iterate()) == list(store.iterate())
        assert list(copy.runs.iterate(filter="labels.a = b")) == [run]
        assert list(copy.jobs.iterate()) == [job]
        assert copy.key("own") != b""
        rest = copy.list(page_size=9, page_token=page.next_page_token)
        assert [*page.items, *rest.items] == list(store.iterate())


def test_a_backup_is_one_file_alone(store: ExperimentStore, target: Path) -> None:
    store.create("mnist")

    store.backup(str(target))

    assert listed(target.parent) == [target.name]
    assert check(target) == "ok"


def test_a_backup_of_a_backup_is_the_same_to_the_byte(tmp_path: Path, target: Path) -> None:
    with connect(f"sqlite:///{tmp_path}/store.db") as store:
        store.create("mnist")
        store.backup(target)
        first = target.read_bytes()

        store.backup(second := target.with_name("second.db"))

    assert second.read_bytes() == first


def test_a_name_that_is_taken_is_left_alone(store: ExperimentStore, target: Path) -> None:
    target.write_bytes(b"mine")

    with pytest.raises(AlreadyExistsError, match=r"file path '.*copy\.db' already exists"):
        store.backup(target)

    assert target.read_bytes() == b"mine"
    assert listed(target.parent) == [target.name]


@pytest.mark.parametrize("links", [True, False])
def test_a_name_that_is_taken_meanwhile_is_left_alone(
    store: ExperimentStore, target: Path, *, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def take(handle: int) -> None:
        target.write_bytes(b"mine")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", take)
    if not links:
        monkeypatch.setattr(os, "link", without_links)

    with pytest.raises(AlreadyExistsError):
        store.backup(target)

    assert target.read_bytes() == b"mine"
    assert listed(target.parent) == [target.name]


def test_a_file_system_without_links_has_backups_too(
    store: ExperimentStore, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create("mnist")
    monkeypatch.setattr(os, "link", without_links)

    store.backup(target)

    assert listed(target.parent) == [target.name]
    assert check(target) == "ok"


def listed(folder: Path) -> list[str]:
    """The names of what is in a folder."""
    return [file.name for file in folder.iterdir()]


def without_links(*_: Any) -> None:
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("path", ["", "a\0b", b"bytes", 7, None])
def test_what_is_no_path_is_an_invalid_argument(store: ExperimentStore, path: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="path must be the name of a file"):
        store.backup(path)


def test_a_folder_that_is_missing_is_named(store: ExperimentStore, target: Path) -> None:
    with pytest.raises(BackendError, match=r"backup failed: the folder '.*none' does not exist"):
        store.backup(target.parent / "none" / "copy.db")


def test_a_backend_without_files_says_so(tmp_path: Path) -> None:
    with connect("memory://") as store, pytest.raises(UnsupportedError, match="MemoryBackend"):
        store.backup(tmp_path / "copy.db")


def test_a_store_in_a_hosts_database_is_the_hosts_to_copy(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/host.db")
    with (
        ExperimentStore(SqliteBackend(engine=engine)) as store,
        pytest.raises(UnsupportedError, match="in the database of a host"),
    ):
        store.backup(tmp_path / "copy.db")
    engine.dispose()


def test_a_copy_is_no_more_public_than_its_store(tmp_path: Path, target: Path) -> None:
    with connect(f"sqlite:///{tmp_path}/store.db") as store:
        Path(tmp_path, "store.db").chmod(0o600)

        store.backup(target)

    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("fail", [sqlite3.OperationalError("failed"), KeyboardInterrupt()])
def test_what_fails_half_way_leaves_nothing(
    store: ExperimentStore, target: Path, fail: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: int) -> None:
        raise fail

    def failing(source: sqlite3.Connection, path: str, *, mode: int) -> None:
        copy_database(source, path, mode=mode, pages=1, progress=stop)

    store.create("mnist")
    monkeypatch.setattr("experiment_store_sqlite.backend.copy_database", failing)
    with pytest.raises((BackendError, KeyboardInterrupt)):
        store.backup(target)
    monkeypatch.undo()

    assert listed(target.parent) == []
    store.backup(target)
    assert check(target) == "ok"


def test_a_full_disk_leaves_nothing_and_is_worth_a_retry(
    store: ExperimentStore, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create("mnist")
    opening = backup_module._target

    def small(draft: str) -> sqlite3.Connection:
        connection = opening(draft)
        connection.execute("PRAGMA max_page_count = 5")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(backup_module, "_target", small)
        with pytest.raises(UnavailableError, match=r"the disk of '.*copy.db' is full: make room"):
            store.backup(target)

    assert listed(target.parent) == []
    store.backup(target)
    assert check(target) == "ok"


def test_others_write_while_a_copy_is_made_and_it_does_not_have_what_they_wrote(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/store.db?timeout=0.2"
    with connect(url) as store, connect(url) as other:
        before = store.create_many([NewExperiment(f"{number}") for number in range(500)])
        remaining: list[int] = []

        def write(_: int, left: int, __: int) -> None:
            remaining.append(left)
            (store if left % 2 else other).create(f"during-{left}")

        def slowly(source: sqlite3.Connection, path: str, *, mode: int) -> None:
            copy_database(source, path, mode=mode, pages=10, progress=write)

        monkeypatch.setattr("experiment_store_sqlite.backend.copy_database", slowly)
        store.backup(target)

        assert len(remaining) > 5
        assert remaining == sorted(set(remaining), reverse=True)  # it never began again
        assert store.list(with_total=True).total_size == 500 + len(remaining)
    with connect(f"sqlite:///{target}") as copy:
        assert list(copy.iterate(page_size=1000)) == list(before)


def test_backups_under_writing_processes_are_each_one_moment(
    tmp_path: Path, target: Path, *, soaking: bool
) -> None:
    url = f"sqlite:///{tmp_path}/store.db?synchronous=normal"
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with connect(url) as store:
        writers = [context.Process(target=write_on, args=(url, n, stop)) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        try:
            wait_for_writers(store)
            ends = []
            for number in range(200 if soaking else 8):
                path = target.with_name(f"{number}.db")
                known = count_batches(store)
                store.backup(path)
                ends.append(examine(path, known))
        finally:
            stop.set()
            for writer in writers:
                writer.join()

    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert ends == sorted(ends)
    assert len(set(ends)) > 1, "nobody wrote meanwhile"


def write_on(url: str, writer: int, stop: Event) -> None:
    """Write, in a process of its own, until told to stop: batches, cascades and deletes."""
    with connect(url) as store:
        number = 0
        while not stop.is_set():
            batch = [NewExperiment(f"{writer}-{number}-{part}") for part in range(BATCH)]
            first, second, *_ = store.create_many(batch)
            for made in (first, second):
                store.runs.create_many([NewRun(made.id, f"{part}") for part in range(BATCH)])
                store.jobs.create_many([NewJob(made.id, f"{part}") for part in range(BATCH)])
            store.archive(first.id)
            if number % 3 == 0:
                store.delete(second.id, children="delete")
            number += 1


def wait_for_writers(store: ExperimentStore) -> None:
    """Return when every writer has written."""
    while not all(store.list(filter=f'name = "{writer}-3-0"').items for writer in range(WRITERS)):
        pass


def examine(path: Path, known: int) -> int:
    """Check that a copy shows one moment, not before *known* batches; count them."""
    assert check(path) == "ok"
    with connect(f"sqlite:///{path}") as copy:
        experiments = {found.id: found for found in copy.iterate(page_size=1000)}
        children: Any = [*copy.runs.iterate(page_size=1000), *copy.jobs.iterate(page_size=1000)]
        for child in children:
            parent = experiments[child.experiment_id]  # none is left of one that was deleted
            assert not is_active(child) or parent.storage_state is StorageState.AVAILABLE
        for writer in range(WRITERS):
            check_batches({name for name in names(experiments.values()) if name[0] == f"{writer}"})
        assert count_batches(copy) >= known
        return count_batches(copy)


def count_batches(store: ExperimentStore) -> int:
    """Count the batches by their last members, which nobody deletes."""
    return sum(name.endswith(f"-{BATCH - 1}") for name in names(store.iterate(page_size=1000)))


def check_batches(found: set[str]) -> None:
    """Check that batches are whole but for the one that is deleted, and that none is missing."""
    numbers = sorted({int(name.split("-")[1]) for name in found})
    assert numbers == list(range(len(numbers)))
    writer = next(iter(found))[0]
    for number in numbers:
        lacking = {f"{writer}-{number}-{part}" for part in range(BATCH)} - found
        deleted = {f"{writer}-{number}-1"}
        assert (
            lacking in (set(), deleted)
            if number == numbers[-1]
            else lacking == (deleted if number % 3 == 0 else set())
        )


def is_active(child: Any) -> bool:
    """Tell whether a run is not archived, a job not disabled."""
    return bool(getattr(child, "enabled", False)) or (
        getattr(child, "storage_state", None) is StorageState.AVAILABLE
    )


def names(experiments: Any) -> list[str]:
    """The names of experiments."""
    found: list[Experiment] = list(experiments)
    return [experiment.name for experiment in found]


def check(path: Path) -> object:
    """Let SQLite check a file, without making others beside it."""
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        [verdict] = connection.execute("PRAGMA integrity_check").fetchone()
    return verdict
