"""How a run ended, by the exception that ended it."""

from __future__ import annotations

import sys
from typing import Any

from experiment_store.names import MAX_ERROR
from experiment_store.records import RunState
from experiment_store.tracking.endings import Terminated


def outcome(error: BaseException | None) -> tuple[RunState, str]:
    """Return the state that *error* leaves a run in, and its text."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return RunState.SUCCEEDED, ""
    if isinstance(error, Terminated):
        return RunState.FAILED, str(error)
    if type(error) is KeyboardInterrupt and not error.args:
        # If text is evaluated at exit, as by the import below, the interpreter forgets to end
        # by SIGINT (CPython's unhandled_keyboard_interrupt), and a shell goes on with its loop.
        return RunState.CANCELED, "KeyboardInterrupt"
    from traceback import format_exception_only  # noqa: PLC0415 (few runs fail)

    text = "".join(format_exception_only(error)).strip()
    return RunState.CANCELED if _is_cancellation(error) else RunState.FAILED, text


def _is_cancellation(error: BaseException) -> bool:
    # Whoever raises its error has loaded asyncio, which takes longer than all of ours.
    asyncio: Any = sys.modules.get("asyncio")
    kinds = (KeyboardInterrupt,) if asyncio is None else (KeyboardInterrupt, asyncio.CancelledError)
    return isinstance(error, kinds)


def storable(text: str) -> str:
    """Return *text* as far as a run can keep it for its error."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:MAX_ERROR]
