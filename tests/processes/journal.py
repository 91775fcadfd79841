"""What a writer intends and what it is told, in a file that outlives the writer.

Each line is appended by one write(2), before a call and after it. What the kernel
has taken, SIGKILL does not take away; only the last line may be incomplete.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from tests.processes.operations import Answer, Operation


class Journal:
    """Appends; any thread may."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def intend(self, operation: Operation) -> None:
        """Write down what will be done."""
        self._append(asdict(operation))

    def answered(self, operation: Operation, answer: Answer) -> None:
        """Write down what the store answered."""
        self._append({"of": operation.key, **asdict(answer)})

    def _append(self, line: Any) -> None:
        data = json.dumps(line).encode() + b"\n"
        assert os.write(self._file, data) == len(data)


@frozen
class Entry:
    """An operation, and what its writer was told, if it was told anything."""

    operation: Operation
    answer: Answer | None

    @property
    def is_open(self) -> bool:
        """Whether nobody knows what has happened."""
        return self.answer is None or not self.answer.is_settled


def read_journal(path: Path) -> Sequence[Entry]:
    """Return what is in the file at *path*, in the order of the intentions."""
    *lines, _ = path.read_bytes().split(b"\n")
    operations: dict[str, Operation] = {}
    answers: dict[str, Answer] = {}
    for line in map(json.loads, lines):
        if (key := line.pop("of", None)) is not None:
            answers[key] = Answer(**line)
        else:
            operations[line["key"]] = Operation(**line)
    return [Entry(operation, answers.get(key)) for key, operation in operations.items()]
