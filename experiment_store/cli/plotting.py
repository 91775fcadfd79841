"""``experiment-store runs plot``: histories as curves, in the terminal or in a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from experiment_store.cli import options
from experiment_store.cli.addressing import pick_all, shortest
from experiment_store.cli.curves import Across, Curves, Series
from experiment_store.cli.helping import example
from experiment_store.cli.opening import opened
from experiment_store.cli.output import console, remark, say
from experiment_store.cli.progress import Bar
from experiment_store.errors import InvalidArgumentError, quote
from experiment_store.records import Run
from experiment_store.store import ExperimentStore

commands = typer.Typer()

_OPTION = "--metric"


@commands.command(
    epilog=example(
        "runs plot adam-1 sgd-1 --metric loss --log",
        "runs plot adam-1 --metric loss --metric accuracy --output curves.svg",
    )
)
def plot(
    ids: options.Ids,
    *,
    store: options.Store = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="What to draw; if repeated, one plot below the other.",
            show_default=False,
        ),
    ] = None,
    x: Annotated[
        Across, typer.Option(case_sensitive=False, help="Over steps, or since the first point.")
    ] = Across.STEP,
    log: Annotated[bool, typer.Option("--log", help="On a logarithmic scale.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A picture instead, in place of one that is there: .png, .svg or .pdf.",
            show_default=False,
        ),
    ] = None,
    height: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="LINES",
            help="How high; by default as the terminal.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Draw metrics of runs as curves."""
    with opened(store) as found, Bar("history"):
        runs = pick_all(found.runs, ids)
        metrics = _known(runs, metric or ())
        names = _names(found, runs)
        plots = [Curves(wanted, _series(found, runs, names, wanted), x, log) for wanted in metrics]
    for curves in plots:
        _tell_of_gaps(curves, runs)
    if output is not None:
        from experiment_store.cli.picture import save  # noqa: PLC0415 (only if asked for)

        save(plots, output)
    else:
        _show(plots, height)


def _known(runs: Sequence[Run], metrics: Sequence[str]) -> Sequence[str]:
    """Return *metrics*, each once, if some of *runs* have them."""
    known = sorted({name for run in runs for name in run.metrics})
    if not known:
        raise InvalidArgumentError(_OPTION, "has nothing to draw: no metric has been logged")
    if not metrics:
        raise InvalidArgumentError(_OPTION, f"must be given; there are {', '.join(known)}")
    for name in metrics:
        if name not in known:
            raise InvalidArgumentError(_OPTION, f"has no {quote(name)}, but {', '.join(known)}")
    return [*dict.fromkeys(metrics)]


def _names(store: ExperimentStore, runs: Sequence[Run]) -> Sequence[str]:
    """Return a name for each run; if others have it too, with as much of the id as tells."""
    length = shortest(store.runs, [run.id for run in runs])
    count = Counter(run.name for run in runs)
    return [run.name if count[run.name] == 1 else f"{run.name} ({run.id[:length]})" for run in runs]


def _series(
    store: ExperimentStore, runs: Sequence[Run], names: Sequence[str], metric: str
) -> tuple[Series, ...]:
    return tuple(
        Series(name, store.runs.history(run.id, metric))
        for run, name in zip(runs, names, strict=True)
    )


def _tell_of_gaps(curves: Curves, runs: Sequence[Run]) -> None:
    """Say which of *runs* have no curve, and whether none has."""
    for run, series in zip(runs, curves.series, strict=True):
        if not series.history:
            remark(f"run {quote(run.id)} has no {curves.metric}")
    if not curves.has_points:
        positive = ", not positive" * curves.log
        remark(f"nothing of {curves.metric} can be drawn: all values are NaN, infinite{positive}")


def _show(plots: Sequence[Curves], height: int | None) -> None:
    from experiment_store.cli.terminal_plot import in_ascii, plot  # noqa: PLC0415 (Rich, plotille)

    target = console()
    colours = target.color_system is not None and not target.no_color
    lines = height or target.height - 1  # where the shell asks for the next command
    for number, curves in enumerate(plots):
        share = (lines + number) // len(plots)  # which makes *lines* of all
        text = plot(curves, width=target.width, height=share, colours=colours)
        if target.options.ascii_only:
            text = in_ascii(text)
        if target.is_terminal:
            target.print(text, soft_wrap=True)
        else:
            for line in text.plain.split("\n"):
                say(line.rstrip())
