"""What a program can watch: every call, as a log record at DEBUG and as an OpenTelemetry span.

Both tell what was called, how long it took, how many records it was about and
how it failed; never a value, so no error's message either. Neither `logging`
nor OpenTelemetry is loaded for it: unless somebody else has, nobody watches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache, wraps
from sys import modules
from time import perf_counter
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from experiment_store.records import Page

if TYPE_CHECKING:
    from logging import Logger

    from experiment_store.tracing import CallSpan

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

LOGGER = "experiment_store"
STORE = "store"  # the kind of a call that is about the store as a whole

_DEBUG = 10  # logging.DEBUG
_TRACING = "opentelemetry.trace"  # a program that traces has loaded it to say where spans go
_END = object()


class _NoLogger:
    """Stands in for the logger as long as nobody has loaded `logging`, and so set a level."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 (as a logger has it)
        return "logging" in modules and _find_logger().isEnabledFor(level)


_logger: Logger | _NoLogger = _NoLogger()


def one(_: Any) -> int:
    """Count what a call returns that is about one record."""
    return 1


def none(_: Any) -> int:
    """Count what a call is about that is not about single records."""
    return 0


def on_page(page: Page[Any]) -> int:
    """Count the records of a page."""
    return len(page.items)


def observed(
    rows: Callable[[Any], int] = one, *, kind: str | None = None
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a method of a collection tell of each call, which *rows* counts the records of.

    *kind* is that of the collection, unless given. Nobody watching is what has
    to be quick: it is two look-ups and the passing on of the arguments.
    """

    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        verb = method.__name__

        @wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            if not _logger.isEnabledFor(_DEBUG) and _TRACING not in modules:
                return method(*args, **kwargs)
            watching = _watch(kind or _kind(*args), verb)
            if watching is None:
                return method(*args, **kwargs)
            with closing(watching):
                with watching:
                    result = method(*args, **kwargs)
                watching.rows = rows(result)
            return result

        return call

    return decorate


def observed_lookup(method: F) -> F:
    """`observed` for a method whose one argument is an id, at a third of the cost.

    In memory, a look-up by id is so quick that one feels how arguments are passed on.
    """
    told = observed()(method)

    @wraps(method)
    def call(self: object, id: object) -> object:
        if not _logger.isEnabledFor(_DEBUG) and _TRACING not in modules:
            return method(self, id)
        return told(self, id)

    return cast(F, call)


def observed_iteration(method: Callable[P, Iterator[T]]) -> Callable[P, Iterator[T]]:
    """Make a method that returns an iterator tell of each iteration, when it is over.

    It is over at its end, at a failure, and when its caller drops or closes it.
    """
    verb = method.__name__

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        if not _logger.isEnabledFor(_DEBUG) and _TRACING not in modules:
            return method(*args, **kwargs)
        watching = _watch(_kind(*args), verb)
        if watching is None:
            return method(*args, **kwargs)
        items = _items(watching, lambda: method(*args, **kwargs))
        next(items)  # the refusal of an argument is raised here, and what has begun can be closed
        return items

    return call


def _items(watching: _Watching, begin: Callable[[], Iterator[T]]) -> Iterator[Any]:
    """Yield ``None`` once the iteration has begun, then its items."""
    with closing(watching):
        with watching:
            items = begin()
        yield None
        while True:
            with watching:
                item = next(items, _END)
            if item is _END:
                return
            watching.rows += 1
            yield item


class _Watching:
    """One call that is watched. Whatever happens inside a ``with`` happens in the store."""

    def __init__(self, kind: str, verb: str, logger: Logger | None, span: CallSpan | None) -> None:
        self._kind = kind
        self._verb = verb
        self._logger = logger
        self._span = span
        self._seconds = 0.0
        self._since = 0.0
        self._error: str | None = None
        self.rows = 0

    def __enter__(self) -> None:
        if self._span is not None:
            self._span.enter()
        self._since = perf_counter()

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._seconds += perf_counter() - self._since
        if error is not None:
            self._error = error.__name__
        if self._span is not None:
            self._span.leave()

    def close(self) -> None:
        """Tell of the call, which is over."""
        if self._logger is not None:
            self._log(self._logger)
        if self._span is not None:
            self._span.end(self.rows, self._error)

    def _log(self, logger: Logger) -> None:
        data = {
            "kind": self._kind,
            "verb": self._verb,
            "duration": self._seconds,
            "rows": self.rows,
        }
        outcome = "1 row" if self.rows == 1 else f"{self.rows} rows"
        if self._error is not None:
            data["error"] = outcome = self._error
        words = (self._kind, self._verb, outcome, self._seconds * 1000)
        logger.debug("%s.%s: %s in %.3f ms", *words, extra=data)


def _watch(kind: str, verb: str) -> _Watching | None:
    logger = _find_logger() if _logger.isEnabledFor(_DEBUG) else None
    span = _start_span(kind, verb) if _TRACING in modules else None
    return None if logger is None and span is None else _Watching(kind, verb, logger, span)


@cache
def _find_logger() -> Logger:
    # This waits where another thread is about to load it. Nobody need be told what there is
    # when nobody listens: below WARNING, `logging` has no last resort.
    from logging import getLogger  # noqa: PLC0415 (a tenth of our import time)

    global _logger  # noqa: PLW0603 (asked at every call, so a function around it costs)
    _logger = getLogger(LOGGER)
    return _logger


def _start_span(kind: str, verb: str) -> CallSpan | None:
    try:
        start = _span_starter()
    except ImportError:  # it is kept from being loaded, or another thread failed to load it
        return None
    return start(kind, verb)


@cache
def _span_starter() -> Callable[[str, str], CallSpan | None]:
    from experiment_store.tracing import start_span  # noqa: PLC0415 (loads OpenTelemetry)

    return start_span


def _kind(collection: Any, *_: Any) -> str:
    kind: str = collection._kind.name  # noqa: SLF001 (of the method's own class)
    return kind
