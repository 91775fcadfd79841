"""``experiment-store runs``: what an experiment's executions were and came to."""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated

import typer

from experiment_store.cli import alike, options
from experiment_store.cli.addressing import pick, pick_experiment
from experiment_store.cli.changing import tell, update
from experiment_store.cli.helping import example
from experiment_store.cli.opening import opened
from experiment_store.names import UNSET
from experiment_store.records import RunState
from experiment_store.schema import RUN

commands = typer.Typer()
_of = attrgetter("runs")

State = Annotated[
    RunState | None,
    typer.Option(case_sensitive=False, help="How far it has come.", show_default=False),
]


alike.add_list(
    commands,
    RUN,
    _of,
    "--experiment mnist --filter 'params.lr < 0.1' --order-by 'metrics.accuracy desc'",
)
alike.add_show(commands, RUN, _of)


@commands.command(
    epilog=example("runs create mnist run-1 --param lr=0.01 --state RUNNING --started-at now")
)
def create(
    experiment: options.ExperimentName,
    name: Annotated[str, typer.Argument(help="At most 128 characters; others may have it, too.")],
    *,
    store: options.Store = None,
    namespace: options.Namespace = None,
    description: options.Description = None,
    param: options.Param = None,
    label: options.Label = None,
    state: State = None,
    started_at: options.Time = None,
    finished_at: options.Time = None,
    job: Annotated[
        str | None, typer.Option(metavar="ID", help="The job that made it.", show_default=False)
    ] = None,
    id: options.NewId = None,
    json: options.Json = False,
) -> None:
    """Create a run in an experiment that is there; print its id."""
    labels, params = options.labels_of(label), options.params_of(param)
    started = options.time_of("--started-at", started_at)
    finished = options.time_of("--finished-at", finished_at)
    with opened(store) as found:
        made = found.runs.create(
            pick_experiment(found, experiment, namespace).id,
            name,
            description=description or "",
            labels=labels,
            params=params,
            state=state or RunState.PENDING,
            started_at=None if started is UNSET else started,
            finished_at=None if finished is UNSET else finished,
            job_id=job,
            id=id,
        )
    tell(RUN, made, json=json)


@commands.command(
    "update", epilog=example("runs update run-1 --state FAILED --error 'out of memory'")
)
def update_(
    id: options.Id,
    *,
    store: options.Store = None,
    name: options.Name = None,
    description: options.Description = None,
    label: options.Label = None,
    unlabel: options.Unlabel = None,
    param: options.Param = None,
    unparam: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Remove this parameter; may be repeated."),
    ] = None,
    state: State = None,
    error: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="What it failed with; '' for nothing.", show_default=False
        ),
    ] = None,
    started_at: options.Time = None,
    finished_at: options.Time = None,
    etag: options.Etag = None,
    json: options.Json = False,
) -> None:
    """Change what is given of a run, and nothing else; print its id."""
    changes = {
        "name": options.given(name),
        "description": options.given(description),
        "state": options.given(state),
        "error": options.given(error),
        "started_at": options.time_of("--started-at", started_at),
        "finished_at": options.time_of("--finished-at", finished_at),
    }
    with opened(store) as found:
        record = pick(found.runs, id)
        changed = update(
            found.runs,
            record,
            changes,
            label=label,
            unlabel=unlabel,
            param=param,
            unparam=unparam,
            etag=etag,
        )
    tell(RUN, changed, json=json)


alike.add_switch(commands, RUN, _of, "archive", "Archive a run")
alike.add_switch(
    commands, RUN, _of, "unarchive", "Make an archived run available, as its experiment has to be"
)
alike.add_delete(commands, RUN, _of)
