"""The right to migrate: a row with an owner and an end, which its owner puts off while it works.

No advisory lock, which poolers and distributed engines do not have. A process
that dies leaves the row behind, and it runs out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import uniform
from threading import Event, Thread
from uuid import uuid4

from experiment_store.errors import UnavailableError
from experiment_store_sql.migrations.site import Site
from experiment_store_sql.statements import Call
from experiment_store_sql.work import Work

LOCK_ID = "migration_lock"
SECONDS = 60.0

_RENEWALS = 4  # in the time of a lease
_SHORTEST_WAIT, _LONGEST_WAIT = 0.05, 0.25  # seconds between two looks at another's lease


class Lease:
    """One process's right to migrate a store, for some *seconds* at a time.

    The ends are compared by the clocks of the clients, and put off when a quarter of
    the time has gone: a lease of 60 seconds bears clocks that are 45 seconds apart.
    With clocks further apart, or after a pause that is longer, somebody takes
    over too early. Even so, no step counts twice: it ends with `check` in its own
    transaction, and with a compare-and-set of the version.
    """

    def __init__(
        self, site: Site, *, seconds: float = SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        """Take nothing yet."""
        self._site = site
        self._seconds = seconds
        self._clock = clock
        self._owner = uuid4().hex

    @contextmanager
    def held(self, wait: float, is_over: Callable[[], bool]) -> Iterator[bool]:
        """Hold the lease; lend ``False`` if all *is_over* before it is had.

        Raises:
            UnavailableError: Another one has had it for more than *wait* seconds.
        """
        if not self._wait(wait, is_over):
            yield False
            return
        stop = Event()
        thread = Thread(target=self._renew_until, args=(stop,), daemon=True)
        thread.start()
        try:
            yield True
        finally:
            stop.set()
            thread.join()
            with suppress(UnavailableError):  # it runs out by itself
                self._site.change(self._site.delete_own(LOCK_ID, self._owner))

    def check(self, work: Work) -> None:
        """Renew the lease as a part of *work*: until that ends, nobody takes it.

        Raises:
            UnavailableError: Somebody has.
        """
        if not work.run(self._renewal()):
            raise overtaken()

    def take(self) -> bool:
        """Take the lease if nobody has it, or if it has run out."""
        held = self._site.read(LOCK_ID)
        if held is None:
            return bool(self._site.change(self._site.insert(LOCK_ID, self._value())))
        if held.startswith(self._owner):  # the answer to an earlier attempt was lost
            return True
        if self._clock() < _end(held):
            return False
        return bool(self._site.change(self._site.replace(LOCK_ID, held, self._value())))

    def _wait(self, seconds: float, is_over: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + seconds
        while not self._try():
            if is_over():
                return False
            if time.monotonic() > deadline:
                problem = f"waited over {seconds:g} seconds for another process that migrates"
                raise UnavailableError("migrate", problem)
            time.sleep(uniform(_SHORTEST_WAIT, _LONGEST_WAIT))  # noqa: S311 (no secret)
        return True

    def _try(self) -> bool:
        try:
            return self.take()
        except UnavailableError:  # a step of another's has the whole SQLite file to itself
            return False

    def _renew_until(self, stop: Event) -> None:
        while not stop.wait(self._seconds / _RENEWALS):
            with suppress(UnavailableError):  # the next time, perhaps
                self._site.change(self._renewal())

    def _renewal(self) -> Call:
        return self._site.replace_own(LOCK_ID, self._owner, self._value())

    def _value(self) -> str:
        return f"{self._owner} {self._clock() + self._seconds:.3f}"


def overtaken() -> UnavailableError:
    """Return the error of one whose lease somebody else has taken."""
    return UnavailableError("migrate", "was overtaken by another process")


def _end(value: str) -> float:
    """Return when a lease ends; one that nobody can read has ended."""
    try:
        return float(value.partition(" ")[2])
    except ValueError:
        return 0.0
