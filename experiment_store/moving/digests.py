"""Digests: the same for two stores if they keep the same records, on whatever backends.

The digest of a kind is the SHA-256 of the canonical texts of its records, in the
order of their ids, with a line feed after each.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from experiment_store.backend import Backend
from experiment_store.moving.walking import count, walk
from experiment_store.moving.wire import writer
from experiment_store.reports import Digest, Progress
from experiment_store.schema import Kind


class Summing:
    """Adds up the texts of records that come in the order of their ids."""

    def __init__(self) -> None:
        """Begin with none."""
        self._count = 0
        self._sum = sha256()

    def add(self, text: bytes) -> None:
        """Add the canonical text of the next record."""
        self._count += 1
        self._sum.update(text + b"\n")

    @property
    def digest(self) -> Digest:
        """The digest of what has been added so far."""
        return Digest(self._count, self._sum.hexdigest())


def digest_of(
    backend: Backend, kind: Kind[Any], task: str, tell: Callable[[Progress], None]
) -> Digest:
    """Read all records of *kind*, and digest them."""
    total, summing, write = count(backend, kind), Summing(), writer(kind)
    tell(Progress(task, kind.name, 0, total))
    for records in walk(backend, kind):
        for record in records:
            summing.add(write(record))
        tell(Progress(task, kind.name, summing.digest.count, total))
    return summing.digest
