"""Hypothesis strategies: records, and the orders and predicates that meet them."""

from __future__ import annotations

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
from experiment_store.ordering import Order, SortKey
from experiment_store.records import (
    Experiment,
    Job,
    ParamValue,
    Run,
)
from experiment_store.schema import EXPERIMENT, JOB, RUN, Field, Kind, R, Type
from experiment_store.sort_keys import sort_key
from experiment_store.testing.held import (
    MAPPINGS,
    POOL,
    POOL_OF_KEYS,
    STATISTICS,
    artifacts,
    floats,
    held_in,
    ids,
    instants,
    integers,
    label_keys,
    label_values,
    labels,
    metrics,
    names,
    namespaces,
    param_values,
    params,
    texts,
    values_of,
)

__all__ = [
    "artifacts",
    "experiments",
    "floats",
    "ids",
    "instants",
    "integers",
    "jobs",
    "label_keys",
    "label_values",
    "labels",
    "metrics",
    "names",
    "namespaces",
    "orders",
    "param_values",
    "params",
    "predicates",
    "records",
    "runs",
    "several",
    "texts",
]


def records(kind: Kind[R]) -> st.SearchStrategy[R]:
    """Records of *kind* that the store would accept."""
    return st.builds(kind.record, **{field.name: held_in(field) for field in kind.fields})


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
    fields = [f for f in kind.fields if f.type not in MAPPINGS and f.name != "id"]
    lengths: dict[Operand, int | None] = {field.name: field.sort_length for field in fields}
    if "labels" in kind.by_name:
        lengths |= {Label(key): None for key in POOL_OF_KEYS[:2]}
    if "params" in kind.by_name:
        lengths |= {Param(key): None for key in POOL_OF_KEYS[:2]}
    if "metrics" in kind.by_name:
        lengths |= {MetricValue(POOL_OF_KEYS[0], of): None for of in STATISTICS}
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
    leaves = [_leaves(field.name, field) for field in fields if field.type not in MAPPINGS]
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
    values = values_of(field)
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
    return st.builds(MetricValue, label_keys(), st.sampled_from(STATISTICS))


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


def _patterns() -> st.SearchStrategy[Pattern]:
    """Patterns of at most eight gaps, of which none is idle and one has text beside it."""
    ends = st.sampled_from(("", *POOL)) | texts(20)
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
