"""What is said of an error: one sentence, and for a filter the place below it."""

from __future__ import annotations

import re

import typer

from experiment_store.cli.output import console
from experiment_store.errors import InvalidTextError, MigrationNeededError, render_caret

_NARROWEST = 10
_ELSEWHERE, _HERE = "python -m experiment_store.migrate apply URL", "experiment-store migrate apply"
_LINE_BREAK = re.compile(r"\s*\n\s*")


def told(error: Exception) -> str:
    """Return what to say of *error*; a filter is cut so that the caret stays below its place."""
    if isinstance(error, InvalidTextError):
        from rich.cells import cell_len  # noqa: PLC0415 (most commands do not fail)

        width = max(_NARROWEST, console(stderr=True).width - 2)  # and two ellipses
        what = error.text, error.position, error.problem
        return f"invalid {error.argument}\n{render_caret(*what, width=width, cells=cell_len)}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.strerror}: {error.filename!r}"
    if isinstance(error, MigrationNeededError):
        return str(error).replace(_ELSEWHERE, _HERE)
    said = _of_usage(error) if isinstance(error, typer.TyperException) else str(error)
    return _LINE_BREAK.sub(" ", said)  # what a server says has several lines


def _of_usage(error: typer.TyperException) -> str:
    """Say what is wrong with the arguments, and where help is."""
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    context: typer.Context | None = getattr(error, "ctx", None)
    return f"{message}; {context.command_path} --help tells more" if context else message
