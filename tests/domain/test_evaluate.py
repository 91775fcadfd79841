"""What filters say about records: two values, present operands, exact text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from math import inf, nan

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from experiment_store.filters import compile_filter
from experiment_store.filters.entries import COMPARE
from experiment_store.filters.evaluate import matches
from experiment_store.filters.predicates import (
    Compare,
    Label,
    OneOf,
    Op,
    Operand,
    Param,
    Predicate,
    all_of,
    any_of,
    negate,
)
from experiment_store.mappings import Metric, Metrics, Params, ParamValue
from experiment_store.records import Experiment, Labels, Run, StorageState
from experiment_store.schema import EXPERIMENT, RUN
from experiment_store.sort_keys import limits, sort_key
from experiment_store.testing.samples import run
from experiment_store.testing.strategies import (
    instants,
    param_values,
    predicates,
    records,
    texts,
)

_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_RECORD = Experiment(
    id="e-1",
    namespace="lab",
    name="mnist-Ä",
    description="line one\nline two ",
    labels=Labels({"env": "prod", "empty": ""}),
    storage_state=StorageState.AVAILABLE,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    updated_at=datetime(2026, 1, 1, microsecond=1, tzinfo=UTC),
    last_run_created_at=None,
    etag="1",
)
_records = st.builds(
    Experiment,
    id=texts(36),
    namespace=texts(20),
    name=texts(20),
    description=texts(20),
    labels=st.dictionaries(texts(20), texts(20), max_size=3).map(Labels),
    storage_state=st.sampled_from(StorageState),
    created_at=instants(),
    updated_at=instants(),
    last_run_created_at=st.none() | instants(),
    etag=st.just("1"),
)
_operands = st.sampled_from(["name", "description", Label("env"), Label("none")])


@given(predicates(EXPERIMENT), _records)
def test_a_negated_predicate_is_true_exactly_where_the_predicate_is_not(
    predicate: Predicate, record: Experiment
) -> None:
    assert matches(negate(predicate), record) is not matches(predicate, record)


Meaning = Callable[[frozenset[str]], bool]
"""What a condition on the keys of labels says, in Python."""


def _atom(key: str) -> tuple[str, Meaning]:
    return f"labels:{key}", lambda keys: key in keys


def _negated(sign: str, condition: tuple[str, Meaning]) -> tuple[str, Meaning]:
    text, meaning = condition
    return sign + text, lambda keys: not meaning(keys)


def _joined(
    terms: st.SearchStrategy[tuple[str, Meaning]], joint: str, verdict: Callable[..., bool]
) -> st.SearchStrategy[tuple[str, Meaning]]:
    def join(several: list[tuple[str, Meaning]]) -> tuple[str, Meaning]:
        meanings = [meaning for _, meaning in several]
        text = joint.join(text for text, _ in several)
        return text, lambda keys: verdict(meaning(keys) for meaning in meanings)

    return st.lists(terms, min_size=1, max_size=3).map(join)


def _conditions(
    simple: st.SearchStrategy[tuple[str, Meaning]],
) -> st.SearchStrategy[tuple[str, Meaning]]:
    """Write conditions with the precedence of AIP-160, and parentheses around the whole."""
    negated = st.builds(_negated, st.sampled_from(["NOT ", "-"]), simple)
    factors = _joined(simple | negated, " OR ", any)
    conditions = _joined(_joined(factors, " ", all), " AND ", all)
    return conditions.map(lambda condition: (f"({condition[0]})", condition[1]))


@given(
    st.recursive(st.sampled_from("abc").map(_atom), _conditions, max_leaves=10),
    st.frozensets(st.sampled_from("abc")),
)
def test_operators_bind_as_in_aip_160(condition: tuple[str, Meaning], keys: frozenset[str]) -> None:
    text, meaning = condition
    record = evolve(_RECORD, labels=Labels(dict.fromkeys(keys, "")))

    assert matches(compile_filter(text, EXPERIMENT, _NOW), record) is meaning(keys)


@given(st.lists(predicates(EXPERIMENT), max_size=3), _records)
def test_joints_mean_all_and_any(terms: list[Predicate], record: Experiment) -> None:
    verdicts = [matches(term, record) for term in terms]

    assert matches(all_of(terms), record) is all(verdicts)
    assert matches(any_of(terms), record) is any(verdicts)


@given(_operands, st.frozensets(texts(), min_size=1, max_size=3), _records)
def test_one_of_several_values_is_equality_with_any(
    operand: Operand, values: frozenset[str], record: Experiment
) -> None:
    equal = any_of(Compare(operand, Op.EQ, value) for value in values)

    assert matches(OneOf(operand, frozenset(values)), record) is matches(equal, record)


@given(texts(), texts())
def test_text_compares_by_code_point(name: str, other: str) -> None:
    record = evolve(_RECORD, name=name)

    assert matches(Compare("name", Op.LT, other), record) is (
        name.encode("utf-32-be") < other.encode("utf-32-be")
    )
    assert matches(Compare("name", Op.EQ, other), record) is (
        name.encode("utf-8") == other.encode("utf-8")
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "*", "NOT (-*)",
        "name = mnist-Ä", "name != MNIST-Ä", "name = m*-*", "name:nist", "iequals(name, MNIST-Ä)",
        "icontains(name, NIST)", "NOT icontains(name, ä)", "name > MNIST", "name <= mnist-Ä",
        "name = (a OR mnist-Ä)", "NOT name = (a OR b)", "startsWith(name, mn)", "id >= e-1",
        "description = 'line*two '", "NOT description = 'line one*two'", "description:*",
        "labels:*", "labels:env", "labels.env = prod", "labels.env:prod", "labels.env:*",
        "labels.empty:*", "labels.empty = ''", "labels.env != test", "labels.env = p*",
        "NOT labels.none = x", "NOT labels.none != x", "NOT labels.none > ''", "-labels.none:*",
        "NOT endsWith(labels.none, '')", "NOT labels.none = (a OR b)",
        "storage_state = AVAILABLE", "storage_state != ARCHIVED", "NOT storage_state = ARCHIVED",
        "created_at = 2026-01-01T01:00:00+01:00", "created_at < 2026-01-01T00:00:00.000001Z",
        "updated_at > 2026-01-01T00:00:00Z", "created_at > ago(2d)", "created_at < now()",
        "last_run_created_at = null", "-last_run_created_at:*", "NOT last_run_created_at > ago(1d)",
        "NOT last_run_created_at != now()", "created_at != null",
        "mnist", "'two '", "prod", "p*d", "-MNIST", "NOT env", "NOT 'lab'", "a OR mnist two",
    ],
)  # fmt: skip
def test_a_filter_admits_the_record_which_it_describes(text: str) -> None:
    assert matches(compile_filter(text, EXPERIMENT, _NOW), _RECORD)


_METRIC = Metric(latest=0.5, min=0.25, max=nan, step=7, count=3)
_RUN = run(
    params=Params(
        one=1, real=1.0, yes=True, opt="adam", text="1", zero=-0.0, nan=nan, inf=inf,
        big=2**53 + 1, bigfloat=2.0**53, none="",
    ),
    metrics=Metrics({"loss": _METRIC, "min": _METRIC}),
    error="Traceback",
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "params.one = 1.0", "params.real = 1", "params.yes = true", "params.text = '1'",
        "params.one != true", "params.one != '1'", "params.yes != 1", "params.yes != 'true'",
        "params.text != 1", "params.opt != 3", "NOT params.opt < 3", "NOT params.opt > 3",
        "NOT params.one = true", "NOT params.yes = 1", "NOT params.text < 2", "params.text < '2'",
        "params.one < 1.5", "params.real >= 1", "NOT params.yes < 2", "NOT params.yes > -1",
        "params.zero = 0", "params.zero <= 0", "NOT params.zero < 0", "params.zero != false",
        "params.nan = nan", "NOT params.nan != nan", "params.one != nan", "params.opt != nan",
        "NOT params.nan < inf", "NOT params.nan > -inf", "NOT params.nan = 1", "params.nan != 1",
        "params.inf = inf", "params.inf > 1e308", "params.inf <= inf", "NOT params.inf > inf",
        "params.big > 9007199254740992", "params.big > 9007199254740992.0",
        "params.big = 9007199254740993", "params.big != 9007199254740993.0",
        "params.bigfloat < 9007199254740993", "params.bigfloat = 9007199254740992",
        "params.one = (true OR 1)", "params.yes = (1 OR true)", "NOT params.one = (true OR '1')",
        "params.nan = (1 OR nan)", "params.one = (nan OR 1)", "NOT params.opt = (nan OR 1)",
        "params.opt = ad*", "params.opt = *", "NOT params.one = *", "NOT params.nan = *",
        "params.one != *", "params.none = *", "params.none:*", "params.none = ''",
        "startsWith(params.opt, ad)", "NOT startsWith(params.one, '1')", "params.text:1*",
        "icontains(params.opt, DA)", "iequals(params.opt, ADAM)", "NOT contains(params.yes, t)",
        "params:one", "params:*", "NOT params:two", "NOT params.two = 1", "NOT params.two != 1",
        "NOT params.two:*", "NOT params.One:*",
        "metrics.loss = 0.5", "metrics.loss.min = 0.25", "metrics.loss.max = nan",
        "metrics.min = 0.5", "metrics.min.min = 0.25", "metrics:loss",
        "metrics:*", "NOT metrics:'loss.min'", "NOT metrics.acc < 1", "NOT metrics.acc != 1",
        "metrics.loss = (1 OR 0.5)", "NOT metrics.loss.max >= 0", "metrics.loss.max != 0",
        "error:back", "NOT adam", "NOT Traceback", "heartbeat_at = null",
    ],
)  # fmt: skip
def test_a_filter_admits_the_run_which_it_describes(text: str) -> None:
    assert matches(compile_filter(text, RUN, _NOW), _RUN)


def test_a_run_without_parameters_and_metrics_has_none() -> None:
    where = compile_filter("params:* OR metrics:* OR params.k != 1 OR metrics.k.min:*", RUN, _NOW)

    assert not matches(where, run())


@given(predicates(RUN), records(RUN))
def test_a_negated_predicate_of_runs_is_true_where_the_predicate_is_not(
    predicate: Predicate, record: Run
) -> None:
    assert matches(negate(predicate), record) is not matches(predicate, record)


@given(param_values(), param_values(), st.sampled_from(Op))
def test_what_a_comparison_means_is_what_sort_keys_say(
    actual: ParamValue, value: ParamValue, op: Op
) -> None:
    ordered = not isinstance(value, bool) and value == value  # noqa: PLR0124 (not NaN)
    assume(op is Op.EQ or ordered)
    left, right = sort_key(actual), sort_key(value)

    verdict = COMPARE[op](left, right)
    if op is not Op.EQ:
        least, most = limits(right)
        verdict = verdict and least < left < most

    record = run(params=Params(k=actual))
    assert matches(Compare(Param("k"), op, right), record) is verdict


@given(param_values(), st.frozensets(param_values().map(sort_key), max_size=4))
def test_a_value_is_one_of_several_if_its_key_is(actual: ParamValue, keys: frozenset[str]) -> None:
    record = run(params=Params(k=actual))

    assert matches(OneOf(Param("k"), keys), record) is (sort_key(actual) in keys)


def test_a_record_without_labels_has_none() -> None:
    record = evolve(_RECORD, labels=Labels())

    assert not matches(compile_filter("labels:* OR labels.env:*", EXPERIMENT, _NOW), record)
