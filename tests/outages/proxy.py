"""A wire to PostgreSQL that can be cut: at once, before a message gets through, or after it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from threading import Event, Lock, Thread

from sqlalchemy import make_url

_CHUNK = 1 << 16


class Cut(Enum):
    """Where a message is when the wire is cut."""

    BEFORE = auto()  # the server has not read it
    AFTER = auto()  # the server has acted on it, and the client has not heard so


class Proxy:
    """Passes bytes between clients and a server, and cuts the wire where it is told to."""

    def __init__(self, host: str, port: int) -> None:
        """Listen on a port of this machine for clients of that server."""
        self._server = host, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cuts = 0
        self._doomed: list[tuple[Cut, bytes]] = []
        self._passes = 0
        self._wires: list[socket.socket] = []
        self._lock = Lock()
        Thread(target=self._accept, daemon=True).start()

    def doom(self, cut: Cut, word: bytes = b"", *, times: int = 1, passes: int = 0) -> None:
        """Cut the wire of the next client that sends *word*, as many *times* in all.

        As many messages as *passes* are carried first, whatever is in them.
        """
        with self._lock:
            self._doomed = [(cut, word)] * times
            self._passes = passes

    def spare(self) -> None:
        """Cut no more than has been cut."""
        with self._lock:
            self._doomed = []

    def cut(self) -> None:
        """Cut all wires at once."""
        with self._lock:
            wires, self._wires = self._wires, []
        for wire in wires:
            _hang_up(wire)

    def close(self) -> None:
        """Cut all wires and stop listening."""
        _hang_up(self._listener)
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._dial()
                with self._lock:
                    self._wires += [client, server]
                Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _dial(self) -> socket.socket:
        host, port = self._server
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        wire = socket.socket(socket.AF_UNIX)
        wire.connect(f"{host}/.s.PGSQL.{port}")
        return wire

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        """Carry what the client says to the server; another thread carries the answers."""
        is_deaf = Event()
        Thread(target=_answer, args=(server, client, is_deaf), daemon=True).start()
        with suppress(OSError):
            while said := client.recv(_CHUNK):
                cut = self._fate(said)
                if cut is Cut.BEFORE:
                    break
                if cut is Cut.AFTER:
                    is_deaf.set()
                server.sendall(said)
        if not is_deaf.is_set():
            _hang_up(client)
            _hang_up(server)

    def _fate(self, said: bytes) -> Cut | None:
        with self._lock:
            if self._doomed and self._passes:
                self._passes -= 1
            elif self._doomed and self._doomed[0][1] in said:
                self.cuts += 1
                return self._doomed.pop(0)[0]
        return None


@contextmanager
def proxied(url: str) -> Iterator[tuple[Proxy, str]]:
    """Yield a proxy before the server of *url*, and the URL that leads through it."""
    direct = make_url(url)
    host = direct.query.get("host") or direct.host or "localhost"
    proxy = Proxy(str(host), int(direct.port or 5432))
    through = direct.set(host="127.0.0.1", port=proxy.port).difference_update_query(["host"])
    plain = through.update_query_dict({"sslmode": "disable", "gssencmode": "disable"})
    try:
        yield proxy, plain.render_as_string(hide_password=False)
    finally:
        proxy.close()


def _answer(server: socket.socket, client: socket.socket, is_deaf: Event) -> None:
    with suppress(OSError):
        while heard := server.recv(_CHUNK):
            if is_deaf.is_set():
                break
            client.sendall(heard)
    _hang_up(client)
    _hang_up(server)


def _hang_up(wire: socket.socket) -> None:
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
    wire.close()
