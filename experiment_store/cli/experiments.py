"""The commands for experiments, which need no other word."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from experiment_store.cli import options
from experiment_store.cli.addressing import pick_experiment
from experiment_store.cli.changing import ask, tell, update
from experiment_store.cli.helping import example
from experiment_store.cli.listings import print_listing
from experiment_store.cli.opening import opened
from experiment_store.cli.showing import show
from experiment_store.schema import EXPERIMENT
from experiment_store.store import ExperimentStore

commands = typer.Typer()


@commands.command("list", epilog=example("list --filter 'labels.team = cv' --order-by 'name'"))
def list_(
    *,
    store: options.Store = None,
    namespace: options.Namespace = None,
    filter: options.Filter = "",
    order_by: options.OrderBy = "",
    limit: options.Limit = None,
    columns: options.Columns = "",
    json: options.Json = False,
) -> None:
    """List experiments."""
    with opened(store) as found:
        print_listing(
            found,
            found,
            EXPERIMENT,
            {"namespace": namespace},
            filter=filter,
            order_by=order_by,
            limit=limit,
            columns=columns,
            json=json,
        )


@commands.command("show", epilog=example("show mnist"))
def show_(
    experiment: options.ExperimentName,
    *,
    store: options.Store = None,
    namespace: options.Namespace = None,
    json: options.Json = False,
) -> None:
    """Show an experiment, and how many runs and jobs it has."""
    with opened(store) as found:
        record = pick_experiment(found, experiment, namespace)
        show(EXPERIMENT, record, json=json, counts=_counts(found, record.id))


@commands.command(epilog=example("create mnist --namespace vision --label team=cv"))
def create(
    name: Annotated[str, typer.Argument(help="At most 128 characters, one of a kind there.")],
    *,
    store: options.Store = None,
    namespace: Annotated[str, typer.Option(help="Where the name is to be.")] = "",
    description: options.Description = None,
    label: options.Label = None,
    id: options.NewId = None,
    if_exists: Annotated[
        Literal["error", "return"], typer.Option(help="What to do if there is one of this name.")
    ] = "error",
    json: options.Json = False,
) -> None:
    """Create an experiment, and the store if there is none; print its id."""
    labels = options.labels_of(label)
    with opened(store, may_make=True) as found:
        made = found.create(
            name,
            namespace=namespace,
            description=description or "",
            labels=labels,
            id=id,
            if_exists=if_exists,
        )
    tell(EXPERIMENT, made, json=json)


@commands.command("update", epilog=example("update mnist --name mnist-2 --label team=nlp"))
def update_(
    experiment: options.ExperimentName,
    *,
    store: options.Store = None,
    namespace: options.Namespace = None,
    name: options.Name = None,
    description: options.Description = None,
    label: options.Label = None,
    unlabel: options.Unlabel = None,
    etag: options.Etag = None,
    json: options.Json = False,
) -> None:
    """Change what is given of an experiment, and nothing else; print its id."""
    changes = {"name": options.given(name), "description": options.given(description)}
    with opened(store) as found:
        record = pick_experiment(found, experiment, namespace)
        changed = update(found, record, changes, label=label, unlabel=unlabel, etag=etag)
    tell(EXPERIMENT, changed, json=json)


@commands.command(epilog=example("archive mnist"))
def archive(
    experiment: options.ExperimentName,
    *,
    store: options.Store = None,
    namespace: options.Namespace = None,
    etag: options.Etag = None,
    json: options.Json = False,
) -> None:
    """Archive an experiment and its runs, and disable its jobs; print its id."""
    with opened(store) as found:
        changed = found.archive(pick_experiment(found, experiment, namespace).id, etag=etag)
    tell(EXPERIMENT, changed, json=json)


@commands.command(epilog=example("unarchive mnist"))
def unarchive(
    experiment: options.ExperimentName,
    *,
    store: options.Store = None,
    namespace: options.Namespace = None,
    etag: options.Etag = None,
    json: options.Json = False,
) -> None:
    """Make an archived experiment available; its runs and jobs stay as they are."""
    with opened(store) as found:
        changed = found.unarchive(pick_experiment(found, experiment, namespace).id, etag=etag)
    tell(EXPERIMENT, changed, json=json)


@commands.command(epilog=example("delete mnist --children delete"))
def delete(
    experiment: options.WholeExperimentName,
    *,
    store: options.Store = None,
    namespace: options.Namespace = None,
    children: Annotated[
        Literal["keep", "delete", "refuse"],
        typer.Option(help="What becomes of its runs and jobs; refuse: only if it has none."),
    ] = "keep",
    yes: options.Yes = False,
    etag: options.Etag = None,
) -> None:
    """Delete an experiment for good, after a question."""
    with opened(store) as found:
        record = pick_experiment(found, experiment, namespace, whole=True)
        counts = " and ".join(
            f"{count} {kind}" for kind, count in _counts(found, record.id).items()
        )
        fate = {"keep": "stay", "delete": "go with it", "refuse": "prevent it, if there are any"}
        question = (
            f"Delete experiment {record.name!r} ({record.id})? Its {counts} {fate[children]}."
        )
        ask(question, yes=yes)
        found.delete(record.id, children=children, etag=etag)


def _counts(store: ExperimentStore, id: str) -> dict[str, int]:
    runs = store.runs.list(experiment_id=id, page_size=1, with_total=True)
    jobs = store.jobs.list(experiment_id=id, page_size=1, with_total=True)
    return {"runs": runs.total_size or 0, "jobs": jobs.total_size or 0}
