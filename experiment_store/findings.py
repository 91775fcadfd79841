"""What an examination of a store finds: of every check one finding at least, good or bad."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from attrs import define, field, frozen

from experiment_store.errors import BackendError, quote

NAMED = 5
"""How many ids stand in a sentence."""


class Verdict(StrEnum):
    """How a check has ended: a *warning* is worth a look, a *problem* wants something done."""

    OK = "OK"
    WARNING = "WARNING"
    PROBLEM = "PROBLEM"


@frozen
class Finding:
    """What a *check* has found, in a sentence with figures, and what to do about it.

    *check* is a word such as ``version`` or ``indexes``, of those in docs/doctor.md.
    *advice* is a sentence, or a statement to run; empty where nothing has to be done.
    """

    check: str
    verdict: Verdict
    found: str
    advice: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether nothing has to be done."""
        return self.verdict is Verdict.OK


@define
class Found:
    """Records that were found by a check: how many, and the first ids."""

    count: int = 0
    ids: list[str] = field(factory=list)

    def add(self, id: str) -> None:
        """Count one more."""
        self.count += 1
        if len(self.ids) < NAMED:
            self.ids.append(id)

    def __bool__(self) -> bool:
        return self.count > 0

    def __str__(self) -> str:
        more = ", …" if self.count > len(self.ids) else ""
        return f"{self.count} ({', '.join(map(quote, self.ids))}{more})"


def ok(check: str, found: str) -> Finding:
    """Return that all is well."""
    return Finding(check, Verdict.OK, found)


def warning(check: str, found: str, advice: str) -> Finding:
    """Return what is worth a look."""
    return Finding(check, Verdict.WARNING, found, advice)


def problem(check: str, found: str, advice: str) -> Finding:
    """Return what wants something done."""
    return Finding(check, Verdict.PROBLEM, found, advice)


def unseen(check: str) -> Finding:
    """Return that a check could not be made, because of what others have found."""
    advice = "do what the other findings advise, and examine the store again"
    return warning(check, "not looked at, since what it needs cannot be read", advice)


def guarded(check: str, examine: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Make a check; that the backend fails in the middle of it is a finding, too."""
    try:
        yield from examine()
    except BackendError as error:
        advice = "mend what the error says, or restore a backup; docs/failures.md has the reasons"
        yield problem(check, str(error), advice)
