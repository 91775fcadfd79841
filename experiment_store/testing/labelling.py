"""The contract of `select` where a condition asks for many labels, and for words in them.

A backend may then look elsewhere than for one label, as long as it finds the same:
so keys and values here are those that would mislead a search in JSON or in joined text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from experiment_store.backend import Backend
from experiment_store.filters.evaluate import matches
from experiment_store.filters.patterns import Pattern, containing, starting
from experiment_store.filters.predicates import (
    Compare,
    Label,
    Match,
    OneOf,
    Op,
    Predicate,
    Present,
    Search,
    all_of,
    any_of,
)
from experiment_store.records import Labels
from experiment_store.schema import EXPERIMENT
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.samples import experiment, for_all, found, refill

_MISLEADING = (
    "a", "A", "b", "ab", "", ".", "a.b", "$", "$.a", "[0]", "#", "*", '"', 'a"', '"a', '"a":"b"',
    ',"a":"b', ":", ",", "{", "}", "\\", "\\\\", 'a\\"b', "\\u0061", "\n", "\x01", "a\x01b", "\x7f",
    "\N{LATIN SMALL LETTER E WITH ACUTE}", "e\N{COMBINING ACUTE ACCENT}", "\N{GRINNING FACE}",
    "1", "1.0", "true", "null",
)  # fmt: skip
_values = st.sampled_from(_MISLEADING)
_keys = _values.filter(bool)
_patterns = st.sampled_from(
    [
        *(Pattern(("", *parts, "")) for parts in ((), ("a", "b"), ("\x01", "b"), ('"', '"'))),
        *map(containing, filter(None, _MISLEADING)),
    ]
)
_labelled = st.lists(st.dictionaries(_keys, _values, max_size=4), min_size=1, max_size=4)
_labels = _values.map(Label)  # no label has an empty key, but a filter may ask for it
_leaves = st.one_of(
    st.builds(Compare, _labels, st.sampled_from(Op), _values, st.booleans()),
    st.builds(OneOf, _labels, st.frozensets(_values, max_size=2), st.booleans()),
    st.builds(Match, _labels, _patterns | _values.map(starting), st.booleans()),
    st.builds(Present, _labels, st.booleans()),
    st.builds(Search, _patterns, st.booleans()),
    st.builds(Compare, st.just("name"), st.just(Op.EQ), st.sampled_from("01")),
)
_joints = st.sampled_from([all_of, any_of])
_conditions = st.builds(
    lambda outer, inner, leaves: outer(
        [*leaves[::3], *(inner(leaves[start::3]) for start in (1, 2))]
    ),
    _joints,
    _joints,
    st.lists(_leaves, min_size=6, max_size=12),
)


class Labelling(Fixtures):
    """What a backend owes to a condition on many labels."""

    @for_all(contents=_labelled, conditions=st.lists(_conditions, min_size=1, max_size=2))
    def test_many_labels_and_words_are_looked_for_at_once(
        self, ready: Backend, contents: Sequence[dict[str, str]], conditions: Sequence[Predicate]
    ) -> None:
        check(ready, contents, conditions)

    def test_a_word_is_found_in_one_value_and_never_across_two(self, ready: Backend) -> None:
        others = [Search(containing(f"word {number}")) for number in range(4)]
        across = [Pattern(("", "a", "b", "")), containing("a\x01b"), containing("ab")]
        contents = [{"k": "a", "l": "b"}, {"k": "ab"}, {"k": "a\x01b"}, {"k": "axb", "l": "x"}]

        check(ready, contents, [any_of([Search(pattern), *others]) for pattern in across])

    def test_a_key_that_stands_in_a_value_is_no_label(self, ready: Backend) -> None:
        others = [Present(Label(f"key {number}")) for number in range(4)]
        keys = ('a"', 'b\\"c', "x", ":", ",", "$")
        contents = [{"k": f'"{key}":"v"', "l": key} for key in keys] + [dict.fromkeys(keys, "v")]

        check(ready, contents, [any_of([Present(Label(key)), *others]) for key in keys])


def check(
    backend: Backend, contents: Sequence[dict[str, str]], conditions: Sequence[Predicate]
) -> None:
    """Compare what is found with what `matches` admits."""
    records: list[Any] = [
        experiment(str(number), name=str(number), labels=Labels(labels))
        for number, labels in enumerate(contents)
    ]
    refill(backend, {EXPERIMENT.name: records})

    for where in conditions:
        admitted = [record.id for record in records if matches(where, record)]
        assert found(backend, EXPERIMENT, where) == admitted
