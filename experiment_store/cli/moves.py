"""The commands that move a store: ``export``, ``import``, ``copy`` and ``backup``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Annotated, Any

import typer
from attrs import fields

from experiment_store import moving
from experiment_store.cli import options
from experiment_store.cli.helping import example
from experiment_store.cli.opening import named_url, opened
from experiment_store.cli.output import reader_may_go, say
from experiment_store.cli.progress import Bar
from experiment_store.cli.showing import print_rows
from experiment_store.cli.tables import Column
from experiment_store.registry import default_url
from experiment_store.reports import Digest, PerKind, Tally

commands = typer.Typer()

_STREAM = "-"

Place = Annotated[str, typer.Argument(help="A URL, or the path of a SQLite file.")]


@commands.command("export", epilog=example("export lab.jsonl.gz", "export - | gzip > lab.jsonl.gz"))
def export(
    file: Annotated[str, typer.Argument(help="Packed by gzip if it ends in .gz; - for stdout.")],
    *,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Write all records to a file of JSON Lines."""
    with reader_may_go(), opened(store) as source, Bar("export") as bar:
        target = sys.stdout.buffer if file == _STREAM else file
        said = moving.export_lines(source, target, progress=bar.tell)
    if file != _STREAM:
        _print(said, ("count", "sha256"), json=json)


@commands.command("import", epilog=example("import lab.jsonl.gz --store postgresql://…"))
def import_(
    file: Annotated[str, typer.Argument(help="What export has written; - for stdin.")],
    *,
    store: options.Store = None,
    json: options.Json = False,
) -> None:
    """Bring the records of a file to the store, which is made if there is none."""
    target = named_url(store) or default_url()  # which is opened once the file is
    with Bar("import") as bar:
        source = sys.stdin.buffer if file == _STREAM else file
        said = moving.import_lines(target, source, progress=bar.tell)
    _print(said, _TALLY, json=json)


@commands.command(epilog=example("copy lab.db postgresql://me@db.example.org/lab"))
def copy(source: Place, target: Place, *, json: options.Json = False) -> None:
    """Bring everything that SOURCE keeps to TARGET, and compare both at the end."""
    with (
        opened(source) as here,
        opened(target, may_make=True) as there,
        Bar("copy") as bar,
    ):
        said = moving.copy(here, there, progress=bar.tell)
    _print(said, _TALLY, json=json)


@commands.command(epilog=example("backup lab-2026-01-31.db"))
def backup(
    file: Annotated[str, typer.Argument(help="A new file; there must be none of this name.")],
    *,
    store: options.Store = None,
) -> None:
    """Write a copy of a SQLite store, as of one moment, while others go on writing."""
    with opened(store) as source, Bar("backup"):
        source.backup(file)


_TALLY = ("read", "inserted", "updated", "unchanged")


def _print(said: PerKind[Any], names: Sequence[str], *, json: bool) -> None:
    rows = [(field.name.removesuffix("s"), getattr(said, field.name)) for field in fields(PerKind)]
    if json:
        from experiment_store.moving.wire import to_text  # noqa: PLC0415 (json, if asked for)

        for kind, one in rows:
            say(to_text({"kind": kind, **{name: getattr(one, name) for name in names}}).decode())
        return
    columns = [_column(name) for name in names]
    print_rows([Column[Any]("kind", lambda row: row[0]), *columns], rows)


def _column(name: str) -> Column[tuple[str, Tally | Digest]]:
    read: Callable[[Any], Any] = attrgetter(name)
    text = name == "sha256"
    return Column(name, lambda row: read(row[1]), least=12 if text else None, numeric=not text)
