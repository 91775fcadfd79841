"""``experiment-store migrate``: the same as ``python -m experiment_store.migrate``."""

from __future__ import annotations

from typing import Annotated

import typer

from experiment_store.cli import options
from experiment_store.cli.helping import example
from experiment_store.cli.opening import named_url
from experiment_store.cli.output import say
from experiment_store.cli.progress import Bar
from experiment_store.cli.texts import escaped
from experiment_store.migrate import WAIT, actions, opened

commands = typer.Typer()


@commands.command(epilog=example("migrate status --store lab.db"))
def status(store: options.Store = None) -> None:
    """Say which schema the store has, and which this release needs."""
    with opened(named_url(store)) as migrations:
        code = actions.status(migrations, say)
    raise typer.Exit(code)


@commands.command(epilog=example("migrate plan --store lab.db"))
def plan(store: options.Store = None) -> None:
    """Say which steps lead there, as far as they are known before they run."""
    with opened(named_url(store)) as migrations:
        actions.plan(migrations, say)


@commands.command(epilog=example("backup old.db --store lab.db", "migrate apply --store lab.db"))
def apply(
    *,
    store: options.Store = None,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for others.")
    ] = WAIT,
) -> None:
    """Take these steps; stop what uses the store, and keep a copy of it, before."""
    with opened(named_url(store)) as migrations, Bar("migrate") as bar:

        def tell(sentence: str) -> None:
            bar.note(sentence)
            say(escaped(sentence))

        actions.apply(migrations, tell, wait=wait)
