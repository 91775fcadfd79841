"""The contract of `setup`, `close` and `get`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from threading import Barrier
from typing import Any

import pytest
from hypothesis import strategies as st

from experiment_store.backend import Backend, Change
from experiment_store.filters.predicates import Compare, Label, Op
from experiment_store.names import (
    MAX_DESCRIPTION,
    MAX_ID,
    MAX_LABEL_KEY,
    MAX_LABEL_VALUE,
    MAX_LABELS,
    MAX_NAME,
    MAX_NAMESPACE,
)
from experiment_store.records import Labels, Setting
from experiment_store.schema import EXPERIMENT, KINDS, SETTING, Kind
from experiment_store.testing.samples import (
    LISTED,
    assert_same,
    dump,
    experiment,
    for_all,
    found,
    keep,
    of_any_kind,
    refill,
    sample,
)
from experiment_store.testing.strategies import records

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


class Fixtures:
    """The two fixtures of the contract; a backend's author provides the first."""

    @pytest.fixture
    def backend(self) -> Backend:
        """A new backend that keeps nothing yet; the contract sets it up and closes it."""
        raise NotImplementedError("provide a fixture named 'backend'")

    @pytest.fixture
    def ready(self, backend: Backend) -> Iterator[Backend]:
        """The backend, set up; closed in the end."""
        backend.setup()
        with closing(backend):
            yield backend


class Reading(Fixtures):
    """What a backend owes before and after everything else, and to `get`."""

    def test_setup_keeps_what_is_there(self, ready: Backend) -> None:
        keep(ready, EXPERIMENT, experiment(labels=Labels(a="b")))
        before = dump(ready)

        ready.setup()

        assert dump(ready) == before

    def test_setup_may_race(self, backend: Backend) -> None:
        together = Barrier(4)

        def set_up() -> None:
            together.wait()
            backend.setup()

        with closing(backend):
            with ThreadPoolExecutor(4) as threads:
                done = [threads.submit(set_up) for _ in range(4)]
            keep(backend, EXPERIMENT, experiment())

            assert [setup.result() for setup in done] == [None] * 4
            assert backend.get(EXPERIMENT, "e") == experiment()

    def test_close_may_be_repeated(self, backend: Backend) -> None:
        backend.setup()

        backend.close()
        backend.close()

    @each_kind
    def test_an_unknown_id_is_not_found(self, ready: Backend, kind: Kind[Any]) -> None:
        keep(ready, kind, sample(kind, "a"))

        assert ready.get(kind, "b") is None

    @each_kind
    def test_an_id_is_found_in_its_own_kind_only(self, ready: Backend, kind: Kind[Any]) -> None:
        keep(ready, kind, sample(kind, "a"))

        assert [k.name for k in KINDS if ready.get(k, "a") is not None] == [kind.name]

    @each_kind
    def test_an_id_is_found_in_its_own_case_only(self, ready: Backend, kind: Kind[Any]) -> None:
        keep(ready, kind, sample(kind, "a"), sample(kind, "A"))

        assert [ready.get(kind, id) for id in "aA"] == [sample(kind, "a"), sample(kind, "A")]

    @for_all(of=of_any_kind(lambda kind: st.tuples(st.just(kind), records(kind)), LISTED))
    def test_a_record_is_read_as_it_was_written(
        self, ready: Backend, of: tuple[Kind[Any], Any]
    ) -> None:
        kind, record = of

        refill(ready, {kind.name: [record]})

        assert_same(ready.get(kind, record.id), record)
        assert_same(dump(ready)[kind.name][0], record)

    @for_all(setting=records(SETTING))
    def test_a_setting_is_read_as_it_was_written(self, ready: Backend, setting: Setting) -> None:
        keep(ready, SETTING, setting)

        assert_same(ready.get(SETTING, setting.id), setting)
        assert found(ready, SETTING, Compare("id", Op.EQ, setting.id)) == [setting.id]

        assert ready.delete(SETTING, setting.id, Change()) is None
        assert ready.get(SETTING, setting.id) is None

    def test_text_may_be_as_long_as_its_limit(self, ready: Backend) -> None:
        random = Random(1)  # noqa: S311 (what matters is that it cannot be compressed)
        low, high = 0x10000, 0x10FFFF

        def text(length: int) -> str:
            return "".join(chr(random.randint(low, high)) for _ in range(length))

        labels = {text(MAX_LABEL_KEY): text(MAX_LABEL_VALUE) for _ in range(MAX_LABELS)}
        record = experiment(
            "~" * MAX_ID,
            namespace=text(MAX_NAMESPACE),
            name=text(MAX_NAME),
            description=text(MAX_DESCRIPTION),
            labels=Labels(labels),
        )

        keep(ready, EXPERIMENT, record)

        assert_same(ready.get(EXPERIMENT, record.id), record)
        for key, value in labels.items():
            assert found(ready, EXPERIMENT, Compare(Label(key), Op.EQ, value)) == [record.id]
