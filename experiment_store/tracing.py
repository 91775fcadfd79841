"""A call as a span of OpenTelemetry; imported only where the program has loaded that itself.

A span is INTERNAL, as any is by default: a call may be many statements or, in
memory, none. Those of an instrumented driver are its children, and CLIENT, as
https://opentelemetry.io/docs/specs/semconv/db/database-spans/ asks of them.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

from opentelemetry.context import attach, detach
from opentelemetry.trace import (
    Span,
    Status,
    StatusCode,
    Tracer,
    get_tracer,
    set_span_in_context,
)

_NAME = "experiment_store"
_KIND = f"{_NAME}.kind"
_VERB = f"{_NAME}.verb"
_ROWS = f"{_NAME}.rows"


class CallSpan:
    """The span of one call, current while the call is inside the store."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def enter(self) -> None:
        """Become the parent of what begins from now on."""
        self._token = attach(set_span_in_context(self._span))

    def leave(self) -> None:
        """Stop being the parent."""
        detach(self._token)

    def end(self, rows: int, error: str | None) -> None:
        """End the span of a call about so many *rows*, which failed with the class *error*.

        The status has no description: the message of an error may hold values.
        """
        if self._span.is_recording():
            self._span.set_attribute(_ROWS, rows)
            if error is not None:
                self._span.set_attribute("error.type", error)
                self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def start_span(kind: str, verb: str) -> CallSpan | None:
    """Start the span of a call, below the current one; ``None`` if spans lead nowhere.

    One that is not sampled leads somewhere: what is below it is not sampled either.
    """
    span = _tracer().start_span(f"{kind}.{verb}", attributes={_KIND: kind, _VERB: verb})
    return CallSpan(span) if span.get_span_context().is_valid else None


def installed_version(distribution: str) -> str | None:
    """Return the version of a *distribution*; ``None`` if it came without its metadata."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


@cache
def _tracer() -> Tracer:
    # Found before the program says where spans go, it finds that out by itself later.
    return get_tracer(_NAME, installed_version("experiment-store"))
