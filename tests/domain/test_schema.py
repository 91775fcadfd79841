"""The schema says of each field what the records' own annotations say."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

import pytest
from attrs import fields

from experiment_store.names import check_field
from experiment_store.records import (
    Artifact,
    Chunk,
    Experiment,
    Job,
    Labels,
    Metrics,
    Params,
    Run,
    RunState,
    Setting,
    StorageState,
)
from experiment_store.schema import (
    CHUNK,
    EXPERIMENT,
    JOB,
    KINDS,
    REQUIRED,
    RUN,
    SETTING,
    Field,
    Kind,
    Type,
    owned_by,
)
from experiment_store.testing.samples import sample

_TYPES: dict[Any, tuple[Type, type | None]] = {
    str: (Type.TEXT, None),
    datetime: (Type.TIME, None),
    bool: (Type.BOOL, None),
    Labels: (Type.LABELS, None),
    Params: (Type.PARAMS, None),
    Metrics: (Type.METRICS, None),
    tuple[Artifact, ...]: (Type.ARTIFACTS, None),
    StorageState: (Type.ENUM, StorageState),
    RunState: (Type.ENUM, RunState),
}
_FIELDS = [(kind, field) for kind in KINDS for field in kind.fields]


def test_the_kinds_are_those_of_the_records() -> None:
    assert {kind.name: kind.record for kind in KINDS} == {
        "experiment": Experiment,
        "run": Run,
        "job": Job,
        "chunk": Chunk,
        "setting": Setting,
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_fields_stand_in_the_order_of_the_records_constructor(kind: Kind[Any]) -> None:
    record: Any = kind.record
    names = [field.name for field in kind.fields]

    assert names == [attribute.name for attribute in fields(record)]
    assert list(kind.by_name) == names


@pytest.mark.parametrize(("kind", "field"), _FIELDS, ids=lambda part: part.name if part else None)
def test_a_field_has_the_type_of_the_records_attribute(kind: Kind[Any], field: Field) -> None:
    annotation = get_type_hints(kind.record)[field.name]
    members = set(get_args(annotation)) if isinstance(annotation, UnionType) else {annotation}

    [present] = members - {NoneType}

    assert _TYPES[present] == (field.type, field.enum)
    assert field.optional == (NoneType in members)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_word_of_a_filter_means_one_field(kind: Kind[Any]) -> None:
    words = Counter(
        word for field in kind.fields if not field.internal for word in (field.name, *field.aliases)
    )

    assert set(words.values()) == {1}
    assert set(kind.by_word) == set(words)
    assert all(word == word.lower() for word in words)


@pytest.mark.parametrize(
    ("kind", "word", "name"),
    [
        (EXPERIMENT, "experiment_id", "id"),
        (EXPERIMENT, "display_name", "name"),
        (RUN, "run_id", "id"),
        (RUN, "experiment_id", "experiment_id"),
        (RUN, "job_id", "job_id"),
        (RUN, "display_name", "name"),
        (JOB, "job_id", "id"),
        (JOB, "experiment_id", "experiment_id"),
    ],
)
def test_a_filter_may_use_the_words_of_kubeflow(kind: Kind[Any], word: str, name: str) -> None:
    assert kind.by_word[word].name == name


@pytest.mark.parametrize("kind", [EXPERIMENT, RUN, JOB], ids=lambda kind: kind.name)
def test_an_etag_is_stored_but_not_asked_for(kind: Kind[Any]) -> None:
    assert "etag" in kind.by_name
    assert "etag" not in kind.by_word


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_record_has_an_id_that_is_always_there(kind: Kind[Any]) -> None:
    assert kind.fields[0].name == "id"
    assert not kind.by_name["id"].optional


def test_only_the_name_of_an_experiment_is_unique_and_in_its_namespace() -> None:
    assert {kind.name: kind.unique for kind in KINDS} == {
        "experiment": ("namespace", "name"),
        "run": (),
        "job": (),
        "chunk": (),
        "setting": (),
    }


def test_runs_and_jobs_lie_below_experiments_and_histories_below_runs() -> None:
    assert {kind.name: kind.parent for kind in KINDS} == {
        "experiment": None,
        "run": EXPERIMENT,
        "job": EXPERIMENT,
        "chunk": RUN,
        "setting": None,
    }
    assert RUN.parent_field in RUN.by_name
    assert JOB.parent_field in JOB.by_name
    assert CHUNK.parent_field in CHUNK.by_name


def test_only_histories_belong_to_others() -> None:
    assert {kind.name: owned_by(kind) for kind in KINDS if owned_by(kind)} == {"run": (CHUNK,)}


@pytest.mark.parametrize(("kind", "field"), _FIELDS, ids=lambda part: part.name if part else None)
def test_what_a_field_is_by_default_could_be_kept_in_it(kind: Kind[Any], field: Field) -> None:
    if field.default is not REQUIRED:
        assert check_field(field.name, field.default) == field.default
        assert getattr(sample(kind, "a"), field.name) == field.default


def test_a_kind_is_equal_to_itself_alone() -> None:
    assert len({EXPERIMENT, RUN, JOB, CHUNK, SETTING}) == 5
