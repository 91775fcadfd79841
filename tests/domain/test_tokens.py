"""Page tokens cannot be read, forged, damaged or taken elsewhere."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from itertools import chain
from math import inf, nan
from string import ascii_letters, digits
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiment_store import ExperimentStore, NewExperiment
from experiment_store.errors import InvalidArgumentError, InvalidPageTokenError
from experiment_store.filters.predicates import MetricValue, Param
from experiment_store.mappings import Metric, Metrics, Params, ParamValue
from experiment_store.ordering import SortKey, sort_values
from experiment_store.records import RunState
from experiment_store.sealing import MIN_KEY_LENGTH
from experiment_store.sort_keys import sort_key
from experiment_store.testing.samples import run
from experiment_store.testing.strategies import instants, texts
from experiment_store.tokens import Bookmark, PageTokens, digest
from experiment_store_memory import MemoryBackend

_KEY = b"an example key of 32 bytes, oh.."
_TOKENS = PageTokens(_KEY)
_ALPHABET = ascii_letters + digits + "-_"
_PLACE = Bookmark(bytes(16), datetime(2026, 1, 1, tzinfo=UTC), ("name", None, True))
_LISTINGS = st.binary(min_size=16, max_size=16)
_VALUES = texts() | instants() | st.booleans() | st.none() | st.sampled_from(RunState)
_BOOKMARKS = st.builds(Bookmark, _LISTINGS, instants(), st.lists(_VALUES, max_size=5).map(tuple))


@given(_BOOKMARKS)
def test_a_token_brings_back_its_bookmark(bookmark: Bookmark) -> None:
    back = _TOKENS.decode(_TOKENS.encode(bookmark))

    assert back == bookmark
    assert [type(part) for part in back.after] == [
        str if isinstance(part, RunState) else type(part) for part in bookmark.after
    ]


@given(_BOOKMARKS)
def test_another_store_with_the_same_key_reads_and_makes_the_same_tokens(
    bookmark: Bookmark,
) -> None:
    elsewhere = PageTokens(_KEY)

    assert elsewhere.encode(bookmark) == _TOKENS.encode(bookmark)


@given(_BOOKMARKS)
def test_a_token_needs_no_escaping_in_a_url(bookmark: Bookmark) -> None:
    assert set(_TOKENS.encode(bookmark)) <= set(_ALPHABET)


@given(_BOOKMARKS, st.data())
def test_a_token_with_any_other_character_in_it_is_refused(
    bookmark: Bookmark, data: st.DataObject
) -> None:
    token = _TOKENS.encode(bookmark)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(_ALPHABET) | st.characters())

    if other != token[place]:
        _assert_refused(token[:place] + other + token[place + 1 :])


@given(_BOOKMARKS, st.data())
def test_a_token_cut_at_either_end_is_refused(bookmark: Bookmark, data: st.DataObject) -> None:
    token = _TOKENS.encode(bookmark)
    count = data.draw(st.integers(1, len(token)))

    _assert_refused(token[:-count])
    _assert_refused(token[count:])


@given(_BOOKMARKS, st.text(_ALPHABET + "= \n\0", min_size=1) | st.text(min_size=1))
def test_a_token_with_anything_added_is_refused(bookmark: Bookmark, more: str) -> None:
    token = _TOKENS.encode(bookmark)

    _assert_refused(token + more)
    _assert_refused(more + token)


@given(_BOOKMARKS, st.binary(min_size=MIN_KEY_LENGTH, max_size=64).filter(lambda key: key != _KEY))
def test_a_token_of_a_store_with_another_key_is_refused(bookmark: Bookmark, key: bytes) -> None:
    _assert_refused(PageTokens(key).encode(bookmark))


@given(_BOOKMARKS, st.integers(0, 255).filter(lambda version: version != 1))
def test_a_token_of_another_version_is_refused(bookmark: Bookmark, version: int) -> None:
    raw = _raw(_TOKENS.encode(bookmark))

    _assert_refused(_text(bytes([version]) + raw[1:]))


@given(_BOOKMARKS, _BOOKMARKS)
def test_a_token_made_of_parts_of_two_is_refused(left: Bookmark, right: Bookmark) -> None:
    ours, theirs = _raw(_TOKENS.encode(left)), _raw(_TOKENS.encode(right))

    if left != right:
        _assert_refused(_text(ours[:17] + theirs[17:]))


@given(st.text() | st.text(_ALPHABET) | st.binary().map(lambda raw: _text(b"\x01" + raw)))
@example("\ud800")
@example("A" * (128 * 1024 + 1))
def test_text_that_is_no_token_is_refused(text: str) -> None:
    _assert_refused(text)


@pytest.mark.parametrize("token", [7, b"AQ", None, ["AQ"]])
def test_what_is_no_text_is_refused(token: Any) -> None:
    _assert_refused(token)


def test_other_spellings_of_the_same_bytes_are_refused() -> None:
    token = next(token for token in _samples() if {"-", "_"} <= set(token) and len(token) % 4 == 2)
    last = _ALPHABET_IN_ORDER[_ALPHABET_IN_ORDER.index(token[-1]) + 1]  # in bits that mean nothing

    assert _raw(token[:-1] + last) == _raw(token)
    _assert_refused(token[:-1] + last)
    _assert_refused(token + "==")
    _assert_refused(token.replace("-", "+"))
    _assert_refused(token.replace("_", "/"))
    _assert_refused(token[:8] + "\n" + token[8:])


@given(_LISTINGS, instants(), st.lists(texts(200).map("visible {}".format), min_size=1))
def test_nothing_that_a_token_says_can_be_read_in_it(
    listing: bytes, now: datetime, after: list[str]
) -> None:
    raw = _raw(_TOKENS.encode(Bookmark(listing, now, tuple(after))))

    assert listing not in raw
    assert b"visible" not in raw
    assert not any(text.encode() in raw for text in after)


@given(_LISTINGS, texts(50), texts(50))
def test_tokens_of_neighbours_have_nothing_in_common(listing: bytes, one: str, two: str) -> None:
    first, second = (
        _raw(_TOKENS.encode(Bookmark(listing, _PLACE.now, (text,)))) for text in (one, two)
    )

    if one != two:
        assert first[1:17] != second[1:17]
        assert first[17:33] != second[17:33]


@pytest.mark.parametrize("key", [b"", b"k" * 15, "k" * 32, None, bytearray(32)])
def test_a_key_is_at_least_16_bytes(key: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="token_key must be at least 16 bytes"):
        PageTokens(key)


@pytest.mark.parametrize("length", [16, 64, 65, 4096])
def test_a_key_may_be_of_any_greater_length(length: int) -> None:
    tokens = PageTokens(b"k" * length)

    assert tokens.decode(tokens.encode(_PLACE)) == _PLACE


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.data())
def test_a_digest_depends_on_everything_but_the_order_of_its_parts(
    listing: dict[str, str], data: st.DataObject
) -> None:
    other = data.draw(st.dictionaries(st.text(), st.text(), max_size=4))

    assert len(digest(listing)) == 16
    assert digest(listing) == digest(dict(reversed(listing.items())))
    assert (digest(listing) == digest(other)) == (listing == other)


@pytest.mark.parametrize("character", ["\x01", "\N{GRINNING FACE}", '"', "\u2028"])
def test_the_longest_bookmark_of_experiments_is_accepted(character: str) -> None:
    labels = {f"k{number}": character * 512 for number in range(16)}
    order = ",".join(f"labels.{key}" for key in labels)
    with ExperimentStore(MemoryBackend(), token_key=_KEY) as store:
        store.create_many([NewExperiment(name, labels=labels) for name in "ab"])

        first = store.list(order_by=order, page_size=1)
        second = store.list(order_by=order, page_size=1, page_token=first.next_page_token)

    assert [record.name for record in chain(first.items, second.items)] == ["a", "b"]


def test_the_longest_bookmark_of_runs_is_accepted() -> None:
    params = {f"k{number}": "\x01" * 512 for number in range(16)}
    order = ",".join(f"params.{key}" for key in params)
    with ExperimentStore(MemoryBackend(), token_key=_KEY) as store:
        parent = store.create("parent")
        for name in "ab":
            store.runs.create(parent.id, name, params=params)

        first = store.runs.list(order_by=order, page_size=1)
        second = store.runs.list(order_by=order, page_size=1, page_token=first.next_page_token)

    assert [record.name for record in chain(first.items, second.items)] == ["a", "b"]


@pytest.mark.parametrize("value", [nan, -0.0, inf, True, 2**53 + 1, "nan", ""])
def test_a_bookmark_of_a_parameter_or_a_metric_has_its_sort_key(value: ParamValue) -> None:
    order = (SortKey(Param("k")), SortKey(MetricValue("k", "max")), SortKey(Param("none")))
    number = value if isinstance(value, float) else 1.0
    record = run(params=Params(k=value), metrics=Metrics(k=Metric(0.5, 0.5, number, 0, 1)))
    bookmark = Bookmark(bytes(16), _PLACE.now, sort_values(order, record))

    assert bookmark.after == (sort_key(value), sort_key(number), None)
    assert _TOKENS.decode(_TOKENS.encode(bookmark)) == bookmark


def test_the_longest_bookmark_of_jobs_is_accepted() -> None:
    labels = {f"k{number}": "\x01" * 512 for number in range(15)}
    order = ",".join(["schedule", *(f"labels.{key}" for key in labels)])
    with ExperimentStore(MemoryBackend(), token_key=_KEY) as store:
        parent = store.create("parent")
        for name in "ab":
            store.jobs.create(parent.id, name, labels=labels, schedule="\x01" * 4096)

        first = store.jobs.list(order_by=order, page_size=1)
        second = store.jobs.list(order_by=order, page_size=1, page_token=first.next_page_token)

    assert [record.name for record in chain(first.items, second.items)] == ["a", "b"]


_ALPHABET_IN_ORDER = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _assert_refused(token: str) -> None:
    with pytest.raises(InvalidPageTokenError) as caught:
        _TOKENS.decode(token)

    assert str(caught.value) == "page_token was not issued for this listing"


def _samples() -> list[str]:
    """Make some tokens, with which all lengths modulo 4 and all characters occur."""
    return [
        _TOKENS.encode(Bookmark(bytes(16), _PLACE.now, ("x" * length,))) for length in range(200)
    ]


def _raw(token: str) -> bytes:
    return urlsafe_b64decode(token + "=" * (-len(token) % 4))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
