"""A client program: checks with sentences for names, one printed line for each.

All of them run, however many fail; the exit code tells whether any did.
"""

from __future__ import annotations

import ipaddress
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from kfp_server_api import ApiException  # type: ignore[import-not-found]  # only in its environment

from tests.kfp.face import Face

Check = Callable[[Face], None]

INVALID: Final = (400, 3)
NOT_FOUND: Final = (404, 5)
TAKEN: Final = (409, 6)
ABORTED: Final = (409, 10)
UNAUTHENTICATED: Final = (401, 16)
FORBIDDEN: Final = (403, 7)
"""HTTP status and gRPC code."""


class RefusalError(AssertionError):
    """The server accepted what it has to refuse, or refused it in the wrong way."""


@contextmanager
def refused(kind: tuple[int, int], what: Any = "") -> Iterator[list[dict[str, Any]]]:
    """Demand that the call inside is refused; its error body is then in the list."""
    bodies: list[dict[str, Any]] = []
    try:
        yield bodies
    except ApiException as error:
        try:
            bodies.append(_error_body(kind, error))
        except (AssertionError, ValueError, KeyError, TypeError) as wrong:
            came = f"{error.status} {error.body!r}"
            raise RefusalError(f"{what!r}: {type(wrong).__name__} {wrong}: {came}") from wrong
        return
    raise RefusalError(f"{what!r}: accepted instead of {kind}")


def _error_body(kind: tuple[int, int], error: Any) -> dict[str, Any]:
    status, code = kind
    assert error.status == status, f"HTTP status is not {status}"
    assert error.headers["content-type"].startswith("application/json"), error.headers
    body: dict[str, Any] = json.loads(error.body)
    assert body["code"] == code, f"gRPC code is not {code}"
    assert isinstance(body["message"], str), "message is no text"
    assert body["message"], "message is empty"
    assert isinstance(body["error"], str), "error is no text"
    assert body["error"], "error is empty"
    for detail in body.get("details", ()):
        assert detail["@type"] == "type.googleapis.com/google.rpc.Status"
        assert detail["code"] == code
        assert detail["message"]
    return body


def same(got: Any, wanted: Any, what: str = "") -> None:
    """Demand that two values are equal, and show both where they are not."""
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}".removeprefix(": ")


def each(cases: Iterable[Any], check: Callable[[Any], None]) -> None:
    """Check every case, and report all that fail rather than the first."""
    failures = []
    for case in cases:
        try:
            check(case)
        except (AssertionError, ApiException) as error:
            failures.append(f"{case!r}: {str(error).strip() or traceback.format_exc()}")
    assert not failures, "\n".join(failures)


def run_all(face: Any, checks: Iterable[Callable[[Any], None]]) -> None:
    """Run *checks* against *face*, print a line for each, and end the program."""
    failed = 0
    for check in checks:
        sentence = check.__name__.replace("_", " ").strip()
        try:
            check(face)
        except Exception:  # noqa: BLE001 (whatever it is, the other checks still run)
            failed += 1
            _say(f"FAILED {sentence}\n{traceback.format_exc()}")
        else:
            _say(f"ok     {sentence}")
    sys.exit(1 if failed else 0)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def stay_on_loopback() -> None:
    """Refuse, for the rest of this process, every connection that would leave the machine."""
    sys.addaudithook(_refuse_to_leave)


def _refuse_to_leave(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not ipaddress.ip_address(host).is_loopback:
        raise PermissionError(f"{event} to {host}")
