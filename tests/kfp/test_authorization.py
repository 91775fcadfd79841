"""Nobody learns of a namespace that is not theirs, by anything that the service says."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from experiment_store import ExperimentStore, InvalidArgumentError
from experiment_store.kfp import (
    Authorize,
    BearerTokens,
    Identity,
    Verb,
    create_app,
    read_tokens,
    unauthenticated,
)
from experiment_store_memory import MemoryBackend
from tests.kfp.wire import Answer, Call, answer, sending

_VISION, _AUDIO = "the-token-of-vision", "the-token-of-audio-"
_EVERYBODY, _READER = "the-token-of-everybody", "the-token-of-a-reader"
_ENTRIES = [
    {"token": _VISION, "namespaces": ["vision"]},
    {"token": _AUDIO, "namespaces": ["audio"]},
    {"token": _EVERYBODY, "namespaces": ["*"]},
    {"token": _READER, "namespaces": ["vision"], "verbs": ["get", "list"]},
]
_VERSIONS = ("v1beta1", "v2beta1")
_BY_ID: tuple[Verb, ...] = ("get", "delete", "archive", "unarchive")
_HIDDEN, _UNKNOWN = "hidden-id", "unknown-id"


@pytest.fixture
def tokens(tmp_path: Path) -> BearerTokens:
    """What a file with the tokens of these tests is read as."""
    return read_tokens(_written(tmp_path, json.dumps(_ENTRIES)))


@pytest.fixture
def store() -> ExperimentStore:
    """A store with one experiment of each namespace, under the same name."""
    store = ExperimentStore(MemoryBackend())
    store.create("same", namespace="vision", id="seen-id")
    store.create("same", namespace="audio", id=_HIDDEN)
    return store


def _written(folder: Path, text: str) -> Path:
    path = folder / "tokens.json"
    path.write_text(text, encoding="utf-8")
    return path


def _by(token: str | None, call: Call) -> Call:
    return call if token is None else evolve(call, headers=((b"authorization", _bearer(token)),))


def _bearer(token: str) -> bytes:
    return f"Bearer {token}".encode()


def _create(version: str, namespace: str, name: str) -> Call:
    body: dict[str, Any] = {"display_name": name, "namespace": namespace}
    if version == "v1beta1":
        key = {"type": "NAMESPACE", "id": namespace}
        body = {"name": name, "resource_references": [{"key": key, "relationship": "OWNER"}]}
    return Call(f"/apis/{version}/experiments".encode(), "POST", sending(body))


def _list(version: str, namespace: str | None, rest: str = "") -> Call:
    scope = ""
    if namespace is not None and version == "v1beta1":
        key = "resource_reference_key"
        scope = f"{key}.type=NAMESPACE&{key}.id={namespace}"
    elif namespace is not None:
        scope = f"namespace={namespace}"
    return Call(f"/apis/{version}/experiments?{scope}&{rest}".encode())


def _one(version: str, verb: Verb, id: str) -> Call:
    path = f"/apis/{version}/experiments/{id}"
    match verb:
        case "get":
            return Call(path.encode())
        case "delete":
            return Call(path.encode(), "DELETE")
        case _:
            return Call(f"{path}:{verb}".encode(), "POST")


def _operations(version: str) -> Iterator[Call]:
    yield _create(version, "vision", "new")
    yield _list(version, "vision")
    yield _list(version, None)
    for verb, id in itertools.product(_BY_ID, ("seen-id", _HIDDEN, _UNKNOWN)):
        yield _one(version, verb, id)


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize(
    "authorization",
    [
        None, "", "Bearer", "Bearer ", "Bearer an-unknown-token", f"Basic {_VISION}", _VISION,
        f"Bearer {_VISION}x", f"Bearer {_VISION[:-1]}", f"Bearer {_VISION.upper()}",
        f"Bearer {_VISION} {_VISION}", "Bearer t\xf6ken-of-somebody-else",
    ],
)  # fmt: skip
def test_who_cannot_be_identified_is_refused_alike_everywhere(
    version: str, authorization: str | None, tokens: BearerTokens, store: ExperimentStore
) -> None:
    app = create_app(store, authorize=tokens)
    headers = (
        () if authorization is None else ((b"authorization", authorization.encode("latin-1")),)
    )

    got = [answer(app, evolve(call, headers=headers)) for call in _operations(version)]

    assert {found.status for found in got} == {401}
    assert {found.json()["code"] for found in got} == {16}
    assert {found.header("www-authenticate") for found in got} == {"Bearer"}
    assert len(set(got)) == 1
    assert len(store.list().items) == 2


def test_healthz_and_the_document_need_no_token(tokens: BearerTokens) -> None:
    app = create_app(ExperimentStore(MemoryBackend()), authorize=tokens)

    for path in (b"/apis/v1beta1/healthz", b"/apis/v2beta1/healthz", b"/openapi.json"):
        assert answer(app, Call(path)).status == 200


@pytest.mark.parametrize("version", _VERSIONS)
def test_creating_and_listing_in_a_forbidden_namespace_is_403(
    version: str, tokens: BearerTokens, store: ExperimentStore
) -> None:
    app = create_app(store, authorize=tokens)

    for call in (
        _create(version, "audio", "same"),
        _create(version, "audio", "new"),
        _create(version, "nowhere", "new"),
        _create(version, "", "new"),
        _create(version, "*", "new"),
        _list(version, "audio"),
        _list(version, "nowhere"),
        _list(version, "*"),
        _list(version, None),
    ):
        got = answer(app, _by(_VISION, call))

        assert (got.status, got.json()["code"]) == (403, 7), call
        assert got.header("www-authenticate") is None
    assert len(store.list().items) == 2


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("verb", _BY_ID)
def test_an_id_of_a_hidden_namespace_answers_as_an_unknown_one(
    version: str, verb: Verb, tokens: BearerTokens, store: ExperimentStore
) -> None:
    app = create_app(store, authorize=tokens)
    before = store.get(_HIDDEN)

    hidden = answer(app, _by(_VISION, _one(version, verb, _HIDDEN)))
    unknown = answer(app, _by(_VISION, _one(version, verb, _UNKNOWN)))

    assert (unknown.status, unknown.json()["code"]) == (404, 5)
    assert _without_id(hidden, _HIDDEN) == _without_id(unknown, _UNKNOWN)
    assert store.get(_HIDDEN) == before


def test_a_hidden_default_experiment_answers_as_an_unknown_one(tokens: BearerTokens) -> None:
    store = ExperimentStore(MemoryBackend(), new_id=lambda: _HIDDEN)
    app = create_app(store, authorize=tokens, default_experiment=True)

    hidden = answer(app, _by(_VISION, _one("v2beta1", "delete", _HIDDEN)))
    unknown = answer(app, _by(_VISION, _one("v2beta1", "delete", _UNKNOWN)))

    assert _without_id(hidden, _HIDDEN) == _without_id(unknown, _UNKNOWN)
    assert answer(app, _by(_EVERYBODY, _one("v2beta1", "delete", _HIDDEN))).status == 409


def _without_id(got: Answer, id: str) -> Answer:
    """Take the id out; the length of the body is then the same for ids of any length."""
    body = got.body.replace(id.encode(), b"ID")
    assert got.header("content-length") == str(len(got.body))
    headers = tuple((key, value) for key, value in got.headers if key != b"content-length")
    return Answer(got.status, headers, body)


@pytest.mark.parametrize("version", _VERSIONS)
def test_a_token_does_what_it_is_for(
    version: str, tokens: BearerTokens, store: ExperimentStore
) -> None:
    app = create_app(store, authorize=tokens)

    assert answer(app, _by(_VISION, _create(version, "vision", "new"))).status == 200
    assert answer(app, _by(_VISION, _list(version, "vision"))).json()["total_size"] == 2
    assert answer(app, _by(_EVERYBODY, _list(version, None))).json()["total_size"] == 3
    for verb in ("get", "archive", "unarchive", "delete"):
        assert answer(app, _by(_VISION, _one(version, verb, "seen-id"))).status == 200
    assert answer(app, _by(_EVERYBODY, _one(version, "delete", _HIDDEN))).status == 200


@pytest.mark.parametrize("version", _VERSIONS)
def test_names_of_two_namespaces_do_not_collide(version: str, tokens: BearerTokens) -> None:
    app = create_app(ExperimentStore(MemoryBackend()), authorize=tokens)
    calls = [
        _by(_VISION, _create(version, "vision", "same")),
        _by(_AUDIO, _create(version, "audio", "same")),
    ]

    assert [answer(app, call).status for call in calls + calls] == [200, 200, 409, 409]


@pytest.mark.parametrize("version", _VERSIONS)
def test_a_token_is_good_for_its_verbs_only(
    version: str, tokens: BearerTokens, store: ExperimentStore
) -> None:
    app = create_app(store, authorize=tokens)
    before = store.list().items

    assert answer(app, _by(_READER, _one(version, "get", "seen-id"))).status == 200
    assert answer(app, _by(_READER, _list(version, "vision"))).status == 200
    assert answer(app, _by(_READER, _create(version, "vision", "new"))).status == 403
    for verb in ("delete", "archive", "unarchive"):
        assert answer(app, _by(_READER, _one(version, verb, "seen-id"))).status in (403, 404)
    assert store.list().items == before


@pytest.mark.parametrize("pages", list(itertools.product(_VERSIONS, _VERSIONS)))
@pytest.mark.parametrize("along", [None, "vision", "audio"])
def test_a_page_token_is_of_no_use_to_others(
    pages: tuple[str, str], along: str | None, tokens: BearerTokens, store: ExperimentStore
) -> None:
    app = create_app(store, authorize=tokens)
    store.create("secret", namespace="audio")
    first, second = pages
    page = answer(app, _by(_AUDIO, _list(first, "audio", "page_size=1"))).json()
    stolen = page["next_page_token"]

    got = answer(app, _by(_VISION, _list(second, along, f"page_token={stolen}")))
    wrong = answer(app, _by(_VISION, _list(second, "vision", "page_token=none")))

    assert (got.status, got.json()["code"]) == (400, 3)
    assert got == wrong  # it is not even told that the token is a real one
    own = answer(app, _by(_AUDIO, _list(second, None, f"page_token={stolen}")))
    assert own.json()["total_size"] == 2


def _says_yes(asked: list[tuple[str | None, Verb, str | None]], *, later: bool) -> Authorize:
    def now(identity: Identity, verb: Verb, namespace: str | None) -> bool:
        asked.append((identity.headers.get("x-user"), verb, namespace))
        return True

    async def then(identity: Identity, verb: Verb, namespace: str | None) -> bool:
        return now(identity, verb, namespace)

    return then if later else now


@pytest.mark.parametrize("later", [False, True], ids=["sync", "async"])
def test_the_application_asks_for_every_operation_what_it_is_about(
    later: bool,  # noqa: FBT001 (a parameter of pytest)
    store: ExperimentStore,
) -> None:
    asked: list[tuple[str | None, Verb, str | None]] = []
    app = create_app(store, authorize=_says_yes(asked, later=later))
    calls = [
        _create("v2beta1", "vision", "new"), _create("v1beta1", "", "new"),
        _list("v2beta1", "vision"), _list("v1beta1", None),
        *(_one("v2beta1", verb, id) for verb in _BY_ID for id in ("seen-id", _UNKNOWN)),
    ]  # fmt: skip

    for call in calls:
        answer(app, evolve(call, headers=((b"X-User".lower(), b"ada"),)))

    assert asked == [
        ("ada", "create", "vision"), ("ada", "create", ""),
        ("ada", "list", "vision"), ("ada", "list", None),
        ("ada", "get", "vision"), ("ada", "get", None),
        ("ada", "delete", "vision"), ("ada", "delete", None),
        ("ada", "archive", None), ("ada", "archive", None),  # it is gone by then
        ("ada", "unarchive", None), ("ada", "unarchive", None),
    ]  # fmt: skip


def test_an_async_callable_can_refuse_as_a_sync_one_can(store: ExperimentStore) -> None:
    async def no(_: Identity, verb: Verb, __: str | None) -> bool:
        if verb == "list":
            raise unauthenticated()
        return False

    app = create_app(store, authorize=no)

    assert answer(app, _create("v2beta1", "vision", "new")).status == 403
    assert answer(app, _list("v2beta1", "vision")).status == 401
    assert answer(app, _one("v2beta1", "get", "seen-id")).status == 404


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"), ("bearer abc", "abc"), ("BEARER   abc ", "abc"), ("Bearer ", None),
        ("Bearer", None), ("Basic abc", None), ("", None), ("abc", None),
    ],
)  # fmt: skip
def test_a_bearer_token_is_read_as_of_rfc_6750(header: str, token: str | None) -> None:
    assert Identity({"authorization": header}).bearer_token == token
    assert Identity({}).bearer_token is None


def test_grants_of_one_token_add_up(tmp_path: Path) -> None:
    entries = [
        {"token": _VISION, "namespaces": ["vision"], "verbs": ["get"]},
        {"token": _VISION, "namespaces": ["audio"], "verbs": ["list"]},
    ]
    tokens = read_tokens(_written(tmp_path, json.dumps(entries)))
    identity = Identity({"authorization": f"Bearer {_VISION}"})

    assert tokens(identity, "get", "vision")
    assert tokens(identity, "list", "audio")
    assert not tokens(identity, "list", "vision")
    assert not tokens(identity, "get", "audio")
    assert not tokens(identity, "get", None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not JSON"), ("{", "is not JSON"), ("[" * 100_000, "is not JSON"),
        ("{}", "a list with at least one token"), ("[]", "a list with at least one token"),
        ("null", "a list with at least one token"), ("[1]", "token, namespaces and verbs only"),
        ('[{"token":"0123456789abcdef","namespaces":[],"verb":[]}]', "and verbs only"),
        ('[{"namespaces":["a"]}]', "visible ASCII"),
        ('[{"token":7,"namespaces":[]}]', "visible ASCII"),
        ('[{"token":"0123456789abcde","namespaces":["a"]}]', "at least 16"),
        ('[{"token":"0123456789 abcdef","namespaces":["a"]}]', "visible ASCII"),
        ('[{"token":"0123456789abcdef\\n","namespaces":["a"]}]', "visible ASCII"),
        ('[{"token":"0123456789abcdef\xf6","namespaces":["a"]}]', "visible ASCII"),
        ('[{"token":"0123456789abcdef"}]', "namespaces as a list of text"),
        ('[{"token":"0123456789abcdef","namespaces":"a"}]', "namespaces as a list of text"),
        ('[{"token":"0123456789abcdef","namespaces":[1]}]', "namespaces as a list of text"),
        ('[{"token":"0123456789abcdef","namespaces":[],"verbs":null}]', "verbs as a list of text"),
        ('[{"token":"0123456789abcdef","namespaces":[],"verbs":["GET"]}]', "unknown verb 'GET'"),
    ],
)  # fmt: skip
def test_a_token_file_that_could_be_misread_is_refused(
    text: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(problem)) as caught:
        read_tokens(_written(tmp_path, text))

    assert "0123456789abcde" not in str(caught.value)


def test_a_token_file_of_other_bytes_or_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    with pytest.raises(FileNotFoundError):
        read_tokens(path)
    path.write_bytes(b"\xff")
    with pytest.raises(InvalidArgumentError, match="is not JSON"):
        read_tokens(path)


@frozen
class _Record:
    """An experiment of a store that was there before."""

    id: str
    name: str
    description: str
    is_archived: bool


_texts = st.sampled_from(("a", "b", "same", "%", "\N{GRINNING FACE}"))
_vision_ids = [f"v-{number}" for number in range(4)]
_audio_ids = [f"h-{number}" for number in range(4)]


def _records(ids: list[str]) -> st.SearchStrategy[list[_Record]]:
    one = st.builds(_Record, st.sampled_from(ids), _texts, _texts, st.booleans())
    return st.lists(one, min_size=1, max_size=4, unique_by=(lambda r: r.id, lambda r: r.name))


_predicates = st.builds(
    lambda key, op, text: json.dumps(
        {"predicates": [{"key": key, "op": op, "string_value": text}]}
    ),
    st.sampled_from(("name", "id", "namespace", "description", "storage_state")),
    st.sampled_from(("EQUALS", "NOT_EQUALS", "IS_SUBSTRING", "GREATER_THAN")),
    _texts | st.sampled_from(("vision", "audio", "h-0", "v-0", "ARCHIVED", "")),
)
_listings = st.builds(
    "page_size={}&sort_by={}&filter={}".format,
    st.sampled_from((0, 1, 2)),
    st.sampled_from(("", "name", "name%20desc", "id", "namespace", "created_at", "nothing")),
    st.just("") | _predicates.map(lambda text: text.replace("%", "%25")),
)
_namespaces = st.sampled_from(("vision", "vision", "audio", "", "nowhere"))
_steps = st.one_of(
    st.builds(_create, st.sampled_from(_VERSIONS), _namespaces, _texts),
    st.builds(_list, st.sampled_from(_VERSIONS), _namespaces | st.none(), _listings),
    st.builds(
        _one,
        st.sampled_from(_VERSIONS),
        st.sampled_from(_BY_ID),
        st.sampled_from([*_vision_ids, *_audio_ids, _UNKNOWN]),
    ),
)


@settings(max_examples=2 * settings().max_examples)
@given(_records(_vision_ids), _records(_audio_ids), st.lists(_steps, min_size=1, max_size=8))
def test_nothing_that_a_caller_is_told_depends_on_a_hidden_namespace(
    seen: list[_Record], hidden: list[_Record], steps: list[Call]
) -> None:
    with_hidden, without = _filled(seen, hidden), _filled(seen, [])
    before = with_hidden.list(namespace="audio").items

    told = _transcript(create_app(with_hidden, authorize=_vision_only), steps)

    assert told == _transcript(create_app(without, authorize=_vision_only), steps)
    assert with_hidden.list(namespace="audio").items == before


def test_a_caller_of_both_namespaces_is_told_of_both() -> None:
    record = _Record("h-0", "secret", "d", is_archived=False)
    with_hidden, without = _filled([], [record]), _filled([], [])
    for step in (
        _list("v2beta1", None),
        _list("v1beta1", "audio"),
        _create("v1beta1", "audio", "secret"),
        _one("v2beta1", "get", "h-0"),
        _one("v1beta1", "archive", "h-0"),
    ):
        told = _transcript(create_app(with_hidden), [step])
        assert told != _transcript(create_app(without), [step]), step


def _vision_only(_: Identity, __: Verb, namespace: str | None) -> bool:
    return namespace == "vision"


def _filled(seen: list[_Record], hidden: list[_Record]) -> ExperimentStore:
    """Return a store with these records, in which ids and times are the same every time."""
    ids = (f"new-{number}" for number in itertools.count())
    store = ExperimentStore(
        MemoryBackend(),
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        new_id=lambda: next(ids),
        token_key=b"0123456789abcdef",
    )
    for namespace, records in (("vision", seen), ("audio", hidden)):
        for record in records:
            made = store.create(
                record.name, namespace=namespace, description=record.description, id=record.id
            )
            store.runs.create(made.id, "run", id=f"run-{record.id}")
            if record.is_archived:
                store.archive(made.id)
    return store


def _transcript(app: ASGIApp, steps: list[Call]) -> list[Answer]:
    """Return all answers; listings are followed to their ends."""
    told = []
    for step in steps:
        got = answer(app, step)
        while (token := _token(got)) is not None:
            told.append(_without_token(got, token))
            got = answer(app, evolve(step, target=_next(step.target, token)))
        told.append(got)
    return told


def _token(got: Answer) -> str | None:
    token: str | None = got.json().get("next_page_token")
    return token


def _without_token(got: Answer, token: str) -> Answer:
    """Leave the length of a token, as stores seal with keys of their own."""
    return evolve(got, body=got.body.replace(token.encode(), b"." * len(token)))


def _next(target: bytes, token: str) -> bytes:
    path = target.partition(b"?")[0]
    return path + f"?page_size=2&page_token={token}".encode()
