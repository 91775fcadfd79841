"""Records as JSON objects: exact, canonical, and read back only if a store would keep them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.errors import InvalidArgumentError
from experiment_store.moving.wire import from_plain, writer
from experiment_store.records import Labels
from experiment_store.schema import EXPERIMENT, JOB, RUN, Kind
from experiment_store.testing.samples import LISTED, assert_same, experiment, job, run, sample
from experiment_store.testing.strategies import experiments, records

_CLOCK = "must be a time as 2026-01-31T23:59:59.000000Z"


def plain(kind: Kind[Any], record: Any) -> dict[str, Any]:
    """What a JSON parser finds in the text of *record*, without its kind."""
    found: dict[str, Any] = json.loads(writer(kind)(record))
    assert found.pop("kind") == kind.name
    return found


@given(st.one_of([st.tuples(st.just(kind), records(kind)) for kind in LISTED]))
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
        ({"started_at": "\u0662026-01-31T23:59:59.000000Z"}, f"started_at {_CLOCK}"),
    ],
)
def test_what_no_store_would_keep_is_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{re.escape(problem)}"):
        from_plain(RUN, plain(RUN, run("r")) | change)


@pytest.mark.parametrize("kind", LISTED, ids=lambda kind: kind.name)
def test_no_field_may_be_missing(kind: Kind[Any]) -> None:
    whole = plain(kind, sample(kind, "a"))

    for name in whole:
        rest = {other: value for other, value in whole.items() if other != name}
        with pytest.raises(InvalidArgumentError, match=f"^{kind.name} lacks the field '{name}'$"):
            from_plain(kind, rest)


def test_a_flag_is_true_or_false() -> None:
    with pytest.raises(InvalidArgumentError, match="enabled must be a bool, not int"):
        from_plain(JOB, plain(JOB, job("j")) | {"enabled": 1})
