"""Steps as Alembic has them: read from a folder, run on a connection of ours, or written down.

The step gets Alembic's operations as an argument. Alembic's own `op` is one for
the whole process, and a host may be in the middle of a migration of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from io import StringIO
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError
from attrs import frozen
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from experiment_store.capabilities import MigrationStep
from experiment_store.errors import BackendError
from experiment_store_sql.migrations.ground import Ground
from experiment_store_sql.migrations.site import Site


@frozen
class Step:
    """A module of a version: its ``upgrade``, and ``atomic = False`` if it is no transaction."""

    _script: Script

    @property
    def version(self) -> str:
        """The version it leads to."""
        return self._script.revision

    @property
    def summary(self) -> str:
        """The first line of its docstring."""
        return self._script.doc

    @property
    def atomic(self) -> bool:
        """Whether it has to be one transaction, where the database can have one."""
        return bool(getattr(self._script.module, "atomic", True))

    def run(
        self,
        site: Site,
        connection: Any,
        *,
        progress: Callable[[str], None],
        batch: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Take the step on a *connection* of the driver.

        Raises:
            BackendError: Something that the step builds on is not there.
            Exception: That of the driver, as the driver raised it.
        """
        engine = _engine_on(connection, site.dialect.engine)
        try:
            with engine.connect() as bind:
                context = MigrationContext.configure(bind)
                self._script.module.upgrade(_ground(site, context, progress, batch))
        except DBAPIError as error:
            raise error.orig or error from error
        except (SQLAlchemyError, CommandError) as error:
            raise BackendError("migrate", f"failed: {error}") from error

    def plan(self, site: Site) -> MigrationStep:
        """Write down the statements, as far as they do not depend on what they find."""
        written = _Statements()
        context = MigrationContext.configure(
            dialect_name=site.dialect.engine.partition("+")[0],
            opts={"as_sql": True, "literal_binds": True, "output_buffer": written},
        )
        try:
            self._script.module.upgrade(_ground(site, context, written.note, nullcontext))
        except CommandError:  # a table of SQLite's has to be copied, whatever it is like
            written.write("-- the rest is known once it runs")
        return MigrationStep(self.version, self.summary, tuple(written.statements))


def steps_between(folder: Path, found: str, wanted: str) -> list[Step]:
    """Return the steps in *folder* from the version *found* to that *wanted*, in order.

    Raises:
        BackendError: None lead there.
    """
    directory = ScriptDirectory(str(folder), version_locations=[str(folder)])
    scripts = {script.revision: script for script in directory.walk_revisions()}
    versions = [str(number) for number in range(int(found) + 1, int(wanted) + 1)]
    if not {found, *versions} <= scripts.keys():
        problem = f"failed: no steps lead from schema {found} to {wanted}"
        raise BackendError("migrate", problem)
    return [Step(scripts[version]) for version in versions]


def _ground(
    site: Site,
    context: MigrationContext,
    progress: Callable[[str], None],
    batch: Callable[[], AbstractContextManager[None]],
) -> Ground:
    return Ground(
        Operations(context),
        schema=site.schema,
        prefix=site.prefix,
        progress=progress,
        batch=batch,
    )


def _engine_on(connection: Any, name: str) -> Engine:
    """Let SQLAlchemy speak on a *connection* whose transactions are ours to begin and to end."""
    engine = create_engine(f"{name}://", creator=lambda: connection, poolclass=NullPool)
    for ending in ("do_commit", "do_rollback", "do_close", "do_terminate"):
        setattr(engine.dialect, ending, _leave)
    return engine


def _leave(connection: Any) -> None:
    """Leave *connection* as it is."""


class _Statements(StringIO):
    """Collects the statements that Alembic writes, one at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.statements: list[str] = []

    def write(self, text: str) -> int:
        self.statements.append(text.strip())
        return len(text)

    def note(self, sentence: str) -> None:
        """Say nothing: nothing was done."""
