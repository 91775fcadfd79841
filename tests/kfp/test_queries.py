"""The query of a list call: page size, order, namespace and filter, in every spelling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from operator import attrgetter
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import Experiment, ExperimentStore
from experiment_store.kfp.failures import Failure
from experiment_store.kfp.messages import V2 as V2BETA1
from experiment_store.kfp.queries import read_query
from experiment_store.testing.strategies import instants, names, namespaces, texts
from experiment_store_memory import MemoryBackend
from tests.kfp.asking import INVALID, V1, V2, VERSIONS, Words, caller, refusal

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

KEYS: Mapping[str, Any] = {
    "id": attrgetter("id"),
    "experiment_id": attrgetter("id"),
    "name": attrgetter("name"),
    "display_name": attrgetter("name"),
    "created_at": attrgetter("created_at"),
    "last_run_created_at": lambda made: made.last_run_created_at or EPOCH,
    "description": attrgetter("description"),
    "namespace": attrgetter("namespace"),
    "storage_state": attrgetter("storage_state"),
}
"""The words that `sort_by` knows, in both versions, and what they mean."""

each_version = pytest.mark.parametrize("version", VERSIONS, ids=str)


@pytest.fixture
def store() -> Iterator[ExperimentStore]:
    """An empty store whose clock ticks a second whenever it is read, and which counts its ids."""
    ticks, numbers = count(), count()
    with ExperimentStore(
        MemoryBackend(),
        clock=lambda: NOON + timedelta(seconds=next(ticks)),
        new_id=lambda: f"id-{next(numbers):03}",
    ) as opened:
        yield opened


@pytest.fixture
def varied(store: ExperimentStore) -> ExperimentStore:
    """The store with six experiments that every key puts into another order."""
    texts = ["b", "B", "a", "ä", "😀", "\ufffd"]
    for index, name in enumerate(texts):
        store.create(
            name, namespace="xyzxyz"[index], description=texts[-index], id=f"id-{(index * 5) % 6}"
        )
    store.archive("id-5")
    store.archive("id-3")
    store.runs.create("id-4", "run")
    store.runs.create("id-0", "run")
    return store


@each_version
@pytest.mark.parametrize(
    ("asked", "given"), [(None, 20), ("", 20), (0, 20), (1, 1), (199, 199), (200, 200), (201, 200)]
)
def test_a_page_has_20_by_default_and_at_most_200(
    asked: Any, given: int, version: Words, store: ExperimentStore
) -> None:
    for number in range(205):
        store.create(f"mnist-{number:03}")

    page = caller(store, version).page(**({} if asked is None else {"page_size": asked}))

    assert len(page["experiments"]) == given
    assert page["total_size"] == 205


@each_version
@pytest.mark.parametrize("size", [2**31 - 1, "+7", "007"])
def test_a_size_may_be_any_positive_int32(
    size: Any, version: Words, store: ExperimentStore
) -> None:
    store.create("mnist")

    assert caller(store, version).names(page_size=size) == ["mnist"]


@each_version
@pytest.mark.parametrize(
    "size", ["-1", str(-(2**31)), str(2**31), "9" * 5_000, "ten", "1.0", "1e1", " 1", "٣", "0x1"]
)
def test_a_size_that_is_negative_or_no_int32_is_400(
    size: str, version: Words, store: ExperimentStore
) -> None:
    assert refusal(caller(store, version).ask(page_size=size)) == INVALID


@each_version
def test_an_empty_listing_is_an_empty_object(version: Words, store: ExperimentStore) -> None:
    assert caller(store, version).ask().content == b"{}"


@each_version
def test_a_listing_has_archived_ones_too(version: Words, varied: ExperimentStore) -> None:
    states = [found["storage_state"] for found in caller(varied, version).page()["experiments"]]

    assert sorted(states) == sorted([version.available] * 4 + [version.archived] * 2)


@each_version
@pytest.mark.parametrize("direction", ["", " asc", " desc"])
@pytest.mark.parametrize("key", KEYS)
def test_every_key_sorts_in_both_directions(
    key: str, direction: str, version: Words, varied: ExperimentStore
) -> None:
    wanted = _arranged(varied, key, descending=direction == " desc")

    assert caller(varied, version).names(sort_by=key + direction) == wanted


@each_version
@pytest.mark.parametrize(
    "text", ["NAME  Desc", "name\tdesc", " Display_Name DESC ", "name+desc".replace("+", "\n")]
)
def test_case_and_white_space_of_an_order_do_not_matter(
    text: str, version: Words, varied: ExperimentStore
) -> None:
    wanted = _arranged(varied, "name", descending=True)

    assert caller(varied, version).names(sort_by=text) == wanted


@each_version
@pytest.mark.parametrize("text", ["", " ", "created_at"])
def test_the_oldest_come_first_unless_another_order_is_asked_for(
    text: str, version: Words, varied: ExperimentStore
) -> None:
    wanted = _arranged(varied, "created_at", descending=False)

    assert caller(varied, version).names(sort_by=text) == caller(varied, version).names() == wanted


@each_version
@pytest.mark.parametrize(
    "text",
    [
        "colour",
        "labels",
        "labels.team",
        "updated_at",
        "name up",
        "name,id",
        "name, id desc",
        "name asc desc",
        "desc name",
        "desc",
        "-name",
        "name;",
        "x" * 10_000,
    ],
)
def test_any_other_order_is_400(text: str, version: Words, store: ExperimentStore) -> None:
    assert refusal(caller(store, version).ask(sort_by=text)) == INVALID


@given(
    made=st.lists(
        st.tuples(names(), namespaces(), texts(20), instants(), st.booleans()),
        max_size=6,
        unique_by=lambda row: row[:2],
    ),
    key=st.sampled_from([*KEYS]),
    descending=st.booleans(),
    version=st.sampled_from(VERSIONS),
)
def test_an_order_is_that_of_code_points_and_instants_with_ties_by_id(
    *, made: list[tuple[str, str, str, datetime, bool]], key: str, descending: bool, version: Words
) -> None:
    times = iter([time for *_, time, _ in made])
    store = ExperimentStore(MemoryBackend(), clock=lambda: next(times, NOON))
    for name, namespace, description, _, archived in made:
        one = store.create(name, namespace=namespace, description=description)
        if archived:
            store.archive(one.id)
    speaker = caller(store, version)

    found = speaker.page(sort_by=f"{key} {'desc' if descending else 'asc'}").get("experiments", [])

    wanted = sorted(store.iterate(), key=lambda one: (KEYS[key](one), one.id), reverse=descending)
    assert [one[version.id] for one in found] == [one.id for one in wanted]


def test_those_of_one_instant_are_in_the_order_of_their_creation() -> None:
    store = ExperimentStore(MemoryBackend(), clock=lambda: NOON)
    wanted = [store.create(f"mnist-{number}").name for number in range(50)]

    assert caller(store).names(page_size=50) == wanted


@each_version
def test_a_namespace_has_its_own_experiments_only(version: Words, varied: ExperimentStore) -> None:
    speaker = caller(varied, version)

    page = speaker.page(**speaker.scope("y"))

    assert [found[version.name] for found in page["experiments"]] == ["B", "😀"]
    assert page["total_size"] == 2


@each_version
@pytest.mark.parametrize("namespace", ["nowhere", "X", "x ", "%", "*", "-"])
def test_a_namespace_that_nobody_uses_is_empty(
    namespace: str, version: Words, varied: ExperimentStore
) -> None:
    speaker = caller(varied, version)

    assert speaker.page(**speaker.scope(namespace)) == {}


@each_version
def test_an_empty_namespace_means_all_of_them(version: Words, varied: ExperimentStore) -> None:
    speaker = caller(varied, version)

    assert speaker.page(**speaker.scope(""))["total_size"] == 6


@each_version
def test_a_namespace_that_cannot_be_is_400(version: Words, store: ExperimentStore) -> None:
    speaker = caller(store, version)

    assert refusal(speaker.ask(**speaker.scope("x" * 64))) == INVALID


@pytest.mark.parametrize("type", ["NAMESPACE", "5"])
def test_a_key_of_v1_may_have_its_type_by_name_or_number(
    type: str, varied: ExperimentStore
) -> None:
    parameters = {"resource_reference_key.type": type, "resource_reference_key.id": "x"}

    assert caller(varied, V1).page(**parameters)["total_size"] == 2


def test_a_key_of_v1_may_be_in_camel_case(varied: ExperimentStore) -> None:
    parameters = {"resourceReferenceKey.type": "NAMESPACE", "resourceReferenceKey.id": "x"}

    assert caller(varied, V1).page(**parameters)["total_size"] == 2


@pytest.mark.parametrize(
    ("type", "problem"),
    [
        ("EXPERIMENT", "invalid resource reference key"),
        ("JOB", "invalid resource reference key"),
        ("PIPELINE", "invalid resource reference key"),
        ("PIPELINE_VERSION", "invalid resource reference key"),
        ("1", "invalid resource reference key"),
        ("4", "invalid resource reference key"),
        ("UNKNOWN_RESOURCE_TYPE", "Unrecognized resource reference type"),
        ("0", "Unrecognized resource reference type"),
        ("", "Unrecognized resource reference type"),
        ("6", "Unrecognized resource reference type"),
        ("55", "Unrecognized resource reference type"),
        ("-1", "Unrecognized resource reference type"),
        ("namespace", "Unrecognized resource reference type"),
        ("CAT", "Unrecognized resource reference type"),
    ],
)
@pytest.mark.parametrize("id", ["x"])
def test_a_key_of_v1_of_another_type_is_400(
    type: str, problem: str, id: str, store: ExperimentStore
) -> None:
    answer = caller(store, V1).ask(
        **{"resource_reference_key.type": type, "resource_reference_key.id": id}
    )

    assert refusal(answer) == INVALID
    assert answer.json()["message"].startswith(problem)


@pytest.mark.parametrize("digit", ["\u0665", "\uff15"])
def test_the_number_of_a_type_is_written_in_ascii(digit: str, store: ExperimentStore) -> None:
    assert refusal(caller(store, V1).ask(**{"resource_reference_key.type": digit})) == INVALID


@pytest.mark.parametrize(
    ("version", "parameters"),
    [
        (V1, {"namespace": "x"}),
        (V2, {"resource_reference_key.type": "CAT"}),
        (V1, {"colour": "red"}),
        (V2, {"colour": "red"}),
        (V2, {"PAGE_SIZE": "ten"}),
        (V2, {"page_size ": "ten"}),
        (V2, {"page.size": "ten"}),
    ],
    ids=str,
)
def test_an_unknown_parameter_is_ignored(
    version: Words, parameters: Mapping[str, str], varied: ExperimentStore
) -> None:
    assert caller(varied, version).page(**parameters)["total_size"] == 6


@each_version
@pytest.mark.parametrize("name", ["page_size", "pageSize"])
def test_a_parameter_may_be_in_camel_case(
    name: str, version: Words, varied: ExperimentStore
) -> None:
    assert len(caller(varied, version).names(**{name: 2})) == 2


@each_version
@pytest.mark.parametrize(
    "parameters",
    [
        "page_size=1&page_size=1",
        "page_size=1&pageSize=1",
        "page_token=&page_token=",
        "sort_by=&sortBy=name",
        "filter=&filter=",
    ],
)
def test_a_parameter_that_is_given_twice_is_400(
    parameters: str, version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version)

    answer = speaker.client.get(f"{speaker.url}?{parameters}")

    assert refusal(answer) == INVALID
    assert answer.json()["message"].startswith("too many values")


@pytest.mark.parametrize(
    ("version", "parameters"),
    [
        (V1, "resource_reference_key.type=NAMESPACE&resourceReferenceKey.type=NAMESPACE"),
        (V1, "resource_reference_key.id=x&resource_reference_key.id=x"),
        (V2, "namespace=x&namespace=x"),
    ],
    ids=str,
)
def test_a_namespace_that_is_given_twice_is_400(
    version: Words, parameters: str, store: ExperimentStore
) -> None:
    speaker = caller(store, version)

    assert refusal(speaker.client.get(f"{speaker.url}?{parameters}")) == INVALID


@each_version
def test_an_unknown_parameter_may_be_given_twice(version: Words, store: ExperimentStore) -> None:
    speaker = caller(store, version)

    assert speaker.client.get(f"{speaker.url}?a=1&a=2").content == b"{}"


@each_version
def test_empty_parameters_are_as_absent_ones(version: Words, varied: ExperimentStore) -> None:
    speaker = caller(varied, version)
    empty = dict.fromkeys(["page_token", "page_size", "sort_by", "filter"], "")

    assert speaker.page(**empty, **speaker.scope("") if version is V2 else {}) == speaker.page()


def test_an_empty_key_of_v1_is_as_an_absent_one(varied: ExperimentStore) -> None:
    empty = {"resource_reference_key.type": "", "resource_reference_key.id": ""}

    assert caller(varied, V1).page(**empty)["total_size"] == 6


@each_version
@pytest.mark.parametrize("name", ["page_token", "sort_by", "filter", "namespace"])
@pytest.mark.parametrize("value", ["%00", "a%00b", "%FF", "%ED%A0%80", "%C3"])
def test_what_no_text_can_hold_is_400(
    name: str, value: str, version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version)
    known = "resource_reference_key.id" if (version, name) == (V1, "namespace") else name

    assert refusal(speaker.client.get(f"{speaker.url}?{known}={value}")) == INVALID


def test_bytes_that_are_not_ascii_are_refused() -> None:
    with pytest.raises(Failure, match="percent-encoded") as caught:
        read_query(V2BETA1, "filter=größe".encode())

    assert (caught.value.status, caught.value.code) == INVALID


FILTER = '{"predicates":[{"operation":"EQUALS","key":"name","string_value":"B"}]}'


@each_version
@pytest.mark.parametrize("encode", [str, quote_plus], ids=["once", "twice"])
def test_a_filter_may_be_encoded_once_or_twice(
    encode: Any, version: Words, varied: ExperimentStore
) -> None:
    assert caller(varied, version).names(filter=encode(FILTER)) == ["B"]


@each_version
@pytest.mark.parametrize("name", ["a+b", "100% x", "50%41", "%2B", "a b"])
def test_a_name_with_a_plus_or_a_percent_sign_is_found(
    name: str, version: Words, store: ExperimentStore
) -> None:
    store.create(name)
    text = FILTER.replace('"B"', f'"{name}"')

    assert caller(store, version).names(filter=text) == [name]


@each_version
def test_total_size_counts_what_matches_the_filter(version: Words, varied: ExperimentStore) -> None:
    text = '{"predicates":[{"operation":2,"key":"storage_state","stringValue":"ARCHIVED"}]}'

    page = caller(varied, version).page(filter=text, page_size=1)

    assert page["total_size"] == 4


@each_version
def test_a_listing_without_matches_is_an_empty_object(
    version: Words, varied: ExperimentStore
) -> None:
    assert caller(varied, version).page(filter=FILTER.replace('"B"', '"nothing"')) == {}


@each_version
@pytest.mark.parametrize("text", ["name = B", '{"predicates":[{}]}', "[]", "%7B%"])
def test_a_wrong_filter_is_400(text: str, version: Words, store: ExperimentStore) -> None:
    assert refusal(caller(store, version).ask(filter=text)) == INVALID


@each_version
@pytest.mark.parametrize("namespace", ["", "-"])
def test_where_a_namespace_is_required_a_listing_without_one_is_400(
    namespace: str, version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version, require_namespace=True)

    assert refusal(speaker.ask(**speaker.scope(namespace))) == INVALID
    assert refusal(speaker.ask()) == INVALID


@each_version
@pytest.mark.parametrize("namespace", ["", "-"])
def test_where_a_namespace_is_required_a_create_without_one_is_400(
    namespace: str, version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version, require_namespace=True)

    answer = speaker.post(speaker.draft("mnist", namespace))

    assert refusal(answer) == INVALID
    assert not store.list().items


@each_version
def test_where_a_namespace_is_required_all_else_is_as_ever(
    version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version, require_namespace=True)

    made = speaker.create("mnist", "vision")

    assert speaker.names(**speaker.scope("vision")) == ["mnist"]
    assert speaker.get(made[version.id]) == made


@each_version
def test_where_none_is_required_a_dash_is_a_namespace(
    version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version)
    speaker.create("mnist", "-")
    speaker.create("mnist")

    assert speaker.page(**speaker.scope("-"))["total_size"] == 1


def _arranged(store: ExperimentStore, key: str, *, descending: bool) -> list[str]:
    """Return the names of all experiments in an order, with ties by id in its direction."""

    def position(one: Experiment) -> Any:
        return KEYS[key](one), one.id

    return [one.name for one in sorted(store.iterate(), key=position, reverse=descending)]
