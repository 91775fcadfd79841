"""Trying again: as often as a time allows, ever more slowly, and not in step with others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from experiment_store_sql.failures import TransientError

if TYPE_CHECKING:
    import tenacity

T = TypeVar("T")

FIRST_WAIT, LONGEST_WAIT = 0.01, 1.0
"""The most seconds to wait after the second attempt, and after any; it doubles in between."""


def try_again(attempt: Callable[[], T], seconds: float) -> T:
    """Repeat a step that has failed, for up to *seconds*; the first time at once.

    Raises:
        TransientError: That of the last attempt.
    """
    return policy(seconds)(attempt)


def policy(seconds: float) -> tenacity.Retrying:
    """Wait for a random part of a time that doubles, so that opponents do not meet again."""
    import tenacity  # noqa: PLC0415 (half as much time as all we load, and seldom needed)

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        wait=tenacity.wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT),
        stop=tenacity.stop_after_delay(seconds),
        reraise=True,
    )
