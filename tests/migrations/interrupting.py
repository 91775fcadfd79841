"""Where a program may be stopped in the middle of what it does, by those who started it."""

from __future__ import annotations

import os
import sys

VARIABLE = "EXPERIMENT_STORE_TEST_PAUSE"


def pause(place: str) -> None:
    """Say that *place* is reached and wait for a line, if the environment names the place."""
    if os.environ.get(VARIABLE) == place:
        print("reached", place, flush=True)  # noqa: T201 (to the parent process)
        sys.stdin.readline()
