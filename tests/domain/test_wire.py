"""Records as JSON objects: exact, canonical, and read back only if a store would keep them."""

from __future__ import annotations

import json
import re
from math import inf, nan
from struct import unpack
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.errors import InvalidArgumentError
from experiment_store.moving.walking import MOVED
from experiment_store.moving.wire import from_plain, writer
from experiment_store.records import Labels, Params
from experiment_store.schema import CHUNK, EXPERIMENT, JOB, RUN, Kind
from experiment_store.testing.samples import assert_same, chunk, experiment, job, run, sample
from experiment_store.testing.strategies import experiments, records

_CLOCK = "must be a time as 2026-01-31T23:59:59.000000Z"

_METRIC = {"latest": 0.5, "min": 0.25, "max": "inf", "step": 7, "count": 2}
_LINK = {"name": "model", "uri": "s3://b/m", "digest": "", "size": None}


def plain(kind: Kind[Any], record: Any) -> dict[str, Any]:
    """What a JSON parser finds in the text of *record*, without its kind."""
    found: dict[str, Any] = json.loads(writer(kind)(record))
    assert found.pop("kind") == kind.name
    return found


@given(st.one_of([st.tuples(st.just(kind), records(kind)) for kind in MOVED]))
def test_a_record_comes_back_exactly(pair: tuple[Kind[Any], Any]) -> None:
    kind, record = pair

    assert_same(from_plain(kind, plain(kind, record)), record)


@given(experiments(), st.randoms(use_true_random=False))
def test_equal_records_are_equal_texts(record: Any, random: Any) -> None:
    items = list(record.labels.items())
    random.shuffle(items)
    shuffled = experiment(
        **{field.name: getattr(record, field.name) for field in EXPERIMENT.fields}
        | {"labels": Labels(items)}
    )

    assert writer(EXPERIMENT)(shuffled) == writer(EXPERIMENT)(record)


@given(st.lists(records(RUN), min_size=2, max_size=2, unique_by=lambda run: run.id + run.name))
def test_different_records_are_different_texts(pair: list[Any]) -> None:
    first, second = map(writer(RUN), pair)

    assert (first == second) is (pair[0] == pair[1])


