"""Takes a store from version to version, one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from experiment_store.capabilities import Migration, MigrationStep, SchemaStatus
from experiment_store.errors import BackendError, MissingDriverError
from experiment_store_sql.migrations.lease import Lease, overtaken
from experiment_store_sql.migrations.site import Site
from experiment_store_sql.tables import SCHEMA_VERSION, SCHEMA_VERSION_ID
from experiment_store_sql.work import Work

if TYPE_CHECKING:
    from experiment_store_sql.migrations.steps import Step

VERSIONS = Path(__file__).parent / "versions"
"""The folder of the steps that are released."""


class SqlMigrations:
    """The migrations of one store in SQL."""

    def __init__(
        self,
        site: Site,
        *,
        find: Callable[[], str | None],
        create: Callable[[], None],
        version: str = SCHEMA_VERSION,
        folder: Path = VERSIONS,
        lease: Lease | None = None,
    ) -> None:
        """Lead to *version*; *find* tells that of the store, and *create* makes one."""
        self._site = site
        self._find = find
        self._create = create
        self._wanted = version
        self._folder = folder
        self._lease = lease or Lease(site)

    def status(self) -> SchemaStatus:
        """Compare the version of the store with that it should have."""
        return SchemaStatus(self._find(), self._wanted)

    def plan(self) -> Sequence[MigrationStep]:
        """Return what `apply` would do, but for creating a store."""
        found = self._find()
        return [] if found is None else [step.plan(self._site) for step in self._steps(found)]

    def apply(self, *, wait: float, progress: Callable[[str], None]) -> Migration:
        """Take all steps, each of which moves the version on by a compare-and-set."""
        before = self._find()
        if before is None:
            self._create()
            progress("the store was created")
        if not self._steps(self._version()):
            return Migration(before, self._wanted)
        taken: list[str] = []
        with self._lease.held(wait, self._is_over) as ours:
            found = self._version()  # others may have been at work before
            for step in self._steps(found) if ours else []:
                self._take(step, found, progress)
                taken.append(found := step.version)
                progress(f"schema {step.version}: {step.summary}")
        return Migration(before, self._wanted, tuple(taken))

    def _is_over(self) -> bool:
        return self._find() == self._wanted

    def _version(self) -> str:
        return self._find() or ""

    def _steps(self, found: str) -> list[Step]:
        if found == self._wanted:
            return []
        status = SchemaStatus(found, self._wanted)
        if not status.is_behind:
            problem = f"failed: the store has schema {found!r}, this library {self._wanted!r}"
            raise BackendError("migrate", problem)
        steps: list[Step] = _alembic().steps_between(self._folder, found, self._wanted)
        return steps

    def _take(self, step: Step, found: str, progress: Callable[[str], None]) -> None:
        atomic = step.atomic and self._site.undoes_ddl()

        def run(work: Work) -> None:
            batch = nullcontext if atomic else partial(self._transaction, work)
            step.run(self._site, work.connection, progress=progress, batch=batch)
            self._lease.check(work)
            if not work.run(self._site.replace(SCHEMA_VERSION_ID, found, step.version)):
                raise overtaken()

        self._site.write(run, atomic=atomic)

    @contextmanager
    def _transaction(self, work: Work) -> Iterator[None]:
        """Make a batch of a step that is not atomic a transaction, unless we were overtaken."""
        work.execute(self._site.dialect.begin_write)
        yield
        self._lease.check(work)
        work.execute("COMMIT")


def _alembic() -> ModuleType:
    try:
        return import_module("experiment_store_sql.migrations.steps")
    except ModuleNotFoundError as error:
        raise MissingDriverError.of("migrate", "migrate", what="Alembic") from error
