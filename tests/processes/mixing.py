"""What a writer does next: a random mix of all calls that change something."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any, TypeVar

from experiment_store import ExperimentStore
from tests.processes.operations import DONE, LOAD_EXPERIMENTS, LOAD_RUNS, Answer, Operation

SHARED = "shared"
"""The namespace in which all writers meet; every other one belongs to one thread."""

SHARED_EXPERIMENTS = [f"shared-{number}" for number in range(4)]

T = TypeVar("T")

_ENOUGH = 25  # experiments of one thread: from there on, it deletes more than it makes
_LOADS = (2, 10, 60, 300)
_NAMES = [f"name-{number}" for number in range(8)]
_WORDS = ["", "red", "grün", "蓝", "a'b\"c%d_e", "x" * 200]


class OwnMix:
    """Operations in a namespace that no other thread writes to.

    The ids are those that were there, and those made since; some of the records
    are gone, and the store will say so.
    """

    def __init__(self, random: Random, scope: str, store: ExperimentStore | None = None) -> None:
        """Begin with what *store* has in the namespace, or with nothing."""
        self._random = random
        self.scope = scope
        self._etags: dict[str, str] = {}
        self._runs: list[str] = []
        self._jobs: list[str] = []
        if store is not None:
            self._etags = {found.id: found.etag for found in store.iterate(namespace=scope)}
            self._runs = [found.id for found in store.runs.iterate(namespace=scope)]
            self._jobs = [found.id for found in store.jobs.iterate(namespace=scope)]

    def next(self, key: str) -> Operation:
        """Draw an operation."""
        if not self._etags:
            return self._operation(key, "create", self._new(key))
        if len(self._etags) > _ENOUGH and self._random.random() < 0.5:
            return self._operation(key, "delete", self._deletion())
        calls: list[tuple[int, Callable[[str], tuple[str, Mapping[str, Any]]]]] = [
            (6, lambda key: ("create", self._new(key))),
            (2, lambda _: ("create", {**self._new(""), "if_exists": "return"})),
            (1, lambda _: (LOAD_EXPERIMENTS, {"count": self._random.choice(_LOADS[:2])})),
            (6, lambda _: ("update", self._update())),
            (6, lambda _: ("archive", self._experiment())),
            (5, lambda _: ("unarchive", self._experiment())),
            (2, lambda _: ("delete", self._deletion())),
            (12, lambda key: ("runs.create", self._child(key))),
            (6, lambda _: (LOAD_RUNS, self._load())),
            (5, lambda key: ("jobs.create", self._child(key))),
        ]
        if self._runs:
            calls += [
                (6, lambda _: ("runs.update", {**self._run(), "state": "RUNNING", **self._text()})),
                (2, lambda _: ("runs.archive", self._run())),
                (2, lambda _: ("runs.unarchive", self._run())),
                (2, lambda _: ("runs.delete", self._run())),
            ]
        if self._jobs:
            calls += [
                (2, lambda _: ("jobs.update", {**self._job(), "schedule": "@daily"})),
                (3, lambda _: ("jobs.enable", self._job())),
                (2, lambda _: ("jobs.disable", self._job())),
                (1, lambda _: ("jobs.delete", self._job())),
            ]
        return self._operation(key, *_draw(self._random, calls)(key))

    def learn(self, operation: Operation, answer: Answer) -> None:
        """Remember what the *answer* tells of ids and etags."""
        id = operation.arguments.get("id", operation.key)
        if answer.what == "NotFoundError":
            self._forget(id)
        if answer.outcome != DONE:
            return
        match operation.call:
            case "create" | "update" | "archive" | "unarchive":
                self._etags[answer.what["id"]] = answer.what["etag"]
            case "load experiments":
                made = [f"{operation.key}-{n}" for n in range(operation.arguments["count"])]
                self._etags |= dict.fromkeys(made, operation.key)
            case "runs.create" | "load runs":
                self._etags |= dict.fromkeys(operation.parents, operation.key)
                self._runs += operation.made()
            case "jobs.create":
                self._jobs.append(id)
            case "delete" | "runs.delete" | "jobs.delete":
                self._forget(id)
            case _:
                pass  # nothing that later operations depend on

    def _forget(self, id: str) -> None:
        self._etags.pop(id, None)
        self._runs = [run for run in self._runs if run != id]
        self._jobs = [job for job in self._jobs if job != id]

    def _operation(self, key: str, call: str, arguments: Mapping[str, Any]) -> Operation:
        return Operation(key, self.scope, time.time_ns() // 1000, call, arguments)

    def _new(self, key: str) -> Mapping[str, Any]:
        name = key or self._random.choice(_NAMES)
        given = {"id": key} if key and self._random.random() < 0.5 else {}
        return {"name": name, "namespace": self.scope, **self._text(), **given}

    def _child(self, key: str) -> Mapping[str, Any]:
        given = {"id": key} if self._random.random() < 0.5 else {}
        return {"experiment_id": self._pick(self._etags), "name": key, **self._text(), **given}

    def _load(self) -> Mapping[str, Any]:
        parents = {self._pick(self._etags) for _ in range(self._random.choice((1, 1, 3)))}
        return {"parents": sorted(parents), "count": self._random.choice(_LOADS)}

    def _update(self) -> Mapping[str, Any]:
        id = self._pick(self._etags)
        given = {"etag": self._etags[id]} if self._random.random() < 0.5 else {}
        renamed = {"name": self._random.choice(_NAMES)} if self._random.random() < 0.3 else {}
        return {"id": id, **self._text(), **renamed, **given}

    def _deletion(self) -> Mapping[str, Any]:
        children = self._random.choices(("delete", "keep", "refuse"), (10, 1, 2))
        return {**self._experiment(), "children": children[0]}

    def _experiment(self) -> Mapping[str, Any]:
        return {"id": self._pick(self._etags)}

    def _run(self) -> Mapping[str, Any]:
        return {"id": self._pick(self._runs)}

    def _job(self) -> Mapping[str, Any]:
        return {"id": self._pick(self._jobs)}

    def _text(self) -> Mapping[str, Any]:
        keys = self._random.sample(("colour", "größe", "a.b/c"), self._random.randrange(4))
        labels = {key: self._random.choice(_WORDS) for key in keys}
        return {"description": self._random.choice(_WORDS), "labels": labels}

    def _pick(self, ids: Iterable[str]) -> str:
        return self._random.choice(list(ids))


class SharedMix:
    """Operations on a few experiments that all threads of all writers change."""

    scope = SHARED

    def __init__(self, random: Random) -> None:
        """Know of no jobs yet."""
        self._random = random
        self._jobs = ["none"]

    def next(self, key: str) -> Operation:
        """Draw an operation."""
        one, other = self._random.sample(SHARED_EXPERIMENTS, 2)
        child = {"experiment_id": one, "name": key, "labels": {"of": key}}
        count = self._random.choice(_LOADS[:3])
        calls: list[tuple[int, tuple[str, Mapping[str, Any]]]] = [
            (4, ("create", {"name": one, "namespace": SHARED, "id": one})),
            (4, ("archive", {"id": one})),
            (6, ("unarchive", {"id": one})),
            (1, ("delete", {"id": one, "children": "delete"})),
            (8, ("runs.create", child)),
            (4, (LOAD_RUNS, {"parents": [one, other], "count": count})),
            (3, ("jobs.create", child)),
            (4, ("jobs.enable", {"id": self._random.choice(self._jobs)})),
        ]
        call, arguments = _draw(self._random, calls)
        if call == "jobs.create":
            self._jobs.append(key)
        return Operation(key, SHARED, time.time_ns() // 1000, call, arguments)


def _draw(random: Random, weighted: Sequence[tuple[int, T]]) -> T:
    weights, values = zip(*weighted, strict=True)
    drawn: T = random.choices(values, weights)[0]
    return drawn
