"""``experiment-store serve``: ``python -m experiment_store.kfp`` by another name."""

from __future__ import annotations

import typer

from experiment_store.cli import options
from experiment_store.cli.opening import named_url
from experiment_store.errors import MissingDriverError

commands = typer.Typer()

_THEIRS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
_EXAMPLE = "Example: experiment-store serve --store lab.db --port 8888"


@commands.command(context_settings=_THEIRS)
def serve(context: typer.Context, store: options.Store = None) -> None:
    """Serve the store to Kubeflow's clients; --help tells more."""
    try:
        from experiment_store.kfp.__main__ import serve as run  # noqa: PLC0415 (needs the server)
    except ModuleNotFoundError as error:
        raise MissingDriverError.of("serve", "server", what="a server") from error
    url = named_url(store)
    given = [] if url is None else ["--store", url]
    code = run(
        [*given, *context.args], prog="experiment-store serve", store="--store", epilog=_EXAMPLE
    )
    raise typer.Exit(code)
