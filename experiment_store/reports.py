"""What copying, exporting and importing say of themselves: while they go on, and at the end."""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import frozen

T = TypeVar("T")


@frozen
class Progress:
    """How far a call has come.

    *task* is ``copy``, ``digest of source``, ``digest of target``, ``digest``,
    ``export`` or ``import``; *kind* is ``experiment``, ``job``, ``run`` or ``chunk``. *total*
    was counted at the start, so *done* passes it where others write meanwhile.
    """

    task: str
    kind: str
    done: int
    total: int


@frozen
class Digest:
    """The records of one kind: how many, and the SHA-256 of all their fields, in hex.

    It depends on nothing else: neither on the backend nor on the order of writing.
    """

    count: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.count} with digest {self.sha256[:12]}…"


@frozen
class Tally:
    """What became of the records of one kind: of those *read*, each was one of the others."""

    read: int
    inserted: int
    updated: int
    unchanged: int
    digest: Digest


@frozen
class PerKind(Generic[T]):
    """The same of every kind of record, in the order in which they are moved."""

    experiments: T
    jobs: T
    runs: T
    chunks: T
