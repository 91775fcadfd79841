"""Checks of what runs do to an experiment; the test has made it, and a run in it, beforehand."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.kfp.arranged import IDLE, RAN, SEEDED
from tests.kfp.checks import Check, same
from tests.kfp.face import EPOCH, Face, Seen
from tests.kfp.predicates import predicate_text


def experiments_are_ordered_by_their_last_runs(face: Face) -> None:
    up = face.list(namespace=SEEDED, sort_by="last_run_created_at")
    down = face.list(namespace=SEEDED, sort_by="last_run_created_at desc")

    same([seen.name for seen in up.items], [IDLE, RAN])
    same([seen.name for seen in down.items], [RAN, IDLE])


def experiments_are_found_by_their_last_runs(face: Face) -> None:
    predicate = {"key": "last_run_created_at", face.operation: "GREATER_THAN"}

    for value in ({"timestamp_value": EPOCH}, {"long_value": 0}, {"int_value": 0}):
        page = face.list(namespace=SEEDED, filter=predicate_text(predicate | value))
        same([seen.name for seen in page.items], [RAN], str(value))


def only_v2_shows_the_last_run(face: Face) -> None:
    ran, idle = _seeded(face)

    if face.operation == "op":
        same((ran.last_run_created_at, idle.last_run_created_at), (None, None))
        return
    same(idle.last_run_created_at, datetime.fromisoformat(EPOCH))
    assert ran.last_run_created_at is not None
    assert ran.created_at <= ran.last_run_created_at <= datetime.now(UTC), ran


def archiving_takes_the_runs_along(face: Face) -> None:
    """Archive the experiment that has run; the test then looks at the run."""
    ran, _ = _seeded(face)

    face.act("archive", ran.id)

    after, _ = _seeded(face)
    same(after.last_run_created_at, ran.last_run_created_at)


def _seeded(face: Face) -> tuple[Seen, Seen]:
    ran, idle = face.list(namespace=SEEDED, sort_by="name desc").items
    same((ran.name, idle.name), (RAN, IDLE))
    return ran, idle


CHECKS: tuple[Check, ...] = (
    experiments_are_ordered_by_their_last_runs,
    experiments_are_found_by_their_last_runs,
    only_v2_shows_the_last_run,
    archiving_takes_the_runs_along,
)
