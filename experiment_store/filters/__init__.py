"""Filters: a text of AIP-160 becomes a predicate that can mean only one thing.

This is the only door; the language is described in docs/filter-language.md.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from experiment_store.errors import InvalidFilterError
from experiment_store.filters.lexis import BLANK, Source
from experiment_store.filters.predicates import ALWAYS, Predicate
from experiment_store.filters.render import render
from experiment_store.filters.times import NOW_WORDS
from experiment_store.schema import Kind

__all__ = ["NOW_WORDS", "compile_filter", "render"]


def compile_filter(text: str, kind: Kind[Any], now: datetime) -> Predicate:
    """Return what *text* means for records of *kind*; *now* is the instant of the request.

    Blank text admits every record. At most 10,000 code points, 500 terms,
    parentheses 20 deep and 8 wildcards per literal (AIP-160 allows limits).

    Raises:
        InvalidArgumentError: *text* is not a ``str``.
        InvalidFilterError: It is not well formed, not well typed, or too large.
    """
    source = Source("filter", text, InvalidFilterError)
    if not text.strip(BLANK):
        return ALWAYS
    from experiment_store.filters.check import check  # noqa: PLC0415 (many send no filter)
    from experiment_store.filters.parse import parse  # noqa: PLC0415 (as above: it loads lark)

    return check(source, parse(source), kind, now)
