"""Hostile URLs: refused in words, of which none is a password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from experiment_store import ExperimentStoreError, InvalidArgumentError, connect
from experiment_store.registry import open_backend
from tests.hostile.inputs import WRONG_TYPES, Hostile

_SECRET = "hunter2-canary"
_SAMPLES = (
    f"postgresql://user:{_SECRET}@127.0.0.1:1/lab?schema=a&pool_size=1&connect_timeout=1",
    f"postgresql://user:{_SECRET}@127.0.0.1:1/lab", f"postgresql://:{_SECRET}@[::1]:1/x?trigrams=on",
    "sqlite://?timeout=1", "sqlite:///:memory:?synchronous=normal", "memory://", "memory://?x=y",
)  # fmt: skip


_NO_TEXT = [value for value in WRONG_TYPES if not isinstance(value, str | None)]


@pytest.mark.parametrize("url", _NO_TEXT, ids=lambda value: type(value).__name__)
def test_what_is_no_text_is_no_url(url: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        connect(url)


def test_a_hostile_url_is_understood_or_refused_without_its_password(
    record_property: Callable[[str, object], None], *, soaking: bool
) -> None:
    count = 20_000 if soaking else 1_000
    record_property("inputs", count)
    for value in Hostile(_SAMPLES, seed=3).values(count):
        problem = _opened(value)
        assert len(problem) <= 1_000
        assert _SECRET not in problem


def _opened(url: Any) -> str:
    """Open *url*, but nothing behind it; return why it is refused, with the causes of that."""
    try:
        open_backend(url).close()
    except ExperimentStoreError as error:
        return f"{error} {error.__cause__}"
    return ""


@pytest.mark.parametrize(
    "place",
    ["127.0.0.1:1/lab", "127.0.0.1:1/lab?schema=a%00", "127.0.0.1:x/lab", "[::1/lab",
     "127.0.0.1:1/l?sslmode=x", "127.0.0.1:1/lab?pool_size=x", "a b/c%zz",
     "127.0.0.1:1/lab?connect_timeout=1&unheard=of", "127.0.0.1:1/x?hunter2-canary?trigrams=on"],
)  # fmt: skip
def test_a_password_is_in_no_error(place: str) -> None:
    with pytest.raises(ExperimentStoreError) as caught:
        connect(f"postgresql://user:{_SECRET}@{place}")

    error: BaseException | None = caught.value
    while error is not None:
        assert _SECRET not in str(error) + repr(error)
        error = error.__cause__
