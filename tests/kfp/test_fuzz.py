"""Whatever is sent to the service, it answers in its own words and keeps its records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from attrs import evolve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from experiment_store import Experiment, ExperimentStore
from experiment_store.kfp import Identity, Verb, create_app, unauthenticated
from experiment_store.kfp.app import MAX_BODY
from experiment_store_memory import MemoryBackend
from tests.kfp.wire import Answer, Call, answer

_CODES = {
    400: {3, 9}, 401: {16}, 403: {7}, 404: {5}, 405: {12}, 409: {6, 10}, 413: {3},
}  # fmt: skip
_ID, _TOKEN = b"first-id", b"A-PAGE-TOKEN"  # the latter stands for a real one
_NAMES = (
    "id", "name", "experiment_id", "experimentId", "display_name", "displayName", "description",
    "namespace", "created_at", "createdAt", "storage_state", "storageState",
    "resource_references", "resourceReferences", "last_run_created_at", "labels", "Name", "",
)  # fmt: skip
_PARAMETERS = (
    "page_token", "pageToken", "page_size", "pageSize", "sort_by", "sortBy", "filter",
    "namespace", "resource_reference_key.type", "resourceReferenceKey.type",
    "resource_reference_key.id", "resourceReferenceKey.id", "resource_reference_key", "pagesize",
    "Filter", "",
)  # fmt: skip
_FILTER_WORDS = (
    "predicates", "op", "operation", "key", "int_value", "intValue", "long_value", "string_value",
    "stringValue", "timestamp_value", "int_values", "string_values", "longValues", "values",
)  # fmt: skip
_WORDS = (
    "", " ", "a", "name", "created_at desc", "NAME asc", "storage_state", "NAMESPACE", "EXPERIMENT",
    "OWNER", "ARCHIVED", "STORAGESTATE_ARCHIVED", "EQUALS", "IN", "IS_SUBSTRING", "GREATER_THAN",
    "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999-23:59", "0001-01-01T00:00:00+23:59",
    "2024-02-30T00:00:00Z", "0", "5", "-1", "1e400", "2147483648", "9223372036854775808", "null",
    "\0", "\ud800", "\u0661", "x" * 128, "x" * 129, "\N{GRINNING FACE}" * 63, "y" * 64, "d" * 4_097,
    "first-id", "vision", "*", "%", "%zz", "+", "A-PAGE-TOKEN", "A-PAGE-TOKEN ", "e30=", "{}",
)  # fmt: skip
_NUMBERS = (
    "0", "-0", "1", "5", "1.0", "0.5", "1e2", "-1", "2147483648", "1e400", "1e999999999999999999",
    "9" * 50, "NaN", "-Infinity", "01", ".5", "0x1",
)  # fmt: skip

_words = st.sampled_from(_WORDS) | st.text(max_size=8)
_scalars = (
    st.sampled_from(_NUMBERS)
    | st.sampled_from(("null", "true", "false", "", "nul", "'a'", '"\\', '"\\ud800"', '"\t"'))
    | st.builds(json.dumps, _words, ensure_ascii=st.booleans())
    | st.sampled_from(("[]", "{}"))
)


def _lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")


def _objects(
    names: Sequence[str], inner: st.SearchStrategy[str], most: int = 4
) -> st.SearchStrategy[str]:
    """Objects as text, so that a member can be there twice."""
    members = st.tuples(st.sampled_from(names).map(json.dumps), inner).map(":".join)
    return st.lists(members, max_size=most).map(lambda items: f"{{{','.join(items)}}}")


_keys = _objects(("type", "id", "Type"), _scalars)
_references = _objects(("key", "relationship", "name"), _scalars | _keys)
_values = _scalars | _lists(_scalars | _references)
_valid = st.builds(
    lambda name, text: json.dumps({name: text, "description": "d", "storage_state": 1}),
    st.sampled_from(("name", "display_name", "displayName")),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9),
)
_nested = st.builds(
    lambda opening, closing, depth: opening * depth + closing * depth,
    st.sampled_from(("[", '{"name":', '{"resource_references":[')),
    st.sampled_from(("]", "}", "]}", "")),
    st.integers(1, 200),
)
_documents = (
    _valid
    | _objects(_NAMES, _values, 8)
    | _nested
    | st.recursive(_scalars, lambda inner: _lists(inner) | _objects(_NAMES, inner))
)
_bodies = st.binary(max_size=30) | _documents.map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
_predicates = _objects(
    _FILTER_WORDS, _scalars | _lists(_scalars) | _objects(("values",), _lists(_scalars)), 4
)
_filters = (
    _predicates.map(lambda text: f'{{"predicates":[{text}]}}')
    | st.builds(
        lambda key, operation, member, value: json.dumps(
            {"predicates": [{"key": key, "op": operation, member: value}]}
        ),
        st.sampled_from(("id", "name", "display_name", "created_at", "namespace", "nothing")),
        st.integers(0, 10) | st.sampled_from(("EQUALS", "IN", "IS_SUBSTRING", "LESS_THAN")),
        st.sampled_from(("int_value", "long_value", "string_value", "timestamp_value")),
        st.integers() | _words,
    )
    | _nested
)


def _quoted(text: str, safe: str) -> bytes:
    return quote(text, safe=safe, errors="surrogatepass").encode()


_encoded = (
    st.builds(_quoted, _words | _filters, st.sampled_from(("", "/:", '{}":,[]')))
    | st.builds(lambda text: _quoted(quote(text, errors="replace"), ""), _filters)
    | st.binary(max_size=6)
    | st.binary(max_size=6).map(lambda raw: b"".join(b"%%%02x" % byte for byte in raw))
)
_pairs = st.tuples(st.sampled_from(_PARAMETERS).map(str.encode), _encoded).map(b"=".join)
_queries = st.lists(_pairs, max_size=4).map(b"&".join) | _encoded
_ids = st.just(_ID) | _encoded.map(lambda raw: raw.replace(b"?", b"%3F"))
_verbs = st.sampled_from((b"", b":archive", b":unarchive", b":Archive", b":", b"%3Aarchive", b"/"))
_versions = st.sampled_from((b"v1beta1", b"v2beta1", b"v3", b"V1BETA1", b""))
_ones = st.builds(
    lambda version, id, verb: b"/apis/%s/experiments/%s%s" % (version, id, verb),
    _versions, _ids, _verbs,
)  # fmt: skip
_collections = st.builds(
    lambda version, rest: b"/apis/%s/%s" % (version, rest),
    _versions,
    st.sampled_from(
        (b"experiments", b"experiments/", b"healthz", b"healthz/", b"Experiments", b"")
    ),
)
_paths = (
    _collections
    | _ones
    | st.sampled_from((b"/openapi.json", b"/", b"", b"//", b"/apis", b"*", b"/../x", b"/%00"))
)
_targets = st.builds(
    lambda path, query: path if query is None else path + b"?" + query,
    _paths, st.none() | _queries,
)  # fmt: skip
_headers = st.lists(
    st.tuples(
        st.sampled_from((b"authorization", b"content-type", b"content-length", b"accept")),
        st.binary(max_size=9) | st.sampled_from((b"Bearer ok", b"Bearer", b"bearer  ok", b"-1")),
    ),
    max_size=2,
).map(tuple)
_METHODS = ("GET", "POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS", "get", "BREW")
_calls = st.builds(Call, _targets, st.sampled_from(_METHODS), _bodies, _headers) | st.builds(
    lambda version, body: Call(b"/apis/%s/experiments" % version, "POST", body),
    st.sampled_from((b"v1beta1", b"v2beta1")),
    _bodies,
)

_LARGE = {
    "deep lists": "[" * 100_000,
    "deep objects": '{"name":' * 100_000,
    "deep and closed": "[" * 100_000 + "]" * 100_000,
    "deep references": '{"resource_references":' * 10_000 + "[]" + "}" * 10_000,
    "many digits": f'{{"storage_state":{"9" * 100_000}}}',
    "a large exponent": f'{{"storage_state":1e{"9" * 100_000}}}',
    "many members": json.dumps({f"n{number}": 1 for number in range(50_000)}),
    "a long name": f'{{"name":"{"n" * 100_000}","display_name":"{"n" * 100_000}"}}',
    "over 1 MiB": " " * (MAX_BODY + 1),
}


def _check_token(identity: Identity, verb: Verb, namespace: str | None) -> bool:
    if identity.bearer_token != "ok":
        raise unauthenticated()
    return verb != "archive" and namespace in ("", None)


_OPTIONS: tuple[Mapping[str, Any], ...] = (
    {},
    {"require_namespace": True},
    {"default_experiment": True},
    {"authorize": _check_token},
)


_MANY = settings(max_examples=4 * settings().max_examples)  # they are short


@_MANY
@given(st.lists(_calls, min_size=1, max_size=4), st.sampled_from(_OPTIONS))
@example([Call(b"/apis/v2beta1/experiments/first-id", "DELETE")], {})
@example([Call(b"/apis/v1beta1/experiments/first-id:archive", "POST", b"\xff")], {})
@example([Call(b"/apis/v1beta1/experiments?page_token=" + _TOKEN)], {})
def test_no_request_is_a_server_error_or_changes_more_than_it_says(
    calls: list[Call], options: Mapping[str, Any]
) -> None:
    store = _store()
    app = create_app(store, **options)
    token = _page_token(store)
    for call in calls:
        sent = evolve(call, target=call.target.replace(_TOKEN, token))
        before = _records(store)

        got = answer(app, sent)

        _check_form(got)
        _check_effect(sent, got, before, _records(store))


@_MANY
@given(st.lists(_documents, min_size=1, max_size=4), st.sampled_from(("v1beta1", "v2beta1")))
def test_what_a_create_accepts_is_what_it_tells_and_what_a_get_tells(
    documents: list[str], version: str
) -> None:
    store = _store()
    app = create_app(store)
    path = f"/apis/{version}/experiments".encode()
    for document in documents:
        made = answer(app, Call(path, "POST", document.encode("utf-8", "surrogatepass")))

        assert made.status in (200, 400, 409), made
        if made.status == 200:
            id = next(value for key, value in made.json().items() if key.endswith("id"))
            assert answer(app, Call(path + b"/" + id.encode())).json() == made.json()


@pytest.mark.parametrize("version", ["v1beta1", "v2beta1"])
@pytest.mark.parametrize(("name", "body"), _LARGE.items(), ids=_LARGE)
def test_large_and_deep_bodies_are_refused(version: str, name: str, body: str) -> None:
    store = _store()
    before = _records(store)
    path = f"/apis/{version}/experiments".encode()

    got = answer(create_app(store), Call(path, "POST", body.encode()))

    _check_form(got)
    assert got.status == (413 if name == "over 1 MiB" else 400)
    assert _records(store) == before


@pytest.mark.parametrize("body", _LARGE.values(), ids=_LARGE)
def test_large_and_deep_filters_are_refused(body: str) -> None:
    text = f'{{"predicates":[{body}]}}'
    for twice in (_quoted(text, ""), _quoted(quote(text), "")):
        got = answer(create_app(_store()), Call(b"/apis/v2beta1/experiments?filter=" + twice))

        _check_form(got)
        assert got.status == 400


def _store() -> ExperimentStore:
    ids = iter(["first-id", "second-id", *(f"id-{number}" for number in range(9))])
    store = ExperimentStore(
        MemoryBackend(),
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        new_id=lambda: next(ids),
    )
    store.create("a")
    store.create("a", namespace="vision")
    return store


def _page_token(store: ExperimentStore) -> bytes:
    page = answer(create_app(store), Call(b"/apis/v2beta1/experiments?page_size=1"))
    token: str = page.json()["next_page_token"]
    return token.encode()


def _records(store: ExperimentStore) -> dict[str, Experiment]:
    return {found.id: found for found in store.list(page_size=100).items}


def _check_form(got: Answer) -> None:
    """Demand an answer of JSON that, where it is an error, says so in all of its members."""
    content = got.json()
    if got.status == 200:
        return
    assert content["code"] in _CODES[got.status], got
    assert content["error"] == content["message"] != "", got
    assert content["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.Status",
            "code": content["code"],
            "message": content["message"],
        }
    ]
    assert (got.header("www-authenticate") is not None) == (got.status == 401), got
    assert (got.header("allow") is not None) == (got.status == 405), got


def _check_effect(
    call: Call, got: Answer, before: dict[str, Experiment], after: dict[str, Experiment]
) -> None:
    """Demand that the records changed as the answer says, and no others."""
    if got.status != 200 or call.method not in ("POST", "DELETE"):
        assert after == before
        return
    if call.method == "DELETE":
        assert got.json() == {}
        assert len(before) - len(after) == 1
        assert after.items() <= before.items()
        return
    changed = {id for id in after if after[id] != before.get(id)}
    assert before.keys() <= after.keys()
    assert len(changed) <= 1
    if got.json() == {}:
        assert after.keys() == before.keys()
        assert all(after[id].name == before[id].name for id in changed)
    else:
        assert len(after) == len(before) + 1
        assert any(value in changed for value in got.json().values() if isinstance(value, str))
