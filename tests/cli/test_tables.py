"""A table is never wider than the terminal, as long as something can go or shrink."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from experiment_store.cli.tables import Column, fit, plain_lines

COLUMNS = st.lists(
    st.tuples(st.integers(0, 9), st.none() | st.integers(1, 20), st.integers(1, 60)), min_size=1
)


def _columns(drawn: list[tuple[int, int | None, int]]) -> list[Column[str]]:
    return [Column(str(at), str, rank, least) for at, (rank, least, _) in enumerate(drawn)]


@given(COLUMNS, st.integers(1, 300))
def test_what_is_shown_fits_unless_nothing_can_go_or_shrink(
    drawn: list[tuple[int, int | None, int]], total: int
) -> None:
    natural = [wide for *_, wide in drawn]

    widths = fit(_columns(drawn), natural, total)

    used = sum(widths.values()) + 2 * (len(widths) - 1)
    assert used <= total or set(widths.values()) == {1}
    assert all(widths[at] <= natural[at] for at in widths)
    assert list(widths) == sorted(widths)


@given(COLUMNS, st.integers(1, 300))
def test_what_goes_matters_least(drawn: list[tuple[int, int | None, int]], total: int) -> None:
    widths = fit(_columns(drawn), [wide for *_, wide in drawn], total)

    gone = [drawn[at][0] for at in range(len(drawn)) if at not in widths]
    kept = [drawn[at][0] for at in widths]
    assert not gone or min(gone) >= max(kept, default=0)


@given(COLUMNS)
def test_on_a_wide_terminal_all_is_shown_whole(drawn: list[tuple[int, int | None, int]]) -> None:
    natural = [wide for *_, wide in drawn]

    assert fit(_columns(drawn), natural, 10_000) == dict(enumerate(natural))


@given(st.lists(st.tuples(st.text(), st.text())))
def test_a_pipe_gets_as_many_lines_and_cells_as_there_are(rows: list[tuple[str, str]]) -> None:
    columns = [Column[tuple[str, str]]("a", lambda row: row[0]), Column("b", lambda row: row[1])]

    lines = list(plain_lines(columns, rows))

    assert len(lines) == 1 + len(rows)
    assert all(line.count("\t") == 1 and len(line.splitlines()) == 1 for line in lines)
