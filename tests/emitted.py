"""What a store sends to PostgreSQL, on the wire, and the words that must not be in it.

What poolers and distributed engines lack, or make slow, the store does without.
The parameters of a session that libpq sends when it connects (`client_encoding` is
the one we set) are in the startup message, which the trace begins after; poolers
know them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from experiment_store_postgres import backend
from experiment_store_postgres.connections import open_pool
from experiment_store_sql import Pool

FORBIDDEN: Mapping[str, re.Pattern[str]] = {
    what: re.compile(pattern, re.IGNORECASE)
    for what, pattern in {
        "sequence": r"\bsequence\b|\b(small|big)?serial\d?\b|\bidentity\b"
        r"|\b(next|curr|set)val\b",
        "trigger": r"\btrigger\b",
        "function": r"\bcreate\b.*\b(function|procedure)\b|^do\b",
        "advisory lock": r"advisory",
        "temporary table": r"\btemp(orary)?\b",
        "notification": r"\b(un)?listen\b|\bnotify\b|pg_notify",
        "session setting": r"^(set|reset|discard)\b|set_config",
        "server's clock": r"\bnow\s*\(|\bcurrent_(timestamp|time|date)\b|\blocaltime|timeofday"
        r"|(clock|statement|transaction)_timestamp",
        "server's randomness": r"\brandom\s*\(|gen_random|uuid_?v?\d|uuid_generate",
        "cursor": r"\bwith hold\b|^declare\b",
        "prepared statement": r"^(prepare|execute|deallocate)\b",
    }.items()
}

DRIVERS_OWN = frozenset({"DEALLOCATE ALL"})
"""psycopg forgets after a rollback what it has prepared; with ``pooler=transaction`` it prepares
nothing, and has nothing to forget."""

_SENT = re.compile(r'^F\t\d+\t(?:Query\t |Parse\t "[^"]*" )"(?P<text>.*)"', re.MULTILINE)


def forbidden(text: str) -> list[str]:
    """Tell what a statement has that none may have."""
    return [what for what, pattern in FORBIDDEN.items() if pattern.search(text.strip())]


class Emitted:
    """Records what the connections send that pools open."""

    def __init__(self, folder: Path) -> None:
        """Keep the traces in *folder*."""
        self._folder = folder

    def watch(self, pool: Pool) -> Pool:
        """Trace every connection of *pool* from now on."""
        opening = pool._opening

        def traced() -> Any:
            connection = opening()
            # A file of its own: libpq would write over what another connection has written.
            file = (self._folder / f"trace {uuid4().hex}").open("w")
            connection.pgconn.trace(file.fileno())
            connection.pgconn.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)
            close = connection.close

            def traced_to_the_end() -> None:
                connection.pgconn.untrace()  # which writes what is still in a buffer
                close()
                file.close()

            connection.close = traced_to_the_end
            return connection

        pool._opening = traced
        return pool

    def statements(self) -> set[str]:
        """Return all that was sent by connections that are closed by now, each once."""
        return {
            found["text"]
            for file in self._folder.glob("trace *")
            for found in _SENT.finditer(file.read_text())
        }

    def check(self) -> None:
        """See that there were some, and that all of them are allowed."""
        found = self.statements()
        assert found, "nothing was sent"
        ours = sorted(found - DRIVERS_OWN)
        wrong = {text: what for text in ours if (what := forbidden(text))}
        assert not wrong, wrong


@contextmanager
def emitted(folder: Path) -> Iterator[Emitted]:
    """Trace all that stores send which are opened meanwhile, and check it in the end."""
    recorded = Emitted(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "open_pool", lambda *a, **b: recorded.watch(open_pool(*a, **b)))
        yield recorded
    recorded.check()
