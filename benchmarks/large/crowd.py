"""What the large databases hold: made from a number, so that no list of it is ever kept.

One namespace has half of all experiments. Every experiment has five runs on
average: most have five, eleven have many, and some have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random

from experiment_store import NewExperiment, NewRun

CROWDED = "everyone"
"""The namespace with half of all experiments."""

QUIET = "project-003"
"""One of the others; a fifth of it is archived, so that its listing has something to show."""

PREFIX, FREQUENT_PREFIX = "pilot-", "canary-"
"""What 50 names begin with, however many there are, and what one in a hundred begins with."""

WORD, NO_WORD = "distilled", "overfitted"
"""What one name in a thousand contains, and what none does."""

TEAMS = 20
_PILOTS = 50
_QUIET_NAMESPACES = 499
_IN_NAMESPACE = 100  # at least, so that there are fewer of them among few rows
_STAGES = ("draft", "screening", "tuning", "candidate", "production")
_MODELS = ("resnet", "bert", "unet", "whisper", "xgboost", "mixer", "dlrm", "tabnet", "gpt", "vit")
_TASKS = ("baseline", "ablation", "finetune", "sweep", "augmented", "frozen", "pruned", "warmup")
_FAMOUS = 10  # experiments with many runs, which together have as many as the most famous one
_ARCHIVING = 2**40  # so that it has nothing to do with names


@dataclass(frozen=True)
class Crowd:
    """*experiments* of them, numbered from 0, with *runs* runs each on average."""

    experiments: int
    runs: int = 5

    def experiment(self, number: int) -> NewExperiment:
        """Make an experiment."""
        random = Random(number)
        namespace, place = self._place(number)
        return NewExperiment(
            self._name(random, number),
            namespace=namespace,
            description=f"the {number:,}th, with the cleaned labels and a longer warmup",
            labels={
                "team": f"team-{place % TEAMS:02}",
                "stage": random.choice(_STAGES),
                "seed": str(random.getrandbits(32)),
            },
        )

    def is_archived(self, number: int) -> bool:
        """Tell whether an experiment is archived after the load: one in a hundred is."""
        namespace, place = self._place(number)
        return place % 5 == 4 if namespace == QUIET else Random(_ARCHIVING + number).random() < 0.01  # noqa: PLR2004 (see the docstrings)

    def runs_of(self, number: int) -> int:
        """Tell how many runs an experiment has."""
        if number == self.most_famous:
            return self._fame
        if number % (self.experiments // _FAMOUS) == 1:
            return self._fame // _FAMOUS
        # One in ten does without, until that makes up for what those have too many.
        spared = 2 * self._fame // self.runs - _FAMOUS - 1
        return 0 if number % 10 == 0 and number < 10 * spared else self.runs

    def make_runs(self, number: int, experiment_id: str) -> Iterator[NewRun]:
        """Make the runs of an experiment."""
        random = Random(number)
        for count in range(self.runs_of(number)):
            labels = {"seed": str(random.getrandbits(32))}
            yield NewRun(experiment_id, f"run-{count}", labels=labels)

    @property
    def most_famous(self) -> int:
        """The number of the experiment that has 10,000 runs, or fewer among few experiments."""
        return self.experiments // 2 + 3

    @property
    def _fame(self) -> int:
        return min(10_000, self.experiments // 10)

    @cached_property
    def _pilots(self) -> frozenset[int]:
        return frozenset(Random(_PILOTS).sample(range(self.experiments), _PILOTS))

    @cached_property
    def _namespaces(self) -> int:
        return min(_QUIET_NAMESPACES, self.experiments // 2 // _IN_NAMESPACE)

    def _place(self, number: int) -> tuple[str, int]:
        """Return the namespace of an experiment, and how many were in it before."""
        half, rest = divmod(number, 2)
        if rest == 0:
            return CROWDED, half
        return f"project-{half % self._namespaces:03}", half // self._namespaces

    def _name(self, random: Random, number: int) -> str:
        model, task = random.choice(_MODELS), random.choice(_TASKS)
        if random.random() < 0.001:  # noqa: PLR2004 (one in a thousand)
            task = WORD
        if number in self._pilots:
            model = f"{PREFIX}{model}"
        elif random.random() < 0.01:  # noqa: PLR2004 (one in a hundred)
            model = f"{FREQUENT_PREFIX}{model}"
        return f"{model}-{task}-{number:07}"
