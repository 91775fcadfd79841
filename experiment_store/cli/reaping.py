"""``experiment-store runs reap``: an end for runs whose process has gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from experiment_store.cli import options
from experiment_store.cli.changing import tell
from experiment_store.cli.helping import example
from experiment_store.cli.opening import opened
from experiment_store.cli.output import console, remark
from experiment_store.errors import InvalidArgumentError
from experiment_store.filters.times import before
from experiment_store.runs import LOST_AFTER
from experiment_store.schema import RUN
from experiment_store.sources import utc_now

commands = typer.Typer()

_DEFAULT = f"{LOST_AFTER // timedelta(minutes=1)}m"


@commands.command(epilog=example("runs reap --age 1h"))
def reap(
    *,
    store: options.Store = None,
    age: Annotated[
        str,
        typer.Option(
            metavar="SPAN", help="How long there has been no sign of life: 90s, 15m, 12h, 7d."
        ),
    ] = _DEFAULT,
    json: options.Json = False,
) -> None:
    """Mark as FAILED the RUNNING runs whose process has gone; print their ids."""
    span = _span(age)
    with opened(store) as found:
        lost = found.runs.reap(age=span)
    for run in lost:
        tell(RUN, run, json=json)
    if not lost and console().is_terminal:
        remark("no lost runs")


def _span(text: str) -> timedelta:
    now = utc_now()
    try:
        return now - before(now, text)
    except ValueError as error:
        raise InvalidArgumentError("--age", f"is wrong: {error}") from None
