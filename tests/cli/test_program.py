"""The program as such: its help, what it lacks, and what it completes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from experiment_store import connect
from experiment_store.cli import exits
from experiment_store.cli.app import app
from experiment_store.cli.completing import experiment_names
from tests.cli.conftest import Command
from tests.cli.people import PROGRAM, surroundings

HEAVY = [
    "rich.table",
    "lark",
    "sqlite3",
    "starlette",
    "uvicorn",
    "pydantic",
    "experiment_store_sql",
]


def _commands(group: Any, *path: str) -> Iterator[tuple[str, ...]]:
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from _commands(one, *path, name)
        elif name != "serve":
            yield (*path, name)


@pytest.mark.parametrize("path", [*_commands(typer.main.get_command(app))], ids=" ".join)
def test_the_help_of_a_command_has_an_example_of_it(
    path: tuple[str, ...], command: Command
) -> None:
    done = command(*path, "--help")

    assert done.code == 0
    examples = done.out.partition("Example:\n")[2].splitlines()
    assert any(line.strip().startswith(f"experiment-store {' '.join(path)}") for line in examples)


def test_without_arguments_there_is_help_with_the_exit_codes(command: Command) -> None:
    done = command()

    assert done.code == 0
    for code, meaning in exits.MEANINGS.items():
        assert f"  {code:>3}  {meaning}\n" in done.out


def test_the_version_is_that_of_the_distribution(command: Command) -> None:
    assert command("--version").out.startswith("experiment-store 0.")


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom experiment_store.cli.__main__ import main\nmain(['--help'])\n"
        f"print(*set({HEAVY}) & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=surroundings(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stderr.strip(), done.returncode) == ("", 0)


def test_a_plain_install_names_the_extra(monkeypatch: pytest.MonkeyPatch, command: Command) -> None:
    monkeypatch.delitem(sys.modules, "experiment_store.cli.app")
    monkeypatch.setitem(sys.modules, "typer", None)

    done = command("list")

    assert done.code == exits.UNAVAILABLE
    assert done.err == (
        "error: experiment-store needs Typer and Rich: pip install 'experiment-store[cli]'\n"
    )


def test_another_module_that_is_missing_is_no_matter_of_the_extra(
    monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setitem(sys.modules, "experiment_store.cli.app", None)

    with pytest.raises(ModuleNotFoundError, match=r"cli\.app"):
        command("list")


def test_the_arguments_are_those_of_the_process_by_default(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from experiment_store.cli.__main__ import main  # noqa: PLC0415 (as the script does)

    monkeypatch.setattr(sys, "argv", ["experiment-store", "--version"])

    assert main() == 0
    assert capfd.readouterr().out.startswith("experiment-store ")


@pytest.mark.parametrize(
    ("typed", "names"),
    [("m", ["mnist", "mobilenet"]), ("mn", ["mnist"]), ("", ["bert", "mnist", "mobilenet"])],
)
def test_names_of_experiments_are_completed(typed: str, names: list[str]) -> None:
    with connect("sqlite:///lab.db") as store:
        for name in ("mobilenet", "mnist", "bert", "m\x1b[31m"):
            store.create(name)

    assert [*experiment_names(_context(), typed)] == (
        names if typed != "m" else ["mnist", "mobilenet"]
    )


def test_nothing_is_completed_without_a_store() -> None:
    assert [*experiment_names(_context("typo.db"), "m")] == []


def test_a_shell_is_given_names_of_the_store_on_its_line() -> None:
    with connect("sqlite:///other.db") as store:
        store.create("mnist")

    done = subprocess.run(
        PROGRAM,
        env=surroundings(
            _EXPERIMENT_STORE_COMPLETE="complete_bash",
            COMP_WORDS="experiment-store --store other.db show m",
            COMP_CWORD="4",
        ),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout.split(), done.stderr) == (["mnist"], "")


def _context(store: str | None = None) -> Any:
    """Return what Typer hands over while somebody types a command."""
    group = typer.main.get_command(app)
    arguments = ["list"] if store is None else ["--store", store, "list"]
    return group.make_context("experiment-store", arguments, resilient_parsing=True)
