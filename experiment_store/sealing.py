"""Sealed texts: URL-safe, unreadable, and refused unless made with the same key.

A synthetic-IV construction as of RFC 5297: the MAC of the content is the nonce
of the mask, so equal contents are equal texts and no randomness is needed.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b, shake_256
from typing import Final

from experiment_store.errors import InvalidArgumentError, InvalidPageTokenError

MIN_KEY_LENGTH: Final = 16

_ALPHABET = re.compile("[A-Za-z0-9_-]*")
_VERSION = b"\x01"  # a changed meaning of contents changes it: old texts become clean errors
_MAC_SIZE = 16


class Seal:
    """Seals and opens texts for one *purpose*; those of another do not open."""

    def __init__(self, key: bytes, purpose: bytes) -> None:
        """Derive two keys from *key*, which should be random; *purpose* has at most 11 bytes.

        Raises:
            InvalidArgumentError: The key is shorter than 16 bytes.
        """
        if not isinstance(key, bytes) or len(key) < MIN_KEY_LENGTH:
            raise InvalidArgumentError("token_key", f"must be at least {MIN_KEY_LENGTH} bytes")
        self._mac_key = blake2b(key, person=purpose + b" mac").digest()
        self._mask_key = blake2b(key, person=purpose + b" mask").digest()

    def seal(self, content: bytes) -> str:
        """Return *content* as a text that says nothing of it."""
        mac = self._mac(content)
        return _to_text(_VERSION + mac + self._mask(mac, content))

    def open(self, text: str) -> bytes:
        """Return what was sealed.

        Raises:
            InvalidPageTokenError: The text was not made with this key, or is damaged.
        """
        raw = _from_text(text)
        mac, masked = raw[1 : 1 + _MAC_SIZE], raw[1 + _MAC_SIZE :]
        content = self._mask(mac, masked)
        if raw[:1] != _VERSION or not hmac.compare_digest(mac, self._mac(content)):
            raise InvalidPageTokenError
        return content

    def _mac(self, content: bytes) -> bytes:
        return blake2b(_VERSION + content, key=self._mac_key, digest_size=_MAC_SIZE).digest()

    def _mask(self, mac: bytes, content: bytes) -> bytes:
        stream = shake_256(self._mask_key + mac).digest(len(content))
        masked = int.from_bytes(content) ^ int.from_bytes(stream)
        return masked.to_bytes(len(content))


def _to_text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _from_text(text: str) -> bytes:
    if _ALPHABET.fullmatch(text) is None:
        raise InvalidPageTokenError
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise InvalidPageTokenError from error
    if _to_text(raw) != text:  # other spellings of the same bytes are damage too
        raise InvalidPageTokenError
    return raw
