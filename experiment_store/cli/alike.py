"""The commands that runs and jobs have alike: to list, show, switch and delete them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from experiment_store.children import Children
from experiment_store.cli import options
from experiment_store.cli.addressing import parent_id, pick
from experiment_store.cli.changing import ask, tell
from experiment_store.cli.helping import example
from experiment_store.cli.listings import print_listing
from experiment_store.cli.opening import opened
from experiment_store.cli.showing import show
from experiment_store.schema import Kind
from experiment_store.store import ExperimentStore

# The names of the functions are Typer's for messages; help and examples are data here.


def add_list(
    commands: typer.Typer,
    kind: Kind[Any],
    of: Callable[[ExperimentStore], Children[Any]],
    like: str,
) -> None:
    """Add ``list``, whose example has the options *like*."""

    @commands.command(
        "list",
        help=f"List {kind.name}s, of all experiments or of one.",
        epilog=example(f"{kind.name}s list {like}"),
    )
    def list_(
        *,
        store: options.Store = None,
        experiment: options.Parent = None,
        namespace: options.Namespace = None,
        filter: options.Filter = "",
        order_by: options.OrderBy = "",
        limit: options.Limit = None,
        columns: options.Columns = "",
        json: options.Json = False,
    ) -> None:
        with opened(store) as found:
            parent = None if experiment is None else parent_id(found, experiment, namespace)
            print_listing(
                found,
                of(found),
                kind,
                {"experiment_id": parent, "namespace": None if parent else namespace},
                filter=filter,
                order_by=order_by,
                limit=limit,
                columns=columns,
                json=json,
            )


def add_show(
    commands: typer.Typer, kind: Kind[Any], of: Callable[[ExperimentStore], Children[Any]]
) -> None:
    """Add ``show``."""

    @commands.command(
        "show", help=f"Show a {kind.name}.", epilog=example(f"{kind.name}s show 01997a3e-52c1")
    )
    def show_(id: options.Id, *, store: options.Store = None, json: options.Json = False) -> None:
        with opened(store) as found:
            show(kind, pick(of(found), id), json=json)


def add_switch(
    commands: typer.Typer,
    kind: Kind[Any],
    of: Callable[[ExperimentStore], Children[Any]],
    name: str,
    help: str,
) -> None:
    """Add a command that calls the collection's method *name*, such as ``archive``."""

    @commands.command(
        name, help=f"{help}; print its id.", epilog=example(f"{kind.name}s {name} {kind.name}-1")
    )
    def switch(
        id: options.Id,
        *,
        store: options.Store = None,
        etag: options.Etag = None,
        json: options.Json = False,
    ) -> None:
        with opened(store) as found:
            children = of(found)
            changed = getattr(children, name)(pick(children, id).id, etag=etag)
        tell(kind, changed, json=json)


def add_delete(
    commands: typer.Typer, kind: Kind[Any], of: Callable[[ExperimentStore], Children[Any]]
) -> None:
    """Add ``delete``."""

    @commands.command(
        "delete",
        help=f"Delete a {kind.name} for good, after a question.",
        epilog=example(f"{kind.name}s delete {kind.name}-1"),
    )
    def delete(
        id: options.WholeId,
        *,
        store: options.Store = None,
        yes: options.Yes = False,
        etag: options.Etag = None,
    ) -> None:
        with opened(store) as found:
            children = of(found)
            record = pick(children, id, whole=True)
            ask(f"Delete {kind.name} {record.name!r} ({record.id})?", yes=yes)
            children.delete(record.id, etag=etag)
