"""A virtual environment for each peer, made when it is missing or its requirements change."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path


class NotInstalledError(Exception):
    """A peer cannot be installed here."""


def interpreter(environments: Path, peer: str) -> Path:
    """Return the Python of a peer's environment, below *environments*.

    Raises:
        NotInstalledError: The installer says why in its last line.
    """
    requirements = Path(__file__).with_name(f"requirements-{peer}.txt")
    folder = environments / peer
    python, installed = folder / "bin" / "python", folder / "installed.txt"
    wanted = requirements.read_text(encoding="utf-8")
    if not installed.exists() or installed.read_text(encoding="utf-8") != wanted:
        print(f"installing {peer}", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        done = subprocess.run(
            [python, *install, "-r", requirements], stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            raise NotInstalledError((done.stderr.strip().splitlines() or ["it says nothing"])[-1])
        installed.write_text(wanted, encoding="utf-8")
    return python