def test_a_record_is_one_line_of_readable_text() -> None:
    made = job("j", name="é\n\N{GRINNING FACE}\u2028", labels=Labels(b="2", a="1"))

    assert writer(JOB)(made).decode() == (
        '{"kind":"job","id":"j","experiment_id":"e","namespace":"",'
        '"name":"é\\n\N{GRINNING FACE}\u2028",'
        '"description":"","labels":{"a":"1","b":"2"},"enabled":true,"schedule":"",'
        '"created_at":"2024-02-29T12:00:00.000000Z","updated_at":"2024-02-29T12:00:00.000000Z",'
        '"etag":"1"}'
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"color": "red"}, "run has the unknown field 'color'"),
        ({"name": None}, "name must not be null"),
        ({"id": None}, "id must not be null"),
        ({"id": ""}, "id must be 1 to 64 visible ASCII characters"),
        ({"id": "a b"}, "id must be 1 to 64 visible ASCII characters"),
        ({"experiment_id": 7}, "experiment_id must be 1 to 64 visible ASCII characters"),
        ({"name": ""}, "name must have 1 to 128 characters, not 0"),
        ({"name": "a\0"}, "name must not contain NUL or lone surrogates"),
        ({"name": "\ud800"}, "name must not contain NUL or lone surrogates"),
        ({"name": ["a"]}, "name must be text, not list"),
        ({"namespace": "x" * 64}, "namespace must have 0 to 63 characters, not 64"),
        ({"description": "x" * 4097}, "description must have 0 to 4096 characters, not 4097"),
        ({"labels": []}, "labels must be a mapping, not list"),
        ({"labels": {"": "a"}}, "labels key must have 1 to 128 characters, not 0"),
        ({"labels": {"a": 1}}, "labels value must be text, not int"),
        ({"storage_state": "GONE"}, "storage_state must be one of AVAILABLE, ARCHIVED"),
        ({"state": ["PENDING"]}, "state must be one of PENDING"),
        ({"etag": ""}, "etag must have 1 to 128 characters, not 0"),
        ({"created_at": None}, "created_at must not be null"),
        ({"created_at": 7}, f"created_at {_CLOCK}"),
        ({"created_at": "2026-01-31T23:59:59Z"}, f"created_at {_CLOCK}"),
        ({"updated_at": "2026-01-31T23:59:59.000000+00:00"}, f"updated_at {_CLOCK}"),
        ({"updated_at": "2026-02-31T23:59:59.000000Z"}, f"updated_at {_CLOCK}"),
        ({"finished_at": "0000-01-01T00:00:00.000000Z"}, f"finished_at {_CLOCK}"),
        ({"params": None}, "params must not be null"),
        ({"params": []}, "params is not what an export has"),
        ({"params": {"": 1}}, "params key must have 1 to 128 characters, not 0"),
        ({"params": {"a": 2**63}}, "params value must lie in -9223372036854775808 to"),
        ({"params": {"a": {"float": 1}}}, "params is not what an export has"),
        ({"params": {"a": {"float": "1.0"}}}, "params is not what an export has"),
        ({"params": {"a": {"float": "nan:8"}}}, "params is not what an export has"),
        ({"params": {"a": {"float": "nan:-000000000000001"}}}, "params is not what an export has"),
        ({"params": {"a": {"int": 1}}}, "params value must be text, a number or a bool, not dict"),
        ({"metrics": []}, "metrics is not what an export has"),
        ({"metrics": {"a": {}}}, "metrics is not what an export has"),
        ({"metrics": {"a": _METRIC | {"mean": 0.0}}}, "metrics is not what an export has"),
        ({"metrics": {"a": _METRIC | {"min": 0}}}, "metrics is not what an export has"),
        ({"metrics": {"a": _METRIC | {"step": 0.0}}}, "step must be an integer, not float"),
        ({"metrics": {"a": _METRIC | {"count": 0}}}, "count must lie in 1 to 92233720368547758"),
        ({"metrics": {"a": _METRIC | {"count": True}}}, "count must be an integer, not bool"),
        ({"artifacts": 7}, "artifacts is not what an export has"),
        ({"artifacts": [7]}, "artifacts is not what an export has"),
        ({"artifacts": [_LINK, _LINK]}, "artifacts must not have a name twice"),
        ({"artifacts": [_LINK | {"size": -1}]}, "artifact size must lie in 0 to 922337203685477"),
        ({"artifacts": [_LINK | {"uri": None}]}, "artifact uri must be text, not NoneType"),
        ({"error": None}, "error must not be null"),
        ({"heartbeat_at": 0}, f"heartbeat_at {_CLOCK}"),
        ({"started_at": "\u0662026-01-31T23:59:59.000000Z"}, f"started_at {_CLOCK}"),
    ],
)
def test_what_no_store_would_keep_is_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{re.escape(problem)}"):
        from_plain(RUN, plain(RUN, run("r")) | change)


@pytest.mark.parametrize("kind", MOVED, ids=lambda kind: kind.name)
def test_no_field_may_be_missing(kind: Kind[Any]) -> None:
    whole = plain(kind, sample(kind, "a"))

    for name in whole:
        rest = {other: value for other, value in whole.items() if other != name}
        with pytest.raises(InvalidArgumentError, match=f"^{kind.name} lacks the field '{name}'$"):
            from_plain(kind, rest)


@given(records(RUN))
def test_what_an_older_version_lacked_is_nothing(record: Any) -> None:
    lacks = frozenset({"params", "metrics", "artifacts", "error", "heartbeat_at"})
    nothing = {name: RUN.by_name[name].default for name in lacks}

    text = writer(RUN, lacks)(record)

    found = json.loads(text)
    assert found.keys() == {"kind", *RUN.by_name} - lacks
    del found["kind"]
    assert_same(from_plain(RUN, found, lacks), evolve(record, **nothing))


@pytest.mark.parametrize("points", ["A" * 31, "AAAA", "A" * 30 + "==", "é" * 32, "A" * 32_032, ""])
def test_points_that_cannot_be_unpacked_are_refused(points: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^points must "):
        from_plain(CHUNK, plain(CHUNK, chunk("c")) | {"points": points})


def test_floats_that_json_lacks_are_words() -> None:
    strange = unpack("<d", bytes.fromhex("efbeadde00f0f7ff"))[0]
    made = run("r", params=Params({"b": -inf, "a": strange, "c": nan}))

    assert plain(RUN, made)["params"] == {
        "a": {"float": "nan:fff7f000deadbeef"},
        "b": {"float": "-inf"},
        "c": {"float": "nan"},
    }


def test_a_flag_is_true_or_false() -> None:
    with pytest.raises(InvalidArgumentError, match="enabled must be a bool, not int"):
        from_plain(JOB, plain(JOB, job("j")) | {"enabled": 1})
