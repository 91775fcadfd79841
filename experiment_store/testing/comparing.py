"""The contract of `select`, as far as single comparisons go: text, times, words, absence."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest
from attrs import evolve

from experiment_store.backend import Backend
from experiment_store.filters.evaluate import matches
from experiment_store.filters.patterns import Pattern, containing, ending, fold, starting
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
    RunState,
    StorageState,
)
from experiment_store.schema import EXPERIMENT, JOB, RUN
from experiment_store.sort_keys import sort_key
from experiment_store.testing.reading import Fixtures
from experiment_store.testing.samples import (
    NOON,
    TICK,
    experiment,
    found,
    job,
    keep,
    run,
)

# By code point, which is neither the order of any language nor that of UTF-16.
ASCENDING = (
    "", " ", "!", "-", "10", "9", "A", "AB", "B", "Z", "_", "a", "a ", "a b", "a-b", "ab", "b",
    "e\N{COMBINING ACUTE ACCENT}", "z", "\N{LATIN SMALL LETTER A WITH DIAERESIS}",
    "\N{LATIN SMALL LETTER E WITH ACUTE}", "\ufb00", "\ufffd", "\N{GRINNING FACE}",
)  # fmt: skip
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
FORMS: tuple[Callable[[str], Pattern], ...] = (
    containing,
    starting,
    ending,
    lambda text: Pattern((text,)),
    lambda text: Pattern(("", *text, "")),
)


class Comparing(Fixtures):
    """What a backend owes to the leaves of a condition."""

    @pytest.mark.parametrize("op", Op)
    @pytest.mark.parametrize("operand", ["description", Label("k")], ids=["field", "label"])
    def test_text_compares_by_code_point(self, ready: Backend, operand: Any, op: Op) -> None:
        texts = {f"{number:02}": text for number, text in enumerate(ASCENDING)}
        keep(
            ready,
            EXPERIMENT,
            *(experiment(id, description=t, labels=Labels(k=t)) for id, t in texts.items()),
        )

        admitted = {
            text: found(ready, EXPERIMENT, Compare(operand, op, text)) for text in ASCENDING
        }

        rank = {text: id for id, text in texts.items()}
        compare = {
            Op.EQ: str.__eq__, Op.LT: str.__lt__, Op.LE: str.__le__,
            Op.GT: str.__gt__, Op.GE: str.__ge__,
        }[op]  # fmt: skip
        assert admitted == {
            text: [id for id in texts if compare(id, rank[text])] for text in ASCENDING
        }

    @pytest.mark.parametrize("operand", ["name", "description", Label("k")], ids=str)
    @pytest.mark.parametrize("text", ["%", "_", "*", "?", "[a]", "[", "]", "\\", "\\%", "^", "'"])
    def test_a_pattern_is_literal_but_for_its_gaps(
        self, ready: Backend, operand: Any, text: str
    ) -> None:
        names = ["a", "ab", "b", "-", text, f"a{text}", f"{text}b", f"a{text}b", f"a{text}\nb"]
        records = [
            experiment(f"{number}", name=name, description=name, labels=Labels(k=name))
            for number, name in enumerate(names)
        ]
        keep(ready, EXPERIMENT, *records)

        for form in FORMS:
            where = Match(operand, form(text))
            assert found(ready, EXPERIMENT, where) == [
                r.id for r in records if form(text).matches(r.name)
            ]

    @pytest.mark.parametrize("operand", ["name", Label("k")], ids=str)
    def test_a_pattern_tells_case_apart(self, ready: Backend, operand: Any) -> None:
        keep(
            ready,
            EXPERIMENT,
            *(experiment(name, labels=Labels(k=name)) for name in ("AB", "Ab", "aB", "ab")),
        )

        for form in FORMS:
            assert found(ready, EXPERIMENT, Match(operand, form("aB"))) == ["aB"]

    def test_folding_touches_a_to_z_and_nothing_else(self, ready: Backend) -> None:
        names = ["STRASSE", "Stra\xdfe", "\xc4", "\xe4", "\u0130", "i", "I", "\u212a", "K"]
        records = [experiment(f"{n}", name=name) for n, name in enumerate(names)]
        keep(ready, EXPERIMENT, *records)

        for name in map(fold, names):
            for pattern in (Pattern((name,), folded=True), Pattern(("", name, ""), folded=True)):
                assert found(ready, EXPERIMENT, Match("name", pattern)) == [
                    r.id for r in records if pattern.matches(r.name)
                ]

    def test_text_is_neither_normalised_nor_trimmed(self, ready: Backend) -> None:
        names = ["\xe9", "e\u0301", "a", "a ", " a", "a\n", "\ufb00", "ff"]
        records = [experiment(f"{n}", name=name) for n, name in enumerate(names)]

        keep(ready, EXPERIMENT, *records)

        for record in records:
            assert found(ready, EXPERIMENT, Compare("name", Op.EQ, record.name)) == [record.id]

    @pytest.mark.parametrize(
        "where",
        [
            Compare("started_at", Op.EQ, NOON),
            Compare("started_at", Op.LT, NOON + TICK),
            Compare("started_at", Op.LE, NOON),
            Compare("started_at", Op.GT, NOON - TICK),
            Compare("started_at", Op.GE, NOON),
            OneOf("started_at", frozenset({NOON, NOON + TICK})),
            Present("started_at"),
            Compare("job_id", Op.EQ, "job"),
            Compare("job_id", Op.LT, "k"),
            Compare("job_id", Op.GE, ""),
            OneOf("job_id", frozenset({"", "job"})),
            Match("job_id", starting("j")),
            Match("job_id", Pattern(("", ""))),
            Present("job_id"),
            Compare(Label("k"), Op.EQ, "v"),
            Compare(Label("k"), Op.LT, "w"),
            Compare(Label("k"), Op.GE, ""),
            OneOf(Label("k"), frozenset({"", "v"})),
            Match(Label("k"), containing("v")),
            Match(Label("k"), Pattern(("", ""))),
            Present(Label("k")),
            Present("labels"),
            Search(containing("v")),
        ],
    )
    def test_an_absent_value_passes_no_test_but_every_negated_one(
        self, ready: Backend, where: Predicate
    ) -> None:
        keep(ready, RUN, run("absent"))
        keep(ready, RUN, run("present", started_at=NOON, job_id="job", labels=Labels(k="v")))

        assert found(ready, RUN, where) == ["present"]
        assert found(ready, RUN, negate(where)) == ["absent"]

    @pytest.mark.parametrize(
        ("pattern", "ids"),
        [
            (starting("b"), ["2"]),
            (ending("a"), ["1"]),
            (Pattern(("b",)), ["2"]),
            (Pattern(("",)), ["1", "2"]),  # the description
            (Pattern(("a", "b")), []),
            (Pattern(("", "x", ""), folded=True), ["1"]),
        ],
    )
    def test_a_search_has_the_form_of_one_text_however_many_searches_there_are(
        self, ready: Backend, pattern: Pattern, ids: list[str]
    ) -> None:
        keep(ready, EXPERIMENT, experiment("1", name="1", labels=Labels(k="Xa", m="c")))
        keep(ready, EXPERIMENT, experiment("2", name="2", labels=Labels(k="y", m="b")))
        others = [Search(containing(f"none{number}")) for number in range(4)]

        assert found(ready, EXPERIMENT, any_of([Search(pattern), *others])) == ids

    def test_an_empty_text_is_not_an_absent_one(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("absent"))
        keep(ready, EXPERIMENT, experiment("empty", labels=Labels(k="")))

        assert found(ready, EXPERIMENT, Present(Label("k"))) == ["empty"]
        assert found(ready, EXPERIMENT, Compare(Label("k"), Op.EQ, "")) == ["empty"]
        assert found(ready, EXPERIMENT, Compare(Label("k"), Op.EQ, "", expected=False)) == [
            "absent"
        ]
        assert found(ready, EXPERIMENT, Compare("description", Op.EQ, "")) == ["absent", "empty"]

    def test_labels_are_told_apart_by_key_and_value(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("1", labels=Labels({"a": "b", "c": "d"})))
        keep(ready, EXPERIMENT, experiment("2", labels=Labels({"a": "d", "c": "b"})))
        keep(ready, EXPERIMENT, experiment("3", labels=Labels({"A": "b", "a.b": "x"})))

        assert found(ready, EXPERIMENT, Compare(Label("a"), Op.EQ, "b")) == ["1"]
        assert found(ready, EXPERIMENT, Compare(Label("A"), Op.EQ, "b")) == ["3"]
        assert found(ready, EXPERIMENT, Compare(Label("a.b"), Op.EQ, "x")) == ["3"]
        assert found(ready, EXPERIMENT, Compare(Label("a"), Op.EQ, "B")) == []

    def test_labels_of_one_kind_are_not_those_of_another(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("a", labels=Labels(k="v")))
        keep(ready, RUN, run("a"))
        keep(ready, JOB, job("a", labels=Labels(k="w")))

        assert found(ready, EXPERIMENT, Compare(Label("k"), Op.EQ, "v")) == ["a"]
        assert found(ready, RUN, Present(Label("k"))) == []
        assert found(ready, JOB, Compare(Label("k"), Op.EQ, "v")) == []

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

    def test_times_compare_to_the_microsecond(self, ready: Backend) -> None:
        times = {"1": NOON - TICK, "2": NOON, "3": NOON + TICK}
        keep(ready, EXPERIMENT, *(experiment(id, created_at=time) for id, time in times.items()))

        assert found(ready, EXPERIMENT, Compare("created_at", Op.LT, NOON)) == ["1"]
        assert found(ready, EXPERIMENT, Compare("created_at", Op.LE, NOON)) == ["1", "2"]
        assert found(ready, EXPERIMENT, Compare("created_at", Op.EQ, NOON)) == ["2"]
        assert found(ready, EXPERIMENT, Compare("created_at", Op.GE, NOON)) == ["2", "3"]
        assert found(ready, EXPERIMENT, Compare("created_at", Op.GT, NOON)) == ["3"]

    def test_words_and_truth_values_are_compared_with(self, ready: Backend) -> None:
        keep(ready, RUN, *(run(state, state=state) for state in RunState))
        keep(ready, EXPERIMENT, *(experiment(state, storage_state=state) for state in StorageState))
        keep(ready, JOB, job("off", enabled=False), job("on", enabled=True))

        running = frozenset({RunState.RUNNING, RunState.PENDING})
        assert found(ready, RUN, Compare("state", Op.EQ, "FAILED")) == ["FAILED"]
        assert found(ready, RUN, OneOf("state", running)) == ["PENDING", "RUNNING"]
        assert found(ready, EXPERIMENT, Compare("storage_state", Op.EQ, "ARCHIVED")) == ["ARCHIVED"]
        assert found(ready, JOB, Compare("enabled", Op.EQ, value=True)) == ["on"]
        assert found(ready, JOB, Compare("enabled", Op.EQ, value=False)) == ["off"]
        assert found(ready, JOB, OneOf("enabled", frozenset({True, False}))) == ["off", "on"]

    def test_an_etag_is_compared_with(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment("a", etag="1"), experiment("b", etag="2"))

        assert found(ready, EXPERIMENT, Compare("etag", Op.EQ, "2")) == ["b"]


def _run_with(operand: Entry, id: str, value: Any) -> Run:
    if isinstance(operand, Param):
        return run(id, params=Params({operand.key: value}))
    others = {"latest": 0.5, "min": 0.5, "max": 0.5} | {operand.statistic: value}
    return run(id, metrics=Metrics({operand.name: Metric(**others, step=0, count=1)}))


def _is_ordered(value: ParamValue) -> bool:
    return not isinstance(value, bool) and value == value  # noqa: PLR0124 (not NaN)
