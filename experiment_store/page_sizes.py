"""How many items a page has (AIP-158)."""

from __future__ import annotations

from typing import Any

from experiment_store.errors import InvalidArgumentError

DEFAULT_PAGE_SIZE = 20
LARGEST_PAGE = 1_000_000


def largest_page(max_page_size: Any) -> int:
    """Return *max_page_size* if it may be the maximum of a store.

    Raises:
        InvalidArgumentError: It is no integer from 1 to 1,000,000.
    """
    if type(max_page_size) is not int or not 1 <= max_page_size <= LARGEST_PAGE:
        raise InvalidArgumentError("max_page_size", f"must be an integer from 1 to {LARGEST_PAGE}")
    return max_page_size


def page_limit(page_size: Any, maximum: int) -> int:
    """Return how many items a page has at most.

    0 or absent means 20; more than *maximum* means the maximum.

    Raises:
        InvalidArgumentError: It is negative or no integer.
    """
    if page_size is None:
        page_size = 0
    if isinstance(page_size, bool) or not isinstance(page_size, int):
        raise InvalidArgumentError("page_size", "must be an integer")
    if page_size < 0:
        raise InvalidArgumentError("page_size", "must not be negative")
    return min(page_size or DEFAULT_PAGE_SIZE, maximum)
