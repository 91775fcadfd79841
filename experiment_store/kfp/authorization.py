"""Who may do what: the question that the service asks, and an answer with bearer tokens."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from attrs import frozen

from experiment_store.errors import InvalidArgumentError
from experiment_store.kfp.failures import unauthenticated

Verb: TypeAlias = Literal["create", "get", "list", "delete", "archive", "unarchive"]
VERBS: tuple[Verb, ...] = get_args(Verb)

EVERYWHERE = "*"

_MIN_LENGTH = 16
_TOKEN = re.compile(rf"[!-~]{{{_MIN_LENGTH},}}")  # other characters reach nobody unchanged


@frozen
class Identity:
    """What a request says of its sender; names of *headers* are in lower case."""

    headers: Mapping[str, str]

    @property
    def bearer_token(self) -> str | None:
        """The credential of ``Authorization: Bearer …`` (RFC 6750), if there is one."""
        scheme, _, credential = self.headers.get("authorization", "").partition(" ")
        return credential.strip() if scheme.lower() == "bearer" and credential.strip() else None


Authorize: TypeAlias = Callable[[Identity, Verb, str | None], bool | Awaitable[bool]]
"""Tells whether a caller may do something in a namespace.

``None`` stands for all namespaces together, and for that of an experiment that
does not exist. Who cannot be identified is refused by raising `unauthenticated()`.
"""


@frozen
class Grant:
    """What one token allows; an asterisk stands for every namespace."""

    digest: bytes
    namespaces: frozenset[str]
    verbs: frozenset[str]

    def allows(self, verb: Verb, namespace: str | None) -> bool:
        """Tell whether the token is good for this."""
        return verb in self.verbs and (
            EVERYWHERE in self.namespaces or namespace in self.namespaces
        )


class BearerTokens:
    """Authorizes by bearer tokens, each with the namespaces and verbs it is good for."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        """Know these tokens, by their digests."""
        self._grants = tuple(grants)

    def __call__(self, identity: Identity, verb: Verb, namespace: str | None) -> bool:
        """Tell whether the token of the request allows it.

        Every known token is compared, each in constant time, so that the time
        taken says nothing of any of them.

        Raises:
            Failure: The request has no known token.
        """
        digest = _digest(identity.bearer_token or "")
        found = [grant for grant in self._grants if hmac.compare_digest(grant.digest, digest)]
        if not found:
            raise unauthenticated()
        return any(grant.allows(verb, namespace) for grant in found)


def read_tokens(path: Path) -> BearerTokens:
    """Read a JSON file: ``[{"token": …, "namespaces": ["vision"], "verbs": ["get", "list"]}]``.

    ``"namespaces": ["*"]`` means all of them, and is the only way to list across
    namespaces; without ``verbs`` a token is good for every verb.

    Raises:
        InvalidArgumentError: The file has another form, or no token.
        OSError: It cannot be read.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError("token file", f"is not JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise InvalidArgumentError("token file", "must be a list with at least one token")
    return BearerTokens([_grant(entry) for entry in entries])


def _grant(entry: Any) -> Grant:
    if not isinstance(entry, dict) or set(entry) - {"token", "namespaces", "verbs"}:
        raise InvalidArgumentError("token file", "must have token, namespaces and verbs only")
    token = entry.get("token")
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        problem = f"must have tokens of at least {_MIN_LENGTH} visible ASCII characters"
        raise InvalidArgumentError("token file", problem)
    verbs = _texts("verbs", entry.get("verbs", list(VERBS)))
    if unknown := sorted(verbs - set(VERBS)):
        raise InvalidArgumentError("token file", f"has the unknown verb {unknown[0]!r}")
    return Grant(_digest(token), _texts("namespaces", entry.get("namespaces")), verbs)


def _texts(name: str, value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidArgumentError("token file", f"must have {name} as a list of text")
    return frozenset(value)


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
