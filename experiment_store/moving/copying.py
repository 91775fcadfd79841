"""Copying: everything that one backend keeps, into another one, by their contract alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from experiment_store.backend import Backend
from experiment_store.errors import CopyDiffersError
from experiment_store.moving.digests import digest_of
from experiment_store.moving.merging import Merge
from experiment_store.moving.walking import batches, count, per_kind, walk, weighed
from experiment_store.reports import Digest, PerKind, Progress, Tally
from experiment_store.schema import SETTING, Kind
from experiment_store.services import is_key

Tell = Callable[[Progress], None]


def copy_all(source: Backend, target: Backend, tell: Tell) -> PerKind[Tally]:
    """Copy keys and records, then read both sides again and compare them.

    Raises:
        AlreadyExistsError, ConflictError: As `Merge` says.
        CopyDiffersError: The two sides differ at the end.
    """
    _copy_keys(source, target)
    merges = per_kind(lambda kind: _copy(source, target, kind, tell))
    digests = per_kind(lambda kind: _compare(source, target, kind, tell))
    return PerKind(
        merges.experiments.tally(digests.experiments),
        merges.jobs.tally(digests.jobs),
        merges.runs.tally(digests.runs),
        merges.chunks.tally(digests.chunks),
    )


def _copy_keys(source: Backend, target: Backend) -> None:
    """Give *target* the keys that it lacks: page tokens of *source* stay valid there.

    A key that it has stays, as somebody may hold what was sealed with it.
    """
    for setting in chain.from_iterable(walk(source, SETTING)):
        if is_key(setting.id):
            target.insert(SETTING, [setting])


def _copy(source: Backend, target: Backend, kind: Kind[Any], tell: Tell) -> Merge[Any]:
    total, merge = count(source, kind), Merge(target, kind)
    tell(Progress("copy", kind.name, 0, total))
    records = chain.from_iterable(walk(source, kind))
    for batch in batches(weighed(kind, records)):
        merge.add(batch)
        tell(Progress("copy", kind.name, merge.read, total))
    merge.finish()
    return merge


def _compare(source: Backend, target: Backend, kind: Kind[Any], tell: Tell) -> Digest:
    ours = digest_of(source, kind, "digest of source", tell)
    theirs = digest_of(target, kind, "digest of target", tell)
    if ours != theirs:
        raise CopyDiffersError(kind.name, ours, theirs)
    return ours
