"""What a filter says, how its operators bind, and where it stops making sense."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.errors import ErrorCode, InvalidFilterError
from experiment_store.filters import compile_filter, parse
from experiment_store.filters.lexis import MAX_LENGTH, Source
from experiment_store.filters.predicates import Predicate
from experiment_store.filters.render import render
from experiment_store.filters.syntax import Condition
from experiment_store.schema import EXPERIMENT
from experiment_store.testing.strategies import predicates, texts

_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_MARKS = "()\"'\\*-.,:=<>! \n\t" + "aANDORT0~\N{NO-BREAK SPACE}\N{GRINNING FACE}\0"


def _parse(text: str) -> Condition:
    return parse.parse(Source("filter", text, InvalidFilterError))


def _compile(text: str) -> Predicate:
    return compile_filter(text, EXPERIMENT, _NOW)


def test_a_and_b_or_c_means_a_and_the_disjunction_of_b_and_c() -> None:
    assert _compile("a AND b OR c") == _compile("a AND (b OR c)")
    assert _compile("a AND b OR c") != _compile("(a AND b) OR c")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a b OR c d", "a AND (b OR c) AND d"),
        ("New York Giants OR Yankees", "New York (Giants OR Yankees)"),
        ("a OR b AND c OR d", "(a OR b) AND (c OR d)"),
        ("a b AND c", "a AND b AND c"),
        ("NOT a OR b", "(NOT a) OR b"),
        ("NOT name = x", "NOT (name = x)"),
        ("-a b", "(-a) AND b"),
        ("-name = x OR b", "(NOT name = x) OR b"),
        ("name = (a b OR c)", "name = (a AND (b OR c))"),
        ("name = (a AND b OR c d)", "name = (a AND (b OR c) AND d)"),
        (" \t\n\r\f\va\v", "a"),
        ("a\tAND\nb\rOR\f\vc", "a AND b OR c"),
        ("name=x", "name\n=\tx"),
        ("( a )", "a"),
        ("name = ( a  OR b )", "name = (a OR b)"),
        ("icontains( name , x )", "icontains(name,x)"),
        ("created_at > ago( 1d )", "created_at > ago(1d)"),
        ("name = 'x'", 'name = "x"'),
        ("name = com.google", 'name = "com.google"'),
        ("name = -3", 'name = "-3"'),
        ("name = (-a OR -b)", 'name = ("-a" OR "-b")'),
        ("a-b", '"a-b"'),
        ("a -b", "a AND NOT b"),
        ("x.-y", '"x.-y"'),
        ("labels.-k = v", 'labels."-k" = v'),
        ("labels.AND = v", 'labels."AND" = v'),
        ("labels.ANDY = v", 'labels."ANDY" = v'),
        ("ANDY ORB NOTA", '"ANDY" "ORB" "NOTA"'),
        ("name = 2024-01-01T00:00:00Z", 'name = "2024-01-01T00:00:00Z"'),
        ("name = 2024-01-01t00:00:00.5+01:00", 'name = "2024-01-01t00:00:00.5+01:00"'),
    ],
)
def test_two_spellings_mean_the_same(text: str, same: str) -> None:
    assert _compile(text) == _compile(same)


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("a AND", 5, "unexpected end"),
        ("a OR \n", 6, "unexpected end"),
        ("NOT", 3, "unexpected end"),
        ("-", 1, "unexpected end"),
        ("(a", 2, "unexpected end"),
        ("name =", 6, "unexpected end"),
        ("name = ", 7, "unexpected end"),
        ("name = (", 8, "unexpected end"),
        ("name.", 5, "unexpected end"),
        ("a)", 1, "unexpected ')'"),
        ("()", 1, "unexpected ')'"),
        ("name = ()", 8, "unexpected ')'"),
        ("= a", 0, "unexpected '='"),
        ("name == a", 6, "unexpected '='"),
        ("name <> a", 6, "unexpected '>'"),
        ("name = = a", 7, "unexpected '='"),
        ("name = a = b", 9, "unexpected '='"),
        ("- a", 1, "unexpected white space"),
        ("--a", 1, "unexpected '-a'"),
        ("-NOT a", 1, "unexpected NOT: operators need white space, values need quotes"),
        ("NOT -a", 4, "unexpected '-a'"),
        ("NOT NOT a", 4, "unexpected NOT: operators need white space, values need quotes"),
        ("NOT(a)", 0, "unexpected NOT: operators need white space, values need quotes"),
        ("a AND(b)", 2, "unexpected AND: operators need white space, values need quotes"),
        ("AND a", 0, "unexpected AND: operators need white space, values need quotes"),
        ("name = OR", 7, "unexpected OR: operators need white space, values need quotes"),
        ("a AND AND b", 6, "unexpected AND: operators need white space, values need quotes"),
        ("a OR AND b", 5, "unexpected AND: operators need white space, values need quotes"),
        ("name = a.OR", 9, "unexpected OR: operators need white space, values need quotes"),
        ("(a)(b)", 3, "unexpected '('"),
        ("(a)b", 3, "unexpected 'b'"),
        ("a(b)", 3, "unexpected ')'"),
        ("a()", 2, "unexpected ')'"),
        ("a, b", 1, "unexpected ','"),
        ("a , b", 2, "unexpected ','"),
        ("a . b", 2, "unexpected '.'"),
        ("a. b", 2, "unexpected white space"),
        ("a.'b'", 5, "unexpected end"),
        ("name = a.'b'", 9, "unexpected \"'b'\""),
        ("'name' = a", 7, "unexpected '='"),
        ("name = 'a''b'", 10, "unexpected \"'b'\""),
        ('name = "a', 7, "string has no closing quote"),
        ('name = "a\\"', 7, "string has no closing quote"),
        ("'", 0, "string has no closing quote"),
        ("name = (now())", 11, "unexpected '('"),
        ("name = (NOT a)", 8, "unexpected NOT: operators need white space, values need quotes"),
        ("created_at > now( )", 18, "unexpected ')'"),
        ("icontains(name)", 14, "unexpected ')'"),
        ("icontains(name, a, b)", 17, "unexpected ','"),
        ("icontains(name, (a))", 16, "unexpected '('"),
        ("created_at > 2024-01-01T00:00:00", 26, "unexpected ':'"),
        ("a\N{NO-BREAK SPACE}b", 1, r"unexpected '\xa0'"),
        ("a\N{IDEOGRAPHIC SPACE}b", 1, r"unexpected '\u3000'"),
        ("a\x7f", 1, r"unexpected '\x7f'"),
        ("a\\b", 1, r"unexpected '\\'"),
        ("name = 'a' ! b", 11, "unexpected '!'"),
        ("a\0", 1, "NUL and lone surrogates are not text"),
        ("'\ud800'", 1, "NUL and lone surrogates are not text"),
        ("name = '\\q' OR x", 8, "unknown escape"),
        ("labels.'\\q' = x", 8, "unknown escape"),
    ],
)
def test_a_malformed_filter_is_shown_where_it_is_malformed(
    text: str, position: int, problem: str
) -> None:
    with pytest.raises(InvalidFilterError) as caught:
        _compile(text)

    error = caught.value
    assert (error.code, error.position, error.problem) == (ErrorCode.SYNTAX, position, problem)
    assert error.argument == "filter"


@pytest.mark.parametrize(
    "template",
    [
        "({})",
        "NOT ({})",
        "name = a AND id = x OR ({})",
        "name < v OR -({}) id = c",
        "((({})))",
    ],
)
def test_parentheses_nest_20_deep(template: str) -> None:
    text, step = "a", template.count("(")
    for _ in range(20 // step):
        text = template.format(text)

    _compile(text)
    with pytest.raises(InvalidFilterError) as caught:
        _compile("(" * (21 - text.count("(")) + text + ")" * (21 - text.count("(")))

    assert caught.value.code is ErrorCode.LIMIT
    assert caught.value.problem == "nested deeper than 20"
    assert text.count("(", 0, caught.value.position) <= 20


def test_lists_and_calls_count_as_nesting() -> None:
    deepest = "(" * 19 + "name = (a)" + ")" * 19

    _compile(deepest)
    with pytest.raises(InvalidFilterError) as caught:
        _compile(deepest.replace("(a)", "((a))"))

    assert (caught.value.code, caught.value.position) == (ErrorCode.LIMIT, 27)


def test_parentheses_in_strings_do_not_nest() -> None:
    _compile(f"name = '{'(' * 100}'")


@pytest.mark.parametrize(
    "text",
    [
        "(" * MAX_LENGTH,
        ")" * MAX_LENGTH,
        "-" * MAX_LENGTH,
        "NOT " * (MAX_LENGTH // 4),
        "a " * (MAX_LENGTH // 2),
        "a OR " * (MAX_LENGTH // 5) + "a",
        "a." * (MAX_LENGTH // 2),
        "name=(" + "a OR " * 1_998 + "a)",
        '"' * MAX_LENGTH,
        "'\\" * (MAX_LENGTH // 2),
        "name = " + "*a" * 4_000,
        "labels" + ".a" * 4_000 + " = a",
    ],
)
def test_a_filter_as_long_as_allowed_fails_in_order(text: str) -> None:
    with pytest.raises(InvalidFilterError):
        _compile(text)


def test_a_filter_at_every_limit_compiles() -> None:
    values = " OR ".join(["a*" * 8] * 200)
    text = "(" * 19 + f"name = ({values})" + " AND x OR -y)" * 19 + " z" * 261  # 500 terms

    predicate = _compile(text.ljust(MAX_LENGTH))

    assert _compile(render(predicate)) == predicate


@given(st.text() | st.text(_MARKS, max_size=40))
def test_any_text_is_a_filter_or_an_error_with_a_place_in_it(text: str) -> None:
    _check_total(text)


@given(predicates(EXPERIMENT).map(render), st.data())
def test_a_damaged_filter_is_a_filter_or_an_error_with_a_place_in_it(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 3))
    mark = data.draw(st.text(_MARKS, max_size=2) | texts(3))

    _check_total((text[:start] + mark + text[start + length :])[:MAX_LENGTH])


def test_threads_share_one_parser_from_its_first_use() -> None:
    parse._parser.cache_clear()
    barrier, results = Barrier(4), list[Any]()

    def run() -> None:
        barrier.wait()
        results.append([_parse(f"name = x{number} OR (a b)") for number in range(20)])

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [[_parse(f"name = x{number} OR (a b)") for number in range(20)]] * 4
    assert parse._parser.cache_info().misses == 1


def test_lark_is_loaded_by_the_first_filter_that_is_not_blank() -> None:
    program = """
import sys
from datetime import UTC, datetime
from experiment_store.filters import compile_filter
from experiment_store.order_by import parse_order_by
from experiment_store.schema import EXPERIMENT
now = datetime(2026, 1, 1, tzinfo=UTC)
compile_filter(" ", EXPERIMENT, now), parse_order_by("name desc, labels.k", EXPERIMENT)
assert "lark" not in sys.modules
compile_filter("a", EXPERIMENT, now)
assert "lark" in sys.modules
"""

    subprocess.run([sys.executable, "-c", program], check=True)


def _check_total(text: str) -> None:
    error = _error(text)

    assert error is None or 0 <= error.position <= len(text)
    assert error is None or error.rendering.endswith(f"^ {error.problem}")
    assert error is None or len(error.problem) < 400


def _error(text: str) -> InvalidFilterError | None:
    try:
        _compile(text)
    except InvalidFilterError as error:
        return error
    return None
