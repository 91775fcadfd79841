"""Whether every row can be read, and the labels are twice the same: with it, and to be found by.

A page of records and the rows of their labels are read in one snapshot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from attrs import define, field

from experiment_store.filters.predicates import ALWAYS
from experiment_store.findings import Finding, ok, problem
from experiment_store.ordering import SortKey
from experiment_store.plan import Plan
from experiment_store.schema import KINDS, Kind
from experiment_store_sql.codec import Row, codec, label_rows
from experiment_store_sql.dialect import table_name
from experiment_store_sql.examining.subject import Subject
from experiment_store_sql.statements import Call
from experiment_store_sql.tables import LABELLED, RECORDS, Storage
from experiment_store_sql.work import Work

ROWS, LABELS, ORPHANS = "rows", "labels", "orphans"

_PAGE = 128  # records at once: of the largest there are, that is 25 MB of text
_UNREADABLE = (ValueError, KeyError, TypeError, OverflowError)  # what decoding a row may raise


@define
class _Tally:
    """Of one kind: how many rows there are, what is wrong with them, and the first that is."""

    rows: int = 0
    unreadable: list[str] = field(factory=list)
    differing: list[str] = field(factory=list)


def check_rows(subject: Subject) -> Iterator[Finding]:
    """Read all records, and compare their copies of the labels with the tables of labels."""
    damage = False
    for kind in KINDS:
        tally = _tally(subject, kind)
        table = f"{subject.dialect.prefix}{RECORDS[kind.name].name}"
        if tally.unreadable:
            damage = True
            yield problem(
                ROWS,
                f"{len(tally.unreadable)} rows of {table} are no records, first"
                f" {tally.unreadable[0]!r}",
                "mend or delete these rows, or restore a backup",
            )
        if tally.differing:
            labels = f"{subject.dialect.prefix}{LABELLED[kind.name].name}"
            yield problem(
                LABELS,
                f"{len(tally.differing)} records of {table} have other labels than in {labels},"
                f" first {tally.differing[0]!r}",
                "update these records with the labels that they shall have",
            )
        elif kind.name in LABELLED:
            yield ok(LABELS, f"the labels of {tally.rows} {kind.name}s are the same in both tables")
    if not damage:
        yield ok(ROWS, "every row can be read")


def check_labels(subject: Subject) -> Iterator[Finding]:
    """Look for labels of records that are not there."""
    for kind in KINDS:
        if kind.name not in LABELLED:
            continue
        labels = table_name(subject.dialect, LABELLED[kind.name])
        records = table_name(subject.dialect, RECORDS[kind.name])
        lost = f"FROM {labels} WHERE id NOT IN (SELECT id FROM {records})"
        [[count]] = subject.steps.fetch("examine", Call(f"SELECT count(*) {lost}"))
        if count:
            what = f"{count} rows of {labels} belong to no {kind.name}"
            yield problem(ORPHANS, what, f"run: DELETE {lost}")
        else:
            yield ok(ORPHANS, f"every label in {labels} belongs to a {kind.name}")


def _tally(subject: Subject, kind: Kind[Any]) -> _Tally:
    tally = _Tally()
    after: str | None = None
    while True:
        rows, labels = _page(subject, kind, after)
        tally.rows += len(rows)
        for row in rows:
            try:
                record = codec(kind).record(row)
            except _UNREADABLE:
                tally.unreadable.append(row[0])
                continue
            if kind.name in LABELLED and Counter(label_rows([record])) != labels.get(row[0], {}):
                tally.differing.append(row[0])
        if len(rows) < _PAGE:
            return tally
        after = rows[-1][0]


def _page(
    subject: Subject, kind: Kind[Any], after: str | None
) -> tuple[list[Row], dict[str, Counter[Row]]]:
    place = None if after is None else (after,)
    plan = Plan(kind, ALWAYS, (SortKey("id"),), place, _PAGE)

    def step(work: Work) -> tuple[list[Row], dict[str, Counter[Row]]]:
        rows = work.all(subject.reader.statements.select(plan))
        found: dict[str, Counter[Row]] = {}
        if rows and kind.name in LABELLED:
            table, dialect = LABELLED[kind.name], subject.dialect
            these = dialect.one_of("id", Storage.TEXT)
            text = f"SELECT {table.written} FROM {table_name(dialect, table)} WHERE {these}"
            for row in work.all(Call(text, (dialect.bind_list([row[0] for row in rows]),))):
                found.setdefault(row[0], Counter())[tuple(row)] += 1
        return rows, found

    return subject.steps.read("examine", step)
