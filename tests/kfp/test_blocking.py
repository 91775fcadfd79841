"""A slow store, a slow client, or a hostile one never holds up the others."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread
import httpx
import pytest
from starlette.types import Message

from experiment_store import ExperimentStore
from experiment_store.backend import Parent, Refusal
from experiment_store.kfp import create_app
from experiment_store.kfp.app import MAX_BODY
from experiment_store.plan import Plan, Rows
from experiment_store.schema import Kind, R
from experiment_store_memory import MemoryBackend
from tests.kfp.served import PATIENCE, serving
from tests.kfp.wire import Call, answer, sending

_EXPERIMENTS = "/apis/v2beta1/experiments"
_POST = f"POST {_EXPERIMENTS} HTTP/1.1\r\nHost: a\r\n"
_CHUNK = b" " * 65_536
_TOO_LONG = "x" * 300_000  # more than one read of the socket brings


class _HeldBackend(MemoryBackend):
    """A backend whose methods, once held, wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Semaphore(0)
        self._open = threading.Event()
        self.let_go()

    def hold(self) -> None:
        self._open.clear()

    def let_go(self) -> None:
        self._open.set()

    def get(self, kind: Kind[R], id: str) -> R | None:
        self._wait()
        return super().get(kind, id)

    def select(self, plan: Plan[R]) -> Rows[R]:
        self._wait()
        return super().select(plan)

    def insert(
        self, kind: Kind[R], records: Sequence[R], parent: Parent | None = None
    ) -> Refusal | None:
        self._wait()
        return super().insert(kind, records, parent)

    def _wait(self) -> None:
        if not self._open.is_set():
            self.entered.release()
            assert self._open.wait(PATIENCE)


@pytest.mark.parametrize("version", ["v1beta1", "v2beta1"])
@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", "/there"), ("GET", "?page_size=1"), ("POST", ""), ("DELETE", "/there"),
        ("POST", "/there:archive"), ("POST", "/there:unarchive"), ("GET", "/none"),
    ],
)  # fmt: skip
def test_a_waiting_store_call_holds_up_nobody_else(version: str, method: str, rest: str) -> None:
    backend = _HeldBackend()
    store = ExperimentStore(backend)
    store.create("there", id="there")
    name = "name" if version == "v1beta1" else "display_name"
    body = {name: "new"} if rest == "" else {}

    async def scenario() -> int:
        async with _client(store) as client:
            backend.hold()
            held = asyncio.create_task(
                client.request(method, f"/apis/{version}/experiments{rest}", json=body)
            )
            assert await asyncio.to_thread(backend.entered.acquire, timeout=PATIENCE)
            await _see_health(client)
            assert not held.done()
            backend.let_go()
            return (await held).status_code

    assert asyncio.run(scenario()) == (404 if rest == "/none" else 200)


def test_healthz_answers_while_every_worker_thread_waits_for_the_store() -> None:
    backend = _HeldBackend()
    store = ExperimentStore(backend)

    async def scenario() -> set[int]:
        threads = int(anyio.to_thread.current_default_thread_limiter().total_tokens)
        async with _client(store) as client:
            backend.hold()
            calls = [asyncio.create_task(client.get(f"{_EXPERIMENTS}/x")) for _ in range(threads)]
            for _ in calls:
                assert await asyncio.to_thread(backend.entered.acquire, timeout=PATIENCE)
            late = asyncio.create_task(client.get(f"{_EXPERIMENTS}/x"))
            await _see_health(client)
            assert not any(call.done() for call in [*calls, late])
            backend.let_go()
            return {found.status_code for found in await asyncio.gather(*calls, late)}

    assert asyncio.run(scenario()) == {404}


def _client(store: ExperimentStore) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=create_app(store))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def _see_health(client: httpx.AsyncClient) -> None:
    for version in ("v1beta1", "v2beta1"):
        assert (await client.get(f"/apis/{version}/healthz")).status_code == 200


@pytest.mark.parametrize("version", ["v1beta1", "v2beta1"])
def test_a_body_above_the_limit_is_refused_without_reading_on(version: str) -> None:
    store = ExperimentStore(MemoryBackend())
    reads, sent = _feed(store, version, [_CHUNK] * 1_000)

    start, *parts = sent
    content = json.loads(b"".join(part["body"] for part in parts))
    assert start["status"] == 413
    assert (content["code"], content["error"]) == (3, content["message"])
    assert str(MAX_BODY) in content["message"]
    assert reads == MAX_BODY // len(_CHUNK) + 1
    assert not store.list().items


def test_a_body_of_just_the_limit_is_read() -> None:
    store = ExperimentStore(MemoryBackend())
    body = sending({"display_name": "new"}).ljust(MAX_BODY)

    got = answer(create_app(store), Call(_EXPERIMENTS.encode(), "POST", body))

    assert got.status == 200
    assert [found.name for found in store.list().items] == ["new"]


def test_a_body_that_ends_too_early_creates_nothing() -> None:
    store = ExperimentStore(MemoryBackend())

    _, sent = _feed(store, "v2beta1", [sending({"display_name": "new"})])

    assert sent[0]["status"] == 400
    assert not store.list().items


