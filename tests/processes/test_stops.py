"""PostgreSQL crashes under load, and comes back: no answer was wrong, and writers go on."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

from tests.processes.audit import Audit
from tests.processes.databases import Postgres, examine, names, opening_at_once
from tests.processes.processes import writing
from tests.servers import private_server

_WRITERS, _THREADS = 3, 2


def test_writers_outlive_crashes_of_the_server_which_keeps_all_that_they_were_told(
    tmp_path: Path, seed: str, *, soaking: bool
) -> None:
    random = Random(seed)
    audit = Audit()
    stops = 20 if soaking else 2

    with private_server(durable=True) as server:
        database = Postgres(f"{server.url}&schema=crashes", server.url)
        with writing(database.url(random), tmp_path, names(0, _WRITERS), seed, _THREADS) as writers:
            for _ in range(stops):
                for writer in writers:
                    writer.pass_over()
                    # More than all threads had begun before: so they go on.
                    writer.wait_for(_THREADS + random.randrange(1, 50))
                time.sleep(random.uniform(0, 0.02))  # as in test_kills.py
                server.crash()
                server.start()
            for writer in writers:
                writer.pass_over()
                writer.wait_for(_THREADS + 1)
            for writer in writers:
                writer.finish()
            journals = [writer.journal() for writer in writers]
        with opening_at_once(database) as store:
            audit.check(journals, examine(database, store))

    print(f"{stops} stops; {audit.tally}")  # noqa: T201 (shown with -s)
