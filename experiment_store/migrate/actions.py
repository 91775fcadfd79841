"""What the programs do about migrations, and the words in which they tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from experiment_store.capabilities import Migrations

DONE, FAILED, NEEDED = 0, 1, 3
"""The exit codes; 2 is for arguments that mean nothing."""

Tell: TypeAlias = Callable[[str], None]


def status(migrations: Migrations, tell: Tell) -> int:
    """Tell both versions; return `DONE`, `NEEDED`, or `FAILED` for a store that is newer.

    Raises:
        BackendError: The store cannot be read.
    """
    status = migrations.status()
    found = "no store" if status.store is None else f"schema {status.store or 'unknown'}"
    tell(f"the store: {found}")
    tell(f"this library: schema {status.library}")
    if status.store == status.library:
        return DONE
    return NEEDED if status.store is None or status.is_behind else FAILED


def plan(migrations: Migrations, tell: Tell) -> int:
    """Tell the steps, as far as they are known; return `DONE`.

    Raises:
        BackendError: The store cannot be read, or is newer than the library.
    """
    steps = migrations.plan()
    for step in steps:
        tell(f"-- schema {step.version}: {step.summary}")
        for statement in step.statements:
            tell(statement)
    if not steps:
        tell("-- no steps")
    return DONE


def apply(migrations: Migrations, tell: Tell, *, wait: float) -> int:
    """Take the steps and tell of each; return `DONE`.

    Raises:
        UnavailableError: Another process is still at work after *wait* seconds.
        BackendError: The store is newer than the library, or a step has failed.
    """
    done = migrations.apply(wait=wait, progress=tell)
    tell(f"the store has schema {done.after}")
    return DONE
