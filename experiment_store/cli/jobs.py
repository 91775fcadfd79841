"""``experiment-store jobs``: what makes runs of an experiment."""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated

import typer

from experiment_store.cli import alike, options
from experiment_store.cli.addressing import pick, pick_experiment
from experiment_store.cli.changing import tell, update
from experiment_store.cli.helping import example
from experiment_store.cli.opening import opened
from experiment_store.schema import JOB

commands = typer.Typer()
_of = attrgetter("jobs")


alike.add_list(
    commands,
    JOB,
    _of,
    "--filter 'enabled = true' --order-by name",
)
alike.add_show(commands, JOB, _of)


@commands.command(epilog=example("jobs create mnist nightly --schedule '0 3 * * *'"))
def create(
    experiment: options.ExperimentName,
    name: Annotated[str, typer.Argument(help="At most 128 characters; others may have it, too.")],
    *,
    store: options.Store = None,
    namespace: options.Namespace = None,
    description: options.Description = None,
    label: options.Label = None,
    schedule: options.Schedule = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Do not enable it yet.")] = False,
    id: options.NewId = None,
    json: options.Json = False,
) -> None:
    """Create a job in an experiment that is there; print its id."""
    labels = options.labels_of(label)
    with opened(store) as found:
        made = found.jobs.create(
            pick_experiment(found, experiment, namespace).id,
            name,
            description=description or "",
            labels=labels,
            enabled=not disabled,
            schedule=schedule or "",
            id=id,
        )
    tell(JOB, made, json=json)


@commands.command("update", epilog=example("jobs update nightly-1 --schedule '0 4 * * *'"))
def update_(
    id: options.Id,
    *,
    store: options.Store = None,
    name: options.Name = None,
    description: options.Description = None,
    label: options.Label = None,
    unlabel: options.Unlabel = None,
    schedule: options.Schedule = None,
    etag: options.Etag = None,
    json: options.Json = False,
) -> None:
    """Change what is given of a job, and nothing else; print its id."""
    changes = {
        "name": options.given(name),
        "description": options.given(description),
        "schedule": options.given(schedule),
    }
    with opened(store) as found:
        record = pick(found.jobs, id)
        changed = update(found.jobs, record, changes, label=label, unlabel=unlabel, etag=etag)
    tell(JOB, changed, json=json)


alike.add_switch(commands, JOB, _of, "enable", "Enable a job, whose experiment has to be available")
alike.add_switch(commands, JOB, _of, "disable", "Disable a job")
alike.add_delete(commands, JOB, _of)
