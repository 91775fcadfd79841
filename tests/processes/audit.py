"""Whether a store is as its writers were told: compared with a model that does the same.

In a namespace of one thread, all is known but whether the last operation has
happened: the records are those of the model before it, or after it, entirely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from experiment_store_memory import MemoryBackend
from tests.processes.contents import Records, read_one
from tests.processes.journal import Entry
from tests.processes.meeting import Meeting
from tests.processes.mixing import SHARED
from tests.processes.operations import FAILED, REFUSED, Performer

NOTHING: Records = {}


class Audit:
    """A model of a store, through all its writers' lives; *tally* counts what was decided."""

    def __init__(self) -> None:
        """Expect an empty store."""
        self._model = Performer(MemoryBackend())
        self._expected: dict[str, Records] = {}
        self._meeting = Meeting()
        self.tally: Counter[str] = Counter()

    def check(self, journals: Sequence[Sequence[Entry]], found: Mapping[str, Records]) -> None:
        """Compare what was *found* with what the *journals* tell has happened since the last time.

        Nobody writes any more, and each namespace but the shared one is in one journal.
        """
        entries = [entry for journal in journals for entry in journal]
        self._count(entries)
        together = [entry for entry in entries if entry.operation.scope == SHARED]
        for scope, own in _by_scope(entries).items():
            self._expected[scope] = self._replay(scope, own, found.get(scope, NOTHING))
        for scope in (found.keys() | self._expected.keys()) - {SHARED}:
            assert found.get(scope, NOTHING) == self._expected.get(scope, NOTHING), scope
        self._meeting.check(together, found.get(SHARED, NOTHING))

    def _replay(self, scope: str, entries: Sequence[Entry], found: Records) -> Records:
        *earlier, last = entries
        for entry in earlier if last.is_open else entries:
            assert self._model.perform(entry.operation) == entry.answer, entry
        expected = read_one(self._model.store, scope)
        if not last.is_open:
            return expected
        if expected == found:
            self.tally["open, not done"] += 1
            return expected
        self._model.perform(last.operation)
        expected = read_one(self._model.store, scope)
        assert found == expected, f"half done, or something else was: {last}"
        self.tally["open, done"] += 1
        return expected

    def _count(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            assert entry.answer is None or entry.answer.outcome != FAILED, entry
            outcome = "killed" if entry.answer is None else entry.answer.outcome
            self.tally[outcome] += 1
            if outcome != REFUSED:
                self.tally[entry.operation.call] += 1


def _by_scope(entries: Sequence[Entry]) -> Mapping[str, Sequence[Entry]]:
    scopes: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.operation.scope != SHARED:
            scopes.setdefault(entry.operation.scope, []).append(entry)
    return scopes
