"""One record with all that is known of it: a line for each thing, or tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from attrs import fields

from experiment_store.cli.changing import tell
from experiment_store.cli.columns import told_of
from experiment_store.cli.output import console, say
from experiment_store.cli.tables import Column, draw, plain_lines
from experiment_store.records import Artifact, Metric
from experiment_store.schema import Kind

_PLAIN = ("labels", "params")
"""Mappings of which each entry has a line."""


def show(
    kind: Kind[Any], record: Any, *, json: bool, counts: Mapping[str, int] | None = None
) -> None:
    """Print a record; of mappings, every entry has a line, and *counts* come last."""
    if json:
        tell(kind, record, json=True)
        return
    told = {field.name: getattr(record, field.name) for field in kind.fields}
    metrics: Mapping[str, Metric] = told.pop("metrics", {})
    artifacts: Sequence[Artifact] = told.pop("artifacts", ())
    entries = {
        f"{name}.{key}": value
        for name in _PLAIN
        for key, value in sorted(told.pop(name, {}).items())
    }
    told |= {name: get(record) for name, get in told_of(kind).items()}
    told |= entries
    told |= counts or {}
    if not console().is_terminal:
        told |= _lines("metrics", metrics.items(), "latest")
        told |= _lines("artifacts", ((link.name, link) for link in artifacts), "uri")
    print_rows(
        [
            Column("field", lambda row: row[0], least=16, folds=True),
            Column("value", lambda row: row[1], least=20, folds=True),
        ],
        [*told.items()],
    )
    if console().is_terminal:
        _draw("metric", Metric, sorted(metrics.items()))
        _draw("artifact", Artifact, [(link.name, link) for link in artifacts])


def print_rows(columns: Sequence[Column[Any]], rows: Sequence[Any]) -> None:
    """Print a table on a terminal, and lines with tabs elsewhere."""
    target = console()
    if target.is_terminal:
        draw(target, columns, rows)
    else:
        for line in plain_lines(columns, rows):
            say(line)


def _lines(field: str, parts: Iterable[tuple[str, Any]], main: str) -> Mapping[str, Any]:
    """Return a line for each attribute of *parts*; that of *main* has the bare name."""
    return {
        f"{field}.{name}" + (f".{attribute}" if attribute != main else ""): value
        for name, part in sorted(parts, key=lambda pair: pair[0])
        for attribute, value in _attributes(part)
    }


def _attributes(part: Any) -> Iterator[tuple[str, Any]]:
    for attribute in fields(type(part)):
        if attribute.name != "name":
            yield attribute.name, getattr(part, attribute.name)


def _draw(title: str, of: Any, rows: Sequence[tuple[str, Any]]) -> None:
    """Draw a table of what is in *rows*, if there is anything."""
    if not rows:
        return
    say("")
    names = [attribute.name for attribute in fields(of) if attribute.name != "name"]
    draw(
        console(),
        [Column(title, lambda row: row[0], 0, 16, folds=True), *map(_column, names)],
        rows,
    )


def _column(name: str) -> Column[tuple[str, Any]]:
    read = attrgetter(name)
    text = name in ("uri", "digest")
    return Column(
        name, lambda row: read(row[1]), 0, 16 if text else None, folds=text, numeric=not text
    )
