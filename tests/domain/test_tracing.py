"""A call is a span of OpenTelemetry where the program traces, and nothing elsewhere."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from experiment_store import ExperimentStoreError, aio, observing, tracing
from experiment_store.plan import Plan, Rows
from experiment_store_memory import MemoryBackend
from tests.watching import EACH, REFUSED, Call, Lab, traced


class _Curious(MemoryBackend):
    """Remembers the span that was current whenever a page was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[SpanContext] = []

    def select(self, plan: Plan[Any]) -> Rows[Any]:
        self.seen.append(trace.get_current_span().get_span_context())
        return super().select(plan)


@pytest.fixture
def backend() -> _Curious:
    """What the furnished store of the same test keeps its records in."""
    return _Curious()


@pytest.fixture
def lab(backend: _Curious) -> Iterator[Lab]:
    """A furnished store in memory."""
    furnished = Lab.over(backend)
    backend.seen.clear()
    with furnished.store:
        yield furnished


@pytest.mark.parametrize(("kind", "verb", "rows", "call"), EACH)
def test_a_call_is_one_span_with_its_kind_verb_and_rows(
    kind: str, verb: str, rows: int, call: Call, lab: Lab
) -> None:
    with traced() as spans:
        call(lab)

    (span,) = spans()
    assert (span.name, span.kind) == (f"{kind}.{verb}", SpanKind.INTERNAL)
    assert span.attributes == {
        "experiment_store.kind": kind,
        "experiment_store.verb": verb,
        "experiment_store.rows": rows,
    }
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(("error", "call"), REFUSED.items())
def test_a_call_that_fails_has_the_class_of_its_error_and_not_its_words(
    error: str, call: Call, lab: Lab
) -> None:
    with traced() as spans, pytest.raises(ExperimentStoreError):
        call(lab)

    (span,) = spans()
    assert span.attributes is not None
    assert span.attributes["error.type"] == error
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert span.events == ()


def test_a_span_is_below_the_one_that_is_current_and_leaves_it_current(lab: Lab) -> None:
    with traced() as spans, _span("request") as request:
        lab.store.get(lab.experiment.id)
        after = trace.get_current_span()

    assert after is request
    assert _parents(spans()) == [("experiment.get", "request"), ("request", None)]


def test_what_the_backend_traces_is_below_the_call(lab: Lab, backend: _Curious) -> None:
    with traced() as spans:
        lab.store.list()

    assert backend.seen == [span.context for span in spans()]


def test_an_iteration_is_current_inside_the_store_and_not_in_its_caller(
    lab: Lab, backend: _Curious
) -> None:
    with traced() as spans, _span("request") as request:
        outside = {trace.get_current_span() for _ in lab.store.jobs.iterate(page_size=1)}

    (iteration,) = (span for span in spans() if span.name == "job.iterate")
    assert outside == {request}
    assert len(backend.seen) > 3
    assert all(seen == iteration.context for seen in backend.seen)


def test_a_span_that_is_not_sampled_is_still_the_parent(lab: Lab, backend: _Curious) -> None:
    with traced(ALWAYS_OFF) as spans:
        lab.store.list()

    (seen,) = backend.seen
    assert spans() == []
    assert seen.is_valid
    assert not seen.trace_flags.sampled


def test_an_awaited_call_is_below_the_span_of_its_task(lab: Lab) -> None:
    async def serve(name: str) -> None:
        with _span(name):
            await store.get(lab.experiment.id)
            assert len([job async for job in store.jobs.iterate(page_size=1)]) == 3

    async def serve_both() -> None:
        await asyncio.gather(serve("one"), serve("other"))

    store = aio.AsyncExperimentStore(lab.store)
    with traced() as spans:
        asyncio.run(serve_both())

    calls = [pair for pair in _parents(spans()) if pair[1] is not None]
    assert sorted(calls) == [
        (call, task) for call in ("experiment.get", "job.iterate") for task in ("one", "other")
    ]


def test_a_span_names_the_library_and_its_version(lab: Lab) -> None:
    with traced() as spans:
        lab.store.get(lab.experiment.id)

    (span,) = spans()
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "experiment_store"
    assert span.instrumentation_scope.version == version("experiment-store")


def test_a_library_without_metadata_has_no_version() -> None:
    assert tracing.installed_version("experiment-store-of-nobody") is None


def test_where_nobody_takes_spans_a_call_has_none(lab: Lab, backend: _Curious) -> None:
    lab.store.list()
    found = list(lab.store.iterate())

    assert found
    assert backend.seen == [trace.INVALID_SPAN_CONTEXT] * 2


def test_a_trace_api_that_cannot_be_loaded_does_not_disturb(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "experiment_store.tracing")
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    observing._span_starter.cache_clear()

    assert lab.store.get(lab.experiment.id).name == "mnist"


def test_a_program_gets_spans_by_nothing_but_its_own_setting_up() -> None:
    assert (
        _run("""
import experiment_store
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

with experiment_store.connect("sqlite://") as store:
    store.create("before")  # there is nowhere to send a span to
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    store.create("after")
    list(store.iterate())
print(*(span.name for span in exporter.get_finished_spans()))
""")
        == "experiment.create experiment.iterate"
    )


def test_a_program_that_does_not_trace_loads_nothing_of_opentelemetry() -> None:
    assert (
        _run("""
import logging, sys
import experiment_store

logging.basicConfig(level=logging.DEBUG, filename="/dev/null")
for url in ("memory://", "sqlite://"):
    with experiment_store.connect(url) as store:
        store.create("mnist")
        store.list(filter="name = mnist")
        list(store.iterate())
print(*(name for name in sys.modules if "opentelemetry" in name or "tracing" in name))
""")
        == ""
    )


def test_without_opentelemetry_everything_works() -> None:
    assert (
        _run("""
import sys
from importlib.abc import MetaPathFinder

class Nowhere(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Nowhere())
import experiment_store

with experiment_store.connect("sqlite://") as store:
    made = store.create("mnist")
    assert [made] == [*store.list(filter="name = mnist").items] == [*store.iterate()]
    store.delete(made.id)
print(*(name for name in sys.modules if "opentelemetry" in name))
""")
        == ""
    )


def _span(name: str) -> Any:
    return trace.get_tracer("tests").start_as_current_span(name)


def _parents(spans: list[ReadableSpan]) -> list[tuple[str, str | None]]:
    names = {span.context.span_id: span.name for span in spans if span.context}
    return [(span.name, span.parent and names[span.parent.span_id]) for span in spans]


def _run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.strip()
