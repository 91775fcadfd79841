"""Page tokens: a bookmark, valid only for the listing that produced it (AIP-158).

A token carries values and never names, so even a forged one could move the
bookmark and nothing else; and it can be neither forged nor read: it is sealed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from attrs import frozen

from experiment_store.errors import InvalidPageTokenError
from experiment_store.sealing import Seal
from experiment_store.values import Value, from_micros, to_micros

_DIGEST_SIZE = 16
_MAX_LENGTH = 128 * 1024  # no listing issues a longer one: 16 sort keys of 512 characters


@frozen
class Bookmark:
    """The place just after a row: its sort values, in the listing with that digest.

    *now* is the instant that the whole listing takes for ``now()``.
    """

    listing: bytes
    now: datetime
    after: tuple[Value | None, ...]


def digest(listing: Mapping[str, Any]) -> bytes:
    """Identify a listing by everything that must not change between its pages."""
    text = json.dumps(listing, sort_keys=True)
    return blake2b(text.encode(), digest_size=_DIGEST_SIZE).digest()


class PageTokens:
    """Makes and reads the page tokens of one store."""

    def __init__(self, key: bytes) -> None:
        """Seal with *key*, which should be random.

        Raises:
            InvalidArgumentError: It is shorter than 16 bytes.
        """
        self._seal = Seal(key, b"page token")

    def encode(self, bookmark: Bookmark) -> str:
        """Return *bookmark* as URL-safe text."""
        wire = [to_micros(bookmark.now), *map(_to_wire, bookmark.after)]
        body = json.dumps(wire, separators=(",", ":"), ensure_ascii=False).encode()
        return self._seal.seal(bookmark.listing + body)

    def decode(self, token: str) -> Bookmark:
        """Return the bookmark in *token*.

        Raises:
            InvalidPageTokenError: It was not made with this key and version, or is damaged.
        """
        if not isinstance(token, str) or len(token) > _MAX_LENGTH:
            raise InvalidPageTokenError
        content = self._seal.open(token)
        now, *after = json.loads(content[_DIGEST_SIZE:])  # ours, as the seal has proved
        return Bookmark(
            content[:_DIGEST_SIZE], from_micros(now), tuple(_from_wire(part) for part in after)
        )


def _to_wire(value: Value | None) -> Any:
    return [to_micros(value)] if isinstance(value, datetime) else value


def _from_wire(value: Any) -> Value | None:
    restored: Value | None = from_micros(value[0]) if isinstance(value, list) else value
    return restored
