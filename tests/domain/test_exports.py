"""Exports come back exactly, and no damage to one goes unnoticed or costs what stood before it."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Sequence
from math import inf, nan
from typing import Any

import pytest
from attrs import astuple
from hypothesis import example, given
from hypothesis import strategies as st

import experiment_store
from experiment_store import ExperimentStore, InvalidLineError, PerKind, Progress, Tally
from experiment_store.moving.lines import MAX_LINE, seal
from experiment_store.moving.walking import MOVED
from experiment_store.names import (
    MAX_ARTIFACT_NAME,
    MAX_ARTIFACTS,
    MAX_DESCRIPTION,
    MAX_DIGEST,
    MAX_ERROR,
    MAX_LABEL_KEY,
    MAX_LABEL_VALUE,
    MAX_LABELS,
    MAX_METRIC_NAME,
    MAX_METRICS,
    MAX_NAME,
    MAX_PARAM_KEY,
    MAX_PARAM_TEXT,
    MAX_PARAMS,
    MAX_URI,
)
from experiment_store.points import History, pack
from experiment_store.records import Artifact, Labels, Metric, Metrics, Params
from experiment_store.testing.samples import (
    LISTED,
    NOON,
    Contents,
    chunk,
    dump,
    experiment,
    job,
    refill,
    run,
)
from experiment_store.testing.strategies import several
from experiment_store_memory import MemoryBackend
from experiment_store_sqlite import SqliteBackend
from tests.migrations.databases import DATA
from tests.migrations.released import found_in
from tests.migrations.released import records_of as records_of_released


def exported(contents: Contents) -> bytes:
    """The export of a store that has these records."""
    file = io.BytesIO()
    with ExperimentStore(MemoryBackend()) as store:
        refill(store._backend, contents)
        experiment_store.export_lines(store, file)
    return file.getvalue()


def bring(data: bytes, backend: MemoryBackend | None = None) -> tuple[Any, MemoryBackend]:
    """Import *data*; return what that says or raises of ours, and where the records are."""
    kept = backend or MemoryBackend()
    try:
        said: Any = experiment_store.import_lines(ExperimentStore(kept), io.BytesIO(data))
    except InvalidLineError as error:
        said = error
    return said, kept


def records_of(backend: MemoryBackend) -> list[Any]:
    """All records, in the order of an export."""
    found = dump(backend)
    return [record for kind in MOVED for record in found[kind.name]]


_CONTENTS: dict[str, Any] = {
    "experiment": [
        experiment("a", labels=Labels(team="cv", k="1"), description='q"\\\n\N{GRINNING FACE}'),
        experiment("b", namespace="vision", name="a"),
    ],
    "job": [job("j", schedule="@daily", enabled=False)],
    "run": [
        run("r", job_id="j"),
        run(
            "s",
            of="gone",
            params=Params({"lr": 0.1, "nan": -nan, "layers": 3, "on": True, "opt": "adam"}),
            metrics=Metrics({"loss": Metric(inf, 0.5, inf, 2, 2)}),
            artifacts=(Artifact("model", "s3://b/m", "sha256:1", 7), Artifact("logs", "file:/l")),
            error="ValueError: \N{SNOWMAN}",
            heartbeat_at=NOON,
        ),
    ],
    "chunk": [chunk("c", of="s", points=pack(History([1, 2], [0.5, inf], [0, 1])))],
}
_EXPORT = exported(_CONTENTS)
_LINES = _EXPORT.splitlines(keepends=True)
_PACKED = gzip.compress(_EXPORT, mtime=0)
_WHOLE = bring(_EXPORT)[1]


def line_of(position: int) -> int:
    """The number of the line in which a byte of the export stands."""
    return _EXPORT.count(b"\n", 0, position) + 1


@given(st.fixed_dictionaries({kind.name: several(kind) for kind in MOVED}))
def test_what_is_exported_and_imported_is_the_same(contents: dict[str, Any]) -> None:
    data = exported(contents)

    with ExperimentStore(SqliteBackend()) as target:
        experiment_store.import_lines(target, io.BytesIO(gzip.compress(data)))
        again = io.BytesIO()
        experiment_store.export_lines(target, again)
        found = dump(target._backend)

    assert again.getvalue() == data
    assert found == {
        name: sorted(contents[name], key=lambda record: str(record.id)) for name in contents
    }


@given(st.integers(0, len(_EXPORT) - 1), st.integers(1, 255))
@example(_EXPORT.index(b'"version":2') + 10, 1)
@example(_EXPORT.index(b"\n"), 1)
@example(len(_EXPORT) - 1, ord("\n") ^ ord(" "))
def test_a_damaged_byte_is_told_by_its_line_or_does_no_harm(position: int, change: int) -> None:
    data = bytearray(_EXPORT)
    data[position] ^= change

    said, kept = bring(bytes(data))

    if isinstance(said, InvalidLineError):
        assert said.line == line_of(position)
        assert records_of(kept) == records_of(_WHOLE)[: max(0, said.line - 2)]
    else:
        assert dump(kept) == dump(_WHOLE)


@given(st.integers(0, len(_PACKED) - 1), st.integers(1, 255))
@example(0, 1)
@example(3, 4)
@example(len(_PACKED) - 5, 1)
@example(len(_PACKED) - 1, 1)
def test_a_damaged_byte_of_a_packed_file_is_noticed_or_does_no_harm(
    position: int, change: int
) -> None:
    data = bytearray(_PACKED)
    data[position] ^= change

    said, kept = bring(bytes(data))

    found = records_of(kept)
    assert found == records_of(_WHOLE)[: len(found)]
    if not isinstance(said, InvalidLineError):
        assert dump(kept) == dump(_WHOLE)


@given(st.sampled_from((_EXPORT, _PACKED)), st.data())
@example(_EXPORT, None)
def test_a_file_that_was_cut_off_is_noticed_and_imported_again_when_it_is_whole(
    data: bytes, draw: st.DataObject | None
) -> None:
    length = len(data) - 1 if draw is None else draw.draw(st.integers(0, len(data) - 1))
    harmless = data == _EXPORT and length == len(_EXPORT) - 1  # only the last line feed is missing

    said, kept = bring(data[:length])
    first = records_of(kept)
    again, _ = bring(data, kept)

    assert isinstance(said, InvalidLineError) != harmless
    assert first == records_of(_WHOLE)[: len(first)]
    assert isinstance(again, PerKind)
    assert dump(kept) == dump(_WHOLE)


@given(st.permutations(_LINES) | st.lists(st.sampled_from(_LINES), max_size=8))
@example(_LINES[:-2] + _LINES[-1:])
@example([*_LINES[:2], *_LINES[1:]])
@example([*_LINES, _LINES[-1]])
def test_lines_that_are_missing_or_moved_or_stand_twice_are_noticed(lines: Sequence[bytes]) -> None:
    said, kept = bring(b"".join(lines))

    if list(lines) == _LINES:
        assert dump(kept) == dump(_WHOLE)
    else:
        assert isinstance(said, InvalidLineError)
        assert 1 <= said.line <= len(lines) + 1


def test_white_space_and_the_order_of_fields_do_not_matter() -> None:
    spread = (json.dumps(json.loads(line), sort_keys=True) + " \r\n" for line in _LINES)

    said, kept = bring("".join(spread).encode())

    assert isinstance(said, PerKind)
    assert dump(kept) == dump(_WHOLE)


def test_a_second_import_changes_nothing() -> None:
    first, kept = bring(_EXPORT)
    before = dump(kept)

    second, _ = bring(_EXPORT, kept)

    assert first.runs == Tally(2, 2, 0, 0, second.runs.digest)
    assert second.runs == Tally(2, 0, 0, 2, first.runs.digest)
    assert dump(kept) == before


def test_a_store_with_records_of_its_own_takes_an_import() -> None:
    kept = MemoryBackend()
    kept.insert(LISTED[0], [experiment("own")])

    said, _ = bring(_EXPORT, kept)

    assert said.experiments.inserted == 2
    assert len(records_of(kept)) == 7


def test_the_digests_of_an_export_are_those_of_the_store_and_of_its_import() -> None:
    file = io.BytesIO()

    said = experiment_store.export_lines(ExperimentStore(_WHOLE), file)

    brought = bring(file.getvalue())[0]
    assert said == experiment_store.digest(ExperimentStore(_WHOLE))
    assert said == PerKind(
        brought.experiments.digest,
        brought.jobs.digest,
        brought.runs.digest,
        brought.chunks.digest,
    )
    assert [digest.count for digest in astuple(said, recurse=False)] == [2, 1, 2, 1]


def test_an_export_has_no_keys_of_the_store() -> None:
    with ExperimentStore(MemoryBackend()) as store:
        key = store.key("mine")
        file = io.BytesIO()
        experiment_store.export_lines(store, file)

    assert key not in file.getvalue()
    assert len(file.getvalue().splitlines()) == 2


def test_progress_is_told_for_every_kind_from_nothing_to_all() -> None:
    told: list[Progress] = []

    with ExperimentStore(_WHOLE) as store:
        experiment_store.export_lines(store, io.BytesIO(), progress=told.append)
    experiment_store.import_lines("memory://", io.BytesIO(_EXPORT), progress=told.append)

    totals = {"experiment": 2, "job": 1, "run": 2, "chunk": 1}
    for task in ("export", "import"):
        for kind, total in totals.items():
            steps = [p for p in told if (p.task, p.kind) == (task, kind)]
            assert [p.done for p in steps] == [0, total]
            assert {p.total for p in steps} == {total}


def changed(number: int, **fields: Any) -> bytes:
    """The export with other fields in one line, and a checksum that fits them."""
    plain = json.loads(_LINES[number - 1]) | fields
    del plain["crc32"]
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode()
    return b"".join([*_LINES[: number - 1], seal(text), *_LINES[number:]])


def replaced(number: int, line: bytes) -> bytes:
    """The export with another line in the place of one."""
    return b"".join([*_LINES[: number - 1], line, *_LINES[number:]])


_DEEP = b"[" * 200_000 + b"\n"
_HEADER = "is no header of an export"


@pytest.mark.parametrize(
    ("data", "line", "problem"),
    [
        (b"", 1, "is missing: the file has been cut off"),
        (b"\n", 1, "is no JSON: "),
        (b"{", 1, "has been cut off, or is no JSON: "),
        (_LINES[0], 2, "is missing: the file has been cut off"),
        (b"".join(_LINES[:-1]), 8, "is missing: the file has been cut off"),
        (replaced(1, b"{}\n"), 1, "must be a JSON object with crc32"),
        (replaced(1, b"7\n"), 1, "must be a JSON object with crc32"),
        (replaced(1, _LINES[1]), 1, _HEADER),
        (changed(1, experiment_store="models"), 1, _HEADER),
        (changed(1, version=3), 1, "has version '3', not 1 or 2"),
        (changed(1, version=True), 1, "has version 'True', not 1 or 2"),
        (changed(1, more=1), 1, _HEADER),
        (changed(1, counts=[]), 1, _HEADER),
        (changed(1, counts={"run": 1}), 1, _HEADER),
        (changed(1, counts={"experiment": 2, "job": 1, "run": 2}), 1, _HEADER),
        (changed(1, counts={"experiment": 2, "job": 1, "run": 2, "chunk": "1"}), 1, _HEADER),
        (replaced(1, _LINES[0].replace(b'"job":1', b'"job":2')), 1, "is damaged: its checksum is"),
        (replaced(2, _LINES[1].replace(b"team", b"beam")), 2, "is damaged: its checksum is"),
        (replaced(2, b"\xff\n"), 2, "is no JSON: 'utf-8' codec"),
        (replaced(2, "{}\n".encode("utf-16")), 2, "is no JSON: 'utf-8' codec"),
        (replaced(2, b"{NaN}\n"), 2, "is no JSON: "),
        (replaced(2, _DEEP), 2, "is no JSON: "),
        (replaced(6, _LINES[5].replace(b'"inf"', b"Infinity")), 6, "is no JSON: there is no Inf"),
        (changed(6, params={"a": None}), 6, "is refused: params value must be text, a number"),
        (changed(6, params=["a"]), 6, "is refused: params is not what an export has"),
        (changed(6, metrics={"a": 1.0}), 6, "is refused: metrics is not what an export has"),
        (changed(6, artifacts=[{}]), 6, "is refused: artifacts is not what an export has"),
        (changed(6, heartbeat_at=0), 6, "is refused: heartbeat_at must be a time"),
        (changed(7, points="A" * 31), 7, "is refused: points must be packed points"),
        (changed(7, points="AAAA"), 7, "is refused: points must be packed points"),
        (changed(7, points=7), 7, "is refused: points must be text, not int"),
        (changed(7, run_id=None), 7, "is refused: run_id must not be null"),
        (replaced(2, b'{"id":' + b"9" * 9_999 + b"}\n"), 2, "is no JSON: "),
        (replaced(2, b'{"id":"a","id":"b"}\n'), 2, "is no JSON: a name stands twice"),
        (replaced(2, b" " * MAX_LINE + b"\n"), 2, "must have at most 8388608 bytes"),
        (
            changed(2, kind="model"),
            2,
            "must be a record of the kinds experiment, job, run, chunk, in",
        ),
        (
            changed(3, kind=["run"]),
            3,
            "must be a record of the kinds experiment, job, run, chunk, in",
        ),
        (changed(2, color="red"), 2, "is refused: experiment has the unknown field 'color'"),
        (changed(3, name=""), 3, "is refused: name must have 1 to 128 characters, not 0"),
        (changed(3, id="A"), 3, "has id 'A', which must come before 'a'"),
        (changed(8, end={}), 8, "does not fit what stands before it, which is {"),
        (changed(8, more={}), 8, "does not fit what stands before it, which is {"),
        (replaced(8, _LINES[7].replace(b'crc32":"', b'crc32":"1')), 8, "is damaged: its checksum"),
        (_EXPORT + b"\n", 9, "stands behind the end"),
        (gzip.compress(_EXPORT) + b"junk", 9, "is damaged by gzip: "),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(data: bytes, line: int, problem: str) -> None:
    said, kept = bring(data)

    assert str(said).startswith(f"file line {line} {problem}")
    assert said.line == line
    assert records_of(kept) == records_of(_WHOLE)[: max(0, min(6, line - 2))]


_PLAIN_WORDS = (
    "float", "latest", "min", "max", "step", "count", "name", "uri", "digest", "size",
    "nan", "inf", "-inf", "nan:7ff8000000000001", "nan:-0000000000000001", "nan:",
)  # fmt: skip
_ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from((*_PLAIN_WORDS, "A" * 32, 2**63, 10**400, "k" * 129)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_PLAIN_WORDS) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=8,
)  # fmt: skip


def altered(value: Any) -> st.SearchStrategy[Any]:
    """What *value* may become by the change of a part."""
    if isinstance(value, dict) and value:
        changes = st.sampled_from(sorted(value)).flatmap(
            lambda key: altered(value[key]).map(lambda new: value | {key: new})
        )
        return changes | st.tuples(st.sampled_from(_PLAIN_WORDS), _ODD).map(
            lambda entry: value | dict([entry])
        )
    if isinstance(value, list) and value:
        return altered(value[0]).map(lambda new: [new, *value[1:]])
    return _ODD


@given(st.sampled_from([2, 4, 6, 7]), st.data())
def test_values_that_no_store_has_are_told_by_their_line_or_do_no_harm(
    number: int, data: st.DataObject
) -> None:
    plain = json.loads(_LINES[number - 1])
    name = data.draw(st.sampled_from(sorted(plain.keys() - {"crc32", "kind"})))
    value = data.draw(altered(plain[name]) | _ODD)

    said, kept = bring(changed(number, **{name: value}))

    assert isinstance(said, PerKind) or said.line >= number
    assert records_of(kept)[: number - 2] == records_of(_WHOLE)[: number - 2]
    again, back = bring(exported(dump(kept)))
    assert isinstance(again, PerKind)
    assert dump(back) == dump(kept)


def test_an_export_of_the_first_version_is_imported_as_it_is_now() -> None:
    known = records_of_released("1")

    with ExperimentStore(MemoryBackend()) as store:
        said = experiment_store.import_lines(store, DATA / "export-1.jsonl.gz")

        assert found_in(store) == known
        assert experiment_store.digest(store) == PerKind(
            *(tally.digest for tally in astuple(said, recurse=False))
        )
    assert [tally.inserted for tally in astuple(said, recurse=False)] == [10, 10, 14, 0]


_FIRST = gzip.decompress((DATA / "export-1.jsonl.gz").read_bytes()).splitlines(keepends=True)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            _FIRST[-2].replace(b'"etag"', b'"params":{},"etag"'),
            "is refused: run has the unknown field 'params'",
        ),
        (_LINES[5], "is refused: run has the unknown field 'artifacts'"),
        (_LINES[6], "must be a record of the kinds experiment, job, run, in this order"),
        (_LINES[7], "does not fit what stands before it"),
    ],
)
def test_the_first_version_has_nothing_of_the_second(line: bytes, problem: str) -> None:
    said, _ = bring(b"".join([*_FIRST[:-2], line, _FIRST[-1]]))

    assert isinstance(said, InvalidLineError)
    assert str(said).startswith(f"file line {len(_FIRST) - 1} {problem}")


def test_a_damaged_digest_of_the_first_version_is_noticed() -> None:
    end = json.loads(_FIRST[-1])["end"]
    end["run"]["sha256"] = "0" * 64
    text = json.dumps({"end": end}, separators=(",", ":")).encode()

    said, _ = bring(b"".join([*_FIRST[:-1], seal(text)]))

    assert isinstance(said, InvalidLineError)
    assert "does not fit what stands before it" in str(said)


def test_the_largest_run_that_there_is_fits_a_line_with_every_character_escaped() -> None:
    def filled(length: int, number: int = 0) -> str:
        return f"{number:03}".ljust(length, "\N{GRINNING FACE}")

    metric = Metric(-1.7976931348623157e308, -1.7976931348623157e308, -nan, -(2**63), 2**63 - 1)
    largest = run(
        "r",
        name=filled(MAX_NAME),
        description=filled(MAX_DESCRIPTION),
        labels=Labels(
            {filled(MAX_LABEL_KEY, n): filled(MAX_LABEL_VALUE) for n in range(MAX_LABELS)}
        ),
        params=Params(
            {filled(MAX_PARAM_KEY, n): filled(MAX_PARAM_TEXT) for n in range(MAX_PARAMS)}
        ),
        metrics=Metrics({filled(MAX_METRIC_NAME, n): metric for n in range(MAX_METRICS)}),
        artifacts=tuple(
            Artifact(filled(MAX_ARTIFACT_NAME, n), filled(MAX_URI), filled(MAX_DIGEST), 2**63 - 1)
            for n in range(MAX_ARTIFACTS)
        ),
        error=filled(MAX_ERROR),
    )
    escaped = (
        json.dumps(json.loads(line)) + "\n"
        for line in exported({"run": [largest]}).splitlines(keepends=True)
    )

    said, kept = bring("".join(escaped).encode())

    assert isinstance(said, PerKind)
    assert records_of(kept) == [largest]


def test_a_line_of_any_length_takes_little_memory() -> None:
    class Endless(io.RawIOBase):
        """A file that never ends, nor does its first line."""

        read_so_far = 0

        def read(self, size: int = -1) -> bytes:
            assert 0 <= size <= 2 * MAX_LINE
            Endless.read_so_far += size
            assert Endless.read_so_far < 4 * MAX_LINE
            return b" " * size

    with pytest.raises(InvalidLineError, match="line 1 must have at most"):
        experiment_store.import_lines("memory://", Endless())


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words_of_ours(data: bytes) -> None:
    said, kept = bring(data)

    assert isinstance(said, InvalidLineError)
    assert records_of(kept) == []


def test_a_crafted_checksum_is_that_of_the_line_without_it() -> None:
    line = json.loads(_LINES[1])
    seal_found = line.pop("crc32")
    text = json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode()

    assert seal_found == f"{zlib.crc32(text):08x}"


def test_records_that_wait_for_a_name_are_kept_before_a_damaged_line() -> None:
    early = exported({"experiment": [experiment("a", name="x"), experiment("b", name="y")]})
    swapped = exported({"experiment": [experiment("a", name="y"), experiment("b", name="x")]})
    _, kept = bring(early)

    said, _ = bring(swapped[: swapped.rindex(b"{")], kept)

    assert isinstance(said, InvalidLineError)
    assert [record.name for record in records_of(kept)] == ["y", "x"]
