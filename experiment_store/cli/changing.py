"""What commands that change something have in common: labels, questions, what they print."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from experiment_store.cli.addressing import Records
from experiment_store.cli.exits import FAILED
from experiment_store.cli.options import labels_of, params_of
from experiment_store.cli.output import console, record_line, remark, say
from experiment_store.cli.texts import escaped
from experiment_store.errors import InvalidArgumentError
from experiment_store.schema import Kind

_YES = ("y", "yes")


def tell(kind: Kind[Any], record: Any, *, json: bool) -> None:
    """Print the id of a record that was made or changed, or all of it as JSON."""
    terminal = console().is_terminal
    say(record_line(kind, record, terminal=terminal) if json else record.id)


def update(
    records: Records,
    found: Any,
    changes: Mapping[str, Any],
    *,
    label: Sequence[str] | None,
    unlabel: Sequence[str] | None,
    param: Sequence[str] | None = None,
    unparam: Sequence[str] | None = None,
    etag: str | None,
) -> Any:
    """Change the record that was *found*; labels and parameters that are not named stay.

    They are replaced as a whole, so the record must be as it was found.

    Raises:
        ConflictError: Somebody else has changed it since, or it has another *etag*.
    """
    asked = {"labels": (labels_of(label), unlabel), "params": (params_of(param), unparam)}
    edited: dict[str, Any] = {
        field: _edited(getattr(found, field), given, removed or ())
        for field, (given, removed) in asked.items()
        if given or removed
    }
    if edited:
        etag = etag or found.etag
    return records.update(  # type: ignore[union-attr]  # every one has it
        found.id, **changes, **edited, etag=etag
    )


def _edited(
    kept: Mapping[str, Any], given: Mapping[str, Any], removed: Sequence[str]
) -> Mapping[str, Any]:
    return {**{key: value for key, value in kept.items() if key not in removed}, **given}


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
