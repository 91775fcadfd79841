"""What ``--help`` says beyond the options: examples, and the exit codes."""

from __future__ import annotations

from experiment_store.cli.exits import MEANINGS

_AS_IT_IS = "\b"  # Typer would fill the lines of a paragraph that does not begin so


def example(*commands: str) -> str:
    """Return the end of a command's help: how it is called."""
    lines = (f"  experiment-store {command}" for command in commands)
    return "\n".join((_AS_IT_IS, "Example:", *lines))


def exit_codes() -> str:
    """Return the table of exit codes."""
    lines = (f"  {code:>3}  {meaning}" for code, meaning in MEANINGS.items())
    return "\n".join((_AS_IT_IS, "Exit codes:", *lines))
