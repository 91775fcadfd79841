"""What is built is what is meant, and a plain install has all that it needs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterable, Iterator
from configparser import ConfigParser
from email.message import Message
from email.parser import Parser
from importlib.metadata import distribution, requires
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "experiment_store",
    "experiment_store_memory",
    "experiment_store_sql",
    "experiment_store_sqlite",
    "experiment_store_postgres",
}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
DIST_INFO = f"experiment_store-{VERSION}.dist-info"
PLAIN = {"attrs", "lark", "platformdirs", "tenacity"}

PROGRAM = """
import sqlite3

import experiment_store

for url in ("memory://", "sqlite:///lab.db"):
    with experiment_store.connect(url) as store:
        made = store.create("mnist", namespace="vision", labels={"team": "cv"})
        page = store.list(filter='labels.team = "cv"')
        assert [made] == list(page.items), page

try:
    experiment_store.connect("postgresql://nobody@localhost/nothing")
except experiment_store.MissingDriverError as error:
    print(error)

print(experiment_store.migrate("sqlite:///lab.db"))
database = sqlite3.connect("lab.db", isolation_level=None)
database.execute("UPDATE settings SET value = '0' WHERE id = 'schema_version'")
database.close()
try:
    experiment_store.migrate("sqlite:///lab.db")
except experiment_store.MissingDriverError as error:
    print(error)
"""


def test_the_wheel_has_the_five_packages_and_nothing_else(wheel: ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}

    assert tops == PACKAGES | {DIST_INFO}


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_every_package_says_that_it_is_typed(package: str, wheel: ZipFile) -> None:
    assert f"{package}/py.typed" in wheel.namelist()


def test_the_wheel_has_the_grammar(wheel: ZipFile) -> None:
    assert "experiment_store/filters/grammar.lark" in wheel.namelist()


def test_the_wheel_has_the_steps_of_migrations(wheel: ZipFile) -> None:
    folder = "experiment_store_sql/migrations/versions"
    steps = [name for name in wheel.namelist() if name.startswith(f"{folder}/version_")]

    assert f"{folder}/version_1.py" in steps
    assert len(steps) == len(list((ROOT / "backends" / folder).glob("version_*.py")))


def test_the_wheel_has_the_licence(wheel: ZipFile) -> None:
    text = wheel.read(f"{DIST_INFO}/licenses/LICENSE").decode()

    assert "Apache License" in text


def test_every_backend_is_found_by_its_scheme(wheel: ZipFile) -> None:
    parser = ConfigParser()
    parser.read_string(wheel.read(f"{DIST_INFO}/entry_points.txt").decode())

    assert dict(parser["experiment_store.backends"]) == {
        "memory": "experiment_store_memory:connect",
        "sqlite": "experiment_store_sqlite:connect",
        "postgresql": "experiment_store_postgres:connect",
    }


def test_the_command_is_that_of_the_command_line(wheel: ZipFile) -> None:
    parser = ConfigParser()
    parser.read_string(wheel.read(f"{DIST_INFO}/entry_points.txt").decode())

    assert dict(parser["console_scripts"]) == {
        "experiment-store": "experiment_store.cli.__main__:main"
    }


def test_the_metadata_names_the_extras(metadata: Message) -> None:
    extras = "cli migrate otel pandas plot polars postgres server testing"

    assert metadata.get_all("Provides-Extra") == extras.split()


def test_a_plain_install_requires_four_distributions(metadata: Message) -> None:
    assert _plain(metadata.get_all("Requires-Dist", [])) == PLAIN


def test_the_metadata_names_licence_and_oldest_python(metadata: Message) -> None:
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("Apache-2.0", ">=3.11")


def test_a_plain_install_works_and_names_what_it_lacks(built: Path, tmp_path: Path) -> None:
    python = _plain_environment(tmp_path / "venv", built, PLAIN)

    done = subprocess.run(
        [python, "-W", "error", "-c", PROGRAM],
        cwd=tmp_path,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )

    assert "experiment-store[postgres]" in done.stdout
    assert "experiment-store[migrate]" in done.stdout

    command = subprocess.run(
        [python.with_name("experiment-store"), "list"], check=False, capture_output=True, text=True
    )

    assert (command.returncode, command.stdout) == (5, "")
    assert command.stderr == (
        "error: experiment-store needs Typer and Rich: pip install 'experiment-store[cli]'\n"
    )


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a source distribution, as an index would have it."""
    folder = tmp_path_factory.mktemp("dist")
    _run("build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture
def wheel(built: Path) -> Iterator[ZipFile]:
    """The wheel, open."""
    with ZipFile(built) as file:
        yield file


@pytest.fixture
def metadata(wheel: ZipFile) -> Message:
    """What the wheel says of itself."""
    return Parser().parsestr(wheel.read(f"{DIST_INFO}/METADATA").decode())


def _plain_environment(folder: Path, wheel: Path, requirements: Iterable[str]) -> Path:
    """Install *wheel* with what it requires and nothing else; return the interpreter.

    The requirements are borrowed from this environment, so there is no need of
    a network. That they suffice is for pip to say: it is shown no index.
    """
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    for name in _closure(requirements):
        installed = distribution(name)
        tops = {file.parts[0] for file in installed.files or ()}
        for top in tops - {"..", "__pycache__"}:
            (site / top).symlink_to(str(installed.locate_file(top)))
    _run("pip", "--python", str(python), "install", "--no-index", str(wheel))
    return python


def _closure(requirements: Iterable[str]) -> set[str]:
    """The names of the distributions that a plain install of *requirements* brings."""
    names: set[str] = set()
    waiting = [*requirements]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in names:
            names.add(name)
            waiting += _plain(requires(name) or ())
    return names


def _plain(requirements: Iterable[str]) -> set[str]:
    """The names in *requirements* that no extra and no other platform asks for."""
    parsed = map(Requirement, requirements)
    return {each.name for each in parsed if each.marker is None or each.marker.evaluate()}


def _run(module: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", module, *arguments], check=True, stdout=subprocess.DEVNULL
    )
