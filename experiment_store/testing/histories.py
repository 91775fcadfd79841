"""What the calls of a history say: few names and ids, so that they collide, and odd text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
from math import inf, nan
from typing import Any, Literal, TypeAlias

from attrs import evolve
from hypothesis import strategies as st

from experiment_store.records import Artifact
from experiment_store.testing.executions import Call, Execution, Logged, Start
from experiment_store.testing.listings import (
    FILTERS,
    ORDERS,
    START,
    KindName,
    Listing,
    OrderBy,
    Row,
)

Ref: TypeAlias = tuple[KindName, str]
"""A kind and an id that may or may not be that of a record."""

Etag: TypeAlias = Literal["none", "current", "earlier", "foreign"]

etags: st.SearchStrategy[Etag] = st.sampled_from(
    ["none", "none", "none", "current", "current", "earlier", "foreign"]
)
"""Which etag to give."""

steps = st.sampled_from(
    [timedelta(microseconds=count) for count in (0, 1, 1, 2, 1_000_000, 3_600_000_000, -1)]
    + [timedelta(seconds=-1), timedelta(days=-400)]
)
"""How far the clock moves."""

namespaces = st.sampled_from(["", "", "vision", "\N{GRINNING FACE}"])
names = st.sampled_from(["a", "b", "A"]) | st.sampled_from(
    ["ab", "a b", "a*", "e\N{COMBINING ACUTE ACCENT}",
     "\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{GRINNING FACE}", "\ufb00", "cv", "n" * 128]
)  # fmt: skip
_descriptions = st.sampled_from(
    ["", "a", "cv\n", "%_\\'\"", "x" * 256, "x" * 256 + "a", "x" * 256 + "b", "d" * 4096]
)
_labels = st.dictionaries(
    st.sampled_from(["team", "a.b", "", "\N{GRINNING FACE}", "TEAM"]).filter(bool),
    st.sampled_from(["", "cv", "nlp", "CV", "10", "9", "\N{GRINNING FACE}"]),
    max_size=3,
)
_times = st.none() | st.sampled_from(
    [
        START,
        START + timedelta(microseconds=1),
        START.astimezone(timezone(timedelta(hours=1))),
        START.replace(year=1),
        START.replace(year=9999),
    ]
)
_states = st.sampled_from(["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED"])
_params = st.dictionaries(
    st.sampled_from(["lr", "opt", "LR", "a.b"]),
    st.sampled_from([0.1, 1, 1.0, True, 0, -0.0, "adam", "", "1", nan, inf, 2**63 - 1]),
    max_size=3,
)
artifact = st.builds(
    Artifact,
    st.sampled_from(["model", "Model"]),
    st.sampled_from(["s3://a", "file:///b"]),
    st.sampled_from(["", "sha256:1"]),
    st.sampled_from([None, 0, 2**63 - 1]),
)
_artifacts = st.lists(artifact, max_size=2, unique_by=lambda link: link.name).map(tuple)
_errors = st.sampled_from(["", "ValueError: none", "e" * 4096])

metric_names = st.sampled_from(["loss", "Loss", "a.b", "\N{GRINNING FACE}"])
_values = st.sampled_from([0.5, -1.0, 3.0, 0.0, -0.0, nan, -nan, inf, -inf])
_moments = st.sampled_from([START, START + timedelta(microseconds=1), START - timedelta(days=9)])
_logged_at = st.sampled_from([0, 1, 2, 7, -1, 2**63 - 1])

points: st.SearchStrategy[Mapping[str, Sequence[Logged]]] = st.dictionaries(
    metric_names, st.lists(st.tuples(_logged_at, _values, _moments), max_size=4), max_size=3
)
"""What is logged at once, by metric, in any order of steps; often too little to matter."""

_ends = st.sampled_from(["SUCCEEDED", "FAILED", "CANCELED"])
_COMMON: Mapping[str, st.SearchStrategy[Any]] = {
    "name": names,
    "description": _descriptions,
    "labels": _labels,
}
_CHANGEABLE: Mapping[KindName, Mapping[str, st.SearchStrategy[Any]]] = {
    "experiment": _COMMON,
    "run": {
        **_COMMON,
        "state": _states,
        "started_at": _times,
        "finished_at": _times,
        "params": _params,
        "artifacts": _artifacts,
        "error": _errors,
    },
    "job": {**_COMMON, "schedule": st.sampled_from(["", "daily", "0 0 * * *"])},
}
_FIXED: Mapping[KindName, Mapping[str, st.SearchStrategy[Any]]] = {
    "experiment": {"namespace": namespaces},
    "run": {"job_id": st.sampled_from([None, "j-1", "J-1"]), "heartbeat_at": _times},
    "job": {"enabled": st.booleans()},
}

retries: st.SearchStrategy[Row] = st.sampled_from(
    [
        *({}, {}, {"description": "other"}, {"name": "b"}, {"namespace": "vision"}),
        *({"params": {"lr": 1}}, {"params": {"lr": True}}),
    ]
)
"""What a retried call says otherwise than the first one."""

starts: st.SearchStrategy[Start] = st.builds(
    Start,
    st.fixed_dictionaries(
        {
            "name": names,
            "namespace": namespaces,
            "description": st.just(""),
            "labels": st.just({}),
            "id": st.none(),
        }
    ),
    st.fixed_dictionaries(
        {**_COMMON, "params": _params, "job_id": st.none(), "id": st.sampled_from([None, "r-1"])}
    ),
)
"""New runs, mostly of experiments that there are."""

executions: st.SearchStrategy[Execution] = st.builds(
    Execution,
    st.lists(
        st.builds(
            Call,
            st.dictionaries(metric_names, _values, max_size=2),
            st.none() | _logged_at,
            st.none() | _moments,
        ),
        max_size=3,
    ),
    st.fixed_dictionaries({"state": _ends, "error": _errors}),
)
"""What is logged at a stretch, and how that ends."""


def contents(kind: KindName) -> st.SearchStrategy[Row]:
    """What a caller says of a new record, its experiment excepted; an id of ``None`` is made."""
    ids = st.none() | st.sampled_from([f"{kind[0]}-1", f"{kind[0]}-2", f"{kind[0].upper()}-1"])
    return st.fixed_dictionaries({**_CHANGEABLE[kind], **_FIXED[kind], "id": ids})


def updates(kind: KindName) -> st.SearchStrategy[Row]:
    """What a caller says to change."""
    return st.fixed_dictionaries({}, optional=_CHANGEABLE[kind])


def listings(kind: KindName) -> st.SearchStrategy[Listing]:
    """A listing of one kind, not cut to an experiment."""
    return st.builds(
        Listing,
        st.just(kind),
        st.sampled_from([*FILTERS[kind], *FILTERS[kind][:1] * 8]),  # the first admits all
        st.sampled_from(ORDERS[kind]),
        namespace=st.none() | namespaces,
        experiment_id=st.none(),
    )


def variations(listing: Listing) -> st.SearchStrategy[Listing]:
    """Other listings, most of them but a little other, or the same."""
    kind = listing.kind
    return st.one_of(
        listings(kind),
        namespaces.map(lambda namespace: evolve(listing, namespace=namespace)),
        st.sampled_from(FILTERS[kind]).map(lambda some: evolve(listing, filter=some)),
        st.sampled_from(ORDERS[kind]).map(lambda some: evolve(listing, order=some)),
    )


def undecided_by_id(listing: Listing) -> Listing:
    """Leave the id out of the order where a unique name has made it total.

    It matters only where one experiment has taken the name of another between
    two pages, and then neither answer is wrong.
    """
    keys = listing.order.keys
    names = [index for index, key in enumerate(keys, start=1) if key.name == "name"]
    if listing.kind != "experiment" or listing.namespace is None or not names:
        return listing
    return evolve(listing, order=OrderBy(listing.order.text, keys[: names[0]]))
