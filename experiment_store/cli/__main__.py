"""The program ``experiment-store``; ``python -m experiment_store.cli`` is the same."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiment_store.cli.exits import INTERRUPTED, code_of
from experiment_store.errors import MissingDriverError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say, by default those of the process; return the exit code."""
    try:
        return _main(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # Typer catches those that come once it is at work
        return INTERRUPTED


def _main(arguments: Sequence[str]) -> int:
    try:
        from experiment_store.cli.app import run  # noqa: PLC0415 (a plain install lacks Typer)
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        missing = MissingDriverError.of("experiment-store", "cli", what="Typer and Rich")
        sys.stderr.write(f"error: {missing}\n")
        return code_of(missing)
    return run(arguments)


if __name__ == "__main__":  # pragma: no cover (in a process of its own)
    sys.exit(main())
