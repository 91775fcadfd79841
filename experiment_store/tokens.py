"""Page tokens: a bookmark, valid only for the listing that produced it (AIP-158).

A token carries values and never names, so even a forged one could move the
bookmark and nothing else; and it cannot be forged or read: it is authenticated
and masked with keys of the store (a synthetic-IV construction, as RFC 5297:
the MAC of the content is the nonce that masks it).
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b, shake_256
from typing import Any, Final

from attrs import frozen

from experiment_store.errors import InvalidArgumentError, InvalidPageTokenError
from experiment_store.values import Value, from_micros, to_micros

MIN_KEY_LENGTH: Final = 16

_ALPHABET = re.compile("[A-Za-z0-9_-]*")
_VERSION = b"\x01"  # a changed meaning of tokens changes it: old ones become clean errors
_MAC_SIZE = 16
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
        """Derive the two keys from *key*, which should be random.

        Raises:
            InvalidArgumentError: It is shorter than 16 bytes.
        """
        if not isinstance(key, bytes) or len(key) < MIN_KEY_LENGTH:
            raise InvalidArgumentError("token_key", f"must be at least {MIN_KEY_LENGTH} bytes")
        self._mac_key = blake2b(key, person=b"page token mac").digest()
        self._mask_key = blake2b(key, person=b"page token mask").digest()

    def encode(self, bookmark: Bookmark) -> str:
        """Return *bookmark* as URL-safe text."""
        wire = [to_micros(bookmark.now), *map(_to_wire, bookmark.after)]
        body = json.dumps(wire, separators=(",", ":"), ensure_ascii=False).encode()
        content = bookmark.listing + body
        mac = self._mac(content)
        return _to_text(_VERSION + mac + self._mask(mac, content))

    def decode(self, token: str) -> Bookmark:
        """Return the bookmark in *token*.

        Raises:
            InvalidPageTokenError: It was not made with this key and version, or is damaged.
        """
        if not isinstance(token, str) or len(token) > _MAX_LENGTH:
            raise InvalidPageTokenError
        raw = _from_text(token)
        mac, masked = raw[1 : 1 + _MAC_SIZE], raw[1 + _MAC_SIZE :]
        content = self._mask(mac, masked)
        if raw[:1] != _VERSION or not hmac.compare_digest(mac, self._mac(content)):
            raise InvalidPageTokenError
        now, *after = json.loads(content[_DIGEST_SIZE:])  # ours, as the MAC has proved
        return Bookmark(
            content[:_DIGEST_SIZE], from_micros(now), tuple(_from_wire(part) for part in after)
        )

    def _mac(self, content: bytes) -> bytes:
        return blake2b(_VERSION + content, key=self._mac_key, digest_size=_MAC_SIZE).digest()

    def _mask(self, mac: bytes, content: bytes) -> bytes:
        stream = shake_256(self._mask_key + mac).digest(len(content))
        masked = int.from_bytes(content) ^ int.from_bytes(stream)
        return masked.to_bytes(len(content))


def _to_wire(value: Value | None) -> Any:
    return [to_micros(value)] if isinstance(value, datetime) else value


def _from_wire(value: Any) -> Value | None:
    restored: Value | None = from_micros(value[0]) if isinstance(value, list) else value
    return restored


def _to_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _from_text(token: str) -> bytes:
    if _ALPHABET.fullmatch(token) is None:
        raise InvalidPageTokenError
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError as error:
        raise InvalidPageTokenError from error
    if _to_text(raw) != token:  # other spellings of the same bytes are damage too
        raise InvalidPageTokenError
    return raw
