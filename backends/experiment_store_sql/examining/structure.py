"""Whether the tables and indexes are as `tables` has them. What a host has added is its own."""

from __future__ import annotations

from collections.abc import Iterator

from experiment_store.findings import Finding, ok, problem
from experiment_store_sql.dialect import table_name
from experiment_store_sql.examining.subject import FoundIndex, FoundTable, Subject
from experiment_store_sql.tables import Index, Table, all_tables
from experiment_store_sql.work import Work

TABLES, INDEXES = "tables", "indexes"
_RESTORE = "restore a backup, or copy the store to a new one if it can still be read"


def check_tables(subject: Subject) -> Iterator[Finding]:
    """Compare the columns and primary keys of all tables."""

    def step(work: Work) -> list[str]:
        faults: list[str] = []
        for table in all_tables():
            faults += _faults(subject, table, subject.catalogue.table(work, table))
        return faults

    faults = subject.steps.read("examine", step)
    for fault in faults:
        yield problem(TABLES, fault, _RESTORE)
    if not faults:
        yield ok(TABLES, f"all {len(list(all_tables()))} tables have their columns and keys")


def _faults(subject: Subject, table: Table, found: FoundTable | None) -> Iterator[str]:
    name = f"{subject.dialect.prefix}{table.name}"
    if found is None:
        yield f"the table {name} is not there"
        return
    for column, storage in table.columns.items():
        wanted = subject.dialect.types[storage]
        there = found.columns.get(column)
        if there is None:
            yield f"the table {name} has no column {column}"
        elif there != wanted:
            yield f"the column {column} of {name} is {there}, not {wanted}"
    if found.primary_key != table.primary_key:
        keys = ", ".join(found.primary_key) or "none"
        yield f"the primary key of {name} is {keys}, not {', '.join(table.primary_key)}"


def check_indexes(subject: Subject) -> Iterator[Finding]:
    """Look for every index, and say by which statement it is made again."""

    def step(work: Work) -> list[Finding]:
        faults: list[Finding] = []
        for table in all_tables():
            there = subject.catalogue.indexes(work, table)
            for index in table.indexes:
                found = there.get(f"{subject.dialect.prefix}{index.name}")
                faults += _index_faults(subject, work, table, index, found)
        return faults

    faults = subject.steps.read("examine", step)
    yield from faults
    if not faults:
        count = sum(len(table.indexes) for table in all_tables())
        yield ok(INDEXES, f"all {count} indexes are there and valid")


def _index_faults(
    subject: Subject, work: Work, table: Table, index: Index, found: FoundIndex | None
) -> Iterator[Finding]:
    name = f"{subject.dialect.prefix}{index.name}"
    create = subject.reader.statements.create_index(table, index).text
    drop = f"DROP INDEX {subject.dialect.schema}{name}; "
    if found == FoundIndex(index.columns, index.unique):
        return
    if found is None:
        what, advice = f"the index {name} is not there", f"run: {create}"
    elif not found.valid:
        what, advice = f"the index {name} is not valid, so it is not used", f"run: {drop}{create}"
    else:
        what = f"the index {name} is{_words(found)}, not{_words(index)}"
        advice = f"run: {drop}{create}"
    if index.unique and (twice := _twice(subject, work, table, index)):
        advice = f"rename what has the key of another record, {twice} times, and then {advice}"
    yield problem(INDEXES, what, advice)


def _words(index: Index | FoundIndex) -> str:
    return f"{' unique' if index.unique else ''} over {', '.join(index.columns)}"


def _twice(subject: Subject, work: Work, table: Table, index: Index) -> int:
    """Count the keys that several records have, which a unique index would have kept out."""
    columns = ", ".join(index.columns)
    keys = (
        f"SELECT {columns} FROM {table_name(subject.dialect, table)}"
        f" GROUP BY {columns} HAVING count(*) > 1"
    )
    [[count]] = work.execute(f"SELECT count(*) FROM ({keys}) AS keys")
    return int(count)
