"""Processes that die in the middle of a step, and many that migrate at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from experiment_store import Migration, UnavailableError
from experiment_store_sql.migrations import Site
from tests.migrations.databases import Database, expected
from tests.migrations.interrupting import VARIABLE
from tests.migrations.later import LAST, NEW, LastingDdl, migrate

ROOT = Path(__file__).parent.parent.parent
PROCESSES = 8

_released: Barrier


@pytest.mark.parametrize(
    ("step", "site"), [("3", Site), ("4", Site), ("5", Site), ("3", LastingDdl)]
)
def test_a_step_that_was_killed_is_taken_by_the_next_one(
    site: type[Site], step: str, database: Database
) -> None:
    url = database.restore("2")
    before = str(int(step) - 1)
    migrate(url, before)
    shape = database.shape(url)

    kill_in(step, url, lasting=site is LastingDdl)

    assert database.rows("value", "settings WHERE id = 'schema_version'") == [(before,)]
    assert (database.shape(url) == shape) == (site is Site)
    if step == "4":  # the first of its batches is done, the second is not
        assert database.rows("rank, count(*)", "experiments GROUP BY rank") == [(7, 6), (8, 4)]
    with pytest.raises(UnavailableError, match="waited"):
        migrate(url, site=site)
    steps = tuple(str(number) for number in range(int(step), int(LAST) + 1))
    assert migrate(url, site=site, clock=later_by(61)) == Migration(before, LAST, steps)
    assert database.shape(url) >= NEW[type(database)]
    assert database.rows("id, note, rank", "experiments") == [
        (experiment["id"], experiment["name"], 8) for experiment in expected("2")["experiments"]
    ]


def test_of_eight_processes_one_takes_each_step(
    processes: Pool,
    database: Database,
    soaking: bool,  # noqa: FBT001 (a fixture)
) -> None:
    for _ in range(50 if soaking else 2):
        url = database.restore("2")

        done = processes.map(migrate_together, [url] * PROCESSES, chunksize=1)

        assert {migration.after for migration in done} == {LAST}
        assert sorted(step for migration in done for step in migration.steps) == ["3", "4", "5"]
        assert database.rows("DISTINCT rank", "experiments") == [(8,)]
        assert database.rows("count(*)", "settings WHERE id = 'migration_lock'") == [(0,)]
        database.drop()


def release_together(barrier: Barrier) -> None:
    """Remember, in a new process, what all wait for."""
    global _released  # noqa: PLW0603 (a pool hands its processes nothing else)
    _released = barrier


def migrate_together(url: str) -> Migration:
    """Migrate at the moment when all do."""
    _released.wait(60)
    return migrate(url, wait=60)


@pytest.fixture(scope="module")
def processes() -> Iterator[Pool]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    with context.Pool(PROCESSES, release_together, (barrier,)) as pool:
        yield pool
        pool.close()
        pool.join()


def kill_in(step: str, url: str, *, lasting: bool = False) -> None:
    """Let a process migrate, and kill it in the middle of *step*."""
    command = [sys.executable, "-m", "tests.migrations.later", url, step]
    with subprocess.Popen(
        [*command, "--lasting-ddl"] if lasting else command,
        cwd=ROOT,
        env={**os.environ, VARIABLE: step},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"reached {step}\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def later_by(seconds: float) -> Callable[[], float]:
    """A clock that is ahead."""
    return lambda: time.time() + seconds
