"""The collection of runs: what they log while they are executed, and what is read of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from experiment_store import recording
from experiment_store.backend import Change, Max, Refusal
from experiment_store.collection import ATTEMPTS
from experiment_store.errors import (
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    UnsupportedError,
    shown,
)
from experiment_store.experiments import Experiments
from experiment_store.filters.predicates import all_of
from experiment_store.mappings import ParamValue
from experiment_store.names import check_field, check_fields, is_id
from experiment_store.observing import observed
from experiment_store.points import History, Point
from experiment_store.records import Artifact, NewExperiment, NewRun, Run, RunState
from experiment_store.run_records import RunRecords
from experiment_store.schema import RUN
from experiment_store.services import Services
from experiment_store.tracking import ActiveRun
from experiment_store.tracking.active import INTERVAL

_NOT_YET = "-"  # the id of an experiment that is found or made last

LOST_AFTER = timedelta(minutes=5)
"""How old the last sign of life of a run is that is taken for lost."""


class Runs(RunRecords):
    """The runs of all experiments; ``store.runs``."""

    def __init__(self, services: Services) -> None:
        """Serve runs from the backend of *services*."""
        super().__init__(services)
        self._experiments = Experiments(services)

    @observed()
    def start(
        self,
        experiment: str,
        name: str | None = None,
        *,
        namespace: str = "",
        params: Mapping[str, ParamValue] | None = None,
        description: str = "",
        labels: Mapping[str, str] | None = None,
        job_id: str | None = None,
        id: str | None = None,
        interval: float = INTERVAL,
    ) -> ActiveRun:
        """Begin to execute a run, in an experiment that is made if there is none.

        Args:
            experiment: The name of the experiment, in *namespace*.
            name: Of the run; by default the time in UTC.
            namespace: As of `ExperimentStore.create`.
            params: As of `create`, like what follows.
            description: At most 4,096 code points.
            labels: At most 64.
            job_id: The job that makes the run, if one does.
            id: 1 to 64 visible ASCII characters; not that of any run there is.
            interval: How many seconds what is logged may wait to be written.

        Raises:
            InvalidArgumentError: An argument is out of bounds.
            FailedPreconditionError: The experiment is archived.
            AlreadyExistsError: There is a run with this id.
            UnsupportedError: The store is bound to a host's transaction.
        """
        self._check_unbound("start")
        interval = recording.check_interval(interval)
        now = self._services.now()
        new = NewRun(
            _NOT_YET,
            f"{now:%Y-%m-%d %H:%M:%S}" if name is None else name,
            description=description,
            labels=labels,
            state=RunState.RUNNING,
            started_at=now,
            job_id=job_id,
            params=params,
            heartbeat_at=now,
            id=id,
        )
        content = self._content(new)  # so that what is refused makes no experiment
        new_experiment = NewExperiment(experiment, namespace=namespace)
        found = self._experiments._create(new_experiment, is_found_too=True)  # noqa: SLF001 (create would be told of as a call)
        [run] = self._create_many([{**content, "experiment_id": found.id}])
        return self._activate_run(run, interval)

    @observed()
    def resume(self, id: str, *, interval: float = INTERVAL) -> ActiveRun:
        """Go on to execute a run, whatever has become of it; steps count on.

        Raises:
            NotFoundError: There is no such run.
            UnsupportedError: The store is bound to a host's transaction.
        """
        self._check_unbound("resume")
        interval = recording.check_interval(interval)
        given = {
            "state": RunState.RUNNING,
            "finished_at": None,
            "error": "",
            "heartbeat_at": Max(self._services.now()),
        }
        return self._activate_run(self._assign(id, given, None), interval)

    @observed()
    def append(self, id: str, points: Mapping[str, History | Iterable[Point]]) -> Run:
        """Add *points* to the histories of metrics, all or none; nothing is ever replaced.

        For programs that get points from elsewhere; a program that executes the run
        itself has `start`. It is a sign of life, too.

        Args:
            id: The run, in whatever state.
            points: By metric, of which a run has at most 1,000, named by 1 to 128 code
                points: steps are integers of 64 bits, values are kept bit for bit.

        Raises:
            InvalidArgumentError: An argument is out of bounds.
            NotFoundError: There is no such run.
        """
        return recording.write(self._services, recording.make_batch(self._services, id, points))

    @observed(len)
    def history(self, id: str, metric: str, *, points: int | None = None) -> History:
        """Read the points of a metric, in the order of step and time; none of an unknown one.

        Args:
            id: The run.
            metric: The metric's name.
            points: The most that are returned, at least 4: the first, the last, the
                smallest and the largest of every part of the history. ``None`` for all.

        Raises:
            NotFoundError: There is no such run.
            InvalidArgumentError: *metric* could be no name, or *points* is out of bounds.
            BackendError: The history is damaged.
        """
        check_field("metric", metric)
        self._get(id)
        history = recording.read(self._services, id, metric)
        return history if points is None else history.thinned(points)

    @observed()
    def link(self, id: str, artifact: Artifact) -> Run:
        """Record a link, in the place of one with the same name if there is such.

        Raises:
            InvalidArgumentError: It is out of bounds, or the 65th.
            NotFoundError: There is no such run.
        """
        [artifact] = check_field("artifacts", (artifact,))
        for _ in range(ATTEMPTS):
            run = self._get(id)
            others = [other for other in run.artifacts if other.name != artifact.name]
            with suppress(ConflictError):
                given = check_fields({"artifacts": (*others, artifact)})
                return self._assign(id, given, run.etag)
        self._give_up("link")

    @observed()
    def beat(self, id: str) -> None:
        """Show that somebody executes the run; its etag stays, as nothing else has changed.

        Raises:
            NotFoundError: There is no such run.
        """
        change = Change({"heartbeat_at": Max(self._services.now())})
        with suppress(OutcomeUnknownError):  # the next one will do
            if not is_id(id) or self._backend.update(self._kind, id, change) is Refusal.MISSING:
                raise NotFoundError(RUN.name, {"id": shown(id)})

    @observed(len)
    def reap(self, *, age: timedelta = LOST_AFTER) -> Sequence[Run]:
        """Mark as FAILED the runs that nobody executes any more, and return them.

        They are RUNNING, and their last sign of life is older than *age*; that was when
        they finished. Runs that have never shown any are left alone. What `start` makes
        shows one every 15 seconds.

        Raises:
            InvalidArgumentError: *age* is no time span, or none.
        """
        cutoff = recording.time_before(self._services.now(), age)
        where = all_of(recording.lost_runs(cutoff))
        lost = list(self._iterate({}, where, "", None))
        marked = (recording.mark_lost(self._services, run, cutoff) for run in lost)
        return [run for run in marked if run is not None]

    def _activate_run(self, run: Run, interval: float) -> ActiveRun:
        return ActiveRun(run, self._services, self, interval=interval)

    def _check_unbound(self, verb: str) -> None:
        if self._services.is_bound:
            raise UnsupportedError(verb, "a store inside a transaction")
