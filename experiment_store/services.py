"""What the collections of one store share: its backend, its sources and its limits."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from secrets import token_bytes
from typing import Any

from attrs import define, field

from experiment_store.backend import Backend
from experiment_store.errors import UnavailableError
from experiment_store.names import check_field
from experiment_store.records import Setting
from experiment_store.schema import SETTING
from experiment_store.tokens import PageTokens
from experiment_store.values import check_time

_TOKEN_KEY = "token_key"


@define
class Services:
    """The parts that a store is made of.

    Without *tokens*, the key of the page tokens is made once and kept in the
    backend, so that tokens survive restarts and work from other processes.
    """

    backend: Backend
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    new_etag: Callable[[], str]
    max_page_size: int
    _tokens: PageTokens | None = field(default=None, alias="tokens")

    def now(self) -> datetime:
        """Return the instant of a call."""
        return check_time("clock", self.clock())

    def new(self, content: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """Complete the *content* of a new record by what the store adds to every one."""
        given = content["id"]
        return {
            **content,
            "id": check_field("id", self.new_id()) if given is None else given,
            "created_at": now,
            "updated_at": now,
            "etag": self.new_etag(),
        }

    def stamp(self, now: datetime | None = None) -> dict[str, Any]:
        """Return what every change of a record assigns beside what it is for."""
        return {"updated_at": now or self.now(), "etag": self.new_etag()}

    @property
    def tokens(self) -> PageTokens:
        """The codec of page tokens."""
        if self._tokens is None:
            self._tokens = PageTokens(b64decode(self._token_key()))
        return self._tokens

    def _token_key(self) -> str:
        kept = self.backend.get(SETTING, _TOKEN_KEY)
        if kept is None:
            # Others may do the same at this moment: the first to insert decides for all.
            made = Setting(_TOKEN_KEY, b64encode(token_bytes(32)).decode())
            self.backend.insert(SETTING, [made])
            kept = self.backend.get(SETTING, _TOKEN_KEY)
        if kept is None:
            raise UnavailableError("page token key", "was not kept")
        return kept.value
