"""What a step stands on: Alembic's operations, and the names and types of one store.

Everything here may be asked again for what is there already, so that a step which
died half-way is simply run once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from experiment_store_sql.tables import Storage

if TYPE_CHECKING:  # the extra `migrate`; who only looks at the version does without
    from alembic.operations import BatchOperations, Operations
    from sqlalchemy.types import TypeEngine

_BATCH = 1000  # rows
_PLACES = ":after", ":last"  # what a plan shows for the ends of a batch


class Ground:
    """Passed to a step's ``upgrade``. Tables are named as in `tables`, without a prefix.

    A step writes down the tables as they are in its version: it must not look at
    `tables`, which has them as they are today.
    """

    def __init__(
        self,
        op: Operations,
        *,
        schema: str | None,
        prefix: str,
        progress: Callable[[str], None],
        batch: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Enter *batch* around every batch of rows, call *progress* with sentences."""
        self.op = op
        self.schema = schema
        self._prefix = prefix
        self._progress = progress
        self._batch = batch

    @property
    def is_plan(self) -> bool:
        """Whether statements are only written down."""
        return bool(self.op.get_context().as_sql)

    def name(self, name: str) -> str:
        """Return the name that a table or index has in this store."""
        return self._prefix + name

    def type(self, storage: Storage) -> TypeEngine[Any]:
        """Return the type of columns of that storage."""
        from sqlalchemy import BigInteger, Integer, Text  # noqa: PLC0415 (as above)

        if storage is Storage.INTEGER:
            return BigInteger().with_variant(Integer(), "sqlite")
        return Text().with_variant(Text(collation="C"), "postgresql")

    def options(self, *, clustered: bool = False) -> Mapping[str, Any]:
        """Return the options that all our tables have; the *clustered* ones are for labels."""
        return {"sqlite_strict": True, "sqlite_with_rowid": not clustered}

    def columns(self, table: str) -> frozenset[str]:
        """Return the names of the columns that a table has; in a plan, none."""
        from sqlalchemy import inspect  # noqa: PLC0415 (as above)

        if self.is_plan:
            return frozenset()
        found = inspect(self.op.get_bind()).get_columns(self.name(table), schema=self.schema)
        return frozenset(column["name"] for column in found)

    def add_column(self, table: str, name: str, storage: Storage, default: str) -> None:
        """Add a column, if it is not there; *default* is what the rows have in it.

        It stays: who writes by an older schema, and so does not know the column, can
        go on. SQLite and PostgreSQL 11 rewrite no rows for it.
        """
        from sqlalchemy import Column, text  # noqa: PLC0415 (as above)

        if name in self.columns(table):
            return
        column: Column[Any] = Column(
            name, self.type(storage), nullable=False, server_default=text(default)
        )
        self.op.add_column(self.name(table), column, schema=self.schema)

    def create_table(
        self,
        name: str,
        columns: Mapping[str, Storage],
        primary_key: Sequence[str],
        *,
        clustered: bool = False,
    ) -> None:
        """Create a table, if it is not there; the *clustered* ones are as in `options`."""
        from sqlalchemy import Column, PrimaryKeyConstraint  # noqa: PLC0415 (as above)

        made: list[Column[Any]] = [
            Column(column, self.type(storage), nullable=False)
            for column, storage in columns.items()
        ]
        self.op.create_table(
            self.name(name),
            *made,
            PrimaryKeyConstraint(*primary_key),
            schema=self.schema,
            if_not_exists=True,
            **self.options(clustered=clustered),
        )

    def create_index(
        self, name: str, table: str, columns: list[str], *, unique: bool = False
    ) -> None:
        """Create an index, if it is not there."""
        self.op.create_index(
            self.name(name),
            self.name(table),
            columns,
            unique=unique,
            schema=self.schema,
            if_not_exists=True,
        )

    @contextmanager
    def altering(self, table: str, *, clustered: bool = False) -> Iterator[BatchOperations]:
        """Alter a table in ways that SQLite cannot: there, Alembic copies it."""
        with self.op.batch_alter_table(
            self.name(table),
            schema=self.schema,
            table_kwargs=self.options(clustered=clustered),
        ) as batch:
            yield batch

    def batches(self, table: str, size: int = _BATCH) -> Iterator[tuple[str, str]]:
        """Yield the ends, ``after < id <= last``, of batches of about *size* rows, in order.

        In a step that is not atomic, each batch is a transaction. Go on to the end.
        """
        import sqlalchemy as sa  # noqa: PLC0415 (as above)

        if self.is_plan:
            self.op.get_context().impl.static_output(f"-- for every {size} rows of {table}:")
            yield _PLACES
            return
        rows = sa.table(self.name(table), sa.column("id", sa.Text), schema=self.schema)
        after, batches = "", 0
        while True:
            ids = sa.select(rows.c.id).where(rows.c.id > after).order_by(rows.c.id).limit(size)
            last = self.op.get_bind().scalar(sa.select(sa.func.max(ids.subquery().c.id)))
            if last is None:
                return
            with self._batch():
                yield after, last
            after, batches = last, batches + 1
            self._progress(f"{batches * size} rows of {table}, at most, are done")
