"""Records and rows: one by one, and a column at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import example, given
from hypothesis import strategies as st

from experiment_store.mappings import Metrics, Params
from experiment_store.records import Run
from experiment_store.schema import KINDS, RUN, Kind
from experiment_store.testing.samples import assert_same, experiment
from experiment_store.testing.strategies import label_keys, label_values, namespaces, records
from experiment_store_sql.codec import codec, encode_keys, spell_key, term

BATCHES = st.one_of(
    [st.tuples(st.just(kind), st.lists(records(kind), min_size=1, max_size=9)) for kind in KINDS]
)


@given(BATCHES)
def test_rows_give_back_their_records_one_by_one_and_all_at_once(
    of: tuple[Kind[Any], list[Any]],
) -> None:
    kind, batch = of

    written = codec(kind).rows(batch)
    rows = [row[: len(kind.fields)] for row in written]  # what is derived is never read

    for read in (codec(kind).records(rows), [codec(kind).record(row) for row in rows]):
        for actual, expected in zip(read, batch, strict=True):
            assert_same(actual, expected)


@given(BATCHES)
def test_rows_hold_plain_text_and_integers_only(of: tuple[Kind[Any], list[Any]]) -> None:
    kind, batch = of

    assert {type(value) for row in codec(kind).rows(batch) for value in row} <= {str, int}


@given(records(RUN))
def test_sort_keys_do_not_depend_on_the_order_of_entries(run: Run) -> None:
    params = Params(dict(reversed(run.params.items())))
    metrics = Metrics(dict(reversed(run.metrics.items())))

    assert encode_keys(params) == encode_keys(run.params)
    assert encode_keys(metrics) == encode_keys(run.metrics)


def test_no_rows_are_no_records() -> None:
    assert codec(KINDS[0]).records([]) == []


def test_records_that_were_read_together_are_frozen_like_all_others() -> None:
    batch = [experiment(f"e-{number}") for number in range(9)]

    read = codec(KINDS[0]).records(codec(KINDS[0]).rows(batch))

    with pytest.raises(FrozenInstanceError):
        read[0].name = "other"
    assert evolve(read[0], name="other") == evolve(batch[0], name="other")
    assert hash(read[0]) == hash(batch[0])


LABELS = st.tuples(namespaces(), label_keys(), label_values())


@given(LABELS)
def test_a_term_is_a_64_bit_integer(label: tuple[str, str, str]) -> None:
    assert -(2**63) <= term(*label) < 2**63


@given(LABELS, LABELS)
def test_terms_are_equal_where_their_labels_are(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (term(*one) == term(*other)) is (one == other)


def test_where_one_text_ends_and_the_next_begins_matters_to_a_term() -> None:
    assert term("a", "b", "c") != term("ab", "", "c") != term("a", "bc", "")


@given(label_keys(), label_keys())
@example("%", "%25")
@example("", "%00")
@example("\x01", "%01")
def test_keys_are_spelt_differently_where_they_differ(one: str, other: str) -> None:
    assert (spell_key(one) == spell_key(other)) is (one == other)


@given(label_keys())
@example("")
def test_a_key_as_it_is_spelt_needs_no_escapes_in_json(key: str) -> None:
    assert json.dumps(spell_key(key), ensure_ascii=False) == f'"{spell_key(key)}"'
    assert spell_key(key)
