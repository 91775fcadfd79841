"""The checks of a PostgreSQL schema, beside those that all databases have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from experiment_store.backend import Backend
from experiment_store.errors import BackendError
from experiment_store.findings import Finding, guarded, ok, problem, warning
from experiment_store_postgres.catalogue import PostgresCatalogue
from experiment_store_sql import Call, Dialect, SqlBackend, Steps, Work, table_name
from experiment_store_sql.examining import Subject, examination, place_problem
from experiment_store_sql.tables import all_tables

PLACE, SERVER, VACUUM, SESSIONS, INTEGRITY = "place", "server", "vacuum", "sessions", "integrity"
LONGEST = 600.0
"""Seconds that a transaction may take before it is a finding."""

_MANY, _DEAD_SHARE = 10_000, 0.2  # rows; autovacuum begins at this share
# Of the extension alone: anybody might make a function with this name.
_AMCHECK = """
SELECT p.oid::regproc::text
FROM pg_extension e,
     to_regprocedure(e.extnamespace::regnamespace || '.bt_index_check(regclass)') AS p(oid)
WHERE e.extname = 'amcheck' AND has_function_privilege(p.oid, 'EXECUTE')
"""
_ABSENT = "name the schema of a store, or make one, as experiment_store.connect does"


def examine_schema(
    backend: SqlBackend,
    steps: Steps,
    dialect: Dialect,
    is_there: Callable[[], bool],
    meaning: Callable[[Backend], Iterable[Finding]],
) -> Iterator[Finding]:
    """Examine the tables of one store, and what the server does for them."""
    try:
        there = is_there()
    except BackendError as error:
        yield place_problem(PLACE, error)
        return
    if not there:
        yield problem(PLACE, f"there is no store in the schema {dialect.schema[:-1]}", _ABSENT)
        return
    yield ok(PLACE, f"the store is in the schema {dialect.schema[:-1]}")
    yield from guarded(SERVER, partial(check_server, steps))
    yield from guarded(VACUUM, partial(check_vacuum, steps, dialect))
    yield from guarded(SESSIONS, partial(check_sessions, steps, dialect, LONGEST))
    yield from guarded(INTEGRITY, partial(check_integrity, steps, dialect))
    subject = Subject(backend, steps, dialect, PostgresCatalogue(dialect))
    yield from examination(subject, meaning)


def check_server(steps: Steps) -> Iterator[Finding]:
    """Tell the version, and whether text is encoded as the store needs it."""

    def step(work: Work) -> tuple[str, str]:
        return work.execute("SHOW server_version")[0][0], work.execute("SHOW server_encoding")[0][0]

    version, encoding = steps.read("examine", step)
    if encoding == "UTF8":
        yield ok(SERVER, f"PostgreSQL {version}, with text in UTF8")
    else:
        what = f"the database is encoded in {encoding}, not in UTF8"
        yield problem(SERVER, what, "copy the store to a database with ENCODING 'UTF8'")


def check_vacuum(steps: Steps, dialect: Dialect) -> Iterator[Finding]:
    """Look whether dead rows are removed and the planner knows the tables."""
    text = """
    SELECT s.n_live_tup, s.n_dead_tup,
           s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AND c.reltuples < 0,
           current_setting('autovacuum') = 'off'
           OR 'autovacuum_enabled=false' = ANY(coalesce(c.reloptions, '{}'))
    FROM pg_stat_all_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE s.relid = to_regclass(%s)
    """
    faults = []
    for name in _names(dialect):
        for live, dead, never, off in steps.fetch("examine", Call(text, (name,))):
            if off:
                advice = f"run: ALTER TABLE {name} RESET (autovacuum_enabled); and see that"
                advice = f"{advice} autovacuum is on in the server's configuration"
                faults.append(warning(VACUUM, f"autovacuum is off for {name}", advice))
            if dead > _MANY and dead > live * _DEAD_SHARE:
                what = f"{name} has {dead} dead rows beside {live} others"
                faults.append(warning(VACUUM, what, f"run: VACUUM (ANALYZE) {name}"))
            if never and live > _MANY:
                what = f"{name} has {live} rows and was never analysed"
                faults.append(warning(VACUUM, what, f"run: ANALYZE {name}"))
    yield from faults
    if not faults:
        yield ok(VACUUM, "autovacuum is on, and keeps the tables in order")


def check_sessions(steps: Steps, dialect: Dialect, longest: float) -> Iterator[Finding]:
    """Look for transactions on the store's tables that have been open for over *longest* seconds.

    They keep dead rows from being removed, and perhaps others waiting.
    """
    text = """
    SELECT DISTINCT a.pid, a.state, extract(epoch FROM clock_timestamp() - a.xact_start)::float8
    FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
    WHERE l.relation IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name)
    AND a.pid <> pg_backend_pid()
    AND clock_timestamp() - a.xact_start > make_interval(secs => %s)
    """
    rows = steps.fetch("examine", Call(text, (_names(dialect), longest)))
    for pid, state, age in rows:
        what = f"session {pid} ({state}) has had a transaction on the store for {age:.0f} seconds"
        yield warning(SESSIONS, what, f"end it, or run: SELECT pg_terminate_backend({pid})")
    if not rows:
        yield ok(SESSIONS, f"no transaction on the store is older than {longest:g} seconds")


def check_integrity(steps: Steps, dialect: Dialect) -> Iterator[Finding]:
    """Have amcheck look at the indexes, where it is installed and this user may use it."""
    [[sums]] = steps.fetch("examine", Call("SHOW data_checksums"))
    yield ok(INTEGRITY, f"the server's data checksums are {sums}")
    for (function,) in steps.fetch("examine", Call(_AMCHECK)):
        yield from check_indexes(steps, dialect, function)


def check_indexes(steps: Steps, dialect: Dialect, function: str) -> Iterator[Finding]:
    """Call *function* with every index; it fails for one that is damaged."""
    text = """
    SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam WHERE m.amname = 'btree' AND i.indisvalid
    AND i.indrelid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name)
    """
    faults, names = 0, steps.fetch("examine", Call(text, (_names(dialect),)))
    for (name,) in names:
        try:
            steps.fetch("examine", Call(f"SELECT {function}(%s::regclass)", (name,)))
        except BackendError as error:
            faults += 1
            yield problem(INTEGRITY, f"the index {name}: {error}", f"run: REINDEX INDEX {name}")
    if not faults:
        yield ok(INTEGRITY, f"{function} found nothing in {len(names)} indexes")


def _names(dialect: Dialect) -> list[str]:
    return [table_name(dialect, table) for table in all_tables()]
