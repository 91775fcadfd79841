"""What is stored and asked for: the same rows for every subject, in every run.

Imports the standard library only, as subjects live in other environments too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import NamedTuple

TEXT = "distilled"
"""What the filtered list looks for; one name in a hundred contains it."""

_NAMESPACES = 500
_TEAMS = 20
_STAGES = ("draft", "screening", "tuning", "candidate", "production")
_MODELS = ("resnet", "bert", "unet", "whisper", "xgboost", "mixer", "dlrm", "tabnet", "gpt", "vit")
_TASKS = ("baseline", "ablation", "finetune", "sweep", "augmented", "frozen", "pruned", "warmup")
_WHY = (
    "learning rate halved after the plateau at epoch thirty",
    "same data, larger batch, to see whether the loss still falls",
    "repeats last week's best with another seed and no dropout",
    "first try with the cleaned labels, otherwise unchanged",
    "as discussed: cosine schedule, label smoothing, longer warmup",
)
_FIRST_MILLISECOND = 1_767_225_600_000  # 2026-01-01


class Row(NamedTuple):
    """An experiment to be stored."""

    id: str
    namespace: str
    name: str
    description: str
    labels: dict[str, str]


class RunRow(NamedTuple):
    """A run to be stored."""

    id: str
    name: str
    labels: dict[str, str]


@dataclass(frozen=True)
class Workload:
    """*rows* experiments, and *archives* of them with *runs* runs each."""

    rows: int = 100_000
    archives: int = 10
    batch: int = 10_000

    @property
    def runs(self) -> int:
        """How many runs an archived experiment has: as many runs in all as experiments."""
        return self.rows // self.archives

    def experiments(self) -> Sequence[Row]:
        """Return all rows, in the order of their creation, which is that of their ids."""
        return _experiments(self.rows)

    def fresh(self, number: int) -> Row:
        """Return a row that is not among the others, without an id; *number* counts from 0.

        Its name does not contain `TEXT`, so that what is found stays what it was.
        """
        return _row(Random(number), self.rows + number, "", marked=False)

    def runs_of(self, number: int) -> Sequence[RunRow]:
        """Return the runs of the experiment that is archived as the *number*-th."""
        random = Random(-1 - number)
        base = self.rows + number * self.runs
        return [
            RunRow(_uuid7(random, base + i), f"run-{i}", {"seed": str(random.getrandbits(32))})
            for i in range(self.runs)
        ]


@lru_cache(maxsize=1)  # every subject is given the same
def _experiments(rows: int) -> Sequence[Row]:
    random = Random(rows)
    return [_row(random, number, _uuid7(random, number)) for number in range(rows)]


def _row(random: Random, number: int, id: str, *, marked: bool = True) -> Row:
    middle = TEXT if marked and number % 100 == 37 else random.choice(_TASKS)  # noqa: PLR2004 (one in 100)
    return Row(
        id,
        f"project-{number % _NAMESPACES:03}",
        f"{random.choice(_MODELS)}-{middle}-{number:07}",
        f"{random.choice(_WHY)} ({number % 97})",
        {
            "team": f"team-{random.randrange(_TEAMS):02}",
            "stage": random.choice(_STAGES),
            "seed": str(random.getrandbits(32)),
        },
    )


def _uuid7(random: Random, number: int) -> str:
    """Return a UUID of version 7 (RFC 9562), two in a millisecond, in the order of *number*."""
    moment, late = divmod(number, 2)
    high = late << 11 | random.getrandbits(11)
    low = 0b10 << 62 | random.getrandbits(62)
    text = f"{_FIRST_MILLISECOND + moment:012x}7{high:03x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
