"""Patterns match what an independent engine matches."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiment_store.filters.patterns import Pattern, containing, ending, fold, starting
from experiment_store.testing.strategies import texts

_few = st.text("aAb\n*", max_size=8)
_text = _few | texts(40)


@given(st.lists(st.text("ab\n*", max_size=3) | texts(5), min_size=1, max_size=6), _text)
@example(["a", "a"], "a")
@example(["ab", "b", "ba"], "abba")
@example(["", "ab", "b", ""], "ab")
@example(["a"], "a\n")
def test_a_pattern_matches_like_a_regular_expression(parts: list[str], text: str) -> None:
    regex = re.compile(".*".join(map(re.escape, parts)), re.DOTALL)

    assert Pattern(tuple(parts)).matches(text) is (regex.fullmatch(text) is not None)


@given(st.lists(_few, min_size=1, max_size=4), st.lists(_few, min_size=3, max_size=3))
def test_what_is_made_from_a_pattern_matches_it(parts: list[str], runs: list[str]) -> None:
    text = parts[0] + "".join(run + part for run, part in zip(runs, parts[1:], strict=False))

    assert Pattern(tuple(parts)).matches(text)


@given(_few, _text)
def test_contains_starts_and_ends_are_those_of_text(part: str, text: str) -> None:
    assert containing(part).matches(text) is (part in text)
    assert starting(part).matches(text) is text.startswith(part)
    assert ending(part).matches(text) is text.endswith(part)


@given(_few, _text)
def test_a_folded_pattern_ignores_the_case_of_ascii_letters(part: str, text: str) -> None:
    assert Pattern((fold(part),), folded=True).matches(text) is (fold(part) == fold(text))
    assert Pattern(("", fold(part), ""), folded=True).matches(text) is (fold(part) in fold(text))


def test_folding_changes_a_to_z_and_nothing_else() -> None:
    everything = [chr(code) for code in range(sys.maxunicode + 1)]

    changed = {char: fold(char) for char in everything if fold(char) != char}

    assert changed == {char: char.lower() for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@pytest.mark.parametrize("text", ["a" * 100_000, "a" * 100_000 + "b"])
def test_many_gaps_cost_no_backtracking(text: str) -> None:
    assert Pattern(("", *["a"] * 8, "c")).matches(text) is False
