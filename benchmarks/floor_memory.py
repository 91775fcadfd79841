"""The floor in memory: dictionaries, and a sorted list in the default order."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from pathlib import Path

from sortedcontainers import SortedKeyList  # type: ignore[import-untyped]  # it has no types

from benchmarks.floor_tables import ABSENT, Record
from benchmarks.stamps import new_etag, new_id, now
from benchmarks.subject import Description
from benchmarks.workload import Row, RunRow


class MemoryFloor:
    """A subject: plain tuples in dictionaries; readers take no lock."""

    lacks = frozenset[str]()

    def __init__(self) -> None:
        self._by_id: dict[str, Record] = {}
        self._by_name: dict[tuple[str, str], Record] = {}
        self._in_order = SortedKeyList(key=itemgetter(6, 0))
        self._runs: dict[str, dict[str, Record]] = {}
        self._writer = threading.Lock()

    def open(self, folder: Path) -> None:
        """Do nothing: all is there."""

    def settle(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def prepare(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Leave the rows as they are: they are tuples."""
        return rows

    def load(self, batch: Sequence[Row]) -> None:
        """Store rows, all or none."""
        time = now()
        with self._writer:
            for row in batch:
                if row.id in self._by_id or (row.namespace, row.name) in self._by_name:
                    raise KeyError(row)
            for id, namespace, name, description, labels in batch:
                head = (id, namespace, name, description, dict(labels), "AVAILABLE")
                self._put((*head, time, time, ABSENT, new_etag()))

    def ids(self, rows: Sequence[Row]) -> Sequence[str]:
        """They are the rows' own."""
        return [row.id for row in rows]

    def load_runs(self, experiment_id: str, runs: Sequence[RunRow]) -> None:
        """Store runs of an experiment."""
        time = now()
        namespace = self._by_id[experiment_id][1]
        with self._writer:
            children = self._runs.setdefault(experiment_id, {})
            for id, name, labels in runs:
                head = (id, experiment_id, namespace, name, "", dict(labels), "AVAILABLE")
                tail = ("PENDING", time, time, ABSENT, ABSENT, "", new_etag())
                children[id] = (*head, *tail)

    def create(self, name: str, namespace: str, labels: Mapping[str, str]) -> Record:
        """Store one experiment."""
        time = now()
        id, copy, etag = new_id(time), dict(labels), new_etag()
        record = (id, namespace, name, "", copy, "AVAILABLE", time, time, ABSENT, etag)
        with self._writer:
            if id in self._by_id or (namespace, name) in self._by_name:
                raise KeyError(name)
            self._put(record)
        return record

    def get(self, id: str) -> Record:
        """Look up the id."""
        return self._by_id[id]

    def get_by_name(self, name: str, namespace: str) -> Record:
        """Look up the name."""
        return self._by_name[namespace, name]

    def first_page(self, limit: int) -> Sequence[Record]:
        """Read the beginning of the sorted list."""
        with self._writer:
            return list(islice(self._in_order, limit))

    def contains(self, text: str, limit: int) -> Sequence[Record]:
        """Read the sorted list from its end until there are enough."""
        with self._writer:
            newest = reversed(self._in_order)
            return list(islice((record for record in newest if text in record[2]), limit))

    def walk(self, page: int) -> Iterator[Record]:
        """Read pages, each from where the last one ended."""
        records = self.first_page(page)
        while records:
            yield from records
            last = (records[-1][6], records[-1][0])
            with self._writer:
                later = self._in_order.irange_key(last, inclusive=(False, True))
                records = list(islice(later, page))

    def archive(self, id: str) -> Record:
        """Replace the experiment and its runs."""
        with self._writer:
            time, etag = now(), new_etag()
            former = self._by_id[id]
            self._in_order.remove(former)
            record = (*former[:5], "ARCHIVED", former[6], time, former[8], etag)
            self._put(record)
            children = self._runs.get(id, {})
            for child, run in children.items():
                if run[6] == "AVAILABLE":
                    children[child] = (*run[:6], "ARCHIVED", *run[7:9], time, *run[10:13], etag)
        return record

    def archived_runs(self, experiment_id: str) -> int:
        """Count them."""
        return sum(run[6] == "ARCHIVED" for run in self._runs[experiment_id].values())

    def describe(self, record: Record) -> Description:
        """Name the parts that can be compared."""
        names = ("id", "namespace", "name", "description", "labels", "storage_state")
        return dict(zip(names, record, strict=False))

    def _put(self, record: Record) -> None:
        self._by_id[record[0]] = record
        self._by_name[record[1], record[2]] = record
        self._in_order.add(record)
