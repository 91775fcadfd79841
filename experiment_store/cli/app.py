"""The tree of commands, and what becomes of their errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from experiment_store.cli import (
    comparing,
    doctor,
    experiments,
    jobs,
    linking,
    migrations,
    moves,
    options,
    plotting,
    reaping,
    runs,
    serving,
)
from experiment_store.cli.exits import CLOSED, FAILED, code_of
from experiment_store.cli.failures import told
from experiment_store.cli.helping import example, exit_codes
from experiment_store.cli.output import (
    ReaderGoneError,
    complain,
    finish,
    make_streams_safe,
    say,
    silence,
)
from experiment_store.errors import ExperimentStoreError

PROGRAM = "experiment-store"

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


def _version(wanted: bool) -> None:  # noqa: FBT001 (Typer hands options over by position)
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 (as long as all the rest)

        say(f"{PROGRAM} {version('experiment-store')}")
        raise typer.Exit


@app.callback(epilog=f"{example('list --store lab.db')}\n\n{exit_codes()}")
def experiment_store(
    *,
    store: options.Store = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which it is.")
    ] = False,
) -> None:
    """Keep machine learning experiments, with their runs and jobs, in one store."""


for part in (comparing, linking, plotting, reaping):
    runs.commands.add_typer(part.commands)
# A module with commands is one line here, or a word above.
app.add_typer(experiments.commands)
app.add_typer(runs.commands, name="runs", help="The runs of experiments.")
app.add_typer(jobs.commands, name="jobs", help="The jobs of experiments.")
app.add_typer(moves.commands)
app.add_typer(migrations.commands, name="migrate", help="Bring an older store up to date.")
app.add_typer(doctor.commands)
app.add_typer(serving.commands)


def run(arguments: Sequence[str]) -> int:
    """Do what *arguments* say; return the exit code."""
    make_streams_safe()
    try:
        code = _invoke(arguments or ["--help"])
        finish()
    except ReaderGoneError:
        silence()
        return CLOSED
    except OSError as error:
        silence()
        complain(told(error))
        return FAILED
    return code


def _invoke(arguments: Sequence[str]) -> int:
    """Let Typer call the command; tell what went wrong."""
    command = typer.main.get_command(app)
    try:
        # Typer returns what the command does, and the code of an Exit.
        code: int | None = command(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except (typer.TyperException, ExperimentStoreError, OSError) as error:
        complain(told(error))
        return error.exit_code if isinstance(error, typer.TyperException) else code_of(error)
    return code or 0
