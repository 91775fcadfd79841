"""Writers are killed at random moments: what they were told is kept, the rest is whole or not."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

from tests.processes.audit import Audit
from tests.processes.databases import Database, examine, names, opening_at_once
from tests.processes.operations import UNKNOWN
from tests.processes.processes import writing

_THREADS = 3


def test_what_killed_writers_were_told_is_kept_and_the_rest_is_whole_or_not_there(
    database: Database, tmp_path: Path, seed: str, *, soaking: bool
) -> None:
    random = Random(seed)
    audit = Audit()
    kills, longest = 0, 0.0

    while kills < (200 if soaking else 5):
        count = random.choice((1, 1, 2, 3))
        with writing(
            database.url(random), tmp_path, names(kills, count), seed, _THREADS
        ) as writers:
            for writer in writers:
                writer.wait_for(random.randrange(2, 80))
            alive = list(writers)
            while alive:
                # Not to wait for anything: so that it dies at any moment after an answer.
                time.sleep(random.uniform(0, 0.01))
                alive.pop(random.randrange(len(alive))).kill()
                kills += 1
                for survivor in alive:
                    survivor.pass_over()
                    survivor.wait_for(2 * _THREADS)
            journals = [writer.journal() for writer in writers]

        began = time.perf_counter()
        with opening_at_once(database) as store:
            longest = max(longest, time.perf_counter() - began)
            database.settle()
            audit.check(journals, examine(database, store))

    assert not audit.tally[UNKNOWN]
    print(f"{kills} kills, opened within {longest * 1000:.0f} ms; {audit.tally}")  # noqa: T201 (shown with -s)


def test_a_store_opens_at_once_whose_creation_was_killed(
    database: Database, tmp_path: Path, seed: str, *, soaking: bool
) -> None:
    random = Random(seed)
    kills, unmade = 100 if soaking else 2, 0

    for number in range(kills):
        with writing(database.url(random), tmp_path, names(number, 1), seed, 1) as [writer]:
            writer.wait_for(1)
            time.sleep(random.uniform(0, 0.05))
            writer.kill()
            unmade += not writer.journal()
        with opening_at_once(database) as store:
            database.settle()
            Audit().check([writer.journal()], examine(database, store))
        database.remove()

    print(f"{kills} kills, {unmade} of them before the first operation")  # noqa: T201 (as above)
