"""What the collections of one store share: its backend, its sources and its limits."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from datetime import datetime
from os import urandom
from typing import TYPE_CHECKING, Any

from attrs import define, field

from experiment_store.backend import Backend
from experiment_store.errors import OutcomeUnknownError, UnavailableError
from experiment_store.names import MAX_ETAG, check_id
from experiment_store.records import Setting
from experiment_store.schema import SETTING
from experiment_store.values import check_text, check_time

if TYPE_CHECKING:
    from experiment_store.tokens import PageTokens

_TOKEN_KEY = "token_key"
_OTHER_KEYS = "key."


def is_key(id: str) -> bool:
    """Tell whether the setting *id* is a key: those of its own a backend names otherwise."""
    return id == _TOKEN_KEY or id.startswith(_OTHER_KEYS)


def key_id(name: str) -> str:
    """Return the id of the setting that holds the embedding program's key *name*."""
    return f"{_OTHER_KEYS}{name}"


@define
class Services:
    """The parts that a store is made of.

    Unless the caller has one, the key of the page tokens is made once and kept in
    the backend, so that tokens survive restarts and work from other processes.
    """

    backend: Backend
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    new_etag: Callable[[], str]
    max_page_size: int
    is_bound: bool = field(default=False, init=False)
    _tokens: PageTokens | None = field(default=None, init=False)

    def now(self) -> datetime:
        """Return the instant of a call."""
        return check_time("clock", self.clock())

    def new(self, content: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Complete the *content* of a new record by what the store adds to every one."""
        given = content["id"]
        return {
            **content,
            "id": check_id("new_id", self.new_id()) if given is None else given,
            "created_at": now,
            **self.stamp(now),
        }

    def stamp(self, now: datetime | None = None) -> dict[str, Any]:
        """Return what every change of a record assigns beside what it is for."""
        etag = check_text("new_etag", self.new_etag(), least=1, most=MAX_ETAG)
        return {"updated_at": now or self.now(), "etag": etag}

    @property
    def tokens(self) -> PageTokens:
        """The codec of page tokens."""
        return self._tokens or self.use_token_key(self.key(_TOKEN_KEY))

    def use_token_key(self, key: bytes) -> PageTokens:
        """Make and read page tokens with *key* from now on.

        Raises:
            InvalidArgumentError: It is shorter than 16 bytes.
        """
        from experiment_store.tokens import PageTokens  # noqa: PLC0415 (cryptography takes time)

        self._tokens = PageTokens(key)
        return self._tokens

    def bound(self, backend: Backend) -> Services:
        """Return the same services for *backend*, a part of this one inside a transaction."""
        services = copy(self)
        services.backend = backend
        services.is_bound = True
        return services

    def key(self, name: str) -> bytes:
        """Return the random key *name*, which is made once and kept in the backend."""
        kept = self.backend.get(SETTING, name)
        if kept is None:
            # Others may do the same at this moment: the first to insert decides for all.
            made = Setting(name, b64encode(urandom(32)).decode())
            with suppress(OutcomeUnknownError):
                self.backend.insert(SETTING, [made])
            kept = self.backend.get(SETTING, name)
        if kept is None:
            raise UnavailableError(f"the key {name}", "was not kept")
        return b64decode(kept.value)
