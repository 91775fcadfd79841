"""Copying: what becomes of a record depends on what the target has, and on nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count, pairwise
from math import inf, nan
from typing import Any, TypeVar

import pytest
from attrs import astuple, evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import experiment_store
from experiment_store import (
    AlreadyExistsError,
    ConflictError,
    CopyDiffersError,
    ExperimentStore,
    InvalidArgumentError,
    OutcomeUnknownError,
    PerKind,
    Progress,
    UnavailableError,
)
from experiment_store.backend import Change, Parent, Refusal
from experiment_store.moving.merging import Merge
from experiment_store.moving.walking import batches, weighed
from experiment_store.records import (
    Artifact,
    Experiment,
    Labels,
    Metric,
    Metrics,
    Params,
    RunState,
    Setting,
    StorageState,
)
from experiment_store.schema import CHUNK, EXPERIMENT, JOB, RUN, SETTING, Kind, R
from experiment_store.testing.samples import (
    NOON,
    TICK,
    chunk,
    dump,
    experiment,
    job,
    refill,
    run,
)
from experiment_store_memory import MemoryBackend

T = TypeVar("T")

LATER = NOON + TICK

_LINK = Artifact("model", "s3://bucket/model")
_METRICS = Metrics(loss=Metric(nan, inf, -inf, 1, 1))
_MORE = Metrics(loss=Metric(nan, -inf, inf, 2, 2))


def backend_of(*experiments: Experiment, **others: Sequence[Any]) -> MemoryBackend:
    """A backend that keeps these records."""
    backend = MemoryBackend()
    refill(backend, {"experiment": experiments, **others})
    return backend


def copy(source: MemoryBackend, target: MemoryBackend) -> PerKind[experiment_store.Tally]:
    return experiment_store.copy(ExperimentStore(source), ExperimentStore(target))


def names(backend: MemoryBackend) -> list[str]:
    return [record.name for record in dump(backend)["experiment"]]


def test_everything_arrives_as_it_is() -> None:
    source = backend_of(
        experiment("e", labels=Labels(a="1"), storage_state=StorageState.ARCHIVED),
        run=[run("r", of="gone", state=RunState.FAILED, started_at=NOON, metrics=_METRICS)],
        job=[job("j", enabled=False)],
        chunk=[chunk("c", of="r"), chunk("d", of="gone")],
    )
    target = MemoryBackend()

    said = copy(source, target)

    assert dump(target) == dump(source)
    assert [tally.inserted for tally in astuple(said, recurse=False)] == [1, 1, 1, 2]


def test_a_second_copy_finds_everything_and_changes_nothing() -> None:
    source = backend_of(
        experiment("e"), experiment("f"), run=[run("r")], job=[job("j")], chunk=[chunk("c")]
    )
    target = MemoryBackend()
    first = copy(source, target)
    before = dump(target)

    second = copy(source, target)

    assert dump(target) == before
    assert second.experiments == evolve(first.experiments, inserted=0, unchanged=2)
    assert second.runs == evolve(first.runs, inserted=0, unchanged=1)
    assert (second.jobs.updated, second.jobs.unchanged) == (0, 1)
    assert second.chunks == evolve(first.chunks, inserted=0, unchanged=1)


@pytest.mark.parametrize(
    ("kind", "earlier", "later"),
    [
        (EXPERIMENT, experiment("x"), {"name": "new", "description": "d"}),
        (EXPERIMENT, experiment("x"), {"last_run_created_at": NOON, "updated_at": LATER}),
        (EXPERIMENT, experiment("x", last_run_created_at=NOON), {"last_run_created_at": LATER}),
        (EXPERIMENT, experiment("x"), {"storage_state": StorageState.ARCHIVED}),
        (EXPERIMENT, experiment("x"), {"etag": "2"}),
        (RUN, run("x", started_at=NOON), {"started_at": None, "job_id": "j"}),
        (RUN, run("x"), {"labels": Labels(a="1"), "state": RunState.FAILED}),
        (RUN, run("x"), {"params": Params(a=1), "error": "gone", "artifacts": (_LINK,)}),
        (RUN, run("x", params=Params(a=1)), {"params": Params(a=True), "etag": "2"}),
        (RUN, run("x", metrics=_METRICS), {"metrics": _MORE, "heartbeat_at": NOON}),
        (JOB, job("x", labels=Labels(a="1")), {"labels": Labels(), "enabled": False}),
    ],
)
def test_an_earlier_state_is_brought_up_to_date(
    kind: Kind[Any], earlier: Any, later: Mapping[str, Any]
) -> None:
    source, target = MemoryBackend(), MemoryBackend()
    source.insert(kind, [evolve(earlier, **later)])
    target.insert(kind, [earlier])

    said = copy(source, target)

    assert dump(target) == dump(source)
    assert said.experiments.updated + said.runs.updated + said.jobs.updated == 1


@pytest.mark.parametrize(
    ("there", "coming"),
    [
        ({"updated_at": LATER}, {}),
        ({"updated_at": LATER}, {"last_run_created_at": LATER}),
        ({"last_run_created_at": NOON}, {}),
        ({"last_run_created_at": LATER}, {"last_run_created_at": NOON, "updated_at": LATER}),
    ],
)
def test_later_changes_of_the_target_are_not_overwritten(
    there: Mapping[str, Any], coming: Mapping[str, Any]
) -> None:
    target = backend_of(experiment("e", **there))
    before = dump(target)

    with pytest.raises(ConflictError, match="experiment 'e' has changed since etag 'of-source'"):
        copy(backend_of(experiment("e", etag="of-source", **coming)), target)

    assert dump(target) == before


@pytest.mark.parametrize(("there", "coming"), [(NOON, None), (LATER, NOON)])
def test_what_has_been_logged_since_is_not_overwritten(
    there: datetime, coming: datetime | None
) -> None:
    source, target = MemoryBackend(), MemoryBackend()
    source.insert(RUN, [run("r", metrics=_METRICS, heartbeat_at=coming, etag="of-source")])
    target.insert(RUN, [run("r", metrics=_MORE, heartbeat_at=there)])
    before = dump(target)

    with pytest.raises(ConflictError, match="run 'r' has changed since etag 'of-source'"):
        copy(source, target)

    assert dump(target) == before


@pytest.mark.parametrize(
    "change", [{"points": "A" * 64}, {"run_id": "s"}, {"metric": "acc"}, {"created_at": LATER}]
)
def test_another_part_of_a_history_with_the_same_id_is_not_overwritten(
    change: Mapping[str, Any],
) -> None:
    source, target = MemoryBackend(), MemoryBackend()
    source.insert(CHUNK, [evolve(chunk("x"), **change)])
    target.insert(CHUNK, [chunk("x")])

    with pytest.raises(AlreadyExistsError, match=r"^chunk id 'x' already exists$"):
        copy(source, target)

    assert dump(target)["chunk"] == [chunk("x")]


def test_records_are_written_together_by_what_they_weigh() -> None:
    text, link = "x" * 512, Artifact("n" * 100, "u" * 1_900)
    params = Params({f"{n:0128}": text for n in range(250)})
    metrics = Metrics({f"{n:0100}": Metric(0.0, 0.0, 0.0, 0, 1) for n in range(800)})
    heavy: list[dict[str, Any]] = [
        {"params": params},
        {"metrics": metrics},
        {"artifacts": (link,) * 64},
    ]
    largest = [run(f"{kind}{n:03}", **held) for n in range(100) for kind, held in enumerate(heavy)]

    together = list(map(len, batches(weighed(RUN, largest))))

    assert sum(together) == 300
    assert max(together) <= 30  # of some 150,000 code points each


@pytest.mark.parametrize(
    ("kind", "there", "coming"),
    [
        (EXPERIMENT, experiment("x"), {"namespace": "other"}),
        (EXPERIMENT, experiment("x"), {"created_at": NOON - TICK}),
        (RUN, run("x"), {"experiment_id": "f"}),
        (JOB, job("x"), {"namespace": "other"}),
    ],
)
def test_another_record_with_the_same_id_is_not_overwritten(
    kind: Kind[Any], there: Any, coming: Mapping[str, Any]
) -> None:
    source, target = MemoryBackend(), MemoryBackend()
    source.insert(kind, [evolve(there, **coming, updated_at=LATER)])
    target.insert(kind, [there])
    before = dump(target)

    with pytest.raises(AlreadyExistsError, match=f"^{kind.name} id 'x' already exists$"):
        copy(source, target)

    assert dump(target) == before


def test_a_name_that_another_record_keeps_is_told_after_all_the_others_are_there() -> None:
    source = backend_of(experiment("a", name="x"), experiment("b"))
    target = backend_of(experiment("own", name="x"))

    with pytest.raises(
        AlreadyExistsError, match=r"^experiment namespace '', name 'x' already exists$"
    ):
        copy(source, target)

    assert names(target) == ["b", "x"]


def test_a_name_that_is_wanted_by_a_change_is_told_as_taken() -> None:
    source = backend_of(experiment("a", name="x", updated_at=LATER))
    target = backend_of(experiment("a"), experiment("own", name="x"))
    before = dump(target)

    with pytest.raises(AlreadyExistsError, match="name 'x' already exists"):
        copy(source, target)

    assert dump(target) == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["x", "y"], ["y", "x"]),
        (["x", "y", "z"], ["y", "z", "x"]),
        (["x", "y", "z"], ["y", "z", "new"]),
        (["x", "y"], ["old", "x"]),
        (["x"], ["old", "x"]),
        (["x"], ["y", "x"]),
    ],
)
@pytest.mark.parametrize("ids", ["abc", "cba"])
def test_names_may_have_been_exchanged(before: list[str], after: list[str], ids: str) -> None:
    target = backend_of(*map(experiment_named, ids, before))
    renamed = map(experiment_named, ids, after)
    source = backend_of(*(evolve(record, updated_at=LATER) for record in renamed))

    copy(source, target)

    assert dump(target) == dump(source)


def experiment_named(id: str, name: str) -> Experiment:
    return experiment(id, name=name)


def test_nothing_is_renamed_for_one_that_cannot_have_its_name() -> None:
    source = backend_of(
        experiment("a", name="taken", updated_at=LATER),
        experiment("b", name="a", updated_at=LATER),
    )
    target = backend_of(experiment("a"), experiment("b"), experiment("own", name="taken"))
    before = dump(target)

    with pytest.raises(AlreadyExistsError, match="name 'taken' already exists"):
        copy(source, target)

    assert dump(target) == before


def test_very_many_names_that_are_taken_are_told_early() -> None:
    numbers = range(1_000)
    source = backend_of(*(experiment(f"a-{n:04}", name=f"{n}") for n in numbers), job=[job()])
    target = backend_of(*(experiment(f"b-{n:04}", name=f"{n}") for n in numbers))

    with pytest.raises(AlreadyExistsError, match="name '0' already exists"):
        copy(source, target)


def test_a_record_of_the_targets_own_is_left_there_and_told() -> None:
    source, target = backend_of(experiment("e")), backend_of(experiment("e"), experiment("own"))

    with pytest.raises(CopyDiffersError) as caught:
        copy(source, target)

    assert (caught.value.kind, caught.value.source.count, caught.value.target.count) == (
        "experiment", 1, 2,
    )  # fmt: skip
    assert names(target) == ["e", "own"]


def test_a_source_that_changes_meanwhile_is_told_and_copied_by_the_next_call() -> None:
    source, target = backend_of(experiment("b"), run=[run("r")]), MemoryBackend()

    def write(progress: Progress) -> None:
        if progress == Progress("copy", "run", 1, 1):
            source.insert(EXPERIMENT, [experiment("a")])

    with pytest.raises(CopyDiffersError, match="the source has changed meanwhile"):
        experiment_store.copy(ExperimentStore(source), ExperimentStore(target), progress=write)
    said = copy(source, target)

    assert (said.experiments.inserted, said.experiments.unchanged) == (1, 1)
    assert dump(target) == dump(source)


def test_page_tokens_and_keys_of_the_source_are_valid_in_the_target() -> None:
    source = ExperimentStore(backend_of(experiment("a"), experiment("b")))
    token = source.list(page_size=1).next_page_token
    key = source.key("mine")
    target = ExperimentStore(MemoryBackend())

    experiment_store.copy(source, target)

    assert [found.id for found in target.list(page_token=token).items] == ["b"]
    assert target.key("mine") == key


def test_a_key_that_the_target_has_made_stays() -> None:
    source, target = ExperimentStore(MemoryBackend()), ExperimentStore(MemoryBackend())
    source.key("mine")
    key = target.key("mine")

    experiment_store.copy(source, target)

    assert ExperimentStore(target._backend).key("mine") == key


def test_what_a_backend_says_of_itself_stays_where_it_is() -> None:
    source = MemoryBackend()
    source.insert(SETTING, [Setting("schema_version", "7")])
    target = MemoryBackend()

    copy(source, target)

    assert target.get(SETTING, "schema_version") is None


def test_a_store_can_be_copied_to_itself() -> None:
    backend = backend_of(experiment("e"), run=[run("r")])
    before = dump(backend)

    said = copy(backend, backend)

    assert said.experiments.unchanged == 1
    assert dump(backend) == before


def test_progress_is_told_at_least_once_for_a_thousand_records() -> None:
    told: list[Progress] = []
    source = backend_of(*(experiment(f"{n:04}") for n in range(2_500)), job=[job()])

    experiment_store.copy(ExperimentStore(source), "memory://", progress=told.append)

    assert [(p.task, p.done, p.total) for p in told if p.kind == "experiment"][:4] == [
        ("copy", 0, 2_500), ("copy", 1_000, 2_500), ("copy", 2_000, 2_500), ("copy", 2_500, 2_500),
    ]  # fmt: skip
    assert {p.task for p in told} == {"copy", "digest of source", "digest of target"}
    for task in ("digest of source", "digest of target"):
        done = [p.done for p in told if (p.task, p.kind) == (task, "experiment")]
        assert max(b - a for a, b in pairwise(done)) <= 1_000
        assert (done[0], done[-1]) == (0, 2_500)


@pytest.mark.parametrize("store", [7, None, b"memory://"])
def test_what_is_no_store_is_refused(store: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="store must be a store or a URL, not"):
        experiment_store.digest(store)


class Forgetful(MemoryBackend):
    """A backend that does the first insert and the first update, and loses the answers."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: set[str] = set()

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        return self._lose("insert", super().insert(kind, records, parent))

    def update(self, kind: Kind[R], id: str, change: Change) -> R | Refusal:
        outcome: R | Refusal = super().update(kind, id, change)
        return self._lose("update", outcome)

    def _lose(self, call: str, answer: T) -> T:
        if call in self.lost:
            self.lost.remove(call)
            raise OutcomeUnknownError(call, "lost its answer")
        return answer


