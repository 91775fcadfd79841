"""``experiment-store doctor``: what is wrong with a store, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from json import dumps
from operator import attrgetter
from typing import Annotated

import typer
from attrs import asdict

from experiment_store.cli import options
from experiment_store.cli.exits import DONE, FAILED
from experiment_store.cli.helping import example
from experiment_store.cli.opening import named_url
from experiment_store.cli.output import console, say
from experiment_store.cli.progress import Bar
from experiment_store.cli.tables import Column, plain_lines
from experiment_store.cli.texts import escaped
from experiment_store.examining import examine
from experiment_store.findings import Finding, Verdict

commands = typer.Typer()

_COLUMNS = [
    Column[Finding](name, attrgetter(name)) for name in ("verdict", "check", "found", "advice")
]
_STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "red"}


@commands.command(epilog=example("doctor --store lab.db", "doctor --json --store lab.db"))
def doctor(
    *,
    store: options.Store = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON Lines: a finding a line.")
    ] = False,
) -> None:
    """Check a store, and say what to do; nothing in it is changed. The code is 1 for a problem."""
    with Bar("doctor"):
        findings = examine(named_url(store))
    if console().is_terminal and not as_json:
        for finding in findings:
            _show(finding)
    else:
        for line in _lines(findings, as_json=as_json):
            say(line)
    problems = any(finding.verdict is Verdict.PROBLEM for finding in findings)
    raise typer.Exit(FAILED if problems else DONE)


def _lines(findings: Sequence[Finding], *, as_json: bool) -> Iterator[str]:
    if as_json:
        return (dumps(asdict(finding)) for finding in findings)
    return plain_lines(_COLUMNS, findings)


def _show(finding: Finding) -> None:
    """Print what is longer than a line as one: a statement can be copied from the terminal."""
    from rich.text import Text  # noqa: PLC0415 (Rich is loaded where something is shown)

    verdict = (f"{finding.verdict:<8}", _STYLES[finding.verdict])
    line = Text.assemble(verdict, f"{finding.check:<11}", escaped(finding.found))
    console().print(line, soft_wrap=True)
    if finding.advice:
        console().print(Text(f"{'':19}{escaped(finding.advice)}"), soft_wrap=True)
