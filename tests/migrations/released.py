"""What released versions have kept, and what a store of today has, in one form."""

from __future__ import annotations

from itertools import chain
from typing import Any

from attrs import asdict

from experiment_store import ExperimentStore
from experiment_store.moving.walking import walk
from experiment_store.records import Chunk
from experiment_store.schema import CHUNK
from tests.data.making import readable
from tests.migrations.databases import expected

# What has come to runs since the first schema, as it is in those that are older.
_NOTHING: dict[str, Any] = {
    "params": {},
    "metrics": {},
    "artifacts": [],
    "error": "",
    "heartbeat_at": None,
}


def records_of(version: str) -> Any:
    """What is in the store of *version*, as it is in one of today."""
    known = expected(version)
    return {
        "experiments": known["experiments"],
        "runs": [_NOTHING | run for run in known["runs"]],
        "jobs": known["jobs"],
        "chunks": known.get("chunks", []),
    }


def found_in(store: ExperimentStore) -> Any:
    """What is in a store, as JSON has it."""
    collections: dict[str, Any] = {"experiments": store, "runs": store.runs, "jobs": store.jobs}
    found = {
        name: list(map(asdict, records.iterate(order_by="id")))
        for name, records in collections.items()
    }
    return readable(found | {"chunks": list(map(asdict, chunks_in(store)))})


def chunks_in(store: ExperimentStore) -> list[Chunk]:
    """All parts of histories."""
    return list(chain.from_iterable(walk(store._backend, CHUNK)))
