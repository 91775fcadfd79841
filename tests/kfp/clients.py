"""The official clients, each in a virtual environment that the test run makes.

They are installed as published. The workers of a parallel run share what the
first of them has made, and the last to finish removes it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]

V1 = ("kfp-server-api==1.8.5",)
V2 = ("kfp==2.17.3", "kfp-server-api==2.17.3")

# A bundle of certificates, which a client that speaks plain HTTP to loopback
# never opens. An index that lags behind may lack the newest, for which kfp asks.
_ANY_VERSION_WILL_DO = "certifi"

_PRINT_DEPENDENCIES = f"""
import sys
from importlib.metadata import requires
from pip._vendor.packaging.requirements import Requirement

for package in sys.argv[1:]:
    for text in requires(Requirement(package).name) or ():
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({{"extra": ""}}):
            loose = needed.name == {_ANY_VERSION_WILL_DO!r}
            print(needed.name if loose else text)
"""


@contextmanager
def environment(folder: Path, packages: Sequence[str]) -> Iterator[Path]:
    """Lend the interpreter of an environment in *folder* that has *packages*.

    Whoever uses it holds a shared lock; whoever makes or removes it, an exclusive one.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    ready = folder / "ready"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        while not ready.exists():
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not ready.exists():
                _make(folder, packages)
                ready.touch()
            fcntl.flock(lock, fcntl.LOCK_SH)  # not atomic: it may be gone again, so look
        try:
            yield folder / "bin" / "python"
        finally:
            _remove_if_last(folder, lock.fileno())


def run(
    python: Path,
    module: str,
    *arguments: str,
    home: Path,
    variables: Mapping[str, str] | None = None,
) -> str:
    """Run a client program, alone with its home folder, and return what it printed.

    Nothing of this process' environment gets through: the clients read tokens,
    proxies, end points and a namespace from there and from the home folder.
    """
    surroundings = {
        "HOME": str(home),
        "PATH": os.defpath,
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **(variables or {}),
    }
    done = subprocess.run(
        [str(python), "-m", f"tests.kfp.{module}", *arguments],
        cwd=ROOT,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{module} {' '.join(arguments)}\n{done.stdout}"
    return done.stdout


def _make(folder: Path, packages: Sequence[str]) -> None:
    _call(sys.executable, "-m", "venv", "--clear", str(folder))
    python = str(folder / "bin" / "python")
    refusal = _install(python, packages)
    if refusal is None:
        return
    if _missing(refusal) != _ANY_VERSION_WILL_DO:
        raise AssertionError(refusal)
    _call(*_pip(python), "--no-deps", *packages)
    listed = _call(python, "-c", _PRINT_DEPENDENCIES, *packages)
    refusal = _install(python, listed.splitlines())
    assert refusal is None, refusal


def _install(python: str, packages: Sequence[str]) -> str | None:
    """Install *packages*; return what pip says if it refuses."""
    done = subprocess.run(
        [*_pip(python), *packages], capture_output=True, text=True, check=False, timeout=600
    )
    return None if done.returncode == 0 else done.stdout + done.stderr


def _missing(refusal: str) -> str | None:
    found = re.search(r"No matching distribution found for ([\w.-]+)", refusal)
    return found and found[1]


def _pip(python: str) -> list[str]:
    return [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]


def _call(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def _remove_if_last(folder: Path, lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another worker still uses it, and will remove it
    shutil.rmtree(folder)
