"""The examples of docs/filter-language.md do what the page says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import nan
from pathlib import Path
from typing import Any

import pytest

from experiment_store.errors import InvalidFilterError, InvalidOrderByError
from experiment_store.filters import compile_filter
from experiment_store.filters.evaluate import matches
from experiment_store.mappings import ParamValue
from experiment_store.order_by import parse_order_by
from experiment_store.records import Experiment, Labels, Params, StorageState
from experiment_store.schema import EXPERIMENT, KINDS, RUN, Kind
from experiment_store.testing.samples import run

_PAGE = (Path(__file__).parents[2] / "docs" / "filter-language.md").read_text("utf-8")
_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_RECORDS = [
    Experiment(
        id, "", name, "", Labels(labels), StorageState.AVAILABLE, _NOW, _NOW, None, "1"
    )
    for id in ("b", "c", "x")
    for name in ("a", "z")
    for labels in ({}, {"env": "prod"}, {"env": "dev"}, {"env": ""})
]  # fmt: skip
_VALUES: list[ParamValue] = [1, 1.0, True, "1", "a", 2, 0.0, nan]
_RUNS = [run(), *(run(params=Params(lr=value)) for value in _VALUES)]


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)\n```$", _PAGE, re.MULTILINE | re.DOTALL)


def _kind(example: str) -> Kind[Any]:
    """Choose runs for what only they have."""
    return RUN if re.search(r"\b(params|metrics)\b", example) else EXPERIMENT


def _lines(kind: str) -> list[str]:
    return [line for block in _blocks(kind) for line in block.splitlines()]


@pytest.mark.parametrize("example", _lines("filter"))
def test_an_example_compiles(example: str) -> None:
    compile_filter(example, _kind(example), _NOW)


@pytest.mark.parametrize("block", _blocks("same"))
def test_the_lines_of_a_block_say_the_same(block: str) -> None:
    kind = _kind(block)
    records = _RUNS if kind is RUN else _RECORDS
    verdicts = {
        tuple(matches(compile_filter(line, kind, _NOW), record) for record in records)
        for line in block.splitlines()
    }

    assert len(verdicts) == 1
    assert set(*verdicts) == {True, False}


@pytest.mark.parametrize("block", _blocks("error"))
def test_an_error_looks_as_documented(block: str) -> None:
    with pytest.raises(InvalidFilterError) as caught:
        compile_filter(block.splitlines()[0], _kind(block), _NOW)

    assert caught.value.rendering == block


@pytest.mark.parametrize("example", _lines("order_by"))
def test_an_example_of_an_order_is_an_order(example: str) -> None:
    parse_order_by(example, _kind(example))


@pytest.mark.parametrize("block", _blocks("order_by-error"))
def test_an_error_in_an_order_looks_as_documented(block: str) -> None:
    with pytest.raises(InvalidOrderByError) as caught:
        parse_order_by(block.splitlines()[0], _kind(block))

    assert caught.value.rendering == block


def test_the_page_has_examples_of_every_sort_and_no_other_block() -> None:
    kinds = re.findall(r"^```(\S+)$", _PAGE, re.MULTILINE)

    assert set(kinds) == {"filter", "same", "error", "order_by", "order_by-error"}


@pytest.mark.parametrize(
    "word",
    sorted(
        {word for kind in KINDS if "name" in kind.by_name for word in kind.by_word}
        | {
            word.value
            for kind in KINDS
            for field in kind.fields
            for word in (field.enum or ())
        }
    ),
)  # fmt: skip
def test_the_page_names_every_field_and_every_word(word: str) -> None:
    assert f"`{word}`" in _PAGE
