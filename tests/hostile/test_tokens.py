"""Page tokens that somebody tampered with, through the calls that take them.

What a seal does not open is in tests/domain/test_tokens.py; here are tokens that
open elsewhere, and other spellings of good ones.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from experiment_store import ExperimentStore, InvalidPageTokenError, connect

_KEY = b"k" * 32


@pytest.fixture
def store() -> Iterator[ExperimentStore]:
    with connect("sqlite://", token_key=_KEY) as store:
        _fill(store)
        yield store


def _fill(store: ExperimentStore) -> None:
    for number in range(4):
        experiment = store.create(f"e-{number}", namespace="lab", labels={"k": str(number)})
        store.runs.create(experiment.id, "run")
        store.jobs.create(experiment.id, "job")


def _flip(token: str, bit: int) -> str:
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize("bit", range(0, 400, 7))
def test_a_token_with_a_flipped_bit_is_refused(store: ExperimentStore, bit: int) -> None:
    token = store.list(page_size=2).next_page_token

    with pytest.raises(InvalidPageTokenError):
        store.list(page_size=2, page_token=_flip(token, bit))


@pytest.mark.parametrize(
    "respell",
    [
        lambda token: token + "=", lambda token: token + "==", lambda token: " " + token,
        lambda token: token + "\n", lambda token: token[:9] + "\n" + token[9:],
        lambda token: token + "\0", lambda token: token.swapcase(), lambda token: token[::-1],
        lambda token: token + token, lambda token: "+" + token[1:], lambda token: "/" + token[1:],
        lambda token: token.encode().hex(), lambda token: "%41" + token[1:],
        lambda token: token[:-1] + "\uff21",
        lambda token: base64.b64encode(token.encode()).decode(),
    ],
)  # fmt: skip
def test_another_spelling_of_a_token_is_refused(
    store: ExperimentStore, respell: Callable[[str], str]
) -> None:
    token = store.list(page_size=2).next_page_token

    with pytest.raises(InvalidPageTokenError):
        store.list(page_size=2, page_token=respell(token))


def test_a_token_of_a_store_with_another_key_is_refused(store: ExperimentStore) -> None:
    with connect("sqlite://", token_key=b"o" * 32) as other:
        _fill(other)
        token = other.list(page_size=2).next_page_token

    with pytest.raises(InvalidPageTokenError):
        store.list(page_size=2, page_token=token)


@pytest.mark.parametrize(
    "make",
    [
        lambda store: store.list(page_size=2, filter="name:e"),
        lambda store: store.list(page_size=2, order_by="name"),
        lambda store: store.list(page_size=2, order_by="labels.k"),
        lambda store: store.list(page_size=2, namespace="lab"),
        lambda store: store.runs.list(page_size=2),
        lambda store: store.jobs.list(page_size=2),
    ],
)
def test_a_token_of_another_listing_is_refused(
    store: ExperimentStore, make: Callable[[ExperimentStore], Any]
) -> None:
    token = make(store).next_page_token

    with pytest.raises(InvalidPageTokenError):
        store.list(page_size=2, page_token=token)


@pytest.mark.parametrize("token", [0, False, b"", (), [], {}, 0.0, b"AQ", None])
def test_what_is_no_text_is_no_token_either(store: ExperimentStore, token: Any) -> None:
    with pytest.raises(InvalidPageTokenError):
        store.list(page_token=token)


def test_random_tokens_are_refused(store: ExperimentStore, *, soaking: bool) -> None:
    random = Random(5)
    for length in range(5_000 if soaking else 200):
        raw = bytes([1]) + random.randbytes(length)
        with pytest.raises(InvalidPageTokenError):
            store.list(page_token=base64.urlsafe_b64encode(raw).decode().rstrip("="))
