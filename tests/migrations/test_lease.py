"""The right to migrate: one has it, it runs out unless it is renewed, and it leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from experiment_store import Migration, UnavailableError
from experiment_store_sql import SqlBackend
from experiment_store_sql.migrations import Lease, Site
from experiment_store_sql.work import Work
from tests.migrations.databases import Database, Sqlite
from tests.migrations.later import migrate, migrations_of, opened

LOCK = "settings WHERE id = 'migration_lock'"


class Clock:
    """Stands still until it is moved; tells how often it was read."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.was_read = Event()

    def __call__(self) -> float:
        self.was_read.set()
        return self.now


@pytest.fixture
def backend(database: Database) -> Iterator[SqlBackend]:
    database.restore("2")
    with opened(database.url) as backend:
        yield backend


@pytest.fixture
def site(backend: SqlBackend) -> Site:
    return Site(backend._steps, backend._dialect)


def test_one_has_it_and_no_other(site: Site) -> None:
    clock = Clock()

    assert Lease(site, clock=clock).take()
    assert not Lease(site, clock=clock).take()


def test_it_is_free_again_when_it_was_given_back(site: Site, database: Database) -> None:
    with Lease(site).held(0, never) as ours:
        assert ours
        assert len(database.rows("value", LOCK)) == 1

    assert database.rows("value", LOCK) == []
    assert Lease(site).take()


def test_it_is_given_back_after_an_error(site: Site, database: Database) -> None:
    with pytest.raises(ZeroDivisionError), Lease(site).held(0, never):
        raise ZeroDivisionError

    assert database.rows("value", LOCK) == []


@pytest.mark.parametrize(("seconds", "is_free"), [(59.99, False), (60.01, True), (1e6, True)])
def test_it_runs_out(seconds: float, is_free: bool, site: Site) -> None:  # noqa: FBT001 (a case)
    clock = Clock()
    Lease(site, clock=clock, seconds=60).take()

    clock.now += seconds

    assert Lease(site, clock=clock).take() == is_free


def test_who_has_it_is_told_so_again(site: Site) -> None:
    lease = Lease(site)

    assert lease.take()
    assert lease.take()


def test_one_that_nobody_can_read_has_run_out(site: Site) -> None:
    assert site.change(site.insert("migration_lock", "by hand"))

    assert Lease(site).take()


def test_who_renews_it_keeps_it(site: Site) -> None:
    clock = Clock()
    lease = Lease(site, clock=clock, seconds=60)
    lease.take()

    for _ in range(4):
        clock.now += 50
        site.write(lease.check, atomic=True)

    assert not Lease(site, clock=clock).take()


def test_who_has_lost_it_is_told_and_does_not_give_it_back(site: Site, database: Database) -> None:
    clock = Clock()
    late, quick = Lease(site, clock=clock), Lease(site, clock=clock)
    with late.held(0, never):
        clock.now += 61
        assert quick.take()

        with pytest.raises(UnavailableError, match="overtaken"):
            site.write(late.check, atomic=True)

    assert len(database.rows("value", LOCK)) == 1
    site.write(quick.check, atomic=True)


def test_of_two_who_find_it_run_out_one_takes_it(site: Site) -> None:
    clock = Clock()
    Lease(site, clock=clock).take()
    clock.now += 61
    first, second = Lease(site, clock=clock), Lease(site, clock=clock)

    assert [first.take(), second.take()] == [True, False]


def test_it_is_renewed_while_its_owner_works(site: Site) -> None:
    with Lease(site, seconds=0.02).held(0, never):
        first = site.read("migration_lock")
        while site.read("migration_lock") == first:
            pass

        assert (site.read("migration_lock") or "").split()[0] == (first or "").split()[0]


def test_who_waits_too_long_is_told(site: Site) -> None:
    Lease(site).take()

    with (
        pytest.raises(UnavailableError, match="for another process that migrates"),
        Lease(site).held(0.1, never),
    ):
        pass


def test_who_waits_has_nothing_to_do_once_all_is_over(
    backend: SqlBackend, site: Site, database: Database
) -> None:
    Lease(site, clock=Clock()).take()
    clock = Clock()
    waiting = migrations_of(backend, clock=clock)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(waiting.apply, wait=60, progress=lambda _: None)
        clock.was_read.wait(60)
        database.execute("UPDATE settings SET value = '5' WHERE id = 'schema_version'")

    assert done.result() == Migration(before="2", after="5", steps=())
    assert len(database.rows("value", LOCK)) == 1


def test_who_waits_goes_on_where_the_other_has_stopped(
    backend: SqlBackend, site: Site, database: Database
) -> None:
    migrate(database.url, "3")
    clock = Clock()
    waiting = migrations_of(backend, "4", clock=clock)

    with ThreadPoolExecutor(1) as pool, Lease(site, clock=Clock()).held(0, never):
        done = pool.submit(waiting.apply, wait=60, progress=lambda _: None)
        clock.was_read.wait(60)

    assert done.result() == Migration(before="3", after="4", steps=("4",))


def test_a_file_that_is_busy_is_waited_for(tmp_path: Path) -> None:
    """As it is while another process takes a long step, be its lease over or not."""
    url = f"{Sqlite(tmp_path).restore('1')}?timeout=0.01"
    clock = Clock()
    with opened(url) as one, opened(url) as two:
        first, second = (Site(each._steps, each._dialect) for each in (one, two))
        lease = Lease(first, clock=clock)
        lease.take()
        clock.now += 61

        def take_a_step(work: Work) -> None:
            with (
                pytest.raises(UnavailableError, match="for another process that migrates"),
                Lease(second, clock=clock).held(0.1, never),
            ):
                pass
            lease.check(work)

        first.write(take_a_step, atomic=True)


def never() -> bool:
    """All is never over."""
    return False
