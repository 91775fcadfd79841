"""The contract of `select`, as far as single comparisons go: text, times, words, absence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from experiment_store.backend import Backend
from experiment_store.filters.patterns import Pattern, containing, ending, fold, starting
from experiment_store.filters.predicates import (
    Compare,
    Label,
    Match,
    OneOf,
    Op,
    Predicate,
    Present,
    Search,
    any_of,
    negate,
)
from experiment_store.records import (
    Labels,
    RunState,
    StorageState,
)
from experiment_store.schema import EXPERIMENT, JOB, RUN
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
