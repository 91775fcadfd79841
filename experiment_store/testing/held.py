"""Hypothesis strategies: text that breaks naive backends, and what else a field may hold.

Values come from small pools most of the time, so that records meet each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import inf, nan
from typing import Any

from hypothesis import strategies as st

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
from experiment_store.points import MAX_PACKED
from experiment_store.records import (
    Artifact,
    Labels,
    Metric,
    Metrics,
    Params,
    ParamValue,
)
from experiment_store.schema import Field, Type
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
POOL = (
    "a", "A", "b", "ab", "aB", "a ", "a%b", "a_b", "a*b", "\\", "'",
    "\N{LATIN SMALL LETTER E WITH ACUTE}", "e\N{COMBINING ACUTE ACCENT}",
    "\N{GRINNING FACE}", "\ufffd", "\ufb00",
)  # fmt: skip
_POOL_OF_IDS = ("0", "9", "A", "a", "a%", "a_", "aa", "~", "x" * MAX_ID)
POOL_OF_KEYS = ("a", "A", "a.b", "\N{GRINNING FACE}")
STATISTICS = ("latest", "min", "max")
MAPPINGS = (Type.LABELS, Type.PARAMS, Type.METRICS, Type.ARTIFACTS)
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
    return st.sampled_from(POOL) | texts(MAX_NAME).filter(bool)


def label_keys() -> st.SearchStrategy[str]:
    """Keys of labels: text that is not empty."""
    return st.sampled_from(POOL_OF_KEYS) | texts(MAX_LABEL_KEY).filter(bool)


def label_values() -> st.SearchStrategy[str]:
    """Values of labels, empty ones included."""
    return st.sampled_from(("", *POOL)) | texts(MAX_LABEL_VALUE)


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


def values_of(field: Field) -> st.SearchStrategy[Value]:
    """What a filter may compare *field* with."""
    match field.type:
        case Type.TIME:
            return instants()
        case Type.BOOL:
            return st.booleans()
        case Type.ENUM if field.enum is not None:
            return st.sampled_from([word.value for word in field.enum])
        case _:
            return _WORDS.get(field.name, label_values()) | texts()


def held_in(field: Field) -> st.SearchStrategy[Any]:
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
            present = values_of(field)
    return st.none() | present if field.optional else present


def _many_metrics(metric: Metric) -> dict[str, Metric]:
    return {f"metric {number}": metric for number in range(40)}


def _long(most: int) -> st.SearchStrategy[str]:
    pool = ("", *POOL, "x" * 256, "x" * 256 + "b")
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
