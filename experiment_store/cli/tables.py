"""Tables: columns as data, laid out for a terminal of any width, or plain for a pipe.

A column is a name, a way to read a row, and how much it matters. On a terminal
the least important ones go until the rest fits; in a pipe all are there, whole,
between tabs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import frozen

from experiment_store.cli.liveness import LOST
from experiment_store.cli.texts import plain, short

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")

_GAP = 2  # blanks between columns, of which the box has one
_STYLES = {
    "RUNNING": "cyan",
    LOST: "red",
    "SUCCEEDED": "green",
    "FAILED": "red",
    "CANCELED": "yellow",
    "ARCHIVED": "dim",
}


@frozen
class Column(Generic[T]):
    """One column of a table of rows of type *T*.

    *name* is its header, and how ``--columns`` calls it. Of columns that do not
    fit, the one with the greatest *priority* goes first; 0 never goes. One with a
    *least* width in cells may shrink to it, and then folds or ends in an ellipsis.
    """

    name: str
    get: Callable[[T], Any]
    priority: int = 0
    least: int | None = None
    folds: bool = False
    numeric: bool = False


def plain_lines(columns: Sequence[Column[T]], rows: Iterable[T]) -> Iterator[str]:
    """Yield a header and the rows with tabs between the cells, in which there are none."""
    yield "\t".join(plain(column.name) for column in columns)
    for row in rows:
        yield "\t".join(plain(column.get(row)) for column in columns)


def draw(
    console: Console,
    columns: Sequence[Column[T]],
    rows: Sequence[T],
    style: Callable[[T], str] = lambda _: "",
) -> None:
    """Print a table that is no wider than the terminal; *style* is that of a row."""
    # ruff: noqa: PLC0415 (Rich is loaded where a table is drawn, not where help is printed)
    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = _cells(columns, rows)
    filled = [at for at, column in enumerate(columns) if _has_text(column, at, cells)]
    columns = [columns[at] for at in filled]
    cells = [[line[at] for at in filled] for line in cells]
    natural = _natural(columns, cells)
    widths = fit(columns, natural, console.width)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, _GAP - 1, 0, 0), pad_edge=False, show_edge=False)
    for at, width in widths.items():
        column = columns[at]
        table.add_column(
            Text(short(column.name)),
            width=width,
            justify="right" if column.numeric else "left",
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
        )
    for row, line in zip(rows, cells, strict=True):
        table.add_row(
            *(Text(line[at], style=_STYLES.get(line[at], "")) for at in widths), style=style(row)
        )
    console.print(table)


def blocks(
    always: Sequence[Column[T]], columns: Sequence[Column[T]], rows: Sequence[T], total: int
) -> Iterator[Sequence[Column[T]]]:
    """Yield *columns* in parts, each of which fits beside those that *always* stand first.

    One that does not fit alone is a part of its own, which `draw` makes narrower.
    """
    beside = _least(always, _natural(always, _cells(always, rows)))
    widths = _least(columns, _natural(columns, _cells(columns, rows)))
    part: list[int] = []
    for at in range(len(columns)):
        if part and _width(beside, range(len(beside))) + _GAP + _width(widths, [*part, at]) > total:
            yield [columns[place] for place in part]
            part = []
        part.append(at)
    yield [columns[place] for place in part]


def fit(columns: Sequence[Column[Any]], natural: Sequence[int], total: int) -> dict[int, int]:
    """Return which columns to show, by position, and how wide each is to be.

    Columns go until the others have their least widths. What is still too wide
    then, because those matter, becomes narrower than that, the widest one first.
    """
    least = _least(columns, natural)
    kept = list(range(len(columns)))
    while _width(least, kept) > total:
        worst = max(kept, key=lambda at: columns[at].priority)
        if not columns[worst].priority:
            break
        kept.remove(worst)
    for _ in range(_width(least, kept) - total):
        widest = max(kept, key=lambda at: least[at])
        least[widest] = max(1, least[widest] - 1)
    return _share(least, natural, kept, total)


def _cells(columns: Sequence[Column[T]], rows: Sequence[T]) -> Sequence[Sequence[str]]:
    return [[short(column.get(row)) for column in columns] for row in rows]


def _natural(columns: Sequence[Column[Any]], cells: Sequence[Sequence[str]]) -> Sequence[int]:
    """Return how wide each column is if nothing is cut."""
    from rich.cells import cell_len

    return [
        max(map(cell_len, (short(column.name), *(line[at] for line in cells))))
        for at, column in enumerate(columns)
    ]


def _least(columns: Sequence[Column[Any]], natural: Sequence[int]) -> list[int]:
    return [
        wide if column.least is None else min(wide, column.least)
        for column, wide in zip(columns, natural, strict=True)
    ]


def _has_text(column: Column[Any], at: int, cells: Sequence[Sequence[str]]) -> bool:
    """Tell whether a column says anything; one that matters stays even without."""
    return not column.priority or any(line[at] for line in cells)


def _share(
    least: Sequence[int], natural: Sequence[int], kept: Sequence[int], total: int
) -> dict[int, int]:
    """Give what is left over to those that want more, in the order of the columns."""
    widths = {at: least[at] for at in kept}
    spare = total - _width(least, kept)
    for at in kept:
        more = max(0, min(spare, natural[at] - widths[at]))
        widths[at] += more
        spare -= more
    return widths


def _width(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[at] for at in kept) + _GAP * (len(kept) - 1)
