"""Records are values: equal by content, hashable, picklable, and never changed."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from attrs import asdict, evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.records import (
    Experiment,
    Job,
    Labels,
    NewExperiment,
    NewJob,
    NewRun,
    Page,
    Run,
    RunState,
    Setting,
    StorageState,
)
from experiment_store.testing.strategies import texts

_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_LABELS = Labels({"team": "cv"})
_EXPERIMENT = Experiment(
    "e", "vision", "mnist", "", _LABELS, StorageState.AVAILABLE, _TIME, _TIME, None, "tag"
)
_RUN = Run(
    "r", "e", "vision", "run", "", _LABELS, StorageState.ARCHIVED, RunState.RUNNING,
    _TIME, _TIME, _TIME, None, None, "tag",
)  # fmt: skip
_JOB = Job("j", "e", "vision", "job", "", _LABELS, True, "@daily", _TIME, _TIME, "tag")  # noqa: FBT003 (in the order of the fields)
_RECORDS = [_EXPERIMENT, _RUN, _JOB, Setting("key", "value")]
_MAPPINGS = st.dictionaries(texts(8), texts(8), max_size=4)

_CHANGES: dict[str, Callable[[dict[str, str]], Any]] = {
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


@pytest.mark.parametrize("change", _CHANGES.values(), ids=_CHANGES)
def test_labels_cannot_be_changed(change: Callable[[dict[str, str]], Any]) -> None:
    labels = Labels({"team": "cv"})

    with pytest.raises(TypeError, match=r"labels of a record cannot be changed; use update\("):
        change(labels)

    assert labels == {"team": "cv"}


def test_every_method_by_which_a_dictionary_changes_is_refused() -> None:
    mutators = {"__ior__", *dir(dict)} - (set(dir(MappingProxyType)) - {"__ior__"}) - {"fromkeys"}

    allowed = {name for name in mutators if getattr(Labels, name) is not Labels.clear}

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
    assert type(record)(**plain) == record
    assert json.loads(json.dumps(plain, default=str))["labels"] == {"team": "cv"}


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


def test_a_page_has_no_total_unless_it_was_counted() -> None:
    assert Page([_RUN], "").total_size is None
