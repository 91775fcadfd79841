"""Errors are one red line, and the exit code says what kind of thing has happened."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest
from rich.cells import cell_len

from experiment_store.cli import exits
from experiment_store.cli.__main__ import main
from tests.cli.conftest import Command

DOCS = Path(__file__).parent.parent.parent / "docs" / "command-line.md"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["list", "--filter", "nope = 1"], exits.USAGE),
        (["list", "--order-by", "nope"], exits.USAGE),
        (["list", "--limit", "-1"], exits.USAGE),
        (["nope"], exits.USAGE),
        (["no\x1bpe\nnope"], exits.USAGE),
        (["runs"], exits.USAGE),
        (["show"], exits.USAGE),
        (["create", ""], exits.USAGE),
        (["list", "--store", "nope://"], exits.USAGE),
        (["show", "nope"], exits.NOT_FOUND),
        (["list", "--store", "typo.db"], exits.NOT_FOUND),
        (["create", "mnist"], exits.IN_THE_WAY),
        (["backup", "there"], exits.IN_THE_WAY),
        (["list", "--store", "no/such/folder.db"], exits.NOT_FOUND),
        (["create", "x", "--store", "no/such/folder.db"], exits.UNAVAILABLE),
        (["list", "--store", "there"], exits.UNAVAILABLE),
        (["import", "missing"], exits.FAILED),
        (["import", "there"], exits.FAILED),
        (["backup", "copy.db", "--store", "memory://"], exits.FAILED),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_an_error_is_one_line_and_a_code(
    arguments: list[str], code: int, command: Command, tmp_path: Path
) -> None:
    command("create", "mnist")
    (tmp_path / "there").write_text("no store, nor an export\n")

    done = command(*arguments)

    assert done.code == code
    first, *others = done.err.splitlines()
    assert first.startswith("error: ")
    assert bool(others) == (arguments[1:2] in (["--filter"], ["--order-by"]))
    assert done.out == ""


def test_the_place_in_a_filter_is_pointed_at(command: Command) -> None:
    command("create", "mnist")

    done = command("list", "--filter", "labels.team = cv AND storage_sate = ARCHIVED")

    assert done.err.splitlines() == [
        "error: invalid filter",
        "labels.team = cv AND storage_sate = ARCHIVED",
        "                     ^ unknown field 'storage_sate'; did you mean 'storage_state'?",
    ]


def test_a_long_filter_is_cut_to_the_terminal(command: Command, terminal: Command) -> None:
    command("create", "mnist")
    long = " OR ".join(f"name = a{number}" for number in range(20))

    done = terminal(40, "list", "--filter", f"{long} OR nope = 1 OR {long}")

    _, line, caret = done.err.splitlines()
    assert len(line) <= 40
    assert line[caret.index("^") :].startswith("nope")


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("repeats", [1, 20])
def test_the_caret_stands_below_its_place_behind_wide_characters(
    command: Command, terminal: Command, columns: int, repeats: int
) -> None:
    command("create", "mnist")
    wide = '"' + "\N{CJK UNIFIED IDEOGRAPH-65E5}e\N{COMBINING ACUTE ACCENT}" * repeats + '"'

    done = terminal(columns, "list", "--filter", f"name = {wide} AND nope = {wide}")

    _, line, caret = done.err.splitlines()
    assert cell_len(line) <= columns
    assert cell_len(line[: line.index("nope")]) == caret.index("^")


def test_an_error_is_red_on_a_terminal(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")

    done = command("list", "--store", "typo.db")

    assert done.err == "\x1b[31merror: store file 'typo.db' not found\x1b[0m\n"


def test_an_error_tells_no_password_and_has_one_line(command: Command) -> None:
    url = "postgresql://me:s3cret@127.0.0.1:1/nothing?connect_timeout=2"

    done = command("list", "--store", url)

    assert (done.code, len(done.err.splitlines())) == (exits.UNAVAILABLE, 1)
    assert "s3cret" not in done.err


def test_a_postgresql_store_that_is_not_there_is_not_made(
    command: Command, postgres_schema_url: str
) -> None:
    missing = command("list", "--store", postgres_schema_url)
    command("create", "mnist", "--store", postgres_schema_url)
    found = command("--store", postgres_schema_url, "list", "--columns", "name")

    assert (missing.code, missing.err) == (
        exits.NOT_FOUND,
        "error: store url 'postgresql://…' not found\n",
    )
    assert found.lines == ["name", "mnist"]


def test_what_reads_makes_no_store(command: Command, tmp_path: Path) -> None:
    for arguments in (
        ["list"], ["show", "x"], ["runs", "list"], ["jobs", "list"], ["export", "x.jsonl"],
        ["copy", "typo.db", "target.db"], ["backup", "b.db"], ["runs", "create", "x", "y"],
        ["delete", "x", "--yes"],
    ):  # fmt: skip
        assert command(*arguments).code == exits.NOT_FOUND

    assert list(tmp_path.iterdir()) == []


def test_the_default_store_is_made(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("EXPERIMENT_STORE_URL")

    assert command("list").code == 0
    assert list((tmp_path / "data").rglob("*.db"))


def test_an_option_before_or_after_the_command_names_the_store(command: Command) -> None:
    command("create", "before", "--store", "before.db")
    command("create", "after", "--store", "after.db")

    assert "before" in command("--store", "before.db", "list").out
    assert "after" in command("--store", "before.db", "list", "--store", "after.db").out
    assert "after" in command("list", "--store", "sqlite:///after.db").out


def test_a_reader_who_has_gone_ends_the_program_quietly(command: Command) -> None:
    command("create", "mnist")

    for buffering in (1, 8192):
        with _no_reader(buffering):
            assert main(["list"]) == exits.CLOSED


def test_an_export_that_nobody_reads_ends_the_program_quietly(
    command: Command, capfd: pytest.CaptureFixture[str]
) -> None:
    command("create", "mnist", "--description", "\N{CJK UNIFIED IDEOGRAPH-65E5}" * 4000)

    for buffering in (1, 8192):
        with _no_reader(buffering):
            assert main(["export", "-"]) == exits.CLOSED

    assert capfd.readouterr().err == ""


def test_a_table_that_nobody_reads_ends_the_program_quietly(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("create", "mnist")
    monkeypatch.setenv("FORCE_COLOR", "1")

    with _no_reader(8192):
        assert main(["list"]) == exits.CLOSED


def test_a_full_disk_is_told(command: Command, capfd: pytest.CaptureFixture[str]) -> None:
    command("create", "mnist")

    with _stdout(open("/dev/full", "w", encoding="utf-8")):  # noqa: PTH123 (left open on purpose)
        assert main(["list"]) == exits.FAILED

    assert capfd.readouterr().err == "error: No space left on device\n"


def test_a_file_that_is_not_there_is_told_without_a_number(command: Command) -> None:
    done = command("import", "nope.jsonl")

    assert (done.code, done.err) == (
        exits.FAILED,
        "error: No such file or directory: 'nope.jsonl'\n",
    )


def test_who_interrupts_gets_130(command: Command) -> None:
    class Interrupting:
        def write(self, text: str) -> int:
            return len(text)

        def flush(self) -> None:
            raise KeyboardInterrupt

        def isatty(self) -> bool:
            return False

    command("create", "mnist")

    before, sys.stdout = sys.stdout, Interrupting()
    try:
        assert main(["list"]) == exits.INTERRUPTED
    finally:
        sys.stdout = before


def test_the_documented_codes_are_these() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", DOCS.read_text(), re.MULTILINE)

    assert {int(code): meaning for code, meaning in rows} == exits.MEANINGS


@contextmanager
def _no_reader(buffering: int) -> Iterator[None]:
    """Have standard output be a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    with _stdout(os.fdopen(writer, "w", buffering, encoding="utf-8")):
        yield


@contextmanager
def _stdout(file: TextIO) -> Iterator[None]:
    before, sys.stdout = sys.stdout, file
    try:
        yield
    finally:
        sys.stdout = before
        file.close()
