"""Whether every row can be read, and what a record is found by is what stands in it.

Labels stand in a table of their own too, parameters and metrics in columns of sort keys.
A page of records is read together with these, in one snapshot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from attrs import Factory, define, frozen

from experiment_store.filters.predicates import ALWAYS
from experiment_store.findings import Finding, Found, ok, problem
from experiment_store.ordering import SortKey
from experiment_store.plan import Plan
from experiment_store.points import unpack
from experiment_store.schema import CHUNK, KINDS, Kind
from experiment_store_sql.codec import Row, codec, encode_keys, label_rows
from experiment_store_sql.dialect import table_name
from experiment_store_sql.examining.subject import Subject
from experiment_store_sql.statements import Call
from experiment_store_sql.tables import LABELLED, RECORDS, Storage, Table, has_keys, keys_column
from experiment_store_sql.work import Work

ROWS, LABELS, KEYS, ORPHANS = "rows", "labels", "keys", "orphans"

_PAGE = 128  # records at once: of the largest there are, that is 25 MB of text
_UNREADABLE = (ValueError, KeyError, TypeError, OverflowError)  # what decoding a row may raise


@define
class _Tally:
    """Of one kind: how many rows there are, and what is wrong with some of them."""

    rows: int = 0
    unreadable: Found = Factory(Found)
    other_labels: Found = Factory(Found)
    other_keys: Found = Factory(Found)


@frozen
class _Page:
    """Rows of one kind; of each, by its id, the rows of its labels and its sort keys."""

    rows: list[Row]
    labels: dict[str, Counter[Row]]
    keys: dict[str, Row]


def check_rows(subject: Subject) -> Iterator[Finding]:
    """Read all records, and compare with them what they are found by."""
    damage = False
    for kind in KINDS:
        tally = _tally(subject, kind)
        table = f"{subject.dialect.prefix}{RECORDS[kind.name].name}"
        if tally.unreadable:
            damage = True
            what = f"rows of {table} that are no {kind.name}s: {tally.unreadable}"
            yield problem(ROWS, what, "mend or delete these rows, or restore a backup")
        if kind.name in LABELLED:
            yield _about_labels(subject, kind, tally)
        if _keyed(kind):
            yield _about_keys(kind, tally)
    if not damage:
        yield ok(ROWS, "every row can be read")


def _about_labels(subject: Subject, kind: Kind[Any], tally: _Tally) -> Finding:
    if not tally.other_labels:
        return ok(LABELS, f"the labels of {tally.rows} {kind.name}s are the same in both tables")
    labels = f"{subject.dialect.prefix}{LABELLED[kind.name].name}"
    what = f"{kind.name}s with other labels than in {labels}: {tally.other_labels}"
    return problem(LABELS, what, "update these records with the labels that they shall have")


def _about_keys(kind: Kind[Any], tally: _Tally) -> Finding:
    fields = " and ".join(_keyed(kind))
    if not tally.other_keys:
        return ok(KEYS, f"{tally.rows} {kind.name}s are found by the {fields} that they have")
    what = f"{kind.name}s that are found by other {fields} than they have: {tally.other_keys}"
    return problem(KEYS, what, "copy the store to a new one, which makes the keys anew")


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
            yield ok(ORPHANS, f"every label in {labels} has its {kind.name}")


def _tally(subject: Subject, kind: Kind[Any]) -> _Tally:
    tally = _Tally()
    for page in _pages(subject, kind):
        tally.rows += len(page.rows)
        for row in page.rows:
            _look(kind, row, page, tally)
    return tally


def _look(kind: Kind[Any], row: Row, page: _Page, tally: _Tally) -> None:
    try:
        record = codec(kind).record(row)
        if kind is CHUNK:
            unpack(record.points)
    except _UNREADABLE:
        tally.unreadable.add(row[0])
        return
    if kind.name in LABELLED and Counter(label_rows([record])) != page.labels.get(row[0], {}):
        tally.other_labels.add(row[0])
    if page.keys:
        keys = (encode_keys(getattr(record, name)) for name in _keyed(kind))
        if (row[0], *keys) != page.keys[row[0]]:
            tally.other_keys.add(row[0])


def _keyed(kind: Kind[Any]) -> list[str]:
    return [field.name for field in kind.fields if has_keys(field)]


def _pages(subject: Subject, kind: Kind[Any]) -> Iterator[_Page]:
    after: tuple[str] | None = None
    while True:
        page = _page(subject, Plan(kind, ALWAYS, (SortKey("id"),), after, _PAGE))
        yield page
        if len(page.rows) < _PAGE:
            return
        after = (page.rows[-1][0],)


def _page(subject: Subject, plan: Plan[Any]) -> _Page:
    kind, dialect = plan.kind, subject.dialect

    def step(work: Work) -> _Page:
        def those(columns: str, table: Table) -> list[Row]:
            these = dialect.one_of("id", Storage.TEXT)
            text = f"SELECT {columns} FROM {table_name(dialect, table)} WHERE {these}"
            return work.all(Call(text, (dialect.bind_list([row[0] for row in rows]),)))

        rows = work.all(subject.reader.statements.select(plan))
        labels: dict[str, Counter[Row]] = {}
        keys: dict[str, Row] = {}
        if rows and kind.name in LABELLED:
            table = LABELLED[kind.name]
            for row in those(table.written, table):
                labels.setdefault(row[0], Counter())[tuple(row)] += 1
        if rows and (keyed := _keyed(kind)):
            columns = ", ".join(("id", *map(keys_column, keyed)))
            keys = {row[0]: tuple(row) for row in those(columns, RECORDS[kind.name])}
        return _Page(rows, labels, keys)

    return subject.steps.read("examine", step)
