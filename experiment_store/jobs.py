"""The collection of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from experiment_store import lifecycle
from experiment_store.backend import Parent
from experiment_store.children import Children
from experiment_store.collection import Content
from experiment_store.names import UNSET, Unset, check_fields
from experiment_store.observing import observed
from experiment_store.records import Job, NewJob
from experiment_store.schema import JOB
from experiment_store.services import Services


class Jobs(Children[Job]):
    """The jobs of all experiments; ``store.jobs``."""

    def __init__(self, services: Services) -> None:
        """Serve jobs from the backend of *services*."""
        super().__init__(JOB, NewJob, services)

    @observed()
    def create(
        self,
        experiment_id: str,
        name: str,
        *,
        description: str = "",
        labels: Mapping[str, str] | None = None,
        enabled: bool = True,
        schedule: str = "",
        id: str | None = None,
    ) -> Job:
        """Create a job in an available experiment.

        With an *id* of the caller's, a repeated call returns what the first one made.

        Args:
            experiment_id: The experiment; the job gets its namespace.
            name: 1 to 128 code points; need not be unique.
            description: At most 4,096 code points.
            labels: At most 64; keys of 1 to 128, values of at most 512 code points.
            enabled: Whether it is at work.
            schedule: At most 4,096 code points, which mean nothing to the store.
            id: 1 to 64 visible ASCII characters.

        Raises:
            InvalidArgumentError: An argument is out of bounds.
            NotFoundError: There is no such experiment.
            FailedPreconditionError: The experiment is archived.
            AlreadyExistsError: The id is taken by other content.
        """
        new = NewJob(
            experiment_id,
            name,
            description=description,
            labels=labels,
            enabled=enabled,
            schedule=schedule,
            id=id,
        )
        return self._create_many([self._content(new)])[0]

    @observed(len)
    def create_many(self, jobs: Iterable[NewJob]) -> Sequence[Job]:
        """Create all *jobs* or none, in one atomic step (AIP-233); see `create`.

        Raises:
            InvalidArgumentError, NotFoundError, FailedPreconditionError, AlreadyExistsError:
                As of `create`, for any of them.
        """
        return self._create_many(self._contents(jobs))

    @observed()
    def update(
        self,
        id: str,
        *,
        name: str | Unset = UNSET,
        description: str | Unset = UNSET,
        labels: Mapping[str, str] | Unset = UNSET,
        schedule: str | Unset = UNSET,
        etag: str | None = None,
    ) -> Job:
        """Change what is given, and nothing else; *labels* replace all labels.

        Raises:
            InvalidArgumentError: An argument is out of bounds.
            NotFoundError: There is no such job.
            ConflictError: The job has changed since *etag* was read (AIP-154).
        """
        given = {
            "name": name,
            "description": description,
            "labels": labels,
            "schedule": schedule,
        }
        return self._assign(id, check_fields(given), etag)

    @observed()
    def enable(self, id: str, *, etag: str | None = None) -> Job:
        """Enable the job, whose experiment has to be available; idempotent.

        Raises:
            NotFoundError: There is no such job.
            FailedPreconditionError: Its experiment is archived or no longer exists.
            ConflictError: The job has changed since *etag* was read.
        """
        return self._activate(id, lifecycle.enable_job, etag, is_done=lambda job: job.enabled)

    @observed()
    def disable(self, id: str, *, etag: str | None = None) -> Job:
        """Disable the job; idempotent.

        Raises:
            NotFoundError: There is no such job.
            ConflictError: The job has changed since *etag* was read.
        """
        change = lifecycle.disable_job(self._services.stamp(), etag)
        return self._change(id, change, etag, is_done=lambda job: not job.enabled)

    def _build(self, contents: Sequence[Content]) -> tuple[Sequence[Job], Parent]:
        services = self._services
        parents = self._parents(contents)
        now = services.now()
        records = [
            Job(**services.new(content, now), namespace=parents[content["experiment_id"]])
            for content in contents
        ]
        return records, lifecycle.below_available(parents)