@pytest.mark.parametrize("etag", ["1", "2"])
def test_a_lost_answer_is_no_obstacle(etag: str) -> None:
    source = backend_of(experiment("e", description="new", etag=etag), experiment("f"))
    target = Forgetful()
    target.insert(EXPERIMENT, [experiment("e")])
    target.lost = {"insert", "update"}

    said = copy(source, target)

    assert dump(target) == dump(source)
    assert (said.experiments.inserted, said.experiments.updated) == (1, 1)
    assert target.lost == set()


class Meddled(MemoryBackend):
    """A backend with others who act just before its next writes."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[Callable[[], object]] = []

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        self._let_them_act()
        return super().insert(kind, records, parent)

    def update(self, kind: Kind[R], id: str, change: Change) -> R | Refusal:
        self._let_them_act()
        return super().update(kind, id, change)

    def _let_them_act(self) -> None:
        if self.acts:
            act = self.acts.pop(0)
            acts, self.acts = self.acts, []
            act()
            self.acts = acts


@pytest.mark.parametrize("before", [0, 1])
def test_two_copies_at_once_do_not_disturb_each_other(before: int) -> None:
    source = backend_of(experiment("e"), run=[run(f"{n}") for n in range(5)])
    target = Meddled()
    target.acts += [*[lambda: None] * before, lambda: copy(source, target)]

    said = copy(source, target)

    assert dump(target) == dump(source)
    assert (said.experiments.inserted, said.experiments.unchanged) == (before, 1 - before)
    assert (said.runs.inserted, said.runs.unchanged) == (0, 5)


def test_who_brings_the_same_record_up_to_date_meanwhile_is_no_obstacle() -> None:
    source = backend_of(experiment("e", description="new", etag="2"))
    target = Meddled()
    target.insert(EXPERIMENT, [experiment("e")])
    target.acts.append(lambda: copy(source, target))

    said = copy(source, target)

    assert dump(target) == dump(source)
    assert (said.experiments.updated, said.experiments.unchanged) == (0, 1)


def test_a_record_that_is_deleted_in_the_target_meanwhile_is_inserted() -> None:
    source = backend_of(experiment("e", description="new", etag="2"))
    target = Meddled()
    target.insert(EXPERIMENT, [experiment("e")])
    target.acts.append(lambda: target.delete(EXPERIMENT, "e", Change()))

    said = copy(source, target)

    assert said.experiments.inserted == 1


def test_a_change_of_the_target_meanwhile_is_not_overwritten() -> None:
    source = backend_of(experiment("e", etag="2"))
    target = Meddled()
    target.insert(EXPERIMENT, [experiment("e")])
    target.acts.append(
        lambda: target.update(EXPERIMENT, "e", Change({"etag": "3", "updated_at": LATER}))
    )

    with pytest.raises(ConflictError):
        copy(source, target)


def test_a_record_that_never_stays_as_it_was_seen_is_given_up() -> None:
    source = backend_of(experiment("e", description="new"))
    target = Meddled()
    target.insert(EXPERIMENT, [experiment("e")])
    etags = map(str, count(2))
    target.acts += [
        lambda: target.update(EXPERIMENT, "e", Change({"etag": next(etags)})) for _ in range(100)
    ]

    with pytest.raises(UnavailableError, match="copy of experiment gave up: it changes too fast"):
        copy(source, target)


def test_a_name_that_is_free_by_the_time_it_is_asked_for_is_had() -> None:
    source = backend_of(experiment("a", name="x"))
    target = Meddled()
    target.insert(EXPERIMENT, [experiment("own", name="x")])
    target.acts += [
        lambda: None,
        lambda: target.delete(EXPERIMENT, "own", Change()),
    ]

    copy(source, target)

    assert dump(target) == dump(source)


def test_a_name_that_is_taken_again_at_the_last_moment_is_told() -> None:
    source = backend_of(*(experiment(i, name=n, updated_at=LATER) for i, n in ("ay", "bx")))
    target = Meddled()
    target.insert(EXPERIMENT, [experiment("a", name="x"), experiment("b", name="y")])

    def take() -> None:
        target.insert(EXPERIMENT, [experiment("own", name="y")])

    nobody: list[Callable[[], object]] = [lambda: None] * 6  # two tries of two, and two stopgaps
    target.acts += [*nobody, take]

    with pytest.raises(AlreadyExistsError, match="name 'y' already exists"):
        copy(source, target)


_verbs = st.sampled_from(("create", "rename", "archive", "unarchive", "run", "job", "finish"))
_steps = st.lists(
    st.tuples(_verbs, st.integers(0, 5), st.sampled_from("xyz")) | st.just("copy"), max_size=25
)


@settings(suppress_health_check=[*settings().suppress_health_check, HealthCheck.filter_too_much])
@given(_steps)
def test_whatever_happens_between_copies_the_last_one_makes_both_equal(steps: list[Any]) -> None:
    ticks = count()
    source = ExperimentStore(
        MemoryBackend(),
        clock=lambda: NOON + timedelta(seconds=next(ticks)),
        new_id=map("{:02}".format, (n * 37 % 100 for n in count())).__next__,
    )
    target = ExperimentStore(MemoryBackend())

    for step in [*steps, "copy"]:
        if step == "copy":
            experiment_store.copy(source, target)
            assert dump(target._backend) == dump(source._backend)
        else:
            happen(source, *step)


def happen(store: ExperimentStore, verb: str, number: int, name: str) -> None:
    """Let something happen to one of the experiments, unless it is refused."""
    known = store.list(order_by="created_at").items
    one = known[number % len(known)].id if known else "none"
    calls: Mapping[str, Callable[[], object]] = {
        "create": lambda: store.create(name),
        "rename": lambda: store.update(one, name=name, labels={name: "1"}),
        "archive": lambda: store.archive(one),
        "unarchive": lambda: store.unarchive(one),
        "run": lambda: store.runs.create(one, name),
        "job": lambda: store.jobs.create(one, name),
        "finish": lambda: [
            store.runs.update(run.id, state="SUCCEEDED") for run in store.runs.iterate()
        ],
    }
    with contextlib.suppress(experiment_store.ExperimentStoreError):
        calls[verb]()


def test_two_records_of_one_name_in_one_batch_are_refused_by_that_name() -> None:
    merge = Merge(MemoryBackend(), EXPERIMENT)
    merge.add([experiment("a", name="mnist"), experiment("b", name="mnist")])

    with pytest.raises(AlreadyExistsError, match="mnist"):
        merge.finish()
