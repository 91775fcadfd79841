"""PgBouncer in transaction mode, before a server that tests have started."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from tests.servers import private_folder, unprivileged_user, wait_until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
"""Where it is, if it is installed: Debian's package puts it where only root looks."""

_PORT = 6432
_SETTINGS = """
[databases]
* = host={host} port={port} user={user}{password}

[pgbouncer]
auth_type = any
pool_mode = transaction
; The next transaction meets another session, as soon as there are two.
server_round_robin = 1
default_pool_size = 40
max_client_conn = 400
listen_port = {listen}
unix_socket_dir = {folder}
logfile = {folder}/log
"""


@contextmanager
def pooled(url: str) -> Iterator[str]:
    """Start a pooler before the server of *url*; yield a URL of the same database through it."""
    assert PROGRAM is not None
    direct = make_url(url)
    user = unprivileged_user()
    with private_folder() as folder:
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            _SETTINGS.format(
                host=direct.query.get("host") or direct.host or "localhost",
                port=direct.port or 5432,
                user=direct.username,
                password=f" password={direct.password}" if direct.password else "",
                listen=_PORT,
                folder=folder,
            )
        )
        if user:
            shutil.chown(folder, user)
        with subprocess.Popen([PROGRAM, "-q", str(settings)], user=user) as process:
            try:
                socket = folder / f".s.PGSQL.{_PORT}"
                wait_until(lambda: socket.exists() or process.poll() is not None)
                assert process.poll() is None, _log(folder)
                through = direct.set(host="", port=_PORT)
                through = through.update_query_dict({"host": str(folder), "pooler": "transaction"})
                yield through.render_as_string(hide_password=False)
            finally:
                process.terminate()


def _log(folder: Path) -> str:
    file = folder / "log"
    return file.read_text() if file.exists() else "it did not start"
