"""Times, ids and etags that a store makes by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from threading import Barrier
from types import SimpleNamespace
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store.sources import Uuid7, random_etag, utc_now

_MOMENTS = st.integers(1, (1 << 48) - 2)  # in milliseconds; the last that a UUID can name but one


def test_the_clock_tells_the_time_of_the_system_in_utc() -> None:
    before = datetime.now(UTC)

    now = utc_now()

    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_an_id_is_a_uuid_of_version_7_in_its_usual_spelling() -> None:
    before = int(utc_now().timestamp() * 1000)

    id = Uuid7()()
    parsed = UUID(id)

    assert str(parsed) == id
    assert (parsed.version, parsed.variant) == (7, RFC_4122)
    assert before <= parsed.int >> 80 <= int(utc_now().timestamp() * 1000)


@given(st.lists(_MOMENTS, min_size=2, max_size=20))
def test_ids_grow_whatever_the_clock_does(moments: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiment_store.sources.time", _clock(moments))
        new_id = Uuid7()

        ids = [new_id() for _ in moments]

    assert ids == sorted(set(ids))
    assert all(UUID(id).version == 7 and UUID(id).variant == RFC_4122 for id in ids)
    assert UUID(ids[0]).int >> 80 == moments[0]


@given(_MOMENTS, st.binary(min_size=10, max_size=10))
def test_an_id_has_its_time_and_its_random_bits_where_rfc_9562_says(
    moment: int, bits: bytes
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiment_store.sources.time", _clock([moment]))
        patch.setattr("experiment_store.sources.urandom", lambda _: bits)

        number = UUID(Uuid7()()).int

    rand_a, rand_b = number >> 64 & 0xFFF, number & (1 << 62) - 1
    assert number >> 80 == moment
    assert (number >> 76 & 0xF, number >> 62 & 0b11) == (7, 0b10)
    assert rand_a << 62 | rand_b == int.from_bytes(bits) >> 7


def test_ids_of_one_millisecond_are_not_guessed_from_each_other() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiment_store.sources.time", _clock([1] * 100))
        new_id = Uuid7()

        ids = [UUID(new_id()).int for _ in range(100)]

    steps = {later - earlier for earlier, later in pairwise(ids)}
    assert len(steps) > 90


def test_a_counter_that_runs_over_moves_the_time_on() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("experiment_store.sources.time", _clock([5, 5]))
        new_id = Uuid7()
        new_id._last = (5 << 74) | (1 << 74) - 1

        first, second = UUID(new_id()), UUID(new_id())

    assert (first.int >> 80, first.version, first.variant) == (6, 7, RFC_4122)
    assert first < second


def test_ids_are_unique_and_grow_in_each_of_many_threads() -> None:
    new_id, start = Uuid7(), Barrier(8)

    def make() -> list[str]:
        start.wait()
        return [new_id() for _ in range(500)]

    with ThreadPoolExecutor(8) as threads:
        made = [future.result() for future in [threads.submit(make) for _ in range(8)]]

    assert all(ids == sorted(ids) for ids in made)
    assert len({id for ids in made for id in ids}) == 8 * 500


def test_an_etag_is_64_random_bits_in_hexadecimal() -> None:
    etags = {random_etag() for _ in range(1000)}

    assert len(etags) == 1000
    assert all(re.fullmatch("[0-9a-f]{16}", etag) for etag in etags)


def _clock(moments: list[int]) -> SimpleNamespace:
    """Stand in for the module `time`: each reading is the next of some milliseconds."""
    readings: Callable[[], int] = iter([moment * 1_000_000 for moment in moments]).__next__
    return SimpleNamespace(time_ns=readings)
