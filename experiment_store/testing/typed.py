"""The contract of parameters, metrics, links and errors: what they are, to the last bit."""

from __future__ import annotations

from math import inf, nan
from random import Random
from struct import pack, unpack
from typing import Any

import pytest
from attrs import evolve
from hypothesis import strategies as st

from experiment_store.backend import Backend, Cascade, Change, Parent
from experiment_store.mappings import Metric, Metrics, Params, ParamValue
from experiment_store.names import (
    MAX_ARTIFACT_NAME,
    MAX_ARTIFACTS,
    MAX_DIGEST,
    MAX_ERROR,
    MAX_METRIC_NAME,
    MAX_METRICS,
    MAX_PARAM_KEY,
    MAX_PARAM_TEXT,
    MAX_PARAMS,
    MAX_URI,
)
from experiment_store.records import Artifact
from experiment_store.schema import CHUNK, EXPERIMENT, RUN
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.samples import (
    assert_same,
    chunk,
    everything,
    experiment,
    for_all,
    keep,
    refill,
    run,
)
from experiment_store.testing.strategies import artifacts, metrics, params
from experiment_store.values import MAX_INTEGER


def of_bits(bits: int) -> float:
    """Return the float that has these 64 bits."""
    value: float = unpack("<d", pack("<Q", bits))[0]
    return value


FLOATS = (
    0.0,
    -0.0,
    1.0,
    0.1,
    1 / 3,
    5e-324,
    1.7976931348623157e308,
    2.0**53,
    1e22,
    inf,
    -inf,
    nan,
    -nan,
    of_bits(0x7FF8_0000_0000_0001),  # NaN with a payload
    of_bits(0xFFF8_DEAD_BEEF_0001),
    of_bits(0x7FF0_0000_0000_0001),  # and one that signals
)
INTEGERS = (0, 1, -1, 2**53 + 1, -(2**53) - 1, MAX_INTEGER, -MAX_INTEGER - 1)
TEXTS = ("", "1", "1.0", "true", "True", "nan", "inf", "null", "{}", '{"float":"nan"}', "\u2028")
TYPED: tuple[ParamValue, ...] = (True, False, *INTEGERS, *FLOATS, *TEXTS)
TWINS: tuple[ParamValue, ...] = (True, 1, 1.0, "1", False, 0, 0.0, -0.0, "0", "", nan, "nan")
"""Values of which neighbours are easily taken for each other."""

GIVEN: dict[str, Any] = {
    "params": Params(lr=0.1, layers=3, opt="adam", amp=True),
    "metrics": Metrics(loss=Metric(nan, -0.0, inf, -1, 2)),
    "artifacts": (Artifact("b", "s3://b"), Artifact("a", "s3://a", "sha256:1", 0)),
    "error": "ValueError: none\n",
}
OTHER: dict[str, Any] = {
    "params": Params(layers=3.0, new="x"),
    "metrics": Metrics(accuracy=Metric(1.0, 0.5, 1.0, MAX_INTEGER, MAX_INTEGER)),
    "artifacts": (Artifact("a", "s3://other"),),
    "error": "OSError",
}
NONE: dict[str, Any] = {"params": Params(), "metrics": Metrics(), "artifacts": (), "error": ""}

each_field = pytest.mark.parametrize("field", GIVEN)


