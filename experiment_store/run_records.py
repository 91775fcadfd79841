"""Runs as records: making, changing and archiving them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from experiment_store import lifecycle
from experiment_store.backend import Parent
from experiment_store.children import Children
from experiment_store.collection import Content
from experiment_store.mappings import NO_METRICS, ParamValue
from experiment_store.names import UNSET, Unset, check_fields
from experiment_store.observing import observed
from experiment_store.records import Artifact, NewRun, Run, RunState, StorageState
from experiment_store.schema import RUN
from experiment_store.services import Services


class RunRecords(Children[Run]):
    """The runs of all experiments, whoever executes them."""

    def __init__(self, services: Services) -> None:
        """Serve runs from the backend of *services*."""
        super().__init__(RUN, NewRun, services)

    @observed()
    def create(
        self,
        experiment_id: str,
        name: str,
        *,
        description: str = "",
        labels: Mapping[str, str] | None = None,
        state: RunState | str = RunState.PENDING,
        started_at: datetime | None = None,
        finished_at: datetime | None = None,
        job_id: str | None = None,
        params: Mapping[str, ParamValue] | None = None,
        artifacts: Sequence[Artifact] = (),
        error: str = "",
        heartbeat_at: datetime | None = None,
        id: str | None = None,
    ) -> Run:
        """Create a run in an available experiment, whose last run it becomes.

        With an *id* of the caller's, a repeated call returns what the first one made.

        Args:
            experiment_id: The experiment; the run gets its namespace.
            name: 1 to 128 code points; need not be unique.
            description: At most 4,096 code points.
            labels: At most 64; keys of 1 to 128, values of at most 512 code points.
            state: How far the run has come.
            started_at: When it started, aware; kept as given, whatever *state* says.
            finished_at: When it finished, likewise.
            job_id: The job that made it, if one did; kept as given.
            params: At most 256; keys of 1 to 128 code points; values are text of at most
                512 code points, integers and floats of 64 bits, or bools, and stay so.
            artifacts: At most 64 links with different names: names of 1 to 128, URIs of 1
                to 2,048, digests of at most 256 code points, sizes in bytes.
            error: At most 4,096 code points.
            heartbeat_at: When whoever executes it has last said so, aware; see `beat`.
            id: 1 to 64 visible ASCII characters.

        Raises:
            InvalidArgumentError: An argument is out of bounds.
            NotFoundError: There is no such experiment.
            FailedPreconditionError: The experiment is archived.
            AlreadyExistsError: The id is taken by other content.
        """
        new = NewRun(
            experiment_id,
            name,
            description=description,
            labels=labels,
            state=state,
            started_at=started_at,
            finished_at=finished_at,
            job_id=job_id,
            params=params,
            artifacts=artifacts,
            error=error,
            heartbeat_at=heartbeat_at,
            id=id,
        )
        return self._create_many([self._content(new)])[0]

    @observed(len)
    def create_many(self, runs: Iterable[NewRun]) -> Sequence[Run]:
        """Create all *runs* or none, in one atomic step (AIP-233); see `create`.

        Raises:
            InvalidArgumentError, NotFoundError, FailedPreconditionError, AlreadyExistsError:
                As of `create`, for any of them.
        """
        return self._create_many(self._contents(runs))

    @observed()
    def update(
        self,
        id: str,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        labels: Mapping[str, str] | Unset = UNSET,
        state: RunState | str | Unset = UNSET,
        started_at: datetime | Unset | None = UNSET,
        finished_at: datetime | Unset | None = UNSET,
        params: Mapping[str, ParamValue] | Unset = UNSET,
        artifacts: Sequence[Artifact] | Unset = UNSET,
        error: str | Unset = UNSET,
        etag: str | None = None,
    ) -> Run:
        """Change what is given, and nothing else.

        *labels* replace all labels; *params* and *artifacts* do likewise. Metrics are
        logged, see `start`.

        The store records states and times as they are reported: every state may
        follow every other, and ``None`` makes a time absent.

        Raises:
            InvalidArgumentError: An argument is out of bounds.
            NotFoundError: There is no such run.
            ConflictError: The run has changed since *etag* was read (AIP-154).
        """
        given = {
            "name": name,
            "description": description,
            "labels": labels,
            "state": state,
            "started_at": started_at,
            "finished_at": finished_at,
            "params": params,
            "artifacts": artifacts,
            "error": error,
        }
        return self._assign(id, check_fields(given), etag)

    @observed()
    def archive(self, id: str, *, etag: str | None = None) -> Run:
        """Archive the run; idempotent.

        Raises:
            NotFoundError: There is no such run.
            ConflictError: The run has changed since *etag* was read.
        """
        change = lifecycle.archive_run(self._services.stamp(), etag)
        return self._change(
            id, change, etag, is_done=lambda run: run.storage_state is StorageState.ARCHIVED
        )

    @observed()
    def unarchive(self, id: str, *, etag: str | None = None) -> Run:
        """Make the run available, as its experiment has to be; idempotent.

        Raises:
            NotFoundError: There is no such run.
            FailedPreconditionError: Its experiment is archived or no longer exists.
            ConflictError: The run has changed since *etag* was read.
        """
        return self._activate(
            id,
            lifecycle.unarchive_run,
            etag,
            is_done=lambda run: run.storage_state is StorageState.AVAILABLE,
        )

    def _build(self, contents: Sequence[Content]) -> tuple[Sequence[Run], Parent]:
        services = self._services
        parents = self._parents(contents)
        now = services.now()
        records = [
            Run(
                **services.new(content, now),
                namespace=parents[content["experiment_id"]],
                storage_state=StorageState.AVAILABLE,
                metrics=NO_METRICS,
            )
            for content in contents
        ]
        return records, lifecycle.new_runs(parents, services.stamp(now), now)
