"""Trying again: as often as a time allows, ever more slowly, and not in step with others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from experiment_store_sql.failures import TransientError

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 0.01, 1.0  # seconds


def try_again(attempt: Callable[[], T], seconds: float) -> T:
    """Repeat a step that has failed, for up to *seconds*; the first time at once.

    Raises:
        TransientError: That of the last attempt.
    """
    import tenacity  # noqa: PLC0415 (half as much time as all we load, and seldom needed)

    policy = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        wait=tenacity.wait_random_exponential(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT),
        stop=tenacity.stop_after_delay(seconds),
        reraise=True,
    )
    return policy(attempt)
