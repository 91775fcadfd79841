"""Asks all sides the same in turns, and compares how long they take.

Sides alternate within a round, and the round's order alternates too, so that
what disturbs the machine disturbs all of them. A ratio is the median over the
rounds of the ratios within them. Imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import monotonic

from benchmarks.scenarios import Answer, Scenario
from benchmarks.session import Contestant

_SHARED = "name"  # every description has it


class WrongAnswerError(Exception):
    """A side answers otherwise than the floor, so its time means nothing."""


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    The slowest side of a round takes about *seconds*. There are *rounds* of them,
    but none begins after *patience*.
    """

    seconds: float = 0.05
    rounds: int = 15
    patience: float = 60.0


@dataclass(frozen=True)
class Measurement:
    """Seconds per operation and ratios to the floor, by the title of the side."""

    scenario: str
    seconds: Mapping[str, float]
    ratios: Mapping[str, float]


def measure(
    scenario: Scenario, floor: Contestant, others: Sequence[Contestant], effort: Effort
) -> Measurement:
    """Check that the answers agree, then time them in turns.

    Raises:
        WrongAnswerError: They do not agree.
    """
    sides = [floor, *(other for other in others if other.offers(scenario.name))]
    _check(scenario, sides)
    count = _count(scenario, sides, effort)
    rounds: list[dict[str, float]] = []
    end = monotonic() + effort.patience
    for number in range(min(scenario.rounds, effort.rounds)):
        if rounds and monotonic() > end:
            break
        shift = number % len(sides)
        turns = sides[shift:] + sides[:shift]
        rounds.append({side.title: side.time(scenario.name, count) for side in turns})
    return summary(scenario.name, floor.title, rounds)


def summary(scenario: str, floor: str, rounds: Sequence[Mapping[str, float]]) -> Measurement:
    """Reduce the seconds of each round to medians, and to medians of the ratios."""
    sides = rounds[0]
    return Measurement(
        scenario,
        {side: median(times[side] for times in rounds) for side in sides},
        {side: median(times[side] / times[floor] for times in rounds) for side in sides},
    )


def agree(one: Answer, other: Answer) -> bool:
    """Tell whether what both describe is the same."""
    return len(one) == len(other) and all(
        _SHARED in mine.keys() & its.keys()
        and all(mine[part] == its[part] for part in mine.keys() & its.keys())
        for mine, its in zip(one, other, strict=True)
    )


def _check(scenario: Scenario, sides: Sequence[Contestant]) -> None:
    floor, *others = sides
    expected = floor.answer(scenario.name)
    for other in others:
        if not agree(expected, other.answer(scenario.name)):
            raise WrongAnswerError(f"{scenario.name}: {floor.title} and {other.title} disagree")


def _count(scenario: Scenario, sides: Sequence[Contestant], effort: Effort) -> int:
    """Choose how many operations a round has, by trying a few.

    The first try is not looked at: it opens connections and fills caches.
    """
    if scenario.most == 1:
        return 1
    few = 2 * scenario.step
    for side in sides:
        side.time(scenario.name, few)
    slowest = max(side.time(scenario.name, few) for side in sides)
    fitting = min(int(effort.seconds / slowest), scenario.most)
    return max(fitting // scenario.step, 1) * scenario.step
