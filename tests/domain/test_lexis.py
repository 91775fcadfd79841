"""White space, unquoted text, strings and their escapes."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import Lark

from experiment_store.errors import ErrorCode, InvalidArgumentError, InvalidFilterError
from experiment_store.filters import parse
from experiment_store.filters.lexis import (
    BLANK,
    MAX_LENGTH,
    STRING,
    TEXT_CHARACTER,
    Source,
    encode,
    nesting,
)
from experiment_store.testing.strategies import texts

_EVERYTHING = "".join(map(chr, range(sys.maxunicode + 1)))


def _source(text: str) -> Source:
    return Source("filter", text, InvalidFilterError)


def _decode(written: str) -> tuple[str, ...]:
    return _source(written).decode(written, 0)


@given(st.lists(texts(), min_size=1, max_size=5).map(tuple))
def test_decoding_undoes_encoding(parts: tuple[str, ...]) -> None:
    written = encode(parts)

    assert re.fullmatch(STRING, written)
    assert "\n" not in written
    assert _decode(written) == parts


@given(texts())
def test_an_escape_by_number_is_a_code_point_in_every_width(text: str) -> None:
    wide = "".join(f"\\U{ord(char):08x}" for char in text)
    short = "".join(f"\\u{ord(char):04X}" for char in text if ord(char) <= 0xFFFF)
    octal = "".join(f"\\{ord(char):03o}" for char in text if ord(char) <= 0o377)
    byte = "".join(f"\\x{ord(char):02x}" for char in text if ord(char) <= 0xFF)

    assert _decode(f'"{wide}"') == (text,)
    assert _decode(f'"{short}"') == ("".join(char for char in text if char <= "\uffff"),)
    assert _decode(f"'{octal}'") == _decode(f"'{byte}'")
    assert _decode(f"'{byte}'") == ("".join(char for char in text if char <= "\xff"),)


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        (r'"\a\b\f\n\r\t\v"', ("\a\b\f\n\r\t\v",)),
        (r'"\\\?\"\'\`"', ("\\?\"'`",)),
        (r'"\X41\x42\103"', ("ABC",)),
        ('"a\nb\r"', ("a\nb\r",)),
        ("'\"'", ('"',)),
        ('"a*b"', ("a", "b")),
        (r'"a\*b"', ("a*b",)),
        (r'"\x2a"', ("*",)),
        ('"**"', ("", "", "")),
        ("a*b", ("a", "b")),
        ("a.b", ("a.b",)),
        ('""', ("",)),
    ],
)
def test_a_literal_is_the_texts_between_its_wildcards(written: str, parts: tuple[str, ...]) -> None:
    assert _decode(written) == parts


@pytest.mark.parametrize(
    "escape",
    [
        r"\q", r"\z", r"\N", r"\8", r"\1", r"\12", r"\400", r"\x4", r"\xg0", r"\u123", r"\U0011000",
        "\\\n", r"\ ", r"\000", r"\x00", r"\u0000", r"\ud800", r"\uDFFF", r"\U0000d800",
        r"\U00110000", r"\UFFFFFFFF", r"\x\x",
    ],
)  # fmt: skip
def test_a_bad_escape_is_shown_at_its_backslash(escape: str) -> None:
    written = f'"ab{escape}"'

    with pytest.raises(InvalidFilterError) as caught:
        _source(f"name={written}").decode(written, 5)

    assert (caught.value.code, caught.value.position) == (ErrorCode.SYNTAX, 8)


@pytest.mark.parametrize("bad", ["\0", "\ud800", "\udfff"])  # noqa: PT014 (different surrogates)
def test_what_no_backend_can_store_is_refused_where_it_stands(bad: str) -> None:
    with pytest.raises(InvalidFilterError) as caught:
        _source(f'name = "a{bad}b"')

    assert (caught.value.code, caught.value.position) == (ErrorCode.SYNTAX, 9)


def test_a_text_of_the_greatest_length_is_accepted_and_a_longer_one_is_not() -> None:
    _source("\N{GRINNING FACE}" * MAX_LENGTH)

    with pytest.raises(InvalidFilterError) as caught:
        _source("a" * (MAX_LENGTH + 1))

    assert (caught.value.code, caught.value.position) == (ErrorCode.LIMIT, MAX_LENGTH)


@pytest.mark.parametrize("value", [None, 1, b"name", ["name"]])
def test_what_is_no_text_is_an_invalid_argument_without_a_position(value: str) -> None:
    with pytest.raises(InvalidArgumentError, match="filter must be text, not ") as caught:
        _source(value)

    assert not isinstance(caught.value, InvalidFilterError)


def test_unquoted_text_excludes_separators_controls_and_marks() -> None:
    excluded = {
        char
        for char in _EVERYTHING
        if unicodedata.category(char) in ("Cc", "Zs", "Zl", "Zp") or char in "(),.:=<>!\"'\\"
    }

    assert set(re.findall(TEXT_CHARACTER, _EVERYTHING)) == set(_EVERYTHING) - excluded


def test_the_grammar_has_the_same_lexical_rules() -> None:
    grammar: Lark = parse._parser()
    terminals = {terminal.name: terminal.pattern.to_regexp() for terminal in grammar.terminals}

    assert re.findall(terminals["TEXT"], _EVERYTHING) == re.findall(
        f"{TEXT_CHARACTER}+", _EVERYTHING
    )
    assert "".join(re.findall(terminals["_SPACE"], _EVERYTHING)) == "".join(sorted(BLANK))
    assert f"(?:{terminals['STRING']})" == STRING


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", []),
        ("(a)(b)", [(0, 1), (3, 1)]),
        ("((a) OR f(b))", [(0, 1), (1, 2), (9, 2)]),
        ('\'(\' ("(\\"(")', [(4, 1)]),
        ("(' (", [(0, 1)]),
    ],
)
def test_nesting_counts_parentheses_outside_strings(
    text: str, places: list[tuple[int, int]]
) -> None:
    assert list(nesting(text)) == places
