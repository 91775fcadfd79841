"""Makes the files beside it: stores of the first schema, and what is in them.

    python -m tests.data.make_schema_1 postgresql://postgres@localhost/scratch

Ran once, with the library as it was then; only the files matter now. They are not
made again when the schema moves on: then they would prove nothing.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from itertools import count
from typing import Any

from attrs import asdict

from experiment_store import ExperimentStore
from experiment_store.records import Setting
from experiment_store.registry import open_backend
from experiment_store.schema import SETTING
from tests.data.making import NASTY, TIMES, Clock, write

FILTER, ORDER = "description:the OR labels:k", "namespace desc, name"
SETTINGS = {"token_key": b"k" * 32, "key.host": bytes(range(32))}


def fill(url: str) -> dict[str, Any]:
    """Fill a store, in the same way each time; return what is in it."""
    backend = open_backend(url)
    etags, ids = count(), count()
    with ExperimentStore(
        backend,
        clock=Clock(),
        new_id=lambda: f"id-{next(ids):04}",
        new_etag=lambda: f"etag-{next(etags):04}",
    ) as store:
        settings = {name: b64encode(key).decode() for name, key in SETTINGS.items()}
        backend.insert(SETTING, [Setting(name, value) for name, value in settings.items()])
        for number, text in enumerate(NASTY):
            made = store.create(
                text,
                namespace=("", "vision", "\N{GREEK SMALL LETTER LAMDA}")[number % 3],
                description=text * 3 if number % 2 else f"the {text}",
                labels={"k": text, text: ""} if number % 2 else {},
            )
            store.runs.create(made.id, text, labels={"seed": text}, started_at=TIMES[number % 4])
            store.jobs.create(made.id, text, schedule=f"0 {number} * * * {text}")
        full = store.create(
            "n" * 128,
            namespace="s" * 63,
            description="d" * 4096,
            labels={f"{number:02}" + "k" * 100: "v" * 200 for number in range(8)},
            id="!" * 64,
        )
        job = store.jobs.create(full.id, "makes runs", enabled=False, labels={"a": "b"})
        store.runs.create(
            full.id, "made", state="SUCCEEDED", job_id=job.id,
            started_at=TIMES[0], finished_at=TIMES[1],
        )  # fmt: skip
        for state in ("RUNNING", "FAILED", "CANCELED"):
            store.runs.create(full.id, "again", state=state)
        store.archive(store.get_by_name(NASTY[1], namespace="vision").id)
        store.runs.archive(store.runs.list(experiment_id=full.id).items[0].id)
        store.update(full.id, labels={"k": "v"})
        gone = store.create("gone")
        store.runs.create(gone.id, "orphan")
        store.delete(gone.id)
        first = store.list(filter=FILTER, order_by=ORDER, page_size=4)
        rest = store.list(filter=FILTER, order_by=ORDER, page_token=first.next_page_token)
        return {
            "experiments": list(map(asdict, store.iterate(order_by="id"))),
            "runs": list(map(asdict, store.runs.iterate(order_by="id"))),
            "jobs": list(map(asdict, store.jobs.iterate(order_by="id"))),
            "settings": settings,
            "listing": {
                "filter": FILTER,
                "order_by": ORDER,
                "page_token": first.next_page_token,
                "rest": [item.id for item in rest.items],
            },
        }


if __name__ == "__main__":
    write(sys.argv[1], "1", fill)
