"""``experiment-store doctor``: what is wrong with a store, and what to do about it."""

from __future__ import annotations

from json import dumps
from typing import Annotated

import typer
from attrs import asdict

from experiment_store.cli import options
from experiment_store.cli.exits import DONE, FAILED
from experiment_store.cli.helping import example
from experiment_store.cli.opening import named_url
from experiment_store.cli.output import console, say
from experiment_store.cli.progress import Bar
from experiment_store.cli.texts import escaped
from experiment_store.examining import examine
from experiment_store.findings import Finding, Verdict

commands = typer.Typer()

_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "red"}


@commands.command(epilog=example("doctor --store lab.db", "doctor --json --store lab.db"))
def doctor(
    *,
    store: options.Store = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: a finding a line.")
    ] = False,
) -> None:
    """Check a store, and say what to do; nothing in it is changed. A problem ends with code 1."""
    with Bar("doctor"):
        findings = examine(named_url(store))
    for finding in findings:
        if as_json:
            say(dumps(asdict(finding)))
        else:
            _show(finding)
    problems = any(finding.verdict is Verdict.PROBLEM for finding in findings)
    raise typer.Exit(FAILED if problems else DONE)


def _show(finding: Finding) -> None:
    from rich.text import Text  # noqa: PLC0415 (Rich is loaded where something is shown)

    verdict = (f"{finding.verdict:<8}", _STYLES[finding.verdict])
    line = Text.assemble(verdict, f"{finding.check:<11}", escaped(finding.found))
    console().print(line, soft_wrap=True)
    if finding.advice:
        console().print(Text(f"{'':19}{escaped(finding.advice)}"), soft_wrap=True)