class Typed(Fixtures):
    """What a backend owes to values that are more than text."""

    def test_parameters_keep_their_types_and_bits(self, ready: Backend) -> None:
        record = run(params=Params({f"{n}": value for n, value in enumerate(TYPED)}))

        keep(ready, RUN, record)

        assert_same(ready.get(RUN, "r"), record)
        assert_same(everything(ready, RUN)[0], record)

    def test_a_parameter_takes_the_type_of_what_is_assigned(self, ready: Backend) -> None:
        keep(ready, RUN, run())

        for value in TWINS:
            expected = run(params=Params(k=value))
            assert_same(ready.update(RUN, "r", Change({"params": Params(k=value)})), expected)
            assert_same(ready.get(RUN, "r"), expected)

    def test_equal_numbers_of_two_types_stay_beside_each_other(self, ready: Backend) -> None:
        several = [run(f"{n:02}", params=Params(k=value)) for n, value in enumerate(TWINS)]

        keep(ready, RUN, *several)

        for actual, expected in zip(everything(ready, RUN), several, strict=True):
            assert_same(actual, expected)

    def test_metrics_keep_their_bits(self, ready: Backend) -> None:
        metrics = {
            f"{n}": Metric(value, FLOATS[n - 1], FLOATS[n - 2], INTEGERS[n % len(INTEGERS)], n + 1)
            for n, value in enumerate(FLOATS)
        }
        record = run(metrics=Metrics(metrics))

        keep(ready, RUN, record)

        assert_same(ready.get(RUN, "r"), record)
        assert_same(everything(ready, RUN)[0], record)

    def test_keys_are_told_apart_code_point_by_code_point(self, ready: Backend) -> None:
        keys = ("a", "A", "a ", "a.b", "a.b.min", '"', "\\", "\n", "\xe9", "e\u0301", "__proto__")
        record = run(
            params=Params({key: n for n, key in enumerate(keys)}),
            metrics=Metrics({key: Metric(0.5, 0.5, 0.5, n, 1) for n, key in enumerate(keys)}),
        )

        keep(ready, RUN, record)

        assert_same(ready.get(RUN, "r"), record)

    def test_links_stay_in_their_order(self, ready: Backend) -> None:
        links = (
            Artifact("b", "s3://b", "sha256:2", 0),
            Artifact("a", "s3://a", "", None),
            Artifact("B", "s3://b", "", MAX_INTEGER),
        )

        keep(ready, RUN, run("1", artifacts=links), run("2", artifacts=links[::-1]))

        assert_same(ready.get(RUN, "1"), run("1", artifacts=links))
        assert_same(ready.get(RUN, "2"), run("2", artifacts=links[::-1]))

    def test_all_may_be_as_large_as_their_limits(self, ready: Backend) -> None:
        random = Random(1)  # noqa: S311 (what matters is that it cannot be compressed)

        def text(length: int) -> str:
            return "".join(chr(random.randint(0x10000, 0x10FFFF)) for _ in range(length))

        metric = Metric(of_bits(0xFFF8_DEAD_BEEF_0001), 5e-324, -1 / 3, -MAX_INTEGER, MAX_INTEGER)
        record = run(
            params=Params({text(MAX_PARAM_KEY): text(MAX_PARAM_TEXT) for _ in range(MAX_PARAMS)}),
            metrics=Metrics({text(MAX_METRIC_NAME): metric for _ in range(MAX_METRICS)}),
            artifacts=tuple(
                Artifact(text(MAX_ARTIFACT_NAME), text(MAX_URI), text(MAX_DIGEST), MAX_INTEGER)
                for _ in range(MAX_ARTIFACTS)
            ),
            error=text(MAX_ERROR),
        )

        keep(ready, RUN, record)

        assert_same(ready.get(RUN, "r"), record)
        assert_same(ready.update(RUN, "r", Change({"error": ""})), evolve(record, error=""))

    @each_field
    def test_what_is_assigned_replaces_all_that_was_there(self, ready: Backend, field: str) -> None:
        beside = run("beside", **GIVEN)
        keep(ready, RUN, run(**GIVEN), beside)
        expected = run(**{**GIVEN, field: OTHER[field]})

        assert_same(ready.update(RUN, "r", Change({field: OTHER[field]})), expected)

        assert_same(ready.get(RUN, "r"), expected)
        assert_same(ready.get(RUN, "beside"), beside)

    @each_field
    def test_all_of_it_may_go(self, ready: Backend, field: str) -> None:
        keep(ready, RUN, run(**GIVEN))
        expected = run(**{**GIVEN, field: NONE[field]})

        assert_same(ready.update(RUN, "r", Change({field: NONE[field]})), expected)

        assert_same(ready.get(RUN, "r"), expected)

    @for_all(
        assign=st.fixed_dictionaries(
            {"params": params(), "metrics": metrics(), "artifacts": artifacts()}
        )
    )
    def test_a_parent_is_assigned_what_a_record_is(
        self, ready: Backend, assign: dict[str, Any]
    ) -> None:
        refill(ready, {RUN.name: [run(**GIVEN)]})
        parent = Parent(RUN, frozenset({"r"}), assign=assign)

        assert ready.insert(CHUNK, [chunk()], parent) is None

        assert_same(ready.get(RUN, "r"), run(**{**GIVEN, **assign}))

    @each_field
    def test_every_one_of_several_parents_is_assigned_it(self, ready: Backend, field: str) -> None:
        keep(ready, RUN, run("1", **GIVEN), run("2"), run("3", **GIVEN))
        parent = Parent(RUN, frozenset({"1", "2"}), assign={field: OTHER[field]})

        assert ready.insert(CHUNK, [chunk("1", of="1"), chunk("2", of="2")], parent) is None

        assert_same(ready.get(RUN, "1"), run("1", **{**GIVEN, field: OTHER[field]}))
        assert_same(ready.get(RUN, "2"), run("2", **{field: OTHER[field]}))
        assert_same(ready.get(RUN, "3"), run("3", **GIVEN))

    @each_field
    def test_a_cascade_assigns_it_to_the_children(self, ready: Backend, field: str) -> None:
        keep(ready, EXPERIMENT, experiment())
        keep(ready, RUN, run("1", **GIVEN), run("2"), run("3", of="f", **GIVEN))

        cascade = Cascade(RUN, {field: OTHER[field]})
        ready.update(EXPERIMENT, "e", Change(cascades=(cascade,)))

        assert_same(ready.get(RUN, "1"), run("1", **{**GIVEN, field: OTHER[field]}))
        assert_same(ready.get(RUN, "2"), run("2", **{field: OTHER[field]}))
        assert_same(ready.get(RUN, "3"), run("3", of="f", **GIVEN))
