"""Makes the files beside it: stores of the second schema, and what is in them.

    python -m tests.data.make_schema_2 postgresql://postgres@localhost/scratch

They have all that those of the first one have, and what runs have got since: parameters,
metrics with their histories, links, errors and heartbeats. As with the first schema, it
ran once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from math import inf, nan
from struct import unpack
from typing import Any

from attrs import asdict

from experiment_store import ExperimentStore
from experiment_store.backend import Backend, Parent
from experiment_store.filters.predicates import ALWAYS
from experiment_store.mappings import Metrics
from experiment_store.plan import Plan
from experiment_store.points import MAX_POINTS, History, Point, pack
from experiment_store.records import Artifact, Chunk, Run
from experiment_store.registry import open_backend
from experiment_store.schema import CHUNK, RUN
from experiment_store.summaries import summary
from tests.data.make_schema_1 import fill as fill_1
from tests.data.making import NASTY, TIMES, Clock, write

[STRANGE_NAN] = unpack("<d", bytes.fromhex("efbeadde00f0f7ff"))
VALUES = (nan, inf, -inf, 0.0, -0.0, 5e-324, -1.7976931348623157e308, 0.1, STRANGE_NAN)
PARAMS = (
    dict(zip(NASTY, VALUES, strict=True)),
    dict(zip(NASTY, NASTY, strict=True)),
    {"one": 1, "1.0": 1.0, "true": True, "text": "1", "false": False, "zero": 0, "": ""},
    {"most": 2**63 - 1, "least": -(2**63), "inexact": 2**53 + 1, "a.b": -1, "nan": "nan"},
    {f"{number:03}" + "k" * 125: "v" * 512 for number in range(8)},
    {f"key {number}": number for number in range(256)},
)


def fill(url: str) -> dict[str, Any]:
    """Fill a store, in the same way each time; return what is in it."""
    known = fill_1(url)
    backend = open_backend(url)
    etags, ids = count(), count()
    with ExperimentStore(
        backend,
        clock=Clock(),
        new_id=lambda: f"new-{next(ids):04}",
        new_etag=lambda: f"later-{next(etags):04}",
    ) as store:
        owner = store.get("!" * 64)
        for number, params in enumerate(PARAMS):
            run = store.runs.create(
                owner.id,
                f"tracked {number}",
                state="FAILED",
                params={key or "empty": value for key, value in params.items()},
                artifacts=_artifacts(number),
                error="Traceback:\n" + NASTY[number] * number,
            )
            _log(backend, run, number)
        [orphan] = store.runs.list(filter='name = "orphan"').items
        _log(backend, orphan, 0)
        chunks = backend.select(Plan(CHUNK, ALWAYS, limit=1000)).items
        return known | {
            "experiments": list(map(asdict, store.iterate(order_by="id"))),
            "runs": list(map(asdict, store.runs.iterate(order_by="id"))),
            "chunks": sorted(map(asdict, chunks), key=lambda chunk: str(chunk["id"])),
        }


def _artifacts(number: int) -> Sequence[Artifact]:
    if number == 1:
        return [Artifact(f"{n}" + "n" * 100, "s3://" + "u" * 2043, "d" * 256) for n in range(2)]
    return [
        Artifact(text, f"file:///{text}", "" if place % 2 else f"sha256:{text}", size)
        for place, (text, size) in enumerate(zip(NASTY, (None, 0, 2**63 - 1), strict=False))
    ][:number]


def _log(backend: Backend, run: Run, number: int) -> None:
    """Write histories and heartbeats as a flush does."""
    histories = {
        f"loss {NASTY[number]}": History.of(
            Point((-1) ** step * step, value, TIMES[step % 4]) for step, value in enumerate(VALUES)
        ),
        "accuracy": History([-(2**63), 2**63 - 1], [VALUES[number], 1.0], [0, -1]),
    }
    if number == 2:
        histories["full"] = History(range(MAX_POINTS), [1 / 3] * MAX_POINTS, range(MAX_POINTS))
    at: datetime = TIMES[number % 4]
    chunks = [
        Chunk(f"{run.id}-{place}", run.id, name, at, pack(history))
        for place, (name, history) in enumerate(histories.items())
    ]
    summaries = Metrics({name: summary(history) for name, history in histories.items()})
    assign: dict[str, Any] = {"metrics": summaries, "heartbeat_at": at, "etag": f"{run.etag}+"}
    refusal = backend.insert(CHUNK, chunks, Parent(RUN, frozenset({run.id}), ALWAYS, assign))
    if refusal is not None:
        sys.exit(f"{refusal}")


if __name__ == "__main__":
    write(sys.argv[1], "2", fill)
