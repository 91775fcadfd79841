"""Listings: a table on a terminal, lines with tabs in a pipe, JSON Lines if asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from attrs import evolve

from experiment_store.cli.addressing import Records, shortest
from experiment_store.cli.columns import PARENT, Names, chosen, usual
from experiment_store.cli.output import console, record_line, remark, say
from experiment_store.cli.spreading import spread
from experiment_store.cli.tables import Column, draw, plain_lines
from experiment_store.page_sizes import DEFAULT_PAGE_SIZE
from experiment_store.schema import RUN, Kind
from experiment_store.store import ExperimentStore

_BATCH = 500  # records whose experiments' names are read at once


def print_listing(
    store: ExperimentStore,
    records: Records,
    kind: Kind[Any],
    scope: dict[str, str | None],
    *,
    filter: str,
    order_by: str,
    limit: int | None,
    columns: str,
    json: bool,
) -> None:
    """Print the records of *scope* that match.

    Args:
        store: Where they are.
        records: The collection of them in *store*.
        kind: Their kind.
        scope: What else `iterate` takes.
        filter: docs/filter-language.md.
        order_by: Likewise.
        limit: The most to print, 0 for all; absent for 20 on a terminal and all elsewhere.
        columns: Which ones, between commas; empty for the usual ones.
        json: Whether to print JSON Lines instead.

    Raises:
        InvalidFilterError, InvalidOrderByError: The text means nothing.
        InvalidArgumentError: There is no such column.
    """
    terminal = console().is_terminal
    if limit is None:
        limit = DEFAULT_PAGE_SIZE if terminal else 0
    names = Names(store)
    asked = chosen(kind, columns, names) if columns else usual(kind, names)
    page_size = min(limit + 1, _BATCH) if limit else None
    found = records.iterate(**scope, filter=filter, order_by=order_by, page_size=page_size)
    some = islice(found, limit) if limit else found
    if json:
        for record in some:
            say(record_line(kind, record, terminal=terminal))
    elif terminal:
        rows = list(some)
        if kind is RUN and not columns:
            asked = spread(asked, rows, order_by)
        _draw(records, kind, rows, asked, names)
    else:
        if any(column.name == PARENT for column in asked):
            some = _learning(some, names)
        for line in plain_lines(asked, some):
            say(line)
    if limit and next(found, None) is not None:
        newest = "" if order_by else ", --order-by 'created_at desc' the newest"
        remark(f"there are more; --limit 0 shows all{newest}")


def _draw(
    records: Records,
    kind: Kind[Any],
    rows: Sequence[Any],
    columns: Sequence[Column[Any]],
    names: Names,
) -> None:
    if not rows:
        remark(f"no {kind.name}s")
        return
    if any(column.name == PARENT for column in columns):
        rows = list(_learning(iter(rows), names))
    length = shortest(records, [row.id for row in rows])
    draw(
        console(),
        [
            evolve(column, get=lambda row: row.id[:length]) if column.name == "id" else column
            for column in columns
        ],
        rows,
    )


def _learning(records: Iterator[Any], names: Names) -> Iterator[Any]:
    while batch := list(islice(records, _BATCH)):
        names.learn(batch)
        yield from batch
