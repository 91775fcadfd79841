"""The command line of a client program: ``COMMAND URL [NOTES or TOKEN]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.kfp import crossing, filtering, life, modes, paging, runs
from tests.kfp.checks import run_all, stay_on_loopback
from tests.kfp.face import Face


def main(
    connect: Callable[[str, str], Face], own: Mapping[str, Sequence[Callable[[Any], None]]]
) -> None:
    """Run the checks of a command; *own* are those, by command, that one version alone has."""
    stay_on_loopback()
    command, url, *rest = sys.argv[1:]
    token = ""
    match command, rest:
        case "everything", []:
            shared = (*life.CHECKS, *paging.CHECKS, *filtering.CHECKS, *runs.CHECKS)
            checks: Sequence[Callable[[Any], None]] = shared
        case (("leave" | "find" | "confirm"), [notes]):
            checks = crossing.checks(command, notes)
        case "namespace-required", []:
            checks = modes.NAMESPACE_REQUIRED
        case "with-default", []:
            checks = modes.WITH_DEFAULT
        case "stranger", [*tokens]:
            token = "".join(tokens)
            checks = modes.STRANGER
        case "member", [token]:
            checks = modes.MEMBER
        case _:
            sys.exit(f"no such command: {sys.argv[1:]}")
    run_all(connect(url, token), (*own.get(command, ()), *checks))
