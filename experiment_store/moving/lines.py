"""Lines of an export: JSON objects, each sealed by a checksum of its own.

The CRC-32 of an object's canonical text stands at its end, so damage is seen
where it is, before anything of the line is kept. White space and the order of
fields do not matter.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from gzip import BadGzipFile
from json import JSONDecoder
from typing import Any, BinaryIO, NoReturn

from attrs import frozen

from experiment_store.errors import InvalidLineError, quote

MAX_LINE = 1 << 23  # bytes: the largest run has 6 million, were each character escaped

_SEAL = "crc32"


def seal(text: bytes) -> bytes:
    """Return the line for the canonical text of an object, which is not empty."""
    return b'%b,"%b":"%08x"}\n' % (text[:-1], _SEAL.encode(), zlib.crc32(text))


@frozen
class Line:
    """What line *number* of a file says, and the checksum that it has."""

    number: int
    plain: Mapping[str, Any]
    _seal: Any

    def check(self, text: bytes) -> None:
        """Compare the checksum with that of *text*, which is what the line should have said.

        Raises:
            InvalidLineError: It is another one.
        """
        if self._seal != (found := f"{zlib.crc32(text):08x}"):
            self.refuse(f"is damaged: its checksum is {found}, not {quote(str(self._seal))}")

    def refuse(self, problem: str) -> NoReturn:
        """Say what is wrong with the line.

        Raises:
            InvalidLineError: Always.
        """
        raise InvalidLineError("file", problem, self.number)


class Lines:
    """Reads a file line by line; none takes more memory than `MAX_LINE`."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin before the first line."""
        self._file = file
        self._decoder = JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
        self._number = 0

    def next(self) -> Line:
        """Read the next line.

        Raises:
            InvalidLineError: There is none, or it is no JSON object with a checksum.
        """
        if not (raw := self._read()):
            self._refuse("is missing: the file has been cut off")
        try:
            plain = self._decoder.decode(raw.decode())
        except (ValueError, RecursionError) as error:
            cut = "" if raw.endswith(b"\n") else "has been cut off, or "
            self._refuse(f"{cut}is no JSON: {error}")
        if not isinstance(plain, dict) or _SEAL not in plain:
            self._refuse(f"must be a JSON object with {_SEAL}")
        return Line(self._number, plain, plain.pop(_SEAL))

    def end(self) -> None:
        """See to it that there are no more lines.

        Raises:
            InvalidLineError: There is one.
        """
        if self._read():
            self._refuse("stands behind the end")

    def _read(self) -> bytes:
        self._number += 1
        try:
            raw = self._file.readline(MAX_LINE + 1)
        except (EOFError, zlib.error, BadGzipFile) as error:
            self._refuse(f"is damaged by gzip: {error}")
        if len(raw) > MAX_LINE:
            self._refuse(f"must have at most {MAX_LINE} bytes")
        return raw

    def _refuse(self, problem: str) -> NoReturn:
        raise InvalidLineError("file", problem, self._number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"there is no {word}")
