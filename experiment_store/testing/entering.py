"""The contract of `select`, as far as parameters and metrics go: types, sizes, keys."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from attrs import evolve

from experiment_store.backend import Backend
from experiment_store.filters.evaluate import matches
from experiment_store.filters.patterns import Pattern, containing
from experiment_store.filters.predicates import (
    Compare,
    Entry,
    Label,
    Match,
    MetricValue,
    OneOf,
    Op,
    Param,
    Predicate,
    Present,
    Search,
    all_of,
    any_of,
    negate,
)
from experiment_store.records import (
    Labels,
    Metric,
    Metrics,
    Params,
    ParamValue,
    Run,
)
from experiment_store.schema import RUN
from experiment_store.sort_keys import sort_key
from experiment_store.testing.comparing import ASCENDING, FORMS
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.samples import (
    found,
    keep,
    run,
)

FLOATS: tuple[float, ...] = (
    nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 0.1, 1e-3, 5e-324, -5e-324, 1e22, 2.0**53, 2.0**53 + 2,
    -(2.0**53), 2.0**63, -(2.0**63), 1.7976931348623157e308,
)  # fmt: skip
VALUES: tuple[ParamValue, ...] = (
    *FLOATS, False, True, 0, 1, -1, 10, 2**53, 2**53 + 1, 2**53 + 2, -(2**53) - 1, 2**63 - 1,
    -(2**63), *ASCENDING,
)  # fmt: skip
ENTRIES: tuple[Entry, ...] = (
    Param("k"), MetricValue("k"), MetricValue("k", "min"), MetricValue("k", "max"),
)  # fmt: skip
ODD_KEYS = (
    "a", "A", "a.b", "a b", "val/loss", "'", '"', '"a"', "\\", "\\n", "\n", "\x01", "\x1f", "\x7f",
    "$", "$.a", "#", "[0]", "0", "-1", "%", "%22", "%s", "*", "?", "{}", "min", "\xe9", "e\u0301",
    "\N{GRINNING FACE}", "k" * 128,
)  # fmt: skip


class Entering(Fixtures):
    """What a backend owes to conditions on the entries of params and metrics."""

    @pytest.mark.parametrize("operand", ENTRIES, ids=str)
    def test_values_compare_within_their_type_and_by_exact_size(
        self, ready: Backend, operand: Entry
    ) -> None:
        values = VALUES if isinstance(operand, Param) else FLOATS
        records = [_run_with(operand, f"{n:02}", value) for n, value in enumerate(values)]
        keep(ready, RUN, run("absent"), *records)
        conditions: list[Predicate] = [
            Compare(operand, op, sort_key(value))
            for value in values
            for op in (Op if _is_ordered(value) else [Op.EQ])
        ]
        conditions += [OneOf(operand, frozenset(map(sort_key, values[n::5]))) for n in range(5)]
        conditions += [Present(operand)]

        for where in (*conditions, *map(negate, conditions[::7])):
            admitted = [r.id for r in (*records, run("absent")) if matches(where, r)]
            assert found(ready, RUN, where) == admitted, where

    def test_a_pattern_is_about_parameters_that_are_texts(self, ready: Backend) -> None:
        values = [*VALUES, "nan", "true", "Adam", "adam*", "t", "tt", "bn", "1%", "a\nb"]
        operand = Param("k")
        records = [_run_with(operand, f"{n:02}", value) for n, value in enumerate(values)]
        keep(ready, RUN, run("absent"), *records)
        texts = ("", "t", "n", "b", "1", "a", "adam", "*", "%", "\n")
        patterns = [form(text) for text in texts for form in FORMS]
        patterns += [Pattern(parts, folded=True) for parts in (("adam",), ("", "a", ""), ("",))]

        for where in (Match(operand, pattern) for pattern in (*patterns, Pattern(("", "")))):
            for condition in (where, negate(where)):
                admitted = [r.id for r in (*records, run("absent")) if matches(condition, r)]
                assert found(ready, RUN, condition) == admitted, condition

    def test_parameters_and_metrics_are_told_apart_by_any_key(self, ready: Backend) -> None:
        metric = Metric(1.0, 1.0, 1.0, 0, 1)
        runs = {f"{number:02}": key for number, key in enumerate(ODD_KEYS)}
        keep(
            ready,
            RUN,
            *(
                run(id, params=Params({key: 1}), metrics=Metrics({key: metric}))
                for id, key in runs.items()
            ),
            run(
                "all",
                params=Params(dict.fromkeys(ODD_KEYS, 2)),
                metrics=Metrics(dict.fromkeys(ODD_KEYS, evolve(metric, latest=2.0, max=2.0))),
            ),
        )

        for id, key in runs.items():
            for operand in (Param(key), MetricValue(key), MetricValue(key, "max")):
                assert found(ready, RUN, Present(operand)) == [id, "all"]
                assert found(ready, RUN, Compare(operand, Op.EQ, sort_key(1))) == [id]
                assert found(ready, RUN, Compare(operand, Op.GT, sort_key(1))) == ["all"]

    @pytest.mark.parametrize(
        "operand", [Param(""), MetricValue(""), Param("%"), Param("%00")], ids=str
    )
    def test_a_key_that_no_run_has_is_absent(self, ready: Backend, operand: Entry) -> None:
        metric = Metric(1.0, 1.0, 1.0, 0, 1)
        keep(ready, RUN, run("a", params=Params(a=1), metrics=Metrics(a=metric)))

        assert found(ready, RUN, Present(operand)) == []
        assert found(ready, RUN, Compare(operand, Op.EQ, sort_key(1), expected=False)) == ["a"]

    def test_a_run_has_parameters_and_metrics_or_none(self, ready: Backend) -> None:
        metric = Metric(1.0, 1.0, 1.0, 0, 1)
        keep(ready, RUN, run("m", metrics=Metrics(k=metric)), run("n", labels=Labels(k="v")))
        keep(ready, RUN, run("p", params=Params(k=1)))

        assert found(ready, RUN, Present("params")) == ["p"]
        assert found(ready, RUN, Present("params", expected=False)) == ["m", "n"]
        assert found(ready, RUN, Present("metrics")) == ["m"]
        assert found(ready, RUN, Present("metrics", expected=False)) == ["n", "p"]

    def test_labels_words_parameters_and_metrics_are_asked_together(self, ready: Backend) -> None:
        metric = Metric(1.0, 0.0, 2.0, 0, 1)
        one = run("1", labels=Labels(k="word"), params=Params(k=1), metrics=Metrics(k=metric))
        records = [one, run("2", labels=Labels(k="v")), run("3", params=Params(k="word"))]
        keep(ready, RUN, *records)
        leaves: list[Predicate] = [
            Compare(Param("k"), Op.LE, sort_key(1)),
            Compare(MetricValue("k", "max"), Op.GT, sort_key(1)),
            Compare("name", Op.EQ, "run"),
            *(Compare(Label(key), Op.EQ, "word") for key in "kabcd"),
            *(Search(containing(word)) for word in ("word", "none", "nothing", "never")),
        ]

        for joint in (any_of, all_of):
            for count in range(1, len(leaves) + 1):
                where = joint(leaves[:count])
                assert found(ready, RUN, where) == [r.id for r in records if matches(where, r)]


def _run_with(operand: Entry, id: str, value: Any) -> Run:
    if isinstance(operand, Param):
        return run(id, params=Params({operand.key: value}))
    others = {"latest": 0.5, "min": 0.5, "max": 0.5} | {operand.statistic: value}
    return run(id, metrics=Metrics({operand.name: Metric(**others, step=0, count=1)}))


def _is_ordered(value: ParamValue) -> bool:
    return not isinstance(value, bool) and value == value  # noqa: PLR0124 (not NaN)
