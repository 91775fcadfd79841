"""The process of one peer: takes it through scenarios as its parent says, line by line.

Runs in the peer's own environment, where there is nothing but the peer and the
standard library. What fails ends the process, with its reason on standard error.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from benchmarks.peers.pair import Pair
from benchmarks.subject import Subject
from benchmarks.workload import Workload

PEERS = {
    "mlflow": ("benchmarks.peers.mlflow_peer", "MlflowPeer", "mlflow-skinny"),
    "mlmd": ("benchmarks.peers.mlmd_peer", "MlmdPeer", "ml-metadata"),
    "optuna": ("benchmarks.peers.optuna_peer", "OptunaPeer", "optuna"),
}
"""Module, class and distribution of each peer."""


class PeerSubject(Subject, Protocol):
    """A subject that also tells how it is opened."""

    def program(self) -> str:
        """Return a program that imports the peer and opens its database."""


def main() -> None:
    """Serve until standard input ends; the one argument is what `serve` takes, as JSON."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # peers may print; answers stay alone
    for answer in serve(**json.loads(sys.argv[1])):
        print(json.dumps(answer), file=answers, flush=True)


def serve(peer: str, server: str | None, folder: str, rows: int, sample: int) -> Iterator[Any]:
    """Yield an answer for each line of standard input."""
    module, name, distribution = PEERS[peer]
    make: Callable[..., PeerSubject] = getattr(import_module(module), name)
    base, workloads = Path(folder), (Workload(rows), Workload(sample))
    kept = [workload.experiments() for workload in workloads]
    gc.freeze()  # the collector need not look at these rows during every measurement
    empty = make(server, fast=False)
    empty.open(base)
    factories = (lambda: make(server, fast=True), lambda: make(server, fast=False))
    with closing(empty), closing(Pair(peer, factories, workloads, base, loads=sample)) as pair:
        calls: Mapping[str, Callable[..., Any]] = {
            "version": lambda: version(distribution),
            "program": empty.program,
            "answer": pair.answer,
            "time": pair.time,
        }
        for line in sys.stdin:
            call, *arguments = json.loads(line)
            yield calls[call](*arguments)
    kept.clear()


if __name__ == "__main__":
    main()
