"""Brings a store to the schema of this release: ``python -m experiment_store.migrate --help``."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter

from experiment_store.errors import ExperimentStoreError
from experiment_store.migrate import WAIT, actions, opened

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
                    return actions.status(migrations, _tell)
                case "plan":
                    return actions.plan(migrations, _tell)
                case _:
                    return actions.apply(migrations, _tell, wait=options.wait)
    except ExperimentStoreError as error:
        print(f"failed: {error}", file=sys.stderr)
        return actions.FAILED


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


def _tell(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":  # pragma: no cover (in a process of its own)
    sys.exit(main())
