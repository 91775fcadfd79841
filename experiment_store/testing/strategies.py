"""Hypothesis strategies: text that breaks naive backends, and everything made of it.

Values come from small pools most of the time, so that records meet each other,
and predicates meet records.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

from hypothesis import strategies as st

from experiment_store.filters.patterns import Pattern, fold
from experiment_store.filters.predicates import (
    ALWAYS,
    NEVER,
    Compare,
    Entry,
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
    all_of,
    any_of,
)
from experiment_store.names import (
    MAX_DESCRIPTION,
    MAX_ERROR,
    MAX_ID,
    MAX_LABEL_KEY,
    MAX_LABEL_VALUE,
    MAX_LABELS,
    MAX_NAME,
    MAX_NAMESPACE,
    MAX_PARAMS,
    MAX_SCHEDULE,
)
from experiment_store.ordering import Order, SortKey
from experiment_store.points import MAX_PACKED
from experiment_store.records import (
    Artifact,
    Experiment,
    Job,
    Labels,
    Metric,
    Metrics,
    Params,
    ParamValue,
    Run,
)
from experiment_store.schema import EXPERIMENT, JOB, RUN, Field, Kind, R, Type
from experiment_store.sort_keys import sort_key
from experiment_store.values import Value

_NASTY = (
    "", " ", "a", "A", "b", "ab", "aB", "a b", "a ", "Z", "_", "-", "9", "10", "null", "AND",
    "*", "**", "a*b", "%", "a%b", "a_b", "?", "[a]", "[", "]", "\\", "\\*", "a\\", "'", '"', "''",
    "\N{LATIN SMALL LETTER E WITH ACUTE}", "e\N{COMBINING ACUTE ACCENT}",
    "\N{LATIN CAPITAL LETTER A WITH DIAERESIS}", "\N{LATIN SMALL LETTER A WITH DIAERESIS}",
    "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "\N{LATIN SMALL LETTER SHARP S}", "ss",
    "\N{GRINNING FACE}", "\ufffd", "\ufb00", "\n", "\r", "a\nb", "a\r\n", "\t", "\x7f", "a.b",
    "\N{NO-BREAK SPACE}", "x" * 256, "x" * 256 + "b", "x" * 300,
)  # fmt: skip
_POOL = (
    "a", "A", "b", "ab", "aB", "a ", "a%b", "a_b", "a*b", "\\", "'",
    "\N{LATIN SMALL LETTER E WITH ACUTE}", "e\N{COMBINING ACUTE ACCENT}",
    "\N{GRINNING FACE}", "\ufffd", "\ufb00",
)  # fmt: skip
_POOL_OF_IDS = ("0", "9", "A", "a", "a%", "a_", "aa", "~", "x" * MAX_ID)
_POOL_OF_KEYS = ("a", "A", "a.b", "\N{GRINNING FACE}")
_STATISTICS = ("latest", "min", "max")
_MAPPINGS = (Type.LABELS, Type.PARAMS, Type.METRICS, Type.ARTIFACTS)
_NASTY_TIMES = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2024, 2, 29, 12, tzinfo=UTC),
    datetime(2024, 2, 29, 12, microsecond=1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)


def texts(most: int = 300) -> st.SearchStrategy[str]:
    """Text that a store accepts, of at most *most* code points, more nasty than random."""
    return (
        st.sampled_from(_NASTY)
        | st.lists(st.sampled_from(_NASTY), max_size=3).map("".join)
        | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=most)
    ).map(lambda text: text[:most])


def instants() -> st.SearchStrategy[datetime]:
    """Aware times in UTC, many of them neighbours of each other or of the limits."""
    steps = st.integers(-2, 2).map(lambda count: timedelta(microseconds=count))
    near = st.tuples(st.sampled_from(_NASTY_TIMES[1:-1]), steps).map(lambda pair: pair[0] + pair[1])
    return st.sampled_from(_NASTY_TIMES) | near | st.datetimes(timezones=st.just(UTC))


def ids() -> st.SearchStrategy[str]:
    """Ids: visible ASCII, seldom new ones."""
    visible = st.characters(min_codepoint=ord("!"), max_codepoint=ord("~"))
    return st.sampled_from(_POOL_OF_IDS) | st.text(visible, min_size=1, max_size=MAX_ID)


def namespaces() -> st.SearchStrategy[str]:
    """Namespaces, mostly one of three."""
    return st.sampled_from(("", "a", "A")) | texts(MAX_NAMESPACE)


def names() -> st.SearchStrategy[str]:
    """Names of records: text that is not empty."""
    return st.sampled_from(_POOL) | texts(MAX_NAME).filter(bool)


def label_keys() -> st.SearchStrategy[str]:
    """Keys of labels: text that is not empty."""
    return st.sampled_from(_POOL_OF_KEYS) | texts(MAX_LABEL_KEY).filter(bool)


def label_values() -> st.SearchStrategy[str]:
    """Values of labels, empty ones included."""
    return st.sampled_from(("", *_POOL)) | texts(MAX_LABEL_VALUE)


def labels() -> st.SearchStrategy[Labels]:
    """Labels of one record: mostly few, up to as many as there may be."""
    few = st.dictionaries(label_keys(), label_values(), max_size=3)
    most = {f"key {number}": f"value {number}" for number in range(MAX_LABELS)}
    return (few | few | few | st.just(most)).map(Labels)


def integers() -> st.SearchStrategy[int]:
    """Integers of 64 bits, many of them where floats are no longer exact."""
    near = st.tuples(st.sampled_from((0, 2**53, 2**63 - 3)), st.integers(-2, 2)).map(sum)
    return near | near.map(lambda number: -number) | st.integers(-(2**63), 2**63 - 1)


def floats() -> st.SearchStrategy[float]:
    """Floats of 64 bits: both zeros, infinities, NaN of any bits, neighbours of integers."""
    pool = (0.0, -0.0, 0.1, 1.0, 3.0, inf, -inf, nan, 5e-324, 1.7976931348623157e308, 2.0**53)
    return st.sampled_from(pool) | st.floats()


def params() -> st.SearchStrategy[Params]:
    """Parameters of one run, of all types: mostly few, up to as many as there may be."""
    few = st.dictionaries(label_keys(), param_values(), max_size=3)
    most: dict[str, ParamValue] = {f"key {number}": number for number in range(MAX_PARAMS)}
    return (few | few | few | st.just(most)).map(Params)


def param_values() -> st.SearchStrategy[ParamValue]:
    """What a parameter may be."""
    return label_values() | integers() | floats() | st.booleans()


def metrics() -> st.SearchStrategy[Metrics]:
    """Metrics of one run, few or many."""
    metric = st.builds(Metric, floats(), floats(), floats(), integers(), st.integers(1, 2**63 - 1))
    few = st.dictionaries(label_keys(), metric, max_size=3)
    return (few | few | few | metric.map(_many_metrics)).map(Metrics)


def artifacts() -> st.SearchStrategy[tuple[Artifact, ...]]:
    """Links of one run, with different names."""
    sizes = st.none() | st.integers(0, 2**63 - 1)
    artifact = st.builds(Artifact, names(), texts(20).filter(bool), texts(20), sizes)
    return st.lists(artifact, max_size=3, unique_by=lambda artifact: artifact.name).map(tuple)


def records(kind: Kind[R]) -> st.SearchStrategy[R]:
    """Records of *kind* that the store would accept."""
    return st.builds(kind.record, **{field.name: _held(field) for field in kind.fields})


def experiments() -> st.SearchStrategy[Experiment]:
    """Experiments."""
    return records(EXPERIMENT)


def runs() -> st.SearchStrategy[Run]:
    """Runs; their experiments need not exist."""
    return records(RUN)


def jobs() -> st.SearchStrategy[Job]:
    """Jobs; their experiments need not exist."""
    return records(JOB)


def several(kind: Kind[R], *, min_size: int = 0, max_size: int = 6) -> st.SearchStrategy[list[R]]:
    """Records of *kind* that can stand beside each other: their ids and keys are unique."""
    return st.lists(
        records(kind),
        min_size=min_size,
        max_size=max_size,
        unique_by=(
            lambda record: record.id,
            lambda record: tuple(getattr(record, name) for name in kind.unique or ("id",)),
        ),
    )


def orders(kind: Kind[Any]) -> st.SearchStrategy[Order]:
    """Total orders of *kind*: of fields and entries, in one direction or in both, by id at last."""
    fields = [f for f in kind.fields if f.type not in _MAPPINGS and f.name != "id"]
    lengths: dict[Operand, int | None] = {field.name: field.sort_length for field in fields}
    if "labels" in kind.by_name:
        lengths |= {Label(key): None for key in _POOL_OF_KEYS[:2]}
    if "params" in kind.by_name:
        lengths |= {Param(key): None for key in _POOL_OF_KEYS[:2]}
    if "metrics" in kind.by_name:
        lengths |= {MetricValue(_POOL_OF_KEYS[0], of): None for of in _STATISTICS}
    some = st.lists(st.sampled_from(list(lengths)), min_size=1, max_size=3, unique=True)
    operands = st.just(list[Operand]()) | some | some
    mixed = st.lists(st.booleans(), min_size=4, max_size=4)
    directions = st.sampled_from(([False] * 4, [True] * 4)) | mixed
    return st.builds(
        lambda operands, directions: tuple(
            SortKey(operand, descending, lengths.get(operand))
            for operand, descending in zip((*operands, "id"), directions, strict=False)
        ),
        operands,
        directions,
    )


def predicates(kind: Kind[Any]) -> st.SearchStrategy[Predicate]:
    """Predicates about records of *kind*, in the canonical form that filters compile to."""
    fields = [field for field in kind.fields if not field.internal]
    known = {field.name for field in fields}
    leaves = [_leaves(field.name, field) for field in fields if field.type not in _MAPPINGS]
    if "labels" in known:
        leaves.append(st.booleans().map(lambda expected: Present("labels", expected)))
        value = Field("value", optional=True)
        leaves.append(label_keys().flatmap(lambda key: _leaves(Label(key), value)))
    for name in [name for name in ("params", "metrics") if name in known]:
        leaves.append(st.builds(Present, st.just(name), st.booleans()))
        leaves.append(_entries(name).flatmap(_entry_leaves))
    if {"name", "description", "labels"} <= known:
        leaves.append(st.builds(Search, _enclosed(names() | texts()), st.booleans()))
    leaf = st.one_of(leaves)
    return st.recursive(
        leaf | st.sampled_from([ALWAYS, NEVER]),
        lambda terms: (
            st.lists(terms, min_size=2, max_size=4).map(all_of)
            | st.lists(terms, min_size=2, max_size=4).map(any_of)
        ),
        max_leaves=8,
    )


def _leaves(operand: Operand, field: Field) -> st.SearchStrategy[Predicate]:
    expected = st.booleans()
    values = _values(field)
    ordered = field.type in (Type.TEXT, Type.TIME)
    ops = st.sampled_from(list(Op) if ordered else [Op.EQ])
    sets = st.frozensets(values, min_size=2, max_size=4)
    leaves: list[st.SearchStrategy[Predicate]] = [
        st.builds(Compare, st.just(operand), ops, values, expected),
        st.builds(OneOf, st.just(operand), sets, expected),
    ]
    if field.type is Type.TEXT:
        leaves.append(st.builds(Match, st.just(operand), _patterns(), expected))
    if field.optional:
        leaves.append(st.builds(Present, st.just(operand), expected))
    return st.one_of(leaves)


def _entries(name: str) -> st.SearchStrategy[Entry]:
    if name == "params":
        return label_keys().map(Param)
    return st.builds(MetricValue, label_keys(), st.sampled_from(_STATISTICS))


def _entry_leaves(operand: Entry) -> st.SearchStrategy[Predicate]:
    """Leaves about a parameter or a metric, with sort keys in place of values."""
    one, expected = st.just(operand), st.booleans()
    numbers = integers() | floats()
    values: st.SearchStrategy[ParamValue] = numbers
    leaves: list[st.SearchStrategy[Predicate]] = [st.builds(Present, one, expected)]
    if isinstance(operand, Param):
        values = param_values() | texts()
        anything = st.just(Pattern(("", "")))
        leaves.append(st.builds(Match, one, _patterns() | anything, expected))
    keys = values.map(sort_key)
    ordered = (texts() if isinstance(operand, Param) else st.nothing()) | numbers.filter(_is_number)
    orders = st.sampled_from([op for op in Op if op is not Op.EQ])
    leaves += [
        st.builds(Compare, one, st.just(Op.EQ), keys, expected),
        st.builds(Compare, one, orders, ordered.map(sort_key), expected),
        st.builds(OneOf, one, st.frozensets(keys, min_size=2, max_size=4), expected),
    ]
    return st.one_of(leaves)


def _is_number(value: float) -> bool:
    return value == value  # noqa: PLR0124 (only NaN is not itself)


def _values(field: Field) -> st.SearchStrategy[Value]:
    match field.type:
        case Type.TIME:
            return instants()
        case Type.BOOL:
            return st.booleans()
        case Type.ENUM if field.enum is not None:
            return st.sampled_from([word.value for word in field.enum])
        case _:
            return _WORDS.get(field.name, label_values()) | texts()


def _held(field: Field) -> st.SearchStrategy[Any]:
    """What a record may hold in *field*."""
    match field.type:
        case Type.LABELS:
            return labels()
        case Type.PARAMS:
            return params()
        case Type.METRICS:
            return metrics()
        case Type.ARTIFACTS:
            return artifacts()
        case Type.ENUM if field.enum is not None:
            return st.sampled_from(field.enum)
        case Type.TEXT:
            present: st.SearchStrategy[Any] = _WORDS[field.name]
        case _:
            present = _values(field)
    return st.none() | present if field.optional else present


def _patterns() -> st.SearchStrategy[Pattern]:
    """Patterns of at most eight gaps, of which none is idle and one has text beside it."""
    ends = st.sampled_from(("", *_POOL)) | texts(20)
    inner = st.lists(ends.filter(bool), max_size=2) | st.lists(ends.filter(bool), max_size=7)
    gapped = st.builds(lambda a, middle, z: Pattern((a, *middle, z)), ends, inner, ends)
    folded = ends.map(fold)
    return (
        gapped.filter(lambda pattern: any(pattern.parts))
        | folded.map(lambda text: Pattern((text,), folded=True))
        | folded.filter(bool).map(lambda text: Pattern(("", text, ""), folded=True))
    )


def _enclosed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[Pattern]:
    parts = st.lists(inner.filter(bool), max_size=3)
    return parts.map(lambda middle: Pattern(("", *middle, "")))


def _many_metrics(metric: Metric) -> dict[str, Metric]:
    return {f"metric {number}": metric for number in range(40)}


def _long(most: int) -> st.SearchStrategy[str]:
    pool = ("", *_POOL, "x" * 256, "x" * 256 + "b")
    return st.sampled_from(pool) | texts() | st.just("\N{GRINNING FACE}" * most)


_WORDS: Mapping[str, st.SearchStrategy[str]] = {
    "id": ids(),
    "experiment_id": st.sampled_from(_POOL_OF_IDS[:4]) | ids(),
    "job_id": ids(),
    "namespace": namespaces(),
    "name": names(),
    "description": _long(MAX_DESCRIPTION),
    "schedule": _long(MAX_SCHEDULE),
    "error": _long(MAX_ERROR),
    "run_id": st.sampled_from(_POOL_OF_IDS[:4]) | ids(),
    "metric": names(),
    "points": st.sampled_from(("A" * 32, "A" * MAX_PACKED)),
    "etag": st.sampled_from(("1", "2")),
    "value": label_values(),
}
