"""``experiment-store runs link``: where something is that a run has made or used."""

from __future__ import annotations

from typing import Annotated

import typer

from experiment_store.cli import options
from experiment_store.cli.addressing import pick
from experiment_store.cli.changing import tell
from experiment_store.cli.helping import example
from experiment_store.cli.opening import opened
from experiment_store.records import Artifact
from experiment_store.schema import RUN

commands = typer.Typer()


@commands.command(epilog=example("runs link adam-1 model s3://lab/adam-1/model.pt --size 48211"))
def link(
    id: options.Id,
    name: Annotated[str, typer.Argument(help="A link of this name is replaced.")],
    uri: Annotated[str, typer.Argument(metavar="URI", help="Kept as it is; nothing is copied.")],
    *,
    store: options.Store = None,
    digest: Annotated[
        str, typer.Option(metavar="TEXT", help="Such as sha256:…; it is not checked.")
    ] = "",
    size: Annotated[
        int | None, typer.Option(min=0, metavar="BYTES", help="How large.", show_default=False)
    ] = None,
    json: options.Json = False,
) -> None:
    """Record a link to an artifact of a run; print the run's id."""
    with opened(store) as found:
        changed = found.runs.link(pick(found.runs, id).id, Artifact(name, uri, digest, size))
    tell(RUN, changed, json=json)
