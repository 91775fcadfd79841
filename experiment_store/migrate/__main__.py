"""Brings a store to the schema of this release: ``python -m experiment_store.migrate --help``."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from experiment_store.capabilities import Migrations
from experiment_store.errors import ExperimentStoreError
from experiment_store.migrate import WAIT, opened

DONE, FAILED, NEEDED = 0, 1, 3
"""The exit codes; 2 is argparse's own, for arguments that mean nothing."""

_USAGE = """\
status   say which schema the store has, and which this release needs
plan     say which steps lead there, as far as they are known before they run
apply    take them; create the store if there is none

Exit codes:
  0   done; of `status`: the store is up to date
  1   it has failed; of `status`: the store is newer than this release
  2   the arguments are wrong
  3   of `status`: `apply` has something to do

Stop the programs that use the store before, and keep a copy of it."""


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with opened(options.url) as migrations:
            match options.action:
                case "status":
                    return _status(migrations)
                case "plan":
                    return _plan(migrations)
                case _:
                    return _apply(migrations, options.wait)
    except ExperimentStoreError as error:
        print(f"failed: {error}", file=sys.stderr)
        return FAILED


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m experiment_store.migrate",
        description=_USAGE,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["status", "plan", "apply"])
    # A URL with a password is better off in the environment: others see arguments.
    parser.add_argument(
        "url", nargs="?", metavar="URL", help="the store; by default that of connect()"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=WAIT,
        help="seconds to wait for others; by default %(default)g",
    )
    return parser


def _status(migrations: Migrations) -> int:
    status = migrations.status()
    found = "no store" if status.store is None else f"schema {status.store or 'unknown'}"
    print(f"the store: {found}")
    print(f"this library: schema {status.library}")
    if status.store == status.library:
        return DONE
    return NEEDED if status.store is None or status.is_behind else FAILED


def _plan(migrations: Migrations) -> int:
    steps = migrations.plan()
    for step in steps:
        print(f"-- schema {step.version}: {step.summary}")
        for statement in step.statements:
            print(statement)
    if not steps:
        print("-- no steps")
    return DONE


def _apply(migrations: Migrations, wait: float) -> int:
    done = migrations.apply(wait=wait, progress=_tell)
    print(f"the store has schema {done.after}")
    return DONE


def _tell(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":  # pragma: no cover (in a process of its own)
    sys.exit(main())
