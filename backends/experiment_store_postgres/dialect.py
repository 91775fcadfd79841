"""What PostgreSQL says differently."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psycopg

from experiment_store.errors import BackendError, UnavailableError
from experiment_store_sql import JOINT, Plain, Row, Storage, Table, table_name

_ARRAYS = {Storage.TEXT: "text[]", Storage.INTEGER: "bigint[]"}
_ESCAPE = "\\"
_KEEPS_DDL = re.compile("CockroachDB|-YB-")
_NOTHING = nullcontext()
_SPECIAL = re.compile(r"([%_\\])")


DEFAULT = "read-committed"
ISOLATIONS = {
    DEFAULT: "READ COMMITTED",
    "repeatable-read": "REPEATABLE READ",
    "serializable": "SERIALIZABLE",
}
"""The isolations of steps that write, and PostgreSQL's words for them."""

_UNDONE = {"40001", "40P01"}
# Too many clients; the server stops, starts, or gives up what is idle; CockroachDB does
# not know how a COMMIT ended.
_NOT_READY = {"53300", "57P01", "57P02", "57P03", "57P05", "25P03", "40003"}
_CONNECTION_EXCEPTION = "08"

# It takes no writes any more, since another has taken over, or none yet. A BEGIN that
# wants to write is refused by a code of many uses, but where settings are checked.
_READ_ONLY, _UNSUPPORTED = "25006", "0A000"
_CHECKS_OF_SETTINGS = {"call_bool_check_hook", "call_enum_check_hook"}


class PostgresDialect:
    """Rows are locked, not processes: nobody waits but for the same record."""

    mark = "%s"
    types: Mapping[Storage, str] = {
        Storage.TEXT: 'TEXT COLLATE "C" NOT NULL', Storage.INTEGER: "BIGINT NOT NULL",
    }  # fmt: skip
    plain = clustered = ""
    greatest = "greatest"
    chains = True
    for_update, for_share = " FOR UPDATE", " FOR SHARE"
    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    explain = "EXPLAIN"
    engine = "postgresql+psycopg"
    copied_label = '((x.labels ->> %s::text) COLLATE "C")'

    def __init__(self, schema: str, *, prefix: str = "", isolation: str = DEFAULT) -> None:
        """Speak of the tables in *schema* whose names begin with *prefix*."""
        self.schema = f'"{schema}".'
        self.prefix = prefix
        # Whatever the session's default is: the cascades of a step have to see what was
        # committed while it waited for its locks, or be undone and tried again.
        self.begin_write = f"BEGIN ISOLATION LEVEL {ISOLATIONS[isolation]} READ WRITE"

    def reading(self) -> AbstractContextManager[Any]:
        """Wait for nobody."""
        return _NOTHING

    def writing(self) -> AbstractContextManager[Any]:
        """Wait for nobody."""
        return _NOTHING

    def add(self, cursor: Any, table: Table, rows: Iterable[Row]) -> int:
        """COPY, which knows of no taken keys: one of them, and it raises."""
        text = f"COPY {table_name(self, table)} ({table.written}) FROM STDIN"
        with cursor.copy(text) as copy:
            for row in rows:
                copy.write_row(row)
        added: int = cursor.rowcount
        return added

    def one_of(self, column: str, of: Storage) -> str:
        """Compare with any element of one array, so that one statement serves every length."""
        return f"{column} = ANY({self.mark}::{_ARRAYS[of]})"

    def bind_list(self, values: Sequence[Plain]) -> list[Plain]:
        """Send the list as an array."""
        return list(values)

    def like(self, column: str) -> str:
        """LIKE, with its escape character stated."""
        return f"{column} LIKE {self.mark} ESCAPE '{_ESCAPE}'"

    def bind_pattern(self, parts: Sequence[str]) -> str:
        """Join *parts* by percent signs; LIKE's own characters are escaped."""
        return "%".join(_SPECIAL.sub(r"\\\1", part) for part in parts)

    def bind_label(self, key: str) -> str | None:
        """Send the key as it is."""
        return key

    def entry(
        self, column: str, key: str, place: int | None = None, *, once: bool = False
    ) -> tuple[str, str]:
        """Ask jsonb."""
        parsed = f"x.{column}" if once else f"r.{column}::jsonb"
        path = "->> %s::text" if place is None else f"-> %s::text ->> {place:d}"
        return f'(({parsed} {path}) COLLATE "C")', key

    def with_maps(
        self, condition: str, labels: str, *, copy: bool, words: bool, columns: Sequence[str] = ()
    ) -> str:
        """Parse JSON once a record; without OFFSET the planner would do it in every place."""
        parsed = [f"r.{name}::jsonb AS {name}" for name in (*["labels"] * copy, *columns)]
        if words:
            joined = f"coalesce(string_agg(j.value, chr({ord(JOINT)})), '') COLLATE \"C\""
            each = f"SELECT {joined} FROM jsonb_each_text(r.labels::jsonb) AS j"
            parsed.append(f"({each}) AS words")
        return f"(SELECT {condition} FROM (SELECT {', '.join(parsed)} OFFSET 0) AS x)"

    def is_idle(self, connection: Any) -> bool:
        """Ask the driver, which knows of commands that were interrupted."""
        status = connection.info.transaction_status
        return bool(status == psycopg.pq.TransactionStatus.IDLE)

    def is_duplicate(self, error: Exception) -> bool:
        """Tell unique keys from other constraints."""
        return isinstance(error, psycopg.errors.UniqueViolation)

    def is_undone(self, error: Exception) -> bool:
        """Ask for the codes of serialization failures and deadlocks, and of writes refused."""
        return getattr(error, "sqlstate", None) in _UNDONE or _takes_no_writes(error)

    def is_lost(self, error: Exception) -> bool:
        """Ask for its code, which the driver's own errors about connections do not have."""
        code = getattr(error, "sqlstate", None)
        if code is None:
            return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        if code in _NOT_READY or code.startswith(_CONNECTION_EXCEPTION):
            return True
        return _takes_no_writes(error)  # its successor answers new connections

    def undoes_ddl(self, connection: Any) -> bool:
        """PostgreSQL does; CockroachDB and YugabyteDB, which speak like it, do not."""
        (version,) = connection.execute("SELECT version()").fetchone()
        return _KEEPS_DDL.search(version) is None

    def translate(self, operation: str, error: Exception) -> BackendError:
        """Say that the server is out of reach or busy where that is so, else what it said."""
        what = str(error).strip()
        retryable = (psycopg.OperationalError, psycopg.InterfaceError)
        if not isinstance(error, retryable):
            return BackendError(operation, f"failed: {what}")
        return UnavailableError(operation, f"failed: {what}")


def _takes_no_writes(error: Exception) -> bool:
    """Tell whether the server is a standby, perhaps not for long."""
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate == _UNSUPPORTED:
        return error.diag.source_function in _CHECKS_OF_SETTINGS
    return error.sqlstate == _READ_ONLY
