"""Files of bytes, plain or gzip, by their paths or already open."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias, cast

from experiment_store.errors import InvalidArgumentError

_MAGIC = b"\x1f\x8b"  # RFC 1952, 2.3.1
_LEVEL = 6  # as the command gzip has it: three times as fast as Python's own 9


class Readable(Protocol):
    """An open file to read bytes from."""

    def read(self, size: int, /) -> bytes:
        """Return at most *size* bytes; none at the end."""
        ...


class Writable(Protocol):
    """An open file that takes bytes, all that it is given."""

    def write(self, data: bytes, /) -> Any:
        """Write *data*."""


AnyPath: TypeAlias = str | os.PathLike[str]


@contextmanager
def reading(file: AnyPath | Readable) -> Iterator[BinaryIO]:
    """Lend *file* for reading, unpacked if it is packed by gzip; one that was open stays so.

    Raises:
        InvalidArgumentError: It is no path, nor an open file of bytes.
        OSError: It cannot be opened.
    """
    if isinstance(file, str | os.PathLike):
        with Path(file).open("rb") as raw:
            yield _unpacked(raw)
    elif callable(getattr(file, "read", None)):
        yield _unpacked(file)
    else:
        raise _neither()


@contextmanager
def writing(file: AnyPath | Writable) -> Iterator[Writable]:
    """Lend *file* for writing, packed by gzip if its path ends in ``.gz``.

    A file appears under its path when all of it has reached the disk, in the
    place of an earlier one, with its permissions; until then it is a hidden one
    beside it that ends in ``.part``.

    Raises:
        InvalidArgumentError: It is no path, nor an open file.
        OSError: It cannot be written.
    """
    if isinstance(file, str | os.PathLike):
        path = Path(file)
        with _replacing(path) as raw:
            if path.suffix == ".gz":
                # Neither name nor time: equal contents are equal files.
                with gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed:
                    yield packed
            else:
                yield raw
    elif callable(getattr(file, "write", None)):
        yield file
    else:
        raise _neither()


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    path = path.resolve()  # a link stays one, to the new file
    if path.exists() and not path.is_file():  # a pipe or a device has to stay what it is
        with path.open("wb") as raw:
            yield raw
        return
    part = path.with_name(f".{path.name}.{os.urandom(8).hex()}.part")
    try:
        with part.open("xb") as raw:
            if path.exists():
                part.chmod(path.stat().st_mode)
            yield raw
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a loss of power, where folders can be opened."""
    if os.name == "posix":  # pragma: no branch (the tests run on one)
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class _Whole(io.RawIOBase):
    """An open file of which some bytes have been read, from its beginning."""

    def __init__(self, head: bytes, file: Readable) -> None:
        self._head = head
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head or _read(self._file, len(buffer))
        self._head = b""
        buffer[: len(data)] = data
        return len(data)


def _unpacked(file: Readable) -> BinaryIO:
    head = _read(file, 1)
    if head:
        head += _read(file, 1)
    whole = io.BufferedReader(_Whole(head, file))
    return cast("BinaryIO", gzip.GzipFile(fileobj=whole) if head == _MAGIC else whole)


def _read(file: Readable, size: int) -> bytes:
    data = file.read(size)
    if not isinstance(data, bytes):
        raise _neither()
    return data


def _neither() -> InvalidArgumentError:
    return InvalidArgumentError("file", "must be a path or an open file of bytes")
