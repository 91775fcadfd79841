"""What an order_by means, and where it goes wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.errors import ErrorCode, InvalidArgumentError, InvalidOrderByError
from experiment_store.filters.lexis import MAX_LENGTH, encode
from experiment_store.filters.predicates import Label, MetricValue, Operand, Param
from experiment_store.order_by import MAX_FIELDS, parse_order_by
from experiment_store.ordering import SortKey
from experiment_store.schema import EXPERIMENT, RUN
from experiment_store.testing.strategies import texts

_DOTTED = 'a metric name with a dot needs quotes: metrics."a.b"'
_ID = SortKey("id")
_ID_DOWN = SortKey("id", descending=True)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", (SortKey("created_at"), _ID)),
        (" \t\r\n\f\v", (SortKey("created_at"), _ID)),
        ("name", (SortKey("name"), _ID)),
        ("name asc", (SortKey("name"), _ID)),
        ("name desc", (SortKey("name", descending=True), _ID_DOWN)),
        ("\n name  desc\t,\vid ", (SortKey("name", descending=True), _ID)),
        (
            "NAME DESC,Updated_At aSc",
            (SortKey("name", descending=True), SortKey("updated_at"), _ID),
        ),
        ("id desc,name", (_ID_DOWN, SortKey("name"))),
        ("Display_Name,experiment_id desc", (SortKey("name"), _ID_DOWN)),
        ("storage_state", (SortKey("storage_state"), _ID)),
        ("description", (SortKey("description", length=256), _ID)),
        ("labels.env", (SortKey(Label("env")), _ID)),
        ("LABELS.Env desc", (SortKey(Label("Env"), descending=True), _ID_DOWN)),
        ('labels."my, key" desc', (SortKey(Label("my, key"), descending=True), _ID_DOWN)),
        ("labels.'a.b',labels.AND", (SortKey(Label("a.b")), SortKey(Label("AND")), _ID)),
        ("labels.desc desc", (SortKey(Label("desc"), descending=True), _ID_DOWN)),
        ("labels.-x", (SortKey(Label("-x")), _ID)),
        (r'labels."\*"', (SortKey(Label("*")), _ID)),
    ],
)
def test_an_order_ends_with_the_id_in_the_direction_of_its_last_field(
    text: str, order: tuple[SortKey, ...]
) -> None:
    assert parse_order_by(text, EXPERIMENT) == order


@pytest.mark.parametrize(
    ("text", "operand"),
    [
        ("params.lr", Param("lr")),
        ("PARAMS.LR", Param("LR")),
        ('params."a.b"', Param("a.b")),
        ("metrics.loss", MetricValue("loss")),
        ("metrics.loss.min", MetricValue("loss", "min")),
        ("metrics.loss.max", MetricValue("loss", "max")),
        ("metrics.min", MetricValue("min")),
        ("metrics.max.min", MetricValue("max", "min")),
        ('metrics."val/loss".max', MetricValue("val/loss", "max")),
        ('metrics."loss.min"', MetricValue("loss.min")),
    ],
)
def test_parameters_and_metrics_are_sorted_by(text: str, operand: Operand) -> None:
    assert parse_order_by(f"{text} desc", RUN) == (SortKey(operand, descending=True), _ID_DOWN)


@pytest.mark.parametrize(
    ("text", "position", "problem"),
    [
        ("params", 0, "params have no order; name one: params.KEY"),
        ("name, metrics", 6, "metrics have no order; name one: metrics.NAME"),
        ("params.a.b", 9, 'a parameter key with a dot needs quotes: params."a.b"'),
        ("params.a*", 7, r'a parameter key has no wildcards; "\*" is an asterisk'),
        ("metrics.a*", 8, r'a metric name has no wildcards; "\*" is an asterisk'),
        ("metrics.a, metrics.'a'", 11, "this field is given twice"),
        *(
            (text, 10, f"only .min and .max may follow; {_DOTTED}")
            for text in ("metrics.a.b", "metrics.a.MIN", "metrics.a.min.max", "metrics.a.'min'")
        ),
    ],
)
def test_parameters_and_metrics_are_named_one_by_one(
    text: str, position: int, problem: str
) -> None:
    with pytest.raises(InvalidOrderByError) as caught:
        parse_order_by(text, RUN)

    assert (caught.value.position, caught.value.problem) == (position, problem)


@pytest.mark.parametrize("text", ["params.a", "metrics.a"])
def test_an_experiment_has_neither_parameters_nor_metrics(text: str) -> None:
    with pytest.raises(InvalidOrderByError, match="unknown field"):
        parse_order_by(text, EXPERIMENT)


@pytest.mark.parametrize(
    ("text", "code", "position", "problem"),
    [
        (",", "syntax", 0, "unexpected ','"),
        ("name,", "syntax", 5, "unexpected end"),
        ("name, ", "syntax", 6, "unexpected end"),
        (",name", "syntax", 0, "unexpected ','"),
        ("name,,id", "syntax", 5, "unexpected ','"),
        ("name up", "syntax", 5, "'up' is neither asc nor desc"),
        ("name desc nulls first", "syntax", 10, "unexpected 'nulls'"),
        ("name desc asc", "syntax", 10, "unexpected 'asc'"),
        ('name "desc"', "syntax", 5, "unexpected '\"desc\"'"),
        ("name.", "syntax", 5, "unexpected end"),
        ("name . x", "syntax", 5, "unexpected '.'"),
        ("labels. x", "syntax", 7, "unexpected white space"),
        ('labels."x', "syntax", 7, "string has no closing quote"),
        ('"name"', "syntax", 0, "unexpected '\"name\"'"),
        (r'labels."\q"', "syntax", 8, "unknown escape"),
        ("name\N{NO-BREAK SPACE}", "syntax", 4, r"unexpected '\xa0'"),
        ("name;id", "schema", 0, "unknown field 'name;id'; did you mean 'name'?"),
        ("lower(name)", "schema", 0, "unknown field 'lower'"),
        ("-name", "schema", 0, "unknown field '-name'; did you mean 'name'?"),
        ("1", "schema", 0, "unknown field '1'"),
        ("id,etag", "schema", 3, "unknown field 'etag'"),
        ("labels", "schema", 0, "labels have no order; name one: labels.KEY"),
        ("name.first", "schema", 5, "'name' has no parts"),
        ("labels.a.b", "schema", 9, 'a label key with a dot needs quotes: labels."a.b"'),
        ("labels.a*", "schema", 7, r'a label key has no wildcards; "\*" is an asterisk'),
        ("name,id,display_name", "schema", 8, "this field is given twice"),
        ("labels.a,labels.'a'", "schema", 9, "this field is given twice"),
        ("name\0", "syntax", 4, "NUL and lone surrogates are not text"),
        ("," * (MAX_LENGTH + 1), "limit", MAX_LENGTH, "more than 10000 characters"),
    ],
)
def test_a_wrong_order_is_shown_where_it_is_wrong(
    text: str, code: str, position: int, problem: str
) -> None:
    with pytest.raises(InvalidOrderByError) as caught:
        parse_order_by(text, EXPERIMENT)

    error = caught.value
    assert (error.argument, error.code.value, error.position, error.problem) == (
        "order_by", code, position, problem,
    )  # fmt: skip


def test_an_order_has_at_most_16_fields() -> None:
    labels = [f"labels.k{number}" for number in range(MAX_FIELDS + 1)]

    assert len(parse_order_by(",".join(labels[:-1]), RUN)) == MAX_FIELDS + 1
    with pytest.raises(InvalidOrderByError) as caught:
        parse_order_by(",".join(labels), RUN)

    assert caught.value.code is ErrorCode.LIMIT
    assert caught.value.position == len(",".join(labels[:-1])) + 1


def test_an_order_that_is_no_text_is_an_invalid_argument() -> None:
    with pytest.raises(InvalidArgumentError, match="order_by must be text, not list"):
        parse_order_by(["name"], EXPERIMENT)  # type: ignore[arg-type]  # the point of the test


@given(texts(128), st.booleans())
def test_any_label_can_be_sorted_by(key: str, descending: bool) -> None:  # noqa: FBT001 (Hypothesis fills it)
    text = f"labels.{encode((key,))}{' desc' * descending}"

    assert parse_order_by(text, EXPERIMENT)[0] == SortKey(Label(key), descending)


@given(st.text(max_size=30) | st.text('nameidlbs."\\, \tdesc*', max_size=30))
def test_any_text_is_an_order_or_an_error_with_a_place_in_it(text: str) -> None:
    error = _error(text)

    assert error is None or 0 <= error.position <= len(text)
    assert error is None or error.rendering.endswith(f"^ {error.problem}")


def _error(text: str) -> InvalidOrderByError | None:
    try:
        parse_order_by(text, EXPERIMENT)
    except InvalidOrderByError as error:
        return error
    return None
