"""The longest values of every field fit into every table and index.

They are random, since PostgreSQL compresses what repeats before it measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from experiment_store import ExperimentStore
from experiment_store.names import (
    MAX_DESCRIPTION,
    MAX_ID,
    MAX_LABEL_KEY,
    MAX_LABEL_VALUE,
    MAX_LABELS,
    MAX_NAME,
    MAX_NAMESPACE,
    MAX_SCHEDULE,
)
from experiment_store.registry import open_backend

_RANDOM = Random(7)


def longest(count: int) -> str:
    """Text of *count* characters that take four bytes each in UTF-8."""
    return "".join(chr(_RANDOM.randrange(0x10000, 0x110000)) for _ in range(count))


def longest_id() -> str:
    return "".join(chr(_RANDOM.randrange(0x21, 0x7F)) for _ in range(MAX_ID))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ExperimentStore]:
    match request.param:
        case "memory":
            url = "memory://"
        case "sqlite":
            url = f"sqlite:///{tmp_path}/store.db"
        case _:
            url = request.getfixturevalue("postgres_schema_url")
    with ExperimentStore(open_backend(url)) as store:
        yield store


def test_the_longest_records_are_stored_found_and_paged(store: ExperimentStore) -> None:
    labels = {longest(MAX_LABEL_KEY): longest(MAX_LABEL_VALUE) for _ in range(MAX_LABELS)}
    key, value = next(iter(labels.items()))
    experiment = store.create(
        longest(MAX_NAME),
        namespace=longest(MAX_NAMESPACE),
        description=longest(MAX_DESCRIPTION),
        labels=labels,
        id=longest_id(),
    )
    run = store.runs.create(
        experiment.id, longest(MAX_NAME), labels=labels, job_id=longest_id(), id=longest_id()
    )
    job = store.jobs.create(experiment.id, longest(MAX_NAME), schedule=longest(MAX_SCHEDULE))
    store.create("other", labels={key: value})

    assert store.get(experiment.id).labels == labels
    assert store.get_by_name(experiment.name, namespace=experiment.namespace).id == experiment.id
    assert store.runs.get(run.id) == run
    assert store.jobs.get(job.id) == job
    found = store.list(filter=f'labels."{key}" = "{value}"', page_size=1)
    rest = store.list(
        filter=f'labels."{key}" = "{value}"', page_size=1, page_token=found.next_page_token
    )
    assert [found.items[0].id, rest.items[0].name] == [experiment.id, "other"]


def test_a_token_of_the_longest_sort_values_continues_its_listing(store: ExperimentStore) -> None:
    keys = [f"key-{number}" for number in range(16)]
    order_by = ", ".join(f'labels."{key}"' for key in keys)
    for name in ("left", "right"):
        store.create(name, labels={key: longest(MAX_LABEL_VALUE) for key in keys})

    first = store.list(order_by=order_by, page_size=1)
    second = store.list(order_by=order_by, page_size=1, page_token=first.next_page_token)

    assert {first.items[0].name, second.items[0].name} == {"left", "right"}
