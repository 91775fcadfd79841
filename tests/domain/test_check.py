"""What a well-formed filter means, type by type, and which names and types are wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

import pytest

from experiment_store.errors import ErrorCode, InvalidFilterError
from experiment_store.filters import compile_filter
from experiment_store.filters.check import MAX_TERMS
from experiment_store.filters.patterns import Pattern
from experiment_store.filters.predicates import (
    ALWAYS,
    NEVER,
    All,
    AnyOf,
    Compare,
    Label,
    Match,
    MetricValue,
    OneOf,
    Op,
    Operand,
    Param,
    Predicate,
    Present,
    Search,
)
from experiment_store.mappings import ParamValue
from experiment_store.records import Run, StorageState
from experiment_store.schema import EXPERIMENT, JOB, RUN, Field, Kind, Type
from experiment_store.sort_keys import sort_key
from experiment_store.values import Value

_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_DAY = datetime(2024, 1, 1, tzinfo=UTC)
_K = Label("k")


def _eq(operand: Operand, value: Value) -> Predicate:
    return Compare(operand, Op.EQ, value)


def _ne(operand: Operand, value: Value) -> Predicate:
    return Compare(operand, Op.EQ, value, expected=False)


def _like(operand: Operand, *parts: str) -> Predicate:
    return Match(operand, Pattern(parts))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        # text
        ("name = x", _eq("name", "x")),
        ("name = ''", _eq("name", "")),
        ("name = null", _eq("name", "null")),
        ("name = id", _eq("name", "id")),
        ("display_name = x", _eq("name", "x")),
        ("experiment_id = nope", _eq("id", "nope")),
        (r"name = '\*'", _eq("name", "*")),
        ("name != x", _ne("name", "x")),
        ("name < b*", Compare("name", Op.LT, "b*")),
        ("name <= 'b'", Compare("name", Op.LE, "b")),
        ("name > 10", Compare("name", Op.GT, "10")),
        ("name >= 1.50", Compare("name", Op.GE, "1.50")),
        ("name = a*b", _like("name", "a", "b")),
        ("name = a**b", _like("name", "a", "b")),
        ("name = '*a'", _like("name", "", "a")),
        ("name = *", ALWAYS),
        ("name != *", NEVER),
        ("name != a*", Match("name", Pattern(("a", "")), expected=False)),
        ("name:x", _like("name", "", "x", "")),
        ("name:x*y", _like("name", "", "x", "y", "")),
        ("name:*x", _like("name", "", "x", "")),
        ("name:''", ALWAYS),
        ("name:**", ALWAYS),
        ("name:*", _ne("name", "")),
        ("name:'*'", _ne("name", "")),
        (r"name:'\*'", _like("name", "", "*", "")),
        ("-name:*", _eq("name", "")),
        # labels
        ("labels.k = x", _eq(_K, "x")),
        ("labels.k = null", _eq(_K, "null")),
        ("labels.k != x", All((Present(_K), _ne(_K, "x")))),
        ("NOT labels.k = x", _ne(_K, "x")),
        ("NOT labels.k != x", AnyOf((Present(_K, expected=False), _eq(_K, "x")))),
        ("labels.k != x*", All((Present(_K), Match(_K, Pattern(("x", "")), expected=False)))),
        ("labels.k > 9", Compare(_K, Op.GT, "9")),
        ("labels.k:x", _eq(_K, "x")),
        ("labels.k:x*", _like(_K, "x", "")),
        ("labels.k:*", Present(_K)),
        ("labels.k = *", Present(_K)),
        ("labels.'a.b' = x", _eq(Label("a.b"), "x")),
        ("labels.'' = x", _eq(Label(""), "x")),
        ("labels:k", Present(_K)),
        ("labels:'a b'", Present(Label("a b"))),
        ("labels:''", Present(Label(""))),
        (r"labels:'\*'", Present(Label("*"))),
        ("labels:*", Present("labels")),
        ("labels:(k OR 'l')", AnyOf((Present(_K), Present(Label("l"))))),
        ("labels:(k l)", All((Present(_K), Present(Label("l"))))),
        # times
        ("created_at = 2024-01-01T00:00:00Z", _eq("created_at", _DAY)),
        ("created_at != '2024-01-01T01:00:00+01:00'", _ne("created_at", _DAY)),
        ("created_at < timestamp('2024-01-01T00:00:00Z')", Compare("created_at", Op.LT, _DAY)),
        ("created_at >= now()", Compare("created_at", Op.GE, _NOW)),
        ("created_at != now()", _ne("created_at", _NOW)),
        ("created_at > ago(7d)", Compare("created_at", Op.GT, _NOW - timedelta(days=7))),
        ("created_at > ago('1.5s')", Compare("created_at", Op.GT, _NOW - timedelta(seconds=1.5))),
        ("created_at = null", NEVER),
        ("created_at != null", ALWAYS),
        ("created_at:*", ALWAYS),
        ("last_run_created_at:*", Present("last_run_created_at")),
        ("last_run_created_at = null", Present("last_run_created_at", expected=False)),
        ("last_run_created_at != null", Present("last_run_created_at")),
        (
            "last_run_created_at != now()",
            All((Present("last_run_created_at"), _ne("last_run_created_at", _NOW))),
        ),
        (
            "last_run_created_at = (null OR 2024-01-01T00:00:00Z)",
            AnyOf(
                (Present("last_run_created_at", expected=False), _eq("last_run_created_at", _DAY))
            ),
        ),
        # enums
        ("storage_state = ARCHIVED", _eq("storage_state", "ARCHIVED")),
        ("storage_state:'ARCHIVED'", _eq("storage_state", "ARCHIVED")),
        ("storage_state != ARCHIVED", _ne("storage_state", "ARCHIVED")),
        ("storage_state:*", ALWAYS),
        ("storage_state = STORAGE_STATE_UNSPECIFIED", NEVER),
        ("storage_state != STORAGE_STATE_UNSPECIFIED", ALWAYS),
        (
            "storage_state = (STORAGE_STATE_UNSPECIFIED OR ARCHIVED)",
            _eq("storage_state", "ARCHIVED"),
        ),
        ("storage_state = (STORAGE_STATE_UNSPECIFIED)", NEVER),
        # lists
        ("name = (a)", _eq("name", "a")),
        ("name = (a OR a)", _eq("name", "a")),
        ("name = (a OR (b OR c))", OneOf("name", frozenset("abc"))),
        ("NOT name = (a OR b)", OneOf("name", frozenset("ab"), expected=False)),
        ("name = (a OR b*)", AnyOf((_eq("name", "a"), _like("name", "b", "")))),
        ("name = (a b)", All((_eq("name", "a"), _eq("name", "b")))),
        ("name = (a AND (b OR c))", All((_eq("name", "a"), OneOf("name", frozenset("bc"))))),
        ("name:(a OR b)", AnyOf((_like("name", "", "a", ""), _like("name", "", "b", "")))),
        ("name:(* OR *)", _ne("name", "")),
        ("labels.k:(a OR b)", OneOf(_K, frozenset("ab"))),
        ("name = (* OR a)", AnyOf((ALWAYS, _eq("name", "a")))),
        # functions
        ("startsWith(name, 'a*')", _like("name", "a*", "")),
        ("endsWith(name, a)", _like("name", "", "a")),
        ("contains(display_name, a.b)", _like("name", "", "a.b", "")),
        ("contains(labels.k, '')", Present(_K)),
        ("icontains(name, 'AÄ*')", Match("name", Pattern(("", "aÄ*", ""), folded=True))),
        ("iequals(labels.k, A)", Match(_K, Pattern(("a",), folded=True))),
        ("NOT iequals(name, A)", Match("name", Pattern(("a",), folded=True), expected=False)),
        # bare literals
        ("x", Search(Pattern(("", "x", "")))),
        ("-x.y", Search(Pattern(("", "x.y", "")), expected=False)),
        ("x*y", Search(Pattern(("", "x", "y", "")))),
        ("'name'", Search(Pattern(("", "name", "")))),
        ("'LIKE'", Search(Pattern(("", "LIKE", "")))),
        ("name*", Search(Pattern(("", "name", "")))),
        ("etag", Search(Pattern(("", "etag", "")))),
        ("x.name", Search(Pattern(("", "x.name", "")))),
        ("''", Search(Pattern(("", "")))),
        ("**", Search(Pattern(("", "")))),
        ("*", ALWAYS),
        ("'*'", ALWAYS),
        (r"'\*'", Search(Pattern(("", "*", "")))),
        ("-*", NEVER),
    ],
)
def test_a_filter_means(text: str, meaning: Predicate) -> None:
    assert compile_filter(text, EXPERIMENT, _NOW) == meaning


@pytest.mark.parametrize("text", ["", " \t\r\n\f\v"])
def test_a_blank_filter_admits_everything(text: str) -> None:
    assert compile_filter(text, EXPERIMENT, _NOW) is ALWAYS


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("enabled = true", _eq("enabled", value=True)),
        ("enabled:'false'", _eq("enabled", value=False)),
        ("enabled != true", _ne("enabled", value=True)),
        ("enabled:*", ALWAYS),
        ("enabled = (true OR false)", OneOf("enabled", frozenset({True, False}))),
    ],
)
def test_a_boolean_is_true_or_false(text: str, meaning: Predicate) -> None:
    assert compile_filter(text, JOB, _NOW) == meaning


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("job_id != x", All((Present("job_id"), _ne("job_id", "x")))),
        ("job_id:*", All((Present("job_id"), _ne("job_id", "")))),
        ("job_id = *", Present("job_id")),
        ("NOT job_id = x", _ne("job_id", "x")),
        ("state = FAILED", _eq("state", "FAILED")),
    ],
)
def test_an_absent_field_is_not_different(text: str, meaning: Predicate) -> None:
    assert compile_filter(text, RUN, _NOW) == meaning


def test_an_enum_that_may_be_absent_obeys_the_same_rules() -> None:
    field = Field("s", Type.ENUM, optional=True, enum=StorageState, unspecified="NONE")
    kind = Kind("thing", Run, (field,))

    assert compile_filter("s:*", kind, _NOW) == Present("s")
    assert compile_filter("s != NONE", kind, _NOW) == Present("s")
    assert compile_filter("s != ARCHIVED", kind, _NOW) == All((Present("s"), _ne("s", "ARCHIVED")))


_P = Param("k")
_M = MetricValue("k")
_EXACT = 2**53 + 1
_TRUE, _FALSE = True, False


def _is(operand: Operand, *values: ParamValue, expected: bool = True) -> Predicate:
    [first, *others] = keys = [sort_key(value) for value in values]
    if not others:
        return Compare(operand, Op.EQ, first, expected)
    return OneOf(operand, frozenset(keys), expected)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        # the type of a literal
        ("params.k = x", _is(_P, "x")),
        ("params.k = 'x'", _is(_P, "x")),
        ("params.k = ''", _is(_P, "")),
        ("params.k = true", _is(_P, _TRUE)),
        ("params.k = 'true'", _is(_P, "true")),
        ("params.k = TRUE", _is(_P, "TRUE")),
        ("params.k = false", _is(_P, _FALSE)),
        ("params.k = null", _is(_P, "null")),
        ("params.k = 3", _is(_P, 3)),
        ("params.k = 3.0", _is(_P, 3)),
        ("params.k = '3'", _is(_P, "3")),
        ("params.k = -0.5", _is(_P, -0.5)),
        ("params.k = 1e-3", _is(_P, 1e-3)),
        ("params.k = 1.5E+3", _is(_P, 1500)),
        ("params.k = 007", _is(_P, 7)),
        ("params.k = 0", _is(_P, 0)),
        ("params.k = -0", _is(_P, 0)),
        ("params.k = -0.0", _is(_P, 0)),
        ("params.k = inf", _is(_P, inf)),
        ("params.k = -inf", _is(_P, -inf)),
        ("params.k = nan", _is(_P, nan)),
        ("params.k = NaN", _is(_P, "NaN")),
        ("params.k = -nan", _is(_P, "-nan")),
        ("params.k = +3", _is(_P, "+3")),
        ("params.k = 1_000", _is(_P, "1_000")),
        ("params.k = 0x1f", _is(_P, "0x1f")),
        ("params.k = 1.2.3", _is(_P, "1.2.3")),
        ("params.k = 1e", _is(_P, "1e")),
        ("params.k = ٣", _is(_P, "٣")),
        ("params.k = 2024-01-01T00:00:00Z", _is(_P, "2024-01-01T00:00:00Z")),
        (f"params.k = {_EXACT}", _is(_P, _EXACT)),
        (f"params.k = {_EXACT}.0", _is(_P, float(_EXACT))),
        (f"params.k = {2**63 - 1}", _is(_P, 2**63 - 1)),
        (f"params.k = {-(2**63)}", _is(_P, -(2**63))),
        (f"params.k = {2**63}", _is(_P, 2.0**63)),
        (f"params.k = {10**30}", _is(_P, 1e30)),
        (f"params.k = {'0' * 5000}5", _is(_P, 5)),
        (f"params.k = -{'9' * 5000}", _is(_P, -inf)),
        ("params.k = 1e999", _is(_P, inf)),
        # what may be asked of a parameter
        ("params.k != 3", All((Present(_P), _is(_P, 3, expected=False)))),
        ("params.k != nan", All((Present(_P), _is(_P, nan, expected=False)))),
        ("NOT params.k != 3", AnyOf((Present(_P, expected=False), _is(_P, 3)))),
        ("params.k < 3", Compare(_P, Op.LT, sort_key(3))),
        ("params.k >= -inf", Compare(_P, Op.GE, sort_key(-inf))),
        ("params.k > '3'", Compare(_P, Op.GT, sort_key("3"))),
        ("params.k > 'nan'", Compare(_P, Op.GT, sort_key("nan"))),
        ("params.k <= a*", Compare(_P, Op.LE, sort_key("a*"))),
        ("params.k:3", _is(_P, 3)),
        ("params.k:*", Present(_P)),
        ("params.k:'*'", Present(_P)),
        ("params.k:a*", _like(_P, "a", "")),
        ("params.k = a*", _like(_P, "a", "")),
        ("params.k = 1*", _like(_P, "1", "")),
        ("params.k = *", _like(_P, "", "")),
        ("params.k = **", _like(_P, "", "")),
        (r"params.k = '\*'", _is(_P, "*")),
        ("params.k != *", All((Present(_P), Match(_P, Pattern(("", "")), expected=False)))),
        ("params.k = (1 OR 1.0)", _is(_P, 1)),
        ("params.k = (1 OR true OR '1')", _is(_P, 1, _TRUE, "1")),
        ("params.k = 1 OR params.k = true", _is(_P, 1, _TRUE)),
        ("params.k = 0 OR params.k = false", _is(_P, 0, _FALSE)),
        ("params.k = (a* OR 1)", AnyOf((_like(_P, "a", ""), _is(_P, 1)))),
        ("params.k:(1 2)", All((_is(_P, 1), _is(_P, 2)))),
        ("startsWith(params.k, 3)", _like(_P, "3", "")),
        ("contains(params.k, '')", _like(_P, "", "")),
        ("iequals(params.k, A)", Match(_P, Pattern(("a",), folded=True))),
        ("params.'a.b' = 1", _is(Param("a.b"), 1)),
        ("params.AND = 1", _is(Param("AND"), 1)),
        ("params:k", Present(_P)),
        ("params:a.b", Present(Param("a.b"))),
        ("params:(k l)", All((Present(_P), Present(Param("l"))))),
        ("params:*", Present("params")),
        # metrics
        ("metrics.k = 3", _is(_M, 3)),
        ("metrics.k != nan", All((Present(_M), _is(_M, nan, expected=False)))),
        ("metrics.k.min < 0.5", Compare(MetricValue("k", "min"), Op.LT, sort_key(0.5))),
        ("metrics.k.max:1", _is(MetricValue("k", "max"), 1)),
        ("metrics.min = 1", _is(MetricValue("min"), 1)),
        ("metrics.max.min = 1", _is(MetricValue("max", "min"), 1)),
        ("metrics.latest = 1", _is(MetricValue("latest"), 1)),
        ("metrics.val/loss = 1", _is(MetricValue("val/loss"), 1)),
        ("metrics.'a.b'.max = 1", _is(MetricValue("a.b", "max"), 1)),
        ("metrics.k = (1 OR 2 OR nan)", _is(_M, 1, 2, nan)),
        ("metrics.k:*", Present(_M)),
        ("metrics.k.min:*", Present(MetricValue("k", "min"))),
        ("metrics:k", Present(_M)),
        ("metrics:k.min", Present(MetricValue("k.min"))),
        ("metrics:*", Present("metrics")),
        # other fields of runs
        ("error:boom", _like("error", "", "boom", "")),
        ("heartbeat_at = null", Present("heartbeat_at", expected=False)),
    ],
)
def test_a_filter_of_runs_means(text: str, meaning: Predicate) -> None:
    assert compile_filter(text, RUN, _NOW) == meaning


_MANY_DIGITS = [
    "0" * 9_000 + "x", "1" * 9_000 + "x", "1." + "0" * 9_000 + "x", "1e" + "0" * 9_000 + "x",
]  # fmt: skip


@pytest.mark.parametrize("text", _MANY_DIGITS, ids=["zeros", "ones", "fraction", "exponent"])
def test_a_text_that_begins_like_a_long_number_is_a_text(text: str) -> None:
    assert compile_filter(f"params.k = {text}", RUN, _NOW) == _is(_P, text)


_DOTTED = 'only .min and .max may follow; a metric name with a dot needs quotes: metrics."a.b"'


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("params = 1", 9, "params takes no '='; compare params.KEY, or write params:KEY"),
        ("metrics > 1", 10, "metrics takes no '>'; compare metrics.NAME, or write metrics:NAME"),
        ("params != (a)", 10, "'!=' takes one value; lists take = or :, perhaps NOT"),
        ("params:a*", 7, r'a parameter key has no wildcards; "\*" is an asterisk'),
        ("metrics:a*", 8, r'a metric name has no wildcards; "\*" is an asterisk'),
        ("params.a.b = 1", 9, 'a parameter key with a dot needs quotes: params."a.b"'),
        ("params.a.min = 1", 9, 'a parameter key with a dot needs quotes: params."a.b"'),
        ("metrics.a.b = 1", 10, _DOTTED),
        ("metrics.a.latest = 1", 10, _DOTTED),
        ("metrics.a.min.x = 1", 10, _DOTTED),
        ("metrics.a.'min' = 1", 10, _DOTTED),
        ("params.k < nan", 11, "nan has no order; use = or !="),
        ("params.k >= true", 12, "true has no order; use = or !="),
        ("params.k < false", 11, "false has no order; use = or !="),
        ("metrics.k <= nan", 13, "nan has no order; use = or !="),
        ("metrics.k = x", 12, "'x' is no number, as metrics are"),
        ("metrics.k = 'x'", 12, "'x' is no number, as metrics are"),
        ("metrics.k = true", 12, "'true' is no number, as metrics are"),
        ("metrics.k > false", 12, "'false' is no number, as metrics are"),
        ("metrics.k = null", 12, "'null' is no number, as metrics are"),
        ("metrics.k = *", 12, "'*' is no number, as metrics are"),
        ("metrics.k:1*", 10, "'1*' is no number, as metrics are"),
        ("metrics.k = '3'", 12, "metrics are numbers: write 3 without quotes"),
        ('metrics.k < "nan"', 12, "metrics are numbers: write nan without quotes"),
        ("metrics.k = (1 OR '2')", 18, "metrics are numbers: write 2 without quotes"),
        ("params.k = now()", 11, "now() is a time, which this field is not"),
        ("metrics.k > ago(1d)", 12, "ago() is a time, which this field is not"),
        ("contains(metrics.k, 1)", 9, "contains() takes a text field, a label or a parameter"),
        ("contains(params, a)", 9, "contains() takes a text field, a label or a parameter"),
        ("parms.k = 1", 0, "unknown field 'parms'; did you mean 'params'?"),
        (
            "artifacts:x",
            0,
            "unknown field 'artifacts'; write params.artifacts or metrics.artifacts",
        ),
        ("lr < 0.1", 0, "unknown field 'lr'; write params.lr or metrics.lr"),
    ],
)
def test_a_parameter_or_a_metric_is_nothing_else(text: str, position: int, problem: str) -> None:
    with pytest.raises(InvalidFilterError) as caught:
        compile_filter(text, RUN, _NOW)

    error = caught.value
    assert (error.code, error.position, error.problem) == (ErrorCode.SCHEMA, position, problem)


@pytest.mark.parametrize("kind", [EXPERIMENT, JOB])
@pytest.mark.parametrize("text", ["params.k = 1", "metrics:k"])
def test_only_runs_have_parameters_and_metrics(text: str, kind: Kind[Any]) -> None:
    with pytest.raises(InvalidFilterError, match="unknown field"):
        compile_filter(text, kind, _NOW)


_FOREIGN = [
    "and", "or", "not", "like", "ilike", "rlike", "in", "is", "between", "contains", "matches",
    "And", "LIKE", "nOt",
]  # fmt: skip


@pytest.mark.parametrize(
    "word", [*_FOREIGN, *EXPERIMENT.by_word, "labels.env", "name.x.y", "created_at.z"]
)
def test_a_word_that_looks_like_another_language_has_to_be_quoted(word: str) -> None:
    with pytest.raises(InvalidFilterError) as caught:
        compile_filter(f"x OR {word}", EXPERIMENT, _NOW)

    assert (caught.value.code, caught.value.position) == (ErrorCode.SYNTAX, 5)
    assert caught.value.problem == f"'{word}' is no condition; quote it to search for the text"
    compile_filter(f"'{word}'", EXPERIMENT, _NOW)


_TIME = "is not an RFC 3339 time, such as 2024-05-31T12:00:00Z"
_DURATION = "is not a duration, such as 90s, 1.5s, 15m, 12h, 7d or 2w"


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("nmae = x", 0, "unknown field 'nmae'; did you mean 'name'?"),
        ("STORAGE_STAT = x", 0, "unknown field 'STORAGE_STAT'; did you mean 'storage_state'?"),
        ("x OR zzz = x", 5, "unknown field 'zzz'"),
        ("etag = x", 0, "unknown field 'etag'"),
        ("Name = x", 0, "unknown field 'Name'; did you mean 'name'?"),
        ("-3 = x", 1, "unknown field '3'"),
        ("icontains(nam, x)", 10, "unknown field 'nam'; did you mean 'name'?"),
        ("name.x = y", 5, "'name' has no parts"),
        ("created_at.year = y", 11, "'created_at' has no parts"),
        ("labels.a.b = x", 9, 'a label key with a dot needs quotes: labels."a.b"'),
        ("labels.'a'.b = x", 11, 'a label key with a dot needs quotes: labels."a.b"'),
        ("labels.a* = x", 7, r'a label key has no wildcards; "\*" is an asterisk'),
        ("labels:a*", 7, r'a label key has no wildcards; "\*" is an asterisk'),
        ("labels:**", 7, r'a label key has no wildcards; "\*" is an asterisk'),
        ("labels = x", 9, "labels takes no '='; compare labels.KEY, or write labels:KEY"),
        ("labels != (x)", 10, "'!=' takes one value; lists take = or :, perhaps NOT"),
        ("labels = (x OR y)", 10, "labels takes no '='; compare labels.KEY, or write labels:KEY"),
        ("name != (a OR b)", 8, "'!=' takes one value; lists take = or :, perhaps NOT"),
        ("name < (a)", 7, "'<' takes one value; lists take = or :, perhaps NOT"),
        ("created_at = x", 13, f"'x' {_TIME}"),
        ("created_at = 'null'", 13, f"'null' {_TIME}"),
        ("created_at = *", 13, f"'*' {_TIME}"),
        ("created_at < null", 13, "null has no order; use = or !="),
        ("created_at:2024-01-01T00:00:00Z", 11, "created_at takes ':' only with *"),
        ("created_at:null", 11, "created_at takes ':' only with *"),
        ("created_at:now()", 11, "created_at takes ':' only with *"),
        ("created_at > then()", 13, "unknown function 'then'"),
        ("created_at > Now()", 13, "unknown function 'Now'; did you mean 'now'?"),
        ("created_at > now(x)", 13, "now() takes no argument"),
        ("created_at > ago()", 13, "ago() takes one argument"),
        ("created_at > ago(x)", 17, f"'x' {_DURATION}"),
        ("created_at > ago('-1d')", 17, "'-1d' is negative"),
        ("created_at > ago(9999999d)", 17, "'9999999d' ago is outside the years 1 to 9999"),
        ("created_at > timestamp(x)", 23, "timestamp() takes a quoted time"),
        ("created_at > timestamp('x')", 23, f"'x' {_TIME}"),
        ("name = now()", 7, "now() is a time, which this field is not"),
        ("labels.k = ago(1d)", 11, "ago() is a time, which this field is not"),
        ("labels:now()", 7, "now() is a time, which this field is not"),
        ("storage_state = archived", 16, "'archived' is not one of AVAILABLE, ARCHIVED"),
        ("storage_state = A*", 16, "'A*' is not one of AVAILABLE, ARCHIVED"),
        ("storage_state != (ARCHIVED)", 17, "'!=' takes one value; lists take = or :, perhaps NOT"),
        ("storage_state = (ARCHIVED OR x)", 29, "'x' is not one of AVAILABLE, ARCHIVED"),
        ("storage_state > ARCHIVED", 16, "storage_state has no order; use = or !="),
        ("startswith(name, x)", 0, "unknown function 'startswith'; did you mean 'startsWith'?"),
        ("lower(name, x)", 0, "unknown function 'lower'"),
        ("contains(labels, x)", 9, "contains() takes a text field, a label or a parameter"),
        ("contains(created_at, x)", 9, "contains() takes a text field, a label or a parameter"),
        ("contains(storage_state, x)", 9, "contains() takes a text field, a label or a parameter"),
    ],
)
def test_a_wrong_name_or_type_is_shown_where_it_stands(
    text: str, position: int, problem: str
) -> None:
    with pytest.raises(InvalidFilterError) as caught:
        compile_filter(text, EXPERIMENT, _NOW)

    error = caught.value
    assert (error.code, error.position, error.problem) == (ErrorCode.SCHEMA, position, problem)


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("enabled = yes", 10, "'yes' is not one of true, false"),
        ("enabled = TRUE", 10, "'TRUE' is not one of true, false"),
        ("enabled < true", 10, "enabled has no order; use = or !="),
        ("enabled = now()", 10, "now() is a time, which this field is not"),
    ],
)
def test_a_boolean_is_nothing_else(text: str, position: int, problem: str) -> None:
    with pytest.raises(InvalidFilterError) as caught:
        compile_filter(text, JOB, _NOW)

    assert (caught.value.position, caught.value.problem) == (position, problem)


@pytest.mark.parametrize(
    "template", ["name = {}", "name:'{}'", "labels.k = {}", "{}", "name = ({})"]
)
def test_a_literal_has_at_most_8_wildcards(template: str) -> None:
    compile_filter(template.format("a*" * 8), EXPERIMENT, _NOW)

    with pytest.raises(InvalidFilterError) as caught:
        compile_filter(template.format("*" * 9), EXPERIMENT, _NOW)

    assert caught.value.code is ErrorCode.LIMIT
    assert caught.value.position == len(template.partition("{")[0].rstrip("'"))
    assert caught.value.problem == "more than 8 wildcards"


def test_asterisks_that_are_no_wildcards_are_not_limited() -> None:
    compile_filter(f"name > {'*' * 9} OR contains(name, {'*' * 9})", EXPERIMENT, _NOW)


@pytest.mark.parametrize(
    ("first", "term", "joint"),
    [
        ("x", "y", " "),
        ("name = (x", "y", " OR "),
        ("x", "-contains(name, y)", " "),
        ("x", "id=y", " "),
    ],
)
def test_a_filter_has_at_most_500_terms(first: str, term: str, joint: str) -> None:
    close = ")" * first.count("(")
    count = MAX_TERMS - (2 if close else 1)
    most = joint.join([first, *[term] * count])

    compile_filter(most + close, EXPERIMENT, _NOW)
    with pytest.raises(InvalidFilterError) as caught:
        compile_filter(most + joint + term + close, EXPERIMENT, _NOW)

    assert caught.value.code is ErrorCode.LIMIT
    assert caught.value.position == len(most + joint) + term.startswith("-")
    assert caught.value.problem == "more than 500 terms"
