"""Records are values: equal by content, hashable, picklable, and never changed."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import inf, nan
from struct import pack
from types import MappingProxyType
from typing import Any

import pytest
from attrs import asdict, evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.records import (
    Artifact,
    Chunk,
    Experiment,
    Job,
    Labels,
    Metric,
    Metrics,
    NewExperiment,
    NewJob,
    NewRun,
    Page,
    Params,
    ParamValue,
    Run,
    RunState,
    Setting,
    StorageState,
)
from experiment_store.testing.strategies import metrics, params, texts

_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_LABELS = Labels({"team": "cv"})
_PARAMS = Params({"lr": 0.1, "layers": 3, "opt": "adam", "amp": True})
_METRICS = Metrics({"loss": Metric(nan, 0.5, inf, 7, 3)})
_LINK = Artifact("model", "s3://bucket/model", "sha256:00", 7)
_EXPERIMENT = Experiment(
    "e", "vision", "mnist", "", _LABELS, StorageState.AVAILABLE, _TIME, _TIME, None, "tag"
)
_RUN = Run(
    "r", "e", "vision", "run", "", _LABELS, StorageState.ARCHIVED, RunState.RUNNING,
    _TIME, _TIME, _TIME, None, None, _PARAMS, _METRICS, (_LINK,), "ValueError", _TIME, "tag",
)  # fmt: skip
_JOB = Job("j", "e", "vision", "job", "", _LABELS, True, "@daily", _TIME, _TIME, "tag")  # noqa: FBT003 (in the order of the fields)
_CHUNK = Chunk("c", "r", "loss", _TIME, "A" * 32)
_RECORDS = [_EXPERIMENT, _RUN, _JOB, _CHUNK, _LINK, Setting("key", "value")]
_MAPPINGS = st.dictionaries(texts(8), texts(8), max_size=4)

_CHANGES: dict[str, Callable[[Any], Any]] = {
    "set": lambda labels: labels.__setitem__("a", "b"),
    "delete": lambda labels: labels.__delitem__("team"),
    "join": lambda labels: labels.__ior__({"a": "b"}),
    "clear": lambda labels: labels.clear(),
    "pop": lambda labels: labels.pop("team"),
    "pop with default": lambda labels: labels.pop("a", ""),
    "pop item": lambda labels: labels.popitem(),
    "set default": lambda labels: labels.setdefault("a", "b"),
    "update": lambda labels: labels.update(a="b"),
}


@pytest.mark.parametrize(
    ("held", "instead"),
    [
        (Labels({"team": "cv"}), r"labels of a record cannot be changed; use update\("),
        (Params({"team": "cv"}), r"params of a record cannot be changed; use update\("),
        (Metrics({"team": Metric(0, 0, 0, 0, 1)}), r"metrics of a record .*; use log\(\)"),
    ],
    ids=lambda held: type(held).__name__,
)
@pytest.mark.parametrize("change", _CHANGES.values(), ids=_CHANGES)
def test_mappings_cannot_be_changed(
    change: Callable[[Any], Any], held: Mapping[str, Any], instead: str
) -> None:
    before = dict(held)

    with pytest.raises(TypeError, match=instead):
        change(held)

    assert held == before


@pytest.mark.parametrize("mapping", [Labels, Params, Metrics])
def test_every_method_by_which_a_dictionary_changes_is_refused(mapping: Any) -> None:
    mutators = {"__ior__", *dir(dict)} - (set(dir(MappingProxyType)) - {"__ior__"}) - {"fromkeys"}

    allowed = {name for name in mutators if getattr(mapping, name) is not mapping.clear}

    assert {"__setitem__", "__ior__", "pop", "update"} <= mutators
    assert allowed == set()


@given(_MAPPINGS, _MAPPINGS)
def test_labels_are_equal_and_hash_by_content(left: dict[str, str], right: dict[str, str]) -> None:
    assert (Labels(left) == Labels(right)) == (left == right)
    assert hash(Labels(left)) == hash(Labels(dict(reversed(left.items()))))


@given(_MAPPINGS)
def test_labels_are_a_dictionary_to_everyone_who_reads(content: dict[str, str]) -> None:
    labels = Labels(content)

    assert labels == content
    assert json.loads(json.dumps(labels)) == content
    assert {**labels} == content


@given(params(), params())
def test_params_are_equal_by_the_values_and_types_of_their_entries(
    left: Params, right: Params
) -> None:
    same = {key: (type(value), repr(_bits(value))) for key, value in left.items()} == {
        key: (type(value), repr(_bits(value))) for key, value in right.items()
    }

    assert (left == right) is same
    assert (left != right) is not same
    assert left == Params(dict(reversed(left.items())))
    assert hash(left) == hash(Params(dict(reversed(left.items()))))


@pytest.mark.parametrize(
    ("left", "right"), [(1, 1.0), (1, True), (0.0, -0.0), ("1", 1), (nan, 0.0), ("nan", nan)]
)
def test_params_of_other_types_are_others(left: ParamValue, right: ParamValue) -> None:
    assert Params({"a": left}) != Params({"a": right})
    assert Params({"a": left}) == {"a": left}


def test_params_are_no_list() -> None:
    assert Params() != []


@given(metrics(), st.integers(1, pickle.HIGHEST_PROTOCOL))  # the first one writes NaN as a word
def test_metrics_survive_pickling_bit_for_bit(held: Metrics, protocol: int) -> None:
    back = pickle.loads(pickle.dumps(held, protocol))  # noqa: S301 (our own bytes)

    assert (back, type(back)) == (held, Metrics)
    assert hash(back) == hash(held)


@pytest.mark.parametrize("values", [(0.0, -0.0), (nan, -nan), (1.0, 2.0)])
@pytest.mark.parametrize("name", ["latest", "min", "max"])
def test_metrics_are_equal_if_they_are_so_bit_for_bit(
    name: str, values: tuple[float, float]
) -> None:
    changes: list[dict[str, Any]] = [{name: value} for value in values]

    first, second = (evolve(_METRICS["loss"], **change) for change in changes)

    assert first != second
    assert first == evolve(first)


def test_a_copy_of_labels_can_be_changed() -> None:
    changed = dict(_LABELS) | {"a": "b"}

    assert (changed, _LABELS) == ({"team": "cv", "a": "b"}, {"team": "cv"})


@given(_MAPPINGS, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_labels_survive_pickling(content: dict[str, str], protocol: int) -> None:
    labels = Labels(content)

    back = pickle.loads(pickle.dumps(labels, protocol))  # noqa: S301 (our own bytes)

    assert (back, type(back)) == (labels, Labels)


@pytest.mark.parametrize("record", _RECORDS)
def test_a_record_survives_pickling_and_copying(record: Any) -> None:
    back = pickle.loads(pickle.dumps(record))  # noqa: S301 (our own bytes)

    assert back == record
    assert copy.deepcopy(record) == record


@pytest.mark.parametrize("record", _RECORDS)
def test_a_record_is_frozen_and_hashable(record: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        record.id = "another"

    assert len({record, evolve(record)}) == 1


@pytest.mark.parametrize("record", [_EXPERIMENT, _RUN, _JOB])
def test_a_record_is_a_dictionary_of_plain_values_for_those_who_want_one(record: Any) -> None:
    plain = asdict(record)

    assert type(plain["labels"]) is dict
    nested = {
        name: value for name in ("metrics", "artifacts") if (value := getattr(record, name, None))
    }
    assert type(record)(**plain | nested) == record
    assert json.loads(json.dumps(plain, default=str))["labels"] == {"team": "cv"}


def test_metrics_and_artifacts_are_dictionaries_of_plain_values_too() -> None:
    plain = asdict(_RUN)

    assert plain["params"] == {"lr": 0.1, "layers": 3, "opt": "adam", "amp": True}
    assert plain["artifacts"] == (
        {"name": "model", "uri": "s3://bucket/model", "digest": "sha256:00", "size": 7},
    )
    assert {name: type(held) for name, held in plain["metrics"].items()} == {"loss": dict}
    assert plain["metrics"]["loss"]["step"] == 7


def test_words_of_states_are_their_own_text() -> None:
    assert json.dumps([StorageState.ARCHIVED, RunState.FAILED]) == '["ARCHIVED", "FAILED"]'


@pytest.mark.parametrize(
    "new", [NewExperiment("n"), NewRun("e", "n"), NewJob("e", "n"), NewJob("e", "n", labels=None)]
)
def test_a_new_record_has_no_labels_unless_given(new: NewExperiment | NewRun | NewJob) -> None:
    assert new.labels == {}
    assert new.id is None


def test_a_new_record_takes_all_but_its_first_words_by_name() -> None:
    with pytest.raises(TypeError, match="positional argument"):
        NewExperiment("mnist", "vision")  # type: ignore[call-arg]  # the point of the test


@pytest.mark.parametrize("params", [None, {}])
def test_a_new_run_has_no_params_unless_given(params: Any) -> None:
    assert NewRun("e", "n", params=params).params == NewRun("e", "n").params == {}


def test_a_page_has_no_total_unless_it_was_counted() -> None:
    assert Page([_RUN], "").total_size is None


def _bits(value: ParamValue) -> ParamValue | bytes:
    return pack("<d", value) if isinstance(value, float) else value
