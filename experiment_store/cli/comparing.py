"""``experiment-store runs compare``: runs side by side, with what differs marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import frozen

from experiment_store.cli import options
from experiment_store.cli.addressing import pick_all, shortest
from experiment_store.cli.comparison import Row, Statistic, rows
from experiment_store.cli.helping import example
from experiment_store.cli.liveness import duration_of, state_of
from experiment_store.cli.opening import opened
from experiment_store.cli.output import console, say
from experiment_store.cli.tables import Column, blocks, draw, plain_lines
from experiment_store.cli.texts import escaped_json, plain, short
from experiment_store.records import Run

if TYPE_CHECKING:
    from rich.console import Console

commands = typer.Typer()

_MARK, _STYLE = "*", "yellow"
_WIDEST = 24  # cells of a column, as long as others stand beside it


@commands.command(epilog=example("runs compare adam-1 sgd-1 --only-different --statistic max"))
def compare(
    ids: options.Ids,
    *,
    store: options.Store = None,
    statistic: Annotated[
        Statistic, typer.Option(case_sensitive=False, help="Which value of each metric.")
    ] = Statistic.LATEST,
    only_different: Annotated[
        bool, typer.Option("--only-different", help="Leave out what is the same in all.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: a parameter or metric a line.")
    ] = False,
) -> None:
    """Show parameters and metrics of runs side by side; * stands before what differs."""
    with opened(store) as found:
        runs = pick_all(found.runs, ids)
        length = shortest(found.runs, [run.id for run in runs])
    compared = [row for row in rows(runs, statistic) if row.differs or not only_different]
    target = console()
    if json:
        for line in _json_lines(runs, compared):
            say(escaped_json(line) if target.is_terminal else line)
    elif target.is_terminal:
        _draw(target, runs, compared, length)
    else:
        _print(runs, compared)


@frozen
class _Line:
    """What is printed of a row, with a word for each run."""

    field: str
    words: Sequence[str]
    differs: bool = False

    @property
    def mark(self) -> str:
        return _MARK if self.differs else ""


def _json_lines(runs: Sequence[Run], compared: Sequence[Row]) -> Iterator[str]:
    from experiment_store.moving.wire import to_text  # noqa: PLC0415 (json, and only if asked for)

    for row in compared:
        values = {
            run.id: value
            for run, value in zip(runs, row.plain_values(), strict=True)
            if value is not None
        }
        yield to_text({"field": row.field, "differs": row.differs, "values": values}).decode()


def _print(runs: Sequence[Run], compared: Sequence[Row]) -> None:
    """Print lines for a pipe, where ids say which column is which run's."""
    lines = [
        _Line("name", [plain(run.name) for run in runs]),
        _Line("state", [state_of(run) for run in runs]),
        _Line("duration", [plain(duration_of(run)) for run in runs]),
        *(_Line(row.field, [*map(plain, row.values)], row.differs) for row in compared),
    ]
    columns = [
        Column[_Line]("differs", lambda line: line.mark),
        Column[_Line]("field", lambda line: line.field),
        *(_column(run.id, number) for number, run in enumerate(runs)),
    ]
    for text in plain_lines(columns, lines):
        say(text)


def _draw(
    target: Console, runs: Sequence[Run], compared: Sequence[Row], length: int | None
) -> None:
    """Draw tables below each other, each with as many runs as fit."""
    lines = [
        _Line("id", [run.id[:length] for run in runs]),
        _Line("state", [state_of(run) for run in runs]),
        _Line("duration", [short(duration_of(run)) for run in runs]),
        *(_Line(row.field, row.words(), row.differs) for row in compared),
    ]
    marked = [Column[_Line]("", lambda line: line.mark)] * any(line.differs for line in lines)
    fields = [*marked, Column[_Line]("", lambda line: line.field, 0, _WIDEST, folds=True)]
    columns = [_column(run.name, number) for number, run in enumerate(runs)]
    for number, some in enumerate(blocks(fields, columns, lines, target.width)):
        if number:
            say("")
        draw(target, [*fields, *some], lines, lambda line: _STYLE if line.differs else "")


def _column(name: str, number: int) -> Column[_Line]:
    return Column(name, lambda line: line.words[number], 0, _WIDEST, folds=True)
