"""What commands that change something have in common: labels, questions, what they print."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

from experiment_store.cli.addressing import Records
from experiment_store.cli.columns import DOTTED, entry
from experiment_store.cli.exits import FAILED
from experiment_store.cli.options import labels_of
from experiment_store.cli.output import console, record_line, remark, say
from experiment_store.cli.tables import Column, draw, plain_lines
from experiment_store.cli.texts import escaped
from experiment_store.errors import InvalidArgumentError
from experiment_store.schema import Kind

_YES = ("y", "yes")


def tell(kind: Kind[Any], record: Any, *, json: bool) -> None:
    """Print the id of a record that was made or changed, or all of it as JSON."""
    terminal = console().is_terminal
    say(record_line(kind, record, terminal=terminal) if json else record.id)


def show(
    kind: Kind[Any], record: Any, *, json: bool, counts: Mapping[str, int] | None = None
) -> None:
    """Print a record with all its fields, a line each; of mappings, every entry has a line."""
    if json:
        tell(kind, record, json=True)
        return
    fields = {field.name: getattr(record, field.name) for field in kind.fields}
    names = [f"{name}.{key}" for name in DOTTED for key in sorted(fields.pop(name, ()))]
    names = [
        f"{name}{end}"
        for name in names
        for end in (("", ".min", ".max") if name.startswith("metrics.") else ("",))
    ]
    entries = [(name, entry(*name.split(".", 1))(record)) for name in names]
    rows = [*fields.items(), *entries]
    print_rows(
        [
            Column("field", lambda row: row[0], least=16, folds=True),
            Column("value", lambda row: row[1], least=20, folds=True),
        ],
        [*rows, *(counts or {}).items()],
    )


def print_rows(columns: Sequence[Column[Any]], rows: Iterable[Any]) -> None:
    """Print a table on a terminal, and lines with tabs elsewhere."""
    target = console()
    if target.is_terminal:
        draw(target, columns, rows)
    else:
        for line in plain_lines(columns, rows):
            say(line)


def update(
    records: Records,
    found: Any,
    changes: Mapping[str, Any],
    *,
    label: Sequence[str] | None,
    unlabel: Sequence[str] | None,
    etag: str | None,
) -> Any:
    """Change the record that was *found*; labels that are not named stay.

    The labels are replaced as a whole, so the record must be as it was found.

    Raises:
        ConflictError: Somebody else has changed it since, or it has another *etag*.
    """
    if not label and not unlabel:
        return records.update(found.id, **changes, etag=etag)  # type: ignore[union-attr]  # every one has it
    kept = {key: value for key, value in found.labels.items() if key not in (unlabel or ())}
    labels = {**kept, **labels_of(label)}
    return records.update(  # type: ignore[union-attr]  # as above
        found.id, **changes, labels=labels, etag=etag or found.etag
    )


def ask(question: str, *, yes: bool) -> None:
    """Ask on the terminal whether to go on, unless *yes* was said before.

    Raises:
        InvalidArgumentError: There is nobody to ask.
        typer.Exit: The answer was no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidArgumentError("--yes", "must be given where there is no terminal to ask on")
    sys.stderr.write(f"{escaped(question)} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in _YES:
        remark("nothing was deleted")
        raise typer.Exit(FAILED)
