"""Exports: a header, the records of each kind in the order of their ids, and their digests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, TypeAlias

from attrs import frozen

from experiment_store.backend import Backend
from experiment_store.errors import InvalidArgumentError, InvalidLineError, quote
from experiment_store.moving.digests import Summing
from experiment_store.moving.files import Writable
from experiment_store.moving.formats import FORMATS, VERSION, Format
from experiment_store.moving.lines import Line, Lines, seal
from experiment_store.moving.merging import Merge
from experiment_store.moving.walking import MOVED, batches, count, per_kind, walk
from experiment_store.moving.wire import from_plain, to_text, writer
from experiment_store.reports import Digest, PerKind, Progress, Tally
from experiment_store.schema import Kind, R

Tell: TypeAlias = Callable[[Progress], None]

_RECORDS = {"experiment_store": "records"}


def write_all(source: Backend, file: Writable, tell: Tell) -> PerKind[Digest]:
    """Write all records of *source* to *file*."""
    counts = {kind.name: count(source, kind) for kind in MOVED}
    file.write(seal(_header(FORMATS[VERSION], counts)))
    digests: dict[str, Digest] = {}

    def export(kind: Kind[Any]) -> Digest:
        summing, write, total = Summing(), writer(kind), counts[kind.name]
        tell(Progress("export", kind.name, 0, total))
        for records in walk(source, kind):
            texts = [write(record) for record in records]
            for text in texts:
                summing.add(text)
            file.write(b"".join(map(seal, texts)))
            tell(Progress("export", kind.name, summing.digest.count, total))
        digests[kind.name] = summing.digest
        return summing.digest

    exported = per_kind(export)
    file.write(seal(_footer(digests)))
    return exported


@frozen
class Opened:
    """An export whose header has been read: what comes next are its records."""

    lines: Lines
    format: Format
    counts: Mapping[str, int]


def begin(file: BinaryIO) -> Opened:
    """Read the header, before anything is done about a target.

    Raises:
        InvalidLineError: It is none.
    """
    lines = Lines(file)
    return Opened(lines, *_read_header(lines.next()))


def read_all(export: Opened, target: Backend, tell: Tell) -> PerKind[Tally]:
    """Bring the records of *export* to *target*.

    Raises:
        InvalidLineError: A line is damaged, missing, or has what no store would keep.
        AlreadyExistsError, ConflictError: As `Merge` says.
    """
    lines = export.lines
    section = _Sections(lines, target, export.format, export.counts, tell)
    tallies = per_kind(section.bring)
    _check_footer(section.line, section.digests)
    lines.end()
    return tallies


class _Sections:
    """Brings the records of one kind after the other; *line* is the one that comes next.

    The *digests* are those of the file, by kind.
    """

    def __init__(
        self,
        lines: Lines,
        target: Backend,
        format: Format,
        counts: Mapping[str, int],
        tell: Tell,
    ) -> None:
        self._lines = lines
        self._target = target
        self._format = format
        self._counts = counts
        self._tell = tell
        self.line = lines.next()
        self.digests: dict[str, Digest] = {}

    def bring(self, kind: Kind[Any]) -> Tally:
        merge, kept, total = Merge(self._target, kind), Summing(), self._counts.get(kind.name, 0)
        self._tell(Progress("import", kind.name, 0, total))
        if kind in self._format.kinds:
            self._bring(merge, kept, kind, total)
        return merge.tally(kept.digest)

    def _bring(self, merge: Merge[R], kept: Summing, kind: Kind[R], total: int) -> None:
        said = Summing() if self._format.lacks(kind) else kept
        try:
            for batch in batches(self._read(kind, said, kept)):
                merge.add(batch)
                self._tell(Progress("import", kind.name, merge.read, total))
        except InvalidLineError:
            merge.finish()
            raise
        merge.finish()
        self.digests[kind.name] = said.digest

    def _read(self, kind: Kind[R], said: Summing, kept: Summing) -> Iterator[tuple[R, int]]:
        """Read records; what the file has *said* is without what stores have *kept* since."""
        lacks = self._format.lacks(kind)
        write, write_now, last = writer(kind, lacks), writer(kind), ""
        while self.line.plain.get("kind") == kind.name:
            record = _record(kind, self.line, lacks)
            text = write(record)
            self.line.check(text)
            if record.id <= last:
                self.line.refuse(f"has id {quote(record.id)}, which must come before {quote(last)}")
            said.add(text)
            if kept is not said:
                kept.add(write_now(record))
            last = record.id
            yield record, len(text)
            self.line = self._lines.next()


def _record(kind: Kind[R], line: Line, lacks: frozenset[str]) -> R:
    plain = {name: value for name, value in line.plain.items() if name != "kind"}
    try:
        return from_plain(kind, plain, lacks)
    except InvalidArgumentError as error:
        raise InvalidLineError("file", f"is refused: {error}", line.number) from error


def _header(format: Format, counts: Mapping[str, int]) -> bytes:
    counted = {kind.name: counts[kind.name] for kind in format.kinds}
    return to_text({**_RECORDS, "version": format.version, "counts": counted})


def _read_header(line: Line) -> tuple[Format, Mapping[str, int]]:
    """Return the format, and how many records there were of each kind when the export began."""
    plain, problem = line.plain, "is no header of an export"
    if plain.get("experiment_store") != _RECORDS["experiment_store"]:
        line.refuse(problem)
    if type(version := plain.get("version")) is not int or version not in FORMATS:
        known = " or ".join(map(str, FORMATS))
        line.refuse(f"has version {quote(str(version))}, not {known}")
    format, counts = FORMATS[version], plain.get("counts")
    if plain.keys() != {*_RECORDS, "version", "counts"} or not isinstance(counts, dict):
        line.refuse(problem)
    kinds = {kind.name for kind in format.kinds}
    if counts.keys() != kinds or any(type(found) is not int for found in counts.values()):
        line.refuse(problem)
    line.check(_header(format, counts))
    return format, counts


def _footer(digests: Mapping[str, Digest]) -> bytes:
    said = {kind: {"count": d.count, "sha256": d.sha256} for kind, d in digests.items()}
    return to_text({"end": said})


def _check_footer(line: Line, digests: Mapping[str, Digest]) -> None:
    """Compare what the last line says of the records with what they were.

    Raises:
        InvalidLineError: It is another line, or says something else.
    """
    if "end" not in line.plain:
        known = ", ".join(digests)
        line.refuse(f"must be a record of the kinds {known}, in this order, or the end")
    text = _footer(digests)
    if line.plain != json.loads(text):
        line.refuse(f"does not fit what stands before it, which is {text.decode()}")
    line.check(text)
