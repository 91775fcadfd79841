"""Files by path or open, plain or packed; and an earlier export lasts until the next is whole."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import experiment_store
from experiment_store import ExperimentStore, InvalidArgumentError
from experiment_store.moving.files import reading, writing


@pytest.fixture
def filled(store: ExperimentStore) -> ExperimentStore:
    """A store with an experiment."""
    store.create("mnist", id="e")
    return store


@pytest.mark.parametrize("name", ["lab.jsonl", "lab.jsonl.gz"])
@pytest.mark.parametrize("form", [str, Path])
def test_an_export_has_a_path_of_either_form(
    filled: ExperimentStore, tmp_path: Path, name: str, form: Callable[[Path], Any]
) -> None:
    path = form(tmp_path / name)

    experiment_store.export_lines(filled, path)
    tallies = experiment_store.import_lines("memory://", path)

    assert tallies.experiments.inserted == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_only_a_path_that_says_so_is_packed(filled: ExperimentStore, tmp_path: Path) -> None:
    plain, packed = tmp_path / "lab.jsonl", tmp_path / "lab.jsonl.gz"

    experiment_store.export_lines(filled, plain)
    experiment_store.export_lines(filled, packed)

    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()


def test_what_is_packed_is_unpacked_whatever_its_name(
    filled: ExperimentStore, tmp_path: Path
) -> None:
    packed = tmp_path / "lab.jsonl.gz"
    experiment_store.export_lines(filled, packed)
    renamed = packed.rename(tmp_path / "lab")

    assert experiment_store.import_lines("memory://", renamed).experiments.inserted == 1


def test_equal_stores_are_equal_files(filled: ExperimentStore, tmp_path: Path) -> None:
    for name in ("one.gz", "two.gz"):
        experiment_store.export_lines(filled, tmp_path / name)

    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


def test_an_export_that_fails_leaves_the_earlier_one(
    filled: ExperimentStore, tmp_path: Path
) -> None:
    path = tmp_path / "lab.jsonl"
    path.write_bytes(b"earlier")

    def fail(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        experiment_store.export_lines(filled, path, progress=fail)

    assert path.read_bytes() == b"earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["lab.jsonl"]


def test_exports_to_one_path_at_the_same_time_are_each_whole(
    filled: ExperimentStore, tmp_path: Path
) -> None:
    path = tmp_path / "lab.jsonl"
    with writing(path) as first:
        first.write(b"half of ")
        experiment_store.export_lines(filled, path)
        assert experiment_store.import_lines("memory://", path).experiments.inserted == 1
        first.write(b"the first")

    assert path.read_bytes() == b"half of the first"
    assert [found.name for found in tmp_path.iterdir()] == ["lab.jsonl"]


def test_an_export_keeps_the_permissions_and_the_link_that_it_finds(
    filled: ExperimentStore, tmp_path: Path
) -> None:
    real, link = tmp_path / "real.jsonl", tmp_path / "link.jsonl"
    real.touch(0o600)
    link.symlink_to(real)

    experiment_store.export_lines(filled, link)

    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert experiment_store.import_lines("memory://", real).experiments.inserted == 1


def test_an_export_into_a_pipe_leaves_it_a_pipe(filled: ExperimentStore, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()

    experiment_store.export_lines(filled, path)
    reader.join()

    assert path.is_fifo()
    assert experiment_store.import_lines("memory://", io.BytesIO(read[0])).experiments.read == 1


def test_an_open_file_stays_open(filled: ExperimentStore, tmp_path: Path) -> None:
    with (tmp_path / "lab").open("w+b") as file:
        experiment_store.export_lines(filled, file)
        file.seek(0)
        experiment_store.import_lines("memory://", file)

        assert not file.closed


@pytest.mark.parametrize("data", [b"", b"\x1f", b"a", b"\x1f\x8b"[::-1], b"abc" * 100])
def test_a_file_is_read_from_its_first_byte(data: bytes) -> None:
    class Slow:
        """A file that gives a byte at a time, as a socket may."""

        left = io.BytesIO(data)

        def read(self, size: int, /) -> bytes:
            return self.left.read(min(size, 1))

    with reading(Slow()) as opened:
        assert opened.read() == data


@pytest.mark.parametrize("file", [io.StringIO("text"), 7, None, b"lab.jsonl"])
def test_what_is_no_file_of_bytes_is_refused_when_reading(file: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="must be a path or an open file of bytes"):
        experiment_store.import_lines("memory://", file)


@pytest.mark.parametrize("file", [7, None, b"lab.jsonl"])
def test_what_is_no_file_is_refused_when_writing(file: Any) -> None:
    with (
        pytest.raises(InvalidArgumentError, match="must be a path or an open file of bytes"),
        writing(file),
    ):
        raise AssertionError


def test_a_file_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        experiment_store.import_lines("memory://", tmp_path / "nothing")


def test_a_folder_that_is_not_there_is_told_as_such(
    filled: ExperimentStore, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        experiment_store.export_lines(filled, tmp_path / "nowhere" / "lab.jsonl")