def _feed(store: ExperimentStore, version: str, chunks: list[bytes]) -> tuple[int, list[Message]]:
    """Create with *chunks* and then a disconnect; return how many were read, and the answer."""
    waiting: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    reads, sent = 0, []

    async def receive() -> Message:
        nonlocal reads
        reads += 1
        return waiting[reads - 1] if reads <= len(waiting) else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def exchange() -> None:
        await create_app(store)(Call(path, "POST").scope(), receive, send)

    path = f"/apis/{version}/experiments".encode()
    asyncio.run(exchange())
    return reads, sent


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The address of a server that several tests send nonsense to; it ends well, nonetheless."""
    with serving(_sqlite(tmp_path_factory.mktemp("served"))) as address:
        yield address


@pytest.mark.parametrize(
    "request_",
    [
        f"GET {_EXPERIMENTS}?filter={_TOO_LONG} HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
        f"GET {_EXPERIMENTS}?{_TOO_LONG} HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
        f"GET {_EXPERIMENTS}/{_TOO_LONG} HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
        f"GET {_EXPERIMENTS} HTTP/1.1\r\nHost: a\r\nX-Long: {_TOO_LONG}\r\n\r\n".encode(),
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        f"GET {_EXPERIMENTS} HTTP/1.1\r\nHost: a\r\nX-Endless: {'x' * 70_000}".encode(),
        f"GET {_EXPERIMENTS} HTTP/1.1\r\n\r\n".encode(),
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
        b"\0" * 300_000,
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        f"{_POST}Content-Length: -1\r\n\r\n".encode(),
        f"{_POST}Content-Length: 1\r\n\r\nxx".encode(),
        f"{_POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode(),
        f"{_POST}Content-Length: {MAX_BODY + 1}\r\n\r\n".encode()
        + b" " * (MAX_BODY + 1),
    ],
    ids=[
        "filter", "query", "path", "header", "headers", "endless", "no host", "bytes in the path",
        "TLS", "NULs", "SSH", "negative length", "a body too long", "bad chunks", "a large body",
    ],
)  # fmt: skip
def test_garbage_and_excess_on_the_socket_get_a_4xx(request_: bytes, served: str) -> None:
    got = _raw(served, request_)

    assert got.startswith(b"HTTP/1.1 4"), got[:200]
    assert b"Traceback" not in got
    assert httpx.get(f"{served}{_EXPERIMENTS}").json() == {}


def _raw(address: str, request: bytes) -> bytes:
    """Send *request*, and return all that comes back until the server hangs up."""
    place = urlsplit(address)
    got = b""
    with socket.create_connection((place.hostname, place.port), PATIENCE) as connection:
        with suppress(OSError):  # it does not wait for the rest of what it refuses
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while part := connection.recv(65_536):
                got += part
    return got


def test_what_was_acknowledged_before_sigterm_is_there_after_a_restart(tmp_path: Path) -> None:
    url = _sqlite(tmp_path)
    acknowledged: list[str] = []
    enough = threading.Semaphore(0)
    callers: list[threading.Thread] = []

    def create(address: str, number: int) -> None:
        with httpx.Client(base_url=address, timeout=PATIENCE) as client:
            for count in range(100_000):
                name = f"{number}-{count}"
                try:
                    got = client.post(_EXPERIMENTS, json={"display_name": name})
                except httpx.TransportError:
                    return
                assert got.status_code == 200
                acknowledged.append(name)
                enough.release()

    with serving(url) as address:
        callers += [threading.Thread(target=create, args=(address, n)) for n in range(4)]
        for caller in callers:
            caller.start()
        for _ in range(40):
            assert enough.acquire(timeout=PATIENCE)
    for caller in callers:
        caller.join(PATIENCE)

    with serving(url) as address:
        kept = _names(address)
    assert set(acknowledged) <= kept
    assert len(kept) <= len(acknowledged) + len(callers)  # those that were under way


def test_a_client_that_never_ends_its_request_does_not_stop_the_server_from_stopping(
    tmp_path: Path,
) -> None:
    head = f"{_POST}Content-Length: 100\r\n\r\n{{".encode()
    command = [sys.executable, "-m", "experiment_store.kfp", "--port", "0", "--url"]
    with subprocess.Popen(
        [*command, _sqlite(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        place = urlsplit(process.stdout.readline().removeprefix("listening on ").strip())
        try:
            with socket.create_connection((place.hostname, place.port), PATIENCE) as stalled:
                stalled.sendall(head)
                health = httpx.get(f"{place.geturl()}/apis/v1beta1/healthz")
                process.send_signal(signal.SIGTERM)
                code = process.wait(PATIENCE)
        finally:
            process.kill()  # nothing to do if it has ended, as it should have

    assert health.status_code == 200  # so the stalled request, which came before, was seen
    assert code == 0


def _names(address: str) -> set[str]:
    names: set[str] = set()
    token = ""
    while True:
        query = {"page_size": "200", "page_token": token}
        page = httpx.get(f"{address}{_EXPERIMENTS}", params=query).json()
        names |= {found["display_name"] for found in page.get("experiments", [])}
        token = page.get("next_page_token", "")
        if not token:
            return names


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'served.db'}"
