"""Experiments as JSON: what create calls may say, and what every answer looks like."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiment_store import ExperimentStore
from experiment_store.kfp import create_app
from experiment_store.kfp.app import MAX_BODY
from experiment_store.kfp.bodies import write_time
from experiment_store.testing.strategies import instants, texts
from experiment_store_memory import MemoryBackend
from tests.kfp.asking import INVALID, TAKEN, V1, V2, VERSIONS, Words, caller, done, refusal

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

each_version = pytest.mark.parametrize("version", VERSIONS, ids=str)


@pytest.fixture
def store() -> Iterator[ExperimentStore]:
    """An empty store whose clock stands at noon, and which counts its ids."""
    numbers = count()
    with ExperimentStore(
        MemoryBackend(), clock=lambda: NOON, new_id=lambda: f"id-{next(numbers)}"
    ) as opened:
        yield opened


def test_a_full_v1_experiment_has_these_members(store: ExperimentStore) -> None:
    made = caller(store, V1).create("mnist", "vision", description="digits")

    assert made == {
        "id": "id-0",
        "name": "mnist",
        "description": "digits",
        "created_at": "2026-01-01T12:00:00Z",
        "resource_references": [
            {"key": {"type": "NAMESPACE", "id": "vision"}, "relationship": "OWNER"}
        ],
        "storage_state": "STORAGESTATE_AVAILABLE",
    }


def test_a_full_v2_experiment_has_these_members(store: ExperimentStore) -> None:
    made = caller(store, V2).create("mnist", "vision", description="digits")

    assert made == {
        "experiment_id": "id-0",
        "display_name": "mnist",
        "description": "digits",
        "created_at": "2026-01-01T12:00:00Z",
        "namespace": "vision",
        "storage_state": "AVAILABLE",
        "last_run_created_at": "1970-01-01T00:00:00Z",
    }


def test_a_v1_answer_leaves_out_defaults_but_keeps_the_reference(store: ExperimentStore) -> None:
    made = caller(store, V1).create("mnist")

    assert "description" not in made
    assert made["resource_references"] == [{"key": {"type": "NAMESPACE"}, "relationship": "OWNER"}]


def test_a_v2_answer_leaves_out_defaults_but_keeps_the_epoch(store: ExperimentStore) -> None:
    made = caller(store, V2).create("mnist")

    assert {"description", "namespace"} & set(made) == set()
    assert made["last_run_created_at"] == "1970-01-01T00:00:00Z"


def test_the_time_of_the_last_run_is_shown_in_v2_only(store: ExperimentStore) -> None:
    made = store.create("mnist")
    store.runs.create(made.id, "run")

    assert caller(store, V2).get(made.id)["last_run_created_at"] == "2026-01-01T12:00:00Z"
    assert "last_run_created_at" not in caller(store, V1).get(made.id)


@each_version
def test_what_a_create_answers_is_what_a_get_answers(
    version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version)

    made = speaker.create("mnist", "vision", description="digits")

    assert speaker.get(made[version.id]) == made


@pytest.mark.parametrize(("ours", "theirs"), [(V1, V2), (V2, V1)], ids=str)
def test_what_one_version_makes_the_other_shows(
    ours: Words, theirs: Words, store: ExperimentStore
) -> None:
    made = caller(store, ours).create("mnist", "vision", description="digits")
    found = caller(store, theirs).get(made[ours.id])

    assert found[theirs.name] == "mnist"
    assert found["description"] == "digits"
    assert found["storage_state"] == theirs.available
    assert store.get("id-0").namespace == "vision"


@each_version
def test_an_archived_experiment_says_so_in_the_words_of_the_version(
    version: Words, store: ExperimentStore
) -> None:
    made = store.create("mnist")
    store.archive(made.id)

    assert caller(store, version).get(made.id)["storage_state"] == version.archived


@each_version
def test_an_answer_is_ascii(version: Words, store: ExperimentStore) -> None:
    speaker = caller(store, version)
    speaker.create("größe 😀")

    answer = speaker.ask()

    assert answer.content.isascii()
    assert done(answer)["experiments"][0][version.name] == "größe 😀"


@given(instants())
@example(datetime(1, 1, 1, tzinfo=UTC))
@example(NOON + timedelta(microseconds=120_000))
@example(NOON + timedelta(microseconds=100))
@example(NOON + timedelta(hours=1))
def test_a_time_is_written_exactly_in_utc_with_0_3_or_6_digits(time: datetime) -> None:
    written = write_time(time)

    assert written.endswith("Z")
    assert datetime.fromisoformat(written) == time
    assert len(written.rstrip("Z").partition(".")[2]) in (0, 3, 6)
    assert not written.endswith("000Z") or "." not in written


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    time = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert write_time(time) == "2026-01-01T12:00:00Z"


@given(
    name=texts(128).filter(bool),
    namespace=texts(63),
    description=texts(4096),
    version=st.sampled_from(VERSIONS),
)
def test_every_text_of_the_right_length_comes_back_as_it_was_sent(
    name: str, namespace: str, description: str, version: Words
) -> None:
    store = ExperimentStore(MemoryBackend())

    made = caller(store, version).create(name, namespace, description=description)

    kept = store.get(made[version.id])
    assert (kept.name, kept.namespace, kept.description) == (name, namespace, description)
    assert (made[version.name], made.get("description", "")) == (name, description)


@each_version
@pytest.mark.parametrize("character", ["x", "é", "字", "😀"])
def test_lengths_count_characters(character: str, version: Words, store: ExperimentStore) -> None:
    made = caller(store, version).create(
        character * 128, character * 63, description=character * 4096
    )

    assert made[version.name] == character * 128


@each_version
@pytest.mark.parametrize(
    ("name", "namespace", "description", "limit"),
    [
        ("", "", "", "name must have 1 to 128 characters"),
        ("x" * 129, "", "", "name must have 1 to 128 characters"),
        ("字" * 129, "", "", "name must have 1 to 128 characters"),
        ("x", "x" * 64, "", "namespace must have 0 to 63 characters"),
        ("x", "", "x" * 4097, "description must have 0 to 4096 characters"),
    ],
)
def test_a_text_that_is_too_short_or_too_long_is_400_with_its_limits(
    *,
    name: str,
    namespace: str,
    description: str,
    limit: str,
    version: Words,
    store: ExperimentStore,
) -> None:
    speaker = caller(store, version)

    answer = speaker.post(speaker.draft(name, namespace, description=description))

    assert refusal(answer) == INVALID
    assert answer.json()["message"].startswith(limit)


@each_version
@pytest.mark.parametrize("body", [{}, {"description": "nameless"}])
def test_a_name_is_required(body: Any, version: Words, store: ExperimentStore) -> None:
    assert refusal(caller(store, version).post(body)) == INVALID


@each_version
def test_a_null_name_is_no_name(version: Words, store: ExperimentStore) -> None:
    assert refusal(caller(store, version).post({version.name: None})) == INVALID


@each_version
@pytest.mark.parametrize("name", [" ", " mnist ", "\t", "\x07", "MNIST", "mnist"])
def test_a_name_is_neither_trimmed_nor_folded(
    name: str, version: Words, store: ExperimentStore
) -> None:
    store.create("Mnist")

    assert caller(store, version).create(name)[version.name] == name


@each_version
def test_a_taken_name_is_409(version: Words, store: ExperimentStore) -> None:
    speaker = caller(store, version)
    speaker.create("mnist", "vision")

    answer = speaker.post(speaker.draft("mnist", "vision"))

    assert refusal(answer) == TAKEN
    assert answer.json()["message"] == "The name mnist already exists. Please specify a new name"


@each_version
def test_the_name_of_an_archived_experiment_is_taken(
    version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version)
    made = speaker.create("mnist")
    done(speaker.do("archive", made[version.id]))

    assert refusal(speaker.post(speaker.draft("mnist"))) == TAKEN


@each_version
def test_the_name_of_a_deleted_experiment_is_free(version: Words, store: ExperimentStore) -> None:
    speaker = caller(store, version)
    made = speaker.create("mnist")
    done(speaker.do("delete", made[version.id]))

    assert speaker.create("mnist")[version.id] != made[version.id]


@each_version
def test_a_name_is_free_in_another_namespace(version: Words, store: ExperimentStore) -> None:
    speaker = caller(store, version)
    speaker.create("mnist", "vision")

    speaker.create("mnist", "speech")
    speaker.create("mnist")

    assert speaker.page()["total_size"] == 3


@each_version
def test_what_the_server_decides_is_ignored_in_a_body(
    version: Words, store: ExperimentStore
) -> None:
    sent = {
        version.id: "mine",
        "created_at": "2001-01-01T00:00:00+01:00",
        "storage_state": version.archived,
    }

    made = caller(store, version).create("mnist", **sent)

    assert made[version.id] == "id-0"
    assert made["created_at"] == "2026-01-01T12:00:00Z"
    assert made["storage_state"] == version.available


def test_the_time_of_the_last_run_is_ignored_in_a_body(store: ExperimentStore) -> None:
    made = caller(store, V2).create("mnist", last_run_created_at="2001-01-01T00:00:00Z")

    assert made["last_run_created_at"] == "1970-01-01T00:00:00Z"


@each_version
@pytest.mark.parametrize("state", [0, 1, 2, 7, 2.0, None])
def test_a_state_may_be_any_number(state: Any, version: Words, store: ExperimentStore) -> None:
    made = caller(store, version).create("mnist", storage_state=state)

    assert made["storage_state"] == version.available


@each_version
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("storage_state", "DELETED"),
        ("storage_state", "available"),
        ("storage_state", 1.5),
        ("storage_state", 2**31),
        ("storage_state", True),
        ("created_at", "yesterday"),
        ("created_at", "2026-01-01"),
        ("created_at", 1543651200),
        ("created_at", {"seconds": 1543651200}),
        ("description", 5),
        ("description", False),
        ("description", ["a"]),
        ("description", "NUL \0"),
        ("labels", {}),
        ("uid", "x"),
    ],
)
def test_a_member_of_another_type_or_an_unknown_one_is_400(
    member: str, value: Any, version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version)

    assert refusal(speaker.post(speaker.draft("mnist", **{member: value}))) == INVALID
    assert speaker.page() == {}


@pytest.mark.parametrize(
    ("version", "member", "value"),
    [
        (V1, "experiment_id", "x"),
        (V1, "display_name", "x"),
        (V1, "namespace", "vision"),
        (V1, "last_run_created_at", "2026-01-01T00:00:00Z"),
        (V1, "storage_state", "ARCHIVED"),
        (V2, "id", "x"),
        (V2, "name", "x"),
        (V2, "resource_references", []),
        (V2, "storage_state", "STORAGESTATE_ARCHIVED"),
    ],
    ids=str,
)
def test_a_word_of_the_other_version_is_400(
    version: Words, member: str, value: Any, store: ExperimentStore
) -> None:
    body = {version.name: "mnist", member: value}

    assert refusal(caller(store, version).post(body)) == INVALID


@each_version
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"mnist",
        b"[]",
        b'"mnist"',
        b"5",
        b"null",
        b"true",
        b"{} {}",
        b"{'name': 'mnist'}",
        b'{"description": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"description": NaN}',
        b'{"description": "\\ud800"}',
        b'{"description": "a", "description": "b"}',
        b"[" * 100_000,
    ],
)
def test_what_is_not_json_of_an_experiment_is_400(
    body: bytes, version: Words, store: ExperimentStore
) -> None:
    assert refusal(caller(store, version).post(body)) == INVALID


def test_members_may_be_named_in_camel_case(store: ExperimentStore) -> None:
    v1 = caller(store, V1).post(
        {
            "name": "one",
            "createdAt": None,
            "storageState": "STORAGESTATE_ARCHIVED",
            "resourceReferences": [{"key": {"type": "NAMESPACE", "id": "vision"}}],
        }
    )
    v2 = caller(store, V2).post(
        {"displayName": "two", "experimentId": "x", "lastRunCreatedAt": None, "namespace": "vision"}
    )

    assert (done(v1)["name"], done(v2)["display_name"]) == ("one", "two")
    assert caller(store).page(namespace="vision")["total_size"] == 2


def test_a_member_in_both_spellings_is_400(store: ExperimentStore) -> None:
    body = {"display_name": "a", "displayName": "a"}

    assert refusal(caller(store, V2).post(body)) == INVALID


@each_version
def test_null_is_unset(version: Words, store: ExperimentStore) -> None:
    scope = "resource_references" if version is V1 else "namespace"
    nulls = dict.fromkeys([version.id, "description", "created_at", "storage_state", scope])

    made = done(caller(store, version).post({version.name: "mnist", **nulls}))

    assert made == caller(store, version).get("id-0")
    assert store.get("id-0").namespace == ""


@pytest.mark.parametrize(
    ("references", "namespace"),
    [
        ([], ""),
        ([{}], ""),
        ([{"key": None}], ""),
        ([{"key": {}}], ""),
        ([{"key": {"type": "NAMESPACE"}}], ""),
        ([{"key": {"type": "NAMESPACE", "id": None}}], ""),
        ([{"key": {"id": "vision"}}], ""),
        ([{"key": {"type": "EXPERIMENT", "id": "vision"}}], ""),
        ([{"key": {"type": 5, "id": "vision"}}], "vision"),
        ([{"key": {"type": "NAMESPACE", "id": "vision"}}], "vision"),
        (
            [
                {
                    "key": {"type": "NAMESPACE", "id": "vision"},
                    "relationship": "CREATOR",
                    "name": "x",
                }
            ],
            "vision",
        ),
        ([{"key": {"type": "NAMESPACE", "id": "vision"}, "relationship": 7}], "vision"),
        (
            [
                {"key": {"type": "JOB", "id": "other"}},
                {"key": {"type": "NAMESPACE", "id": "first"}},
                {"key": {"type": "NAMESPACE", "id": "second"}},
            ],
            "first",
        ),
    ],
)
def test_the_first_reference_to_a_namespace_decides(
    references: Any, namespace: str, store: ExperimentStore
) -> None:
    caller(store, V1).create("mnist", resource_references=references)

    assert store.get("id-0").namespace == namespace


@pytest.mark.parametrize(
    "references",
    [
        "NAMESPACE",
        {"key": {"type": "NAMESPACE"}},
        [None],
        ["vision"],
        [{"kind": "NAMESPACE"}],
        [{"key": "vision"}],
        [{"key": {"type": "namespace"}}],
        [{"key": {"type": "NAMESPACE", "id": 5}}],
        [{"key": {"type": "NAMESPACE", "name": "vision"}}],
        [{"name": 5}],
        [{"relationship": "FRIEND"}],
        [{"key": {"type": "NAMESPACE", "id": "first"}}, {"key": {"type": "CAT"}}],
    ],
)
def test_a_malformed_reference_is_400(references: Any, store: ExperimentStore) -> None:
    speaker = caller(store, V1)

    assert refusal(speaker.post(speaker.draft("mnist", resource_references=references))) == INVALID


@each_version
def test_a_body_may_have_a_mebibyte(version: Words, store: ExperimentStore) -> None:
    body = json.dumps({version.name: "mnist"}).encode().ljust(MAX_BODY)

    assert done(caller(store, version).post(body))[version.name] == "mnist"


@each_version
def test_a_body_of_more_is_413(version: Words, store: ExperimentStore) -> None:
    body = json.dumps({version.name: "mnist"}).encode().ljust(MAX_BODY + 1)

    assert refusal(caller(store, version).post(body)) == (413, 3)
    assert not store.list().items


def test_a_body_that_is_cut_off_creates_nothing(store: ExperimentStore) -> None:
    answer = _send(
        store,
        {"type": "http.request", "body": b'{"display_name": "mnist"}', "more_body": True},
        {"type": "http.disconnect"},
    )

    assert answer[0]["status"] == 400
    assert not store.list().items


def test_a_body_may_come_in_pieces(store: ExperimentStore) -> None:
    answer = _send(
        store,
        {"type": "http.request", "body": b'{"display_name":', "more_body": True},
        {"type": "http.request", "body": b'"mnist"}', "more_body": False},
    )

    assert answer[0]["status"] == 200
    assert [made.name for made in store.list().items] == ["mnist"]


@each_version
@pytest.mark.parametrize("verb", ["archive", "unarchive"])
def test_the_body_of_an_archive_call_is_dropped(
    verb: str, version: Words, store: ExperimentStore
) -> None:
    made = store.create("mnist")
    url = f"{version.base}/experiments/{made.id}:{verb}"

    answer = caller(store, version).client.post(url, content=b"{ what is this")

    assert done(answer) == {}


def _send(store: ExperimentStore, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """Create with the events that *messages* are; return the events of the answer."""
    waiting, sent = iter(messages), []

    async def receive() -> Any:
        return next(waiting)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/apis/v2beta1/experiments", "query_string": b"",
        "headers": [],
    }  # fmt: skip
    asyncio.run(create_app(store)(scope, receive, send))  # type: ignore[arg-type]
    return sent
