"""Requests as an ASGI server hands them on, byte for byte, without one in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from attrs import frozen
from starlette.types import ASGIApp, Message, Scope

_REMAINING_MESSAGE: Message = {"type": "http.disconnect"}


@frozen
class Call:
    """A request; *target* is what the request line has, the query included."""

    target: bytes
    method: str = "GET"
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def scope(self) -> Scope:
        """Return what a server would make of the head, as uvicorn does."""
        path, _, query = self.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "scheme": "http",
            "method": self.method,
            "root_path": "",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "headers": [(b"host", b"127.0.0.1"), *self.headers],
        }


@frozen
class Answer:
    """A response; names of *headers* are in lower case."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of one header, if it is there."""
        return {key.decode(): value.decode("latin-1") for key, value in self.headers}.get(name)

    def json(self) -> Any:
        """Return what the body says; a body that is no JSON is a failure."""
        assert self.header("content-type") == "application/json", self
        return json.loads(self.body)


async def exchange(app: ASGIApp, call: Call) -> Answer:
    """Send *call* to *app*; what it raises is raised here too."""
    waiting = [{"type": "http.request", "body": call.body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop() if waiting else _REMAINING_MESSAGE

    async def send(message: Message) -> None:
        sent.append(message)

    await app(call.scope(), receive, send)
    start, *parts = sent
    body = b"".join(part.get("body", b"") for part in parts)
    return Answer(start["status"], tuple(start["headers"]), body)


def answers(app: ASGIApp, calls: Iterable[Call]) -> list[Answer]:
    """Send *calls* to *app*, one after the other."""

    async def send_all() -> list[Answer]:
        return [await exchange(app, call) for call in calls]

    return asyncio.run(send_all())


def answer(app: ASGIApp, call: Call) -> Answer:
    """Send one call to *app*."""
    return answers(app, [call])[0]


def sending(content: Any) -> bytes:
    """Return *content* as the body of a request."""
    return json.dumps(content).encode()
