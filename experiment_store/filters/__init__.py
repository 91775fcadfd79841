"""Filters: a text of AIP-160 becomes a predicate that can mean only one thing.

The language is described in docs/filter-language.md. What reads it is loaded by
the first filter: predicates serve the whole library, and many send no filter.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiment_store.filters.predicates import Predicate
    from experiment_store.schema import Kind

__all__ = ["compile_filter"]


def compile_filter(text: str, kind: Kind[Any], now: datetime) -> Predicate:
    """Return what *text* means for records of *kind*; *now* is the instant of the request.

    Blank text admits every record. At most 10,000 code points, 500 terms,
    parentheses 20 deep, 8 wildcards per literal and a cost of 100, which is
    documented with the language (AIP-160 allows limits).

    Raises:
        InvalidArgumentError: *text* is not a ``str``.
        InvalidFilterError: It is not well formed, not well typed, or too large.
    """
    # ruff: noqa: PLC0415 (see above)
    from experiment_store.errors import InvalidFilterError
    from experiment_store.filters.lexis import BLANK, Source
    from experiment_store.filters.predicates import ALWAYS

    source = Source("filter", text, InvalidFilterError)
    if not text.strip(BLANK):
        return ALWAYS
    from experiment_store.filters.check import check
    from experiment_store.filters.parse import parse

    return check(source, parse(source), kind, now)
