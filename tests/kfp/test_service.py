"""The operations of the service, in both versions: what they do, and how they fail."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NoReturn
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_store import ExperimentStore
from experiment_store.errors import (
    AlreadyExistsError,
    BackendError,
    ConflictError,
    ExperimentStoreError,
    FailedPreconditionError,
    InvalidArgumentError,
    InvalidPageTokenError,
    NotFoundError,
    Obstacle,
    UnavailableError,
)
from experiment_store.kfp import Identity, Verb, unauthenticated
from experiment_store.kfp.failures import Failure, failure, invalid
from experiment_store.kfp.service import DEFAULT_DESCRIPTION
from experiment_store.testing.strategies import texts
from experiment_store_memory import MemoryBackend
from tests.kfp.asking import (
    ABORTED,
    INVALID,
    NOT_FOUND,
    UNIMPLEMENTED,
    V1,
    V2,
    VERSIONS,
    Caller,
    Words,
    caller,
    done,
    refusal,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

each_version = pytest.mark.parametrize("version", VERSIONS, ids=str)
each_act = pytest.mark.parametrize("verb", ["delete", "archive", "unarchive"])


@pytest.fixture
def backend() -> MemoryBackend:
    """What the store of the same test keeps its records in."""
    return MemoryBackend()


@pytest.fixture
def store(backend: MemoryBackend) -> Iterator[ExperimentStore]:
    """An empty store whose clock ticks a second whenever it is read."""
    ticks = count()
    with ExperimentStore(backend, clock=lambda: NOON + timedelta(seconds=next(ticks))) as opened:
        yield opened


# Get and delete


@each_version
@pytest.mark.parametrize(
    "id", ["nothing", "mnist", "%00", "%FF", "%C3%A9", "a%20b", "x" * 2_000, "..%5C..", "*"]
)
def test_an_unknown_id_is_404_and_a_name_is_no_id(
    id: str, version: Words, store: ExperimentStore
) -> None:
    store.create("mnist")
    speaker = caller(store, version)

    assert refusal(speaker.client.get(f"{speaker.url}/{id}")) == NOT_FOUND


@each_version
@each_act
def test_nothing_can_be_done_to_an_unknown_id(
    verb: str, version: Words, store: ExperimentStore
) -> None:
    answer = caller(store, version).do(verb, "nothing")

    assert refusal(answer) == NOT_FOUND
    assert answer.json()["message"] == "Experiment nothing not found"


@each_version
def test_an_archived_experiment_is_got_like_others(version: Words, store: ExperimentStore) -> None:
    made = store.create("mnist")
    store.archive(made.id)

    assert caller(store, version).get(made.id)[version.name] == "mnist"


@each_version
@pytest.mark.parametrize("archived", [False, True])
def test_a_deleted_experiment_is_gone(
    *, archived: bool, version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version)
    made = store.create("mnist")
    if archived:
        store.archive(made.id)

    assert done(speaker.do("delete", made.id)) == {}

    assert refusal(speaker.client.get(f"{speaker.url}/{made.id}")) == NOT_FOUND
    assert refusal(speaker.do("delete", made.id)) == NOT_FOUND
    assert speaker.page() == {}


@each_version
def test_runs_and_jobs_stay_when_their_experiment_is_deleted(
    version: Words, store: ExperimentStore
) -> None:
    made = store.create("mnist")
    run = store.runs.create(made.id, "run")
    job = store.jobs.create(made.id, "job")

    done(caller(store, version).do("delete", made.id))

    assert store.runs.get(run.id).experiment_id == made.id
    assert store.jobs.get(job.id).experiment_id == made.id


@each_version
def test_an_id_may_look_like_an_action(version: Words, store: ExperimentStore) -> None:
    store.create("mnist", id="a:archive")
    speaker = caller(store, version)

    assert speaker.get("a:archive")[version.name] == "mnist"
    assert done(speaker.do("archive", "a:archive")) == {}
    assert done(speaker.do("delete", "a:archive")) == {}


# Archive and unarchive


@each_version
def test_archiving_takes_the_runs_and_jobs_along(version: Words, store: ExperimentStore) -> None:
    made = store.create("mnist")
    run = store.runs.create(made.id, "run", state="RUNNING")
    job = store.jobs.create(made.id, "job")

    assert done(caller(store, version).do("archive", made.id)) == {}

    assert store.get(made.id).storage_state == "ARCHIVED"
    assert store.runs.get(run.id).storage_state == "ARCHIVED"
    assert store.runs.get(run.id).state == "RUNNING"
    assert not store.jobs.get(job.id).enabled


@each_version
def test_unarchiving_leaves_the_runs_and_jobs_as_they_are(
    version: Words, store: ExperimentStore
) -> None:
    made = store.create("mnist")
    run = store.runs.create(made.id, "run")
    job = store.jobs.create(made.id, "job")
    store.archive(made.id)

    assert done(caller(store, version).do("unarchive", made.id)) == {}

    assert store.get(made.id).storage_state == "AVAILABLE"
    assert store.runs.get(run.id).storage_state == "ARCHIVED"
    assert not store.jobs.get(job.id).enabled


@each_version
@pytest.mark.parametrize("verb", ["archive", "unarchive"])
def test_archiving_and_unarchiving_are_idempotent(
    verb: str, version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version)
    made = store.create("mnist")

    assert done(speaker.do(verb, made.id)) == {}
    once = speaker.get(made.id)
    assert done(speaker.do(verb, made.id)) == {}

    assert speaker.get(made.id) == once


@each_version
def test_there_and_back_nothing_else_has_changed(version: Words, store: ExperimentStore) -> None:
    speaker = caller(store, version)
    made = speaker.create("mnist", "vision", description="digits")
    store.runs.create(made[version.id], "run")
    before = speaker.get(made[version.id])

    done(speaker.do("archive", made[version.id]))
    done(speaker.do("unarchive", made[version.id]))

    assert speaker.get(made[version.id]) == before


@each_version
def test_an_archived_experiment_takes_no_runs(version: Words, store: ExperimentStore) -> None:
    made = store.create("mnist")

    done(caller(store, version).do("archive", made.id))

    with pytest.raises(FailedPreconditionError):
        store.runs.create(made.id, "run")


# The default experiment


def test_there_is_no_default_experiment_unless_asked_for(store: ExperimentStore) -> None:
    assert caller(store).page() == {}


@each_version
def test_the_default_experiment_is_made_at_the_start(
    version: Words, store: ExperimentStore
) -> None:
    (found,) = caller(store, version, default_experiment=True).page()["experiments"]

    assert (found[version.name], found["description"]) == ("Default", DEFAULT_DESCRIPTION)
    assert store.get(found[version.id]).namespace == ""


def test_the_default_experiment_is_adopted_where_there_is_one(store: ExperimentStore) -> None:
    made = store.create("Default", description="ours")

    speaker = caller(store, default_experiment=True)

    assert [found["experiment_id"] for found in speaker.page()["experiments"]] == [made.id]
    assert speaker.get(made.id)["description"] == "ours"
    assert refusal(speaker.do("delete", made.id)) == ABORTED


def test_the_default_experiment_is_the_same_after_a_restart(store: ExperimentStore) -> None:
    pages = [caller(store, default_experiment=True).page() for _ in range(2)]

    assert pages[0] == pages[1]
    assert pages[0]["total_size"] == 1


def test_a_default_of_another_namespace_is_left_alone(store: ExperimentStore) -> None:
    other = store.create("Default", namespace="vision")

    speaker = caller(store, default_experiment=True)

    assert speaker.page()["total_size"] == 2
    assert done(speaker.do("delete", other.id)) == {}


@each_version
def test_the_default_experiment_cannot_be_deleted(version: Words, store: ExperimentStore) -> None:
    speaker = caller(store, version, default_experiment=True)
    (found,) = store.list().items

    answer = speaker.do("delete", found.id)

    assert refusal(answer) == ABORTED
    assert answer.json()["message"] == "The default experiment cannot be deleted"
    assert store.get(found.id) == found


@each_version
def test_the_default_experiment_can_be_archived(version: Words, store: ExperimentStore) -> None:
    speaker = caller(store, version, default_experiment=True)
    (found,) = store.list().items

    assert done(speaker.do("archive", found.id)) == {}
    assert refusal(speaker.do("delete", found.id)) == ABORTED
    assert done(speaker.do("unarchive", found.id)) == {}


@each_version
def test_an_experiment_called_default_can_be_deleted_where_none_was_asked_for(
    version: Words, store: ExperimentStore
) -> None:
    made = store.create("Default", description=DEFAULT_DESCRIPTION)

    assert done(caller(store, version).do("delete", made.id)) == {}


# Page tokens

FILTER = '{"predicates":[{"operation":"IS_SUBSTRING","key":"name","string_value":"mnist"}]}'
SAME_FILTER = ' { "predicates" : [ { "op": 9, "key": "display_name", "stringValue": "mnist" } ] } '


@pytest.fixture
def filled(store: ExperimentStore) -> ExperimentStore:
    """The store with nine experiments in three namespaces, one of which no filter finds."""
    for number in range(8):
        store.create(f"mnist-{number}", namespace="xyz"[number % 3])
    store.create("cifar", namespace="x")
    return store


@given(
    size=st.integers(1, 10),
    key=st.sampled_from(["", "name", "created_at desc", "namespace", "storage_state desc", "id"]),
    filter=st.sampled_from(["", FILTER]),
    namespace=st.sampled_from(["", "x", "y"]),
    version=st.sampled_from(VERSIONS),
)
def test_a_token_alone_continues_its_own_listing_to_the_end(
    size: int, key: str, filter: str, namespace: str, version: Words
) -> None:
    store = ExperimentStore(MemoryBackend())
    for number in range(9):
        store.create("cifar" if number == 4 else f"mnist-{number}", namespace="xyz"[number % 3])
    speaker = caller(store, version)
    asked = {"sort_by": key, "filter": filter, **(speaker.scope(namespace) if namespace else {})}
    whole = speaker.page(**asked, page_size=100)

    pages = [speaker.page(**asked, page_size=size)]
    while token := pages[-1].get("next_page_token"):
        pages.append(speaker.page(page_token=token, page_size=size))

    assert [one for page in pages for one in page["experiments"]] == whole["experiments"]
    assert [page["total_size"] for page in pages] == [whole["total_size"]] * len(pages)
    assert all(len(page["experiments"]) == size for page in pages[:-1])
    assert 1 <= len(pages[-1]["experiments"]) <= size


@each_version
def test_the_size_may_change_from_page_to_page(version: Words, filled: ExperimentStore) -> None:
    speaker = caller(filled, version)
    token = speaker.page(page_size=2, sort_by="name")["next_page_token"]

    assert len(speaker.names(page_token=token, page_size=3)) == 3
    assert len(speaker.names(page_token=token)) == 7


@each_version
def test_a_token_agrees_with_what_it_was_made_for_in_every_spelling(
    version: Words, filled: ExperimentStore
) -> None:
    speaker = caller(filled, version)
    asked = {"sort_by": "name", "filter": FILTER, "page_size": 1}
    token = speaker.page(**asked, **speaker.scope("x"))["next_page_token"]
    alone = speaker.page(page_token=token)

    spellings: list[Mapping[str, str]] = [
        {"sort_by": "name", "filter": FILTER},
        {"sort_by": "DISPLAY_NAME  Asc", "filter": SAME_FILTER},
        {"sort_by": "name asc", "filter": quote_plus(FILTER)},
    ]

    for spelling in spellings:
        assert speaker.page(page_token=token, **spelling) == alone
        assert speaker.page(page_token=token, **spelling, **speaker.scope("x")) == alone
    assert speaker.page(page_token=token, **speaker.scope("x")) == alone


@each_version
@pytest.mark.parametrize(
    "filter",
    [
        '{"predicates":[{"operation":8,"key":"name","string_values":{"values":["a","mnist-1"]}}]}',
        '{"predicates":[{"operation":5,"key":"created_at","int_value":5}]}',
        '{"predicates":[{"operation":5,"key":"created_at","long_value":"5"}]}',
        '{"predicates":[{"op":5,"key":"created_at","timestampValue":"2001-01-01T00:00:00+01:00"}]}',
        '{"predicates":[{"operation":2,"key":"created_at","int_value":5}]}',
    ],
    ids=["in", "int", "long", "timestamp", "not equal"],
)
def test_the_same_filter_of_any_type_agrees(
    filter: str, version: Words, store: ExperimentStore
) -> None:
    store.create("a")
    store.create("mnist-1")
    speaker = caller(store, version)
    first = speaker.page(filter=filter, page_size=1)

    rest = speaker.names(filter=filter, page_size=1, page_token=first["next_page_token"])

    assert rest == ["mnist-1"]


@each_version
@pytest.mark.parametrize(
    "other",
    [
        {"sort_by": "name"},
        {"filter": FILTER},
        {"sort_by": "name desc", "filter": FILTER},
        {"sort_by": "id", "filter": FILTER},
        {"sort_by": "name", "filter": FILTER.replace("mnist", "mnis")},
        {"sort_by": "name", "filter": "{}"},
    ],
)
def test_a_token_with_another_order_or_filter_is_400(
    other: Mapping[str, str], version: Words, filled: ExperimentStore
) -> None:
    speaker = caller(filled, version)
    token = speaker.page(sort_by="name", filter=FILTER, page_size=1)["next_page_token"]

    answer = speaker.ask(page_token=token, **other)

    assert refusal(answer) == INVALID
    assert answer.json()["message"].startswith("page token does not match")


@each_version
@pytest.mark.parametrize("other", [{"sort_by": "colour"}, {"filter": "["}, {"page_size": -1}])
def test_a_token_does_not_excuse_what_is_wrong(
    other: Mapping[str, Any], version: Words, filled: ExperimentStore
) -> None:
    speaker = caller(filled, version)
    token = speaker.page(page_size=1)["next_page_token"]

    assert refusal(speaker.ask(page_token=token, **other)) == INVALID


@each_version
def test_the_default_order_agrees_with_its_name(version: Words, filled: ExperimentStore) -> None:
    speaker = caller(filled, version)
    token = speaker.page(page_size=4)["next_page_token"]

    for sort_by in ("", "created_at", "Created_At ASC"):
        assert speaker.page(page_token=token, sort_by=sort_by) == speaker.page(page_token=token)


@each_version
@pytest.mark.parametrize(("made", "sent"), [("x", "y"), ("", "x")])
def test_a_token_with_another_namespace_is_400(
    made: str, sent: str, version: Words, filled: ExperimentStore
) -> None:
    speaker = caller(filled, version)
    token = speaker.page(page_size=1, **speaker.scope(made))["next_page_token"]

    assert refusal(speaker.ask(page_token=token, **speaker.scope(sent))) == INVALID


@each_version
def test_a_token_alone_stays_in_its_namespace(version: Words, filled: ExperimentStore) -> None:
    speaker = caller(filled, version)
    token = speaker.page(page_size=1, **speaker.scope("x"))["next_page_token"]

    assert speaker.names(page_token=token) == ["mnist-3", "mnist-6", "cifar"]


@each_version
def test_a_token_of_all_namespaces_is_400_where_one_is_required(
    version: Words, filled: ExperimentStore
) -> None:
    token = caller(filled, version).page(page_size=1)["next_page_token"]

    assert refusal(caller(filled, version, require_namespace=True).ask(page_token=token)) == INVALID


@pytest.mark.parametrize(("ours", "theirs"), [(V1, V2), (V2, V1)], ids=str)
def test_a_token_of_one_version_works_in_the_other(
    ours: Words, theirs: Words, filled: ExperimentStore
) -> None:
    one, other = caller(filled, ours), caller(filled, theirs)
    asked = {"sort_by": "name desc", "filter": FILTER}
    token = one.page(**asked, **one.scope("x"), page_size=1)["next_page_token"]

    alone = other.names(page_token=token)

    assert alone == ["mnist-3", "mnist-0"]
    assert other.names(page_token=token, **asked, **other.scope("x")) == alone
    assert one.names(page_token=token) == alone


@given(data=st.data())
def test_a_damaged_token_is_400(data: st.DataObject) -> None:
    store = ExperimentStore(MemoryBackend())
    store.create("a")
    store.create("b")
    speaker = caller(store)
    token = speaker.page(page_size=1)["next_page_token"]
    place = data.draw(st.integers(0, len(token) - 1))
    length = data.draw(st.integers(0, 3))
    damaged = token[:place] + data.draw(texts(3)) + token[place + length :]

    answer = speaker.ask(page_token=damaged or "x")

    if damaged == token:
        assert done(answer)["experiments"]
    else:
        assert refusal(answer) == INVALID


@each_version
@pytest.mark.parametrize("token", ["e30=", "x", "AQ", "{}", "größe", "A" * 10_000, " "])
def test_what_never_was_a_token_is_400(token: str, version: Words, store: ExperimentStore) -> None:
    answer = caller(store, version).ask(page_token=token)

    assert refusal(answer) == INVALID
    assert answer.json()["message"] == "Invalid page token"


@each_version
def test_a_token_of_another_store_is_400(version: Words, filled: ExperimentStore) -> None:
    token = caller(filled, version).page(page_size=1)["next_page_token"]
    other = ExperimentStore(MemoryBackend())

    assert refusal(caller(other, version).ask(page_token=token)) == INVALID


@each_version
def test_the_library_s_own_token_is_400(version: Words, filled: ExperimentStore) -> None:
    token = filled.list(page_size=1).next_page_token

    assert refusal(caller(filled, version).ask(page_token=token)) == INVALID


def test_a_token_works_in_every_service_of_its_store(filled: ExperimentStore) -> None:
    token = caller(filled).page(page_size=1, sort_by="name")["next_page_token"]

    assert caller(filled).names(page_token=token, page_size=1) == ["mnist-0"]


def test_a_token_is_400_once_the_store_has_another_key(backend: MemoryBackend) -> None:
    before = ExperimentStore(backend, token_key=b"an example key, the first")
    before.create("a")
    before.create("b")
    token = caller(before).page(page_size=1)["next_page_token"]
    after = ExperimentStore(backend, token_key=b"an example key, the second")

    assert refusal(caller(after).ask(page_token=token)) == INVALID


@each_version
def test_a_token_outlives_the_record_it_stands_at(version: Words, filled: ExperimentStore) -> None:
    speaker = caller(filled, version)
    first = speaker.page(page_size=3, sort_by="name")
    at = first["experiments"][-1][version.id]
    done(speaker.do("delete", at))

    rest = speaker.names(page_token=first["next_page_token"])

    assert rest == [f"mnist-{number}" for number in range(2, 8)]


@each_version
def test_a_last_page_that_is_full_has_no_token(version: Words, filled: ExperimentStore) -> None:
    assert "next_page_token" not in caller(filled, version).page(page_size=9)


def test_a_token_says_nothing_to_its_holder(filled: ExperimentStore) -> None:
    token = caller(filled).page(page_size=1, sort_by="name", namespace="x")["next_page_token"]

    assert token.isascii()
    assert "mnist" not in token


# Where Kubeflow is weak and we are not


def _predicate(key: str, operation: str, **value: Any) -> str:
    return json.dumps({"predicates": [{"key": key, "operation": operation, **value}]})


@each_version
@pytest.mark.parametrize("word", [V1.archived, V2.archived])
def test_a_state_is_found_by_the_word_of_either_version(
    word: str, version: Words, store: ExperimentStore
) -> None:
    store.archive(store.create("mnist").id)
    store.create("cifar")
    filter = _predicate("storage_state", "EQUALS", string_value=word)

    assert caller(store, version).names(filter=filter) == ["mnist"]


def test_the_time_of_the_last_run_never_moves_back() -> None:
    times = iter([NOON, NOON + timedelta(hours=2), NOON + timedelta(hours=1)])
    store = ExperimentStore(MemoryBackend(), clock=lambda: next(times))
    made = store.create("mnist")
    store.runs.create(made.id, "the later one")
    store.runs.create(made.id, "a late report")

    assert caller(store).get(made.id)["last_run_created_at"] == "2026-01-01T14:00:00Z"


@each_version
@pytest.mark.parametrize("part", ["%", "_", "\\"])
def test_a_substring_is_literal(part: str, version: Words, store: ExperimentStore) -> None:
    store.create("50% \\_")
    store.create("mnist")

    filter = _predicate("name", "IS_SUBSTRING", string_value=part)

    assert caller(store, version).names(filter=filter) == ["50% \\_"]


@each_version
@pytest.mark.parametrize("operation", ["EQUALS", "IS_SUBSTRING"])
def test_letter_case_and_trailing_blanks_count(
    operation: str, version: Words, store: ExperimentStore
) -> None:
    for name in ("mnist", "MNIST", "Mnist"):
        store.create(name)
    speaker = caller(store, version)

    assert speaker.names(filter=_predicate("name", operation, string_value="MNIST")) == ["MNIST"]
    assert speaker.names(filter=_predicate("name", operation, string_value="mnist ")) == []


@each_version
@pytest.mark.parametrize(
    "filter",
    [
        _predicate("created_at", "EQUALS", string_value="2026-01-01T12:00:00Z"),
        _predicate("name", "EQUALS", int_value=5),
        _predicate("storage_state", "EQUALS", string_value="archived"),
        _predicate("storage_state", "GREATER_THAN", string_value="ARCHIVED"),
    ],
)
def test_a_value_of_another_type_than_its_key_is_400(
    filter: str, version: Words, store: ExperimentStore
) -> None:
    assert refusal(caller(store, version).ask(filter=filter)) == INVALID


@each_version
@pytest.mark.parametrize("word", ["op", "operation"])
def test_either_word_for_the_operation_is_understood(
    word: str, version: Words, store: ExperimentStore
) -> None:
    store.create("mnist")
    predicate = {"key": "name", word: "EQUALS", "string_value": "mnist"}

    assert caller(store, version).names(filter=json.dumps({"predicates": [predicate]})) == ["mnist"]


# Health


@each_version
@pytest.mark.parametrize("multi_user", [False, True])
def test_healthz_tells_what_clients_ask_for(
    *, multi_user: bool, version: Words, store: ExperimentStore
) -> None:
    speaker = caller(store, version, require_namespace=multi_user)

    answer = done(speaker.client.get(f"{version.base}/healthz"))

    assert answer.pop("multi_user") is multi_user
    assert answer.pop("pipeline_store", None) == (None if version is V1 else "database")
    assert set(answer) == {"commit_sha", "tag_name"}
    assert all(isinstance(value, str) and value for value in answer.values())


# Routes


@each_version
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/experiments", {"GET", "HEAD", "POST"}),
        ("PATCH", "/experiments", {"GET", "HEAD", "POST"}),
        ("DELETE", "/experiments", {"GET", "HEAD", "POST"}),
        ("OPTIONS", "/experiments", {"GET", "HEAD", "POST"}),
        ("BREW", "/experiments", {"GET", "HEAD", "POST"}),
        ("POST", "/experiments/x", {"GET", "HEAD", "DELETE"}),
        ("POST", "/experiments/x:", {"GET", "HEAD", "DELETE"}),
        ("PUT", "/experiments/x", {"GET", "HEAD", "DELETE"}),
        ("PATCH", "/experiments/x", {"GET", "HEAD", "DELETE"}),
        ("PUT", "/experiments/x:stop", {"GET", "HEAD", "DELETE"}),
        ("PUT", "/experiments/x:archive", {"POST"}),
        ("PATCH", "/experiments/x:unarchive", {"POST"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_405_and_says_which_are_right(
    method: str, path: str, allowed: set[str], version: Words, store: ExperimentStore
) -> None:
    answer = caller(store, version).client.request(method, version.base + path)

    assert refusal(answer) == UNIMPLEMENTED
    assert set(answer.headers["allow"].split(", ")) == allowed


@each_version
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("GET", "/runs"),
        ("GET", ""),
        ("GET", "/experiments/a/b"),
        ("GET", "/experiments/a%2Fb"),
        ("GET", "/Experiments"),
        ("POST", "/experiments/x:stop"),
        ("POST", "/experiments/x:Archive"),
        ("POST", "/experiments/x:archive:now"),
        ("POST", "/experiments/x:archive/now"),
    ],
)
def test_an_unknown_path_or_verb_is_404(
    method: str, path: str, version: Words, store: ExperimentStore
) -> None:
    store.create("mnist", id="x")

    answer = caller(store, version).client.request(method, version.base + path)

    assert refusal(answer) == NOT_FOUND
    assert store.get("x").storage_state == "AVAILABLE"


@pytest.mark.parametrize("path", ["/", "/apis", "/apis/v1/experiments", "/apis/v2/experiments"])
def test_an_unknown_version_is_404(path: str, store: ExperimentStore) -> None:
    assert refusal(caller(store).client.get(path)) == NOT_FOUND


@each_version
def test_head_answers_as_get_but_for_the_body(version: Words, filled: ExperimentStore) -> None:
    speaker = caller(filled, version)

    head = speaker.client.head(speaker.url)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == speaker.ask().headers


# Authorization, as far as the routes go; who may do what is another matter


def _nothing(_: Identity, __: Verb, ___: str | None) -> bool:
    return False


async def _nothing_at_length(_: Identity, __: Verb, ___: str | None) -> bool:
    return False


def _nobody(_: Identity, __: Verb, ___: str | None) -> NoReturn:
    raise unauthenticated()


@each_version
@pytest.mark.parametrize("authorize", [_nothing, _nothing_at_length])
def test_who_may_do_nothing_may_neither_create_nor_list_nor_know(
    authorize: Any, version: Words, store: ExperimentStore
) -> None:
    made = store.create("mnist")
    speaker = caller(store, version, authorize=authorize)

    assert refusal(speaker.post(speaker.draft("cifar", "vision"))) == (403, 7)
    assert refusal(speaker.ask()) == (403, 7)
    assert refusal(speaker.ask(**speaker.scope("vision"))) == (403, 7)
    assert refusal(speaker.client.get(f"{speaker.url}/{made.id}")) == NOT_FOUND
    assert {refusal(speaker.do(verb, made.id)) for verb in ("archive", "delete")} == {NOT_FOUND}
    assert store.list().items == [made]


@each_version
def test_who_is_nobody_is_told_how_to_be_somebody(version: Words, store: ExperimentStore) -> None:
    answer = caller(store, version, authorize=_nobody).ask()

    assert refusal(answer) == (401, 16)
    assert answer.headers["www-authenticate"] == "Bearer"


# Failures of the store


@each_version
@each_act
def test_an_experiment_that_goes_at_the_last_moment_is_unknown(
    verb: str, version: Words, store: ExperimentStore
) -> None:
    made = store.create("mnist")

    def authorize(_: Identity, __: Verb, ___: str | None) -> bool:
        store.delete(made.id)  # between the look-up and the act
        return True

    answer = caller(store, version, authorize=authorize).do(verb, made.id)

    assert refusal(answer) == NOT_FOUND
    assert answer.json()["message"] == f"Experiment {made.id} not found"


class Failing(MemoryBackend):
    """A backend that fails to read once it is told how."""

    error: Exception | None = None

    def get(self, kind: Any, id: str) -> Any:
        if self.error is not None:
            raise self.error
        return super().get(kind, id)

    def select(self, plan: Any) -> Any:
        if self.error is not None:
            raise self.error
        return super().select(plan)


SECRET = "SELECT secret FROM experiments"


@pytest.fixture
def failing() -> Failing:
    """A backend that does not fail yet."""
    return Failing()


def _everywhere(speaker: Caller) -> list[Any]:
    """Ask for what reads a store."""
    return [speaker.ask(), *(speaker.do(verb, "x") for verb in ("delete", "archive", "unarchive"))]


@each_version
def test_a_store_that_is_unavailable_is_503(
    version: Words, failing: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    speaker = caller(ExperimentStore(failing), version)
    failing.error = UnavailableError("select", SECRET)

    answers = _everywhere(speaker)

    assert {refusal(answer) for answer in answers} == {(503, 14)}
    assert not any("secret" in answer.text for answer in answers)
    assert {(record.name, record.levelno) for record in caplog.records} == {
        ("experiment_store.kfp", logging.ERROR)
    }
    assert caplog.text.count(SECRET) == len(answers)


@each_version
@pytest.mark.parametrize("error", [BackendError("select", SECRET), RuntimeError(SECRET)], ids=repr)
def test_a_store_that_fails_is_500_and_does_not_tell_why(
    error: Exception, version: Words, failing: Failing
) -> None:
    speaker = caller(ExperimentStore(failing), version)
    failing.error = error

    answers = _everywhere(speaker)

    assert {refusal(answer) for answer in answers} == {(500, 13)}
    assert not any("secret" in answer.text for answer in answers)


def test_healthz_is_answered_while_the_store_fails(failing: Failing) -> None:
    speaker = caller(ExperimentStore(failing))
    failing.error = UnavailableError("select", SECRET)

    assert done(speaker.client.get("/apis/v2beta1/healthz"))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidArgumentError("name", "is wrong"), 400, 3),
        (InvalidPageTokenError(), 400, 3),
        (NotFoundError("experiment", {"id": "x"}), 404, 5),
        (AlreadyExistsError("experiment", {"name": "x", "namespace": ""}), 409, 6),
        (AlreadyExistsError("experiment", {"id": "x"}), 409, 6),
        (FailedPreconditionError("experiment", "x", Obstacle.ARCHIVED), 400, 9),
        (ConflictError("experiment", "x", "etag"), 409, 10),
        (UnavailableError("select", SECRET), 503, 14),
        (BackendError("select", SECRET), 500, 13),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_of_the_store_has_a_status_and_a_code(
    error: ExperimentStoreError, status: int, code: int
) -> None:
    failed = failure(error)

    assert (failed.status, failed.code) == (status, code)
    assert "secret" not in str(failed)


def test_a_failure_reads_as_its_message() -> None:
    assert str(invalid("the body is wrong")) == "the body is wrong"
    assert isinstance(invalid("the body is wrong"), Failure)


def test_an_error_that_reaches_the_application_is_translated_too(store: ExperimentStore) -> None:
    def authorize(_: Identity, __: Verb, ___: str | None) -> NoReturn:
        raise UnavailableError("the directory of users", SECRET)

    answer = caller(store, authorize=authorize).ask()

    assert refusal(answer) == (503, 14)
    assert "secret" not in answer.text
