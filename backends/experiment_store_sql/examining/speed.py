"""Whether the listings that indexes are for are read by them: every index has one.

A database reads a small table as a whole, and is right. So where it does, it is asked
again for a plan by indexes alone: if there is none, an index does not serve.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import frozen

from experiment_store.filters.predicates import Compare, Label, Op, all_of
from experiment_store.findings import Finding, ok, warning
from experiment_store.ordering import SortKey
from experiment_store.plan import Plan
from experiment_store.schema import KINDS, Kind
from experiment_store_sql.examining.subject import Subject
from experiment_store_sql.tables import LABELLED, RECORDS
from experiment_store_sql.work import Work

SPEED = "speed"
LARGE = 10_000
"""From as many rows on, to read a table as a whole is slow."""

_PAGE = 20
_NO_INDEX = "do what the findings about indexes advise; if there are none, run ANALYZE"
_UNUSED = (
    "run ANALYZE, so that the planner knows the tables; if that does not help, see whether its"
    " costs (random_page_cost) or methods (enable_indexscan) are not the usual ones"
)


@frozen
class _Case:
    """A listing, and what it is of."""

    words: str
    plan: Plan[Any]
    pinned: bool


def check_speed(subject: Subject) -> Iterator[Finding]:
    """Have the database explain the listings."""
    cases = [case for kind in KINDS for case in _cases(kind)]
    slow = [finding for case in cases for finding in _look(subject, case)]
    yield from slow
    if not slow:
        yield ok(SPEED, f"{len(cases)} kinds of listing are read by indexes")


def _look(subject: Subject, case: _Case) -> Iterator[Finding]:
    catalogue, call = subject.catalogue, subject.reader.statements.explain(case.plan)

    def step(work: Work) -> tuple[list[str], list[str], int]:
        usual = [str(row[-1]) for row in work.all(call)]
        catalogue.insist(work)
        by_index = [str(row[-1]) for row in work.all(call)]
        return usual, by_index, catalogue.rows(work, RECORDS[case.plan.kind.name])

    usual, by_index, rows = subject.steps.read("examine", step)
    if catalogue.reads_all(by_index, pinned=case.pinned):
        yield warning(SPEED, f"to list {case.words}, all of them are read", _NO_INDEX)
    elif catalogue.sorts(by_index):
        yield warning(SPEED, f"to list {case.words}, all that match are sorted", _NO_INDEX)
    elif rows > LARGE and catalogue.reads_all(usual, pinned=False):
        what = f"to list {case.words}, all {rows} are read, though an index is there"
        yield warning(SPEED, what, _UNUSED)


def _cases(kind: Kind[Any]) -> Iterator[_Case]:
    """The listings that the indexes of a kind's tables are for."""
    for index in RECORDS[kind.name].indexes:
        columns = index.columns
        *pins, last = columns[: columns.index("id")] if "id" in columns else columns
        order = (SortKey(last), *(() if index.unique else (SortKey("id"),)))
        yield _case(kind, pins, order)
    if kind.name in LABELLED:
        order = (SortKey("created_at"), SortKey("id"))
        yield _case(kind, [], order, label=True)
        yield _case(kind, ["namespace"], order, label=True)


def _case(
    kind: Kind[Any], pins: list[str], order: tuple[SortKey, ...], *, label: bool = False
) -> _Case:
    terms = [Compare(name, Op.EQ, _sample(kind, name)) for name in pins]
    given = [*pins, *(["a label"] if label else [])]
    if label:
        terms.append(Compare(Label("key"), Op.EQ, "value"))
    where = f" with {' and '.join(given)} given" if given else ""
    words = f"{kind.name}s{where} by {order[0].operand}"
    return _Case(words, Plan(kind, all_of(terms), order, None, _PAGE), bool(given))


def _sample(kind: Kind[Any], name: str) -> str:
    """Return a value of a field that an index begins with: all of them are texts or words."""
    words = kind.by_name[name].enum
    return list(words)[-1].value if words else "value"
