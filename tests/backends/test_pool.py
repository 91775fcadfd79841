"""The pool that both SQL backends take their connections from."""

from __future__ import annotations

from weakref import ref

import pytest
from attrs import define, field

from experiment_store import BackendError, UnavailableError
from experiment_store_sql import Pool, split


@define(eq=False)
class Connection:
    closed: bool = False

    def close(self) -> None:
        self.closed = True


@define
class Opener:
    """Opens connections, unless it is broken."""

    opened: list[Connection] = field(factory=list)
    broken: bool = False

    def __call__(self) -> Connection:
        if self.broken:
            raise OSError("no route to host")
        self.opened.append(Connection())
        return self.opened[-1]


def test_the_connection_given_back_last_is_lent_first() -> None:
    pool = Pool(Opener(), idle=2)
    one, two = pool.borrow(), pool.borrow()
    pool.give_back(one, usable=True)
    pool.give_back(two, usable=True)

    assert pool.borrow() is two
    assert pool.borrow() is one


def test_no_more_connections_wait_than_were_asked_for() -> None:
    pool = Pool(opener := Opener(), idle=1)
    lent = [pool.borrow() for _ in range(3)]

    for connection in lent:
        pool.give_back(connection, usable=True)

    assert [connection.closed for connection in opener.opened] == [False, True, True]


def test_a_connection_that_died_while_it_waited_is_closed_and_the_next_one_lent() -> None:
    alive: list[Connection] = []
    pool = Pool(Opener(), idle=3, is_alive=alive.__contains__)
    first, second, third = (pool.borrow() for _ in range(3))
    for connection in (first, second, third):
        pool.give_back(connection, usable=True)
    alive.append(second)

    assert pool.borrow() is second
    assert (first.closed, third.closed) == (False, True)
    assert pool.borrow() is not first
    assert first.closed


def test_a_connection_that_is_not_usable_is_closed_and_not_lent_again() -> None:
    pool = Pool(Opener(), idle=2)
    connection = pool.borrow()

    pool.give_back(connection, usable=False)

    assert connection.closed
    assert pool.borrow() is not connection


def test_who_wants_one_more_than_there_are_is_told_so_in_time() -> None:
    pool = Pool(Opener(), idle=1, most=2, timeout=0.01)
    pool.borrow(), pool.borrow()

    with pytest.raises(UnavailableError, match=r"waited over 0\.01 seconds for a connection"):
        pool.borrow()


def test_one_that_comes_back_is_lent_to_who_waits() -> None:
    pool = Pool(Opener(), idle=0, most=1, timeout=0.01)

    for usable in (True, False, True):
        pool.give_back(pool.borrow(), usable=usable)

    assert pool.borrow()


def test_a_connection_that_was_forgotten_leaves_room_for_another() -> None:
    pool = Pool(Connection, idle=0, most=1, timeout=0.01)

    for _ in range(3):
        pool.borrow()  # and an interrupt comes before anybody has it


def test_an_interrupt_while_a_connection_is_closed_leaves_room_for_another() -> None:
    class Interrupted(Connection):
        def close(self) -> None:
            raise KeyboardInterrupt

    pool = Pool(Interrupted, idle=0, most=1, timeout=0.01)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            pool.give_back(pool.borrow(), usable=False)


def test_a_pool_that_was_forgotten_is_gone() -> None:
    pool = Pool(Connection, idle=1, most=2)
    pool.give_back(pool.borrow(), usable=True)
    permits = ref(pool._permits)

    del pool

    assert permits() is None


def test_a_connection_that_cannot_be_opened_does_not_count() -> None:
    opener = Opener(broken=True)
    pool = Pool(opener, idle=1, most=1, timeout=0.01)
    for _ in range(3):
        with pytest.raises(OSError, match="no route"):
            pool.borrow()

    opener.broken = False

    assert pool.borrow()


def test_a_closed_pool_closes_all_connections_and_lends_none() -> None:
    pool = Pool(Opener(), idle=2)
    lent, idle = pool.borrow(), pool.borrow()
    pool.give_back(idle, usable=True)

    pool.close()
    pool.close()
    pool.give_back(lent, usable=True)

    assert lent.closed
    assert idle.closed
    with pytest.raises(BackendError, match="closed"):
        pool.borrow()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///a b.db", ("sqlite:///a b.db", {})),
        ("sqlite:///x?timeout=3", ("sqlite:///x", {"timeout": "3"})),
        (
            "x://h/d?a=1&b=%2Fsrv&c=x+y&d=",
            ("x://h/d", {"a": "1", "b": "/srv", "c": "x y", "d": ""}),
        ),
        ("x://h/d?a=1&a=2", ("x://h/d", {"a": "2"})),
        ("x://h/d?", ("x://h/d", {})),
    ],
)
def test_a_url_is_split_at_its_parameters(url: str, expected: tuple[str, dict[str, str]]) -> None:
    assert split(url) == expected


def test_who_keeps_the_error_of_a_failed_opening_keeps_no_place() -> None:
    opener = Opener(broken=True)
    pool = Pool(opener, idle=1, most=1, timeout=0)

    with pytest.raises(OSError, match="no route") as kept:
        pool.borrow()
    opener.broken = False

    assert pool.borrow() is opener.opened[0]
    assert kept.value.__traceback__ is not None
