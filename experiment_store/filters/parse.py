"""From text to syntax, with lark; its errors become ours here.

The grammar is LALR(1) and the syntax is built as rules are reduced, so that
neither recurses; that nothing later does is why nesting is limited first.
"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any, cast

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args

from experiment_store.filters.lexis import BLANK, MAX_NESTING, Source, nesting
from experiment_store.filters.syntax import (
    Bare,
    Call,
    Condition,
    Conjunction,
    Disjunction,
    Element,
    Literal,
    Negation,
    Path,
    Restriction,
    Test,
    Values,
)


def parse(source: Source) -> Condition:
    """Return what *source*, which is not blank, says.

    Raises:
        InvalidFilterError: It is not well formed, or nests deeper than 20.
    """
    for position, depth in nesting(source.text):
        if depth > MAX_NESTING:
            raise source.limit(position, f"nested deeper than {MAX_NESTING}")
    try:
        return _parse(source.text.rstrip(BLANK))
    except UnexpectedInput as error:
        raise source.unexpected(_position(source, error)) from None


def _parse(text: str) -> Condition:
    with _BUILDING:
        parser = _parser()
    return cast("Condition", parser.parse(text))  # what the transformer made, not a lark tree


def _position(source: Source, error: UnexpectedInput) -> int:
    start = error.pos_in_stream or 0
    if not isinstance(error, UnexpectedToken):
        return start
    token = error.token
    if token.type == "$END":
        return len(source.text)
    blanks = len(token) - len(token.lstrip(BLANK))  # white space is folded into tokens
    return start if blanks == len(token) else start + blanks


_BUILDING = Lock()


@cache
def _parser() -> Lark:
    return Lark.open_from_package(
        __package__, "grammar.lark", parser="lalr", lexer="contextual", transformer=_Syntax()
    )


@v_args(inline=True)
class _Syntax(Transformer[Token, Condition]):
    """One method per rule of the grammar."""

    def start(self, condition: Condition) -> Condition:
        return condition

    def conjunction(self, *terms: Any) -> Conjunction[Any]:
        return Conjunction(terms)

    def disjunction(self, *terms: Any) -> Disjunction[Any]:
        return Disjunction(terms)

    def negation(self, term: Condition) -> Negation:
        return Negation(term)

    def restriction(self, path: Path, comparator: Token, value: Any) -> Restriction:
        return Restriction(path, comparator.strip(BLANK), value)

    def test(self, name: Token, path: Path, argument: Literal) -> Test:
        return Test(_literal(name), path, argument)

    def bare(self, *tokens: Token) -> Bare:
        return Bare(tuple(map(_literal, tokens)))

    def path(self, *tokens: Token) -> Path:
        return Path(tuple(map(_literal, tokens)))

    def values(self, opening: Token, content: Element) -> Values:
        return Values(content, _start(opening))

    def call(self, name: Token, argument: Literal | None = None) -> Call:
        return Call(_literal(name), argument)

    def literal(self, *tokens: Token) -> Literal:
        return Literal(".".join(tokens), _start(tokens[0]))


def _literal(token: Token) -> Literal:
    return Literal(str(token), _start(token))


def _start(token: Token) -> int:
    return token.start_pos or 0
