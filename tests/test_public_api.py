"""What programs outside may rely on: names, signatures and words."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from attrs import fields

import experiment_store
from experiment_store import ExperimentStore, aio, errors
from experiment_store.jobs import Jobs
from experiment_store.runs import LOST_AFTER, Runs

_NAMES = {
    "AlreadyExistsError", "BackendError", "ConflictError", "CopyDiffersError", "Digest",
    "ErrorCode", "Experiment", "ExperimentStore", "ExperimentStoreError",
    "FailedPreconditionError", "InvalidArgumentError", "InvalidFilterError", "InvalidLineError",
    "InvalidOrderByError", "InvalidPageTokenError", "Job", "Labels", "MissingDriverError",
    "NewExperiment", "NewJob", "NewRun", "NotFoundError", "Obstacle", "OutcomeUnknownError",
    "Page", "PerKind", "Progress", "Run", "RunState", "StorageState", "Tally", "UNSET",
    "UnavailableError", "Unset", "UnsupportedError", "connect", "copy", "digest", "export_lines",
    "import_lines", "Migration", "MigrationNeededError", "migrate", "Finding", "Verdict", "examine",
    "ActiveRun", "Artifact", "History", "Metric", "Metrics", "Params", "Point",
}  # fmt: skip
_OPTIONS = "*, clock=utc_now, new_id=None, new_etag=random_etag, token_key=None, max_page_size=1000"
_LISTING = "filter='', order_by=''"
_PAGE = "page_size=None, page_token='', with_total=False"
_CHILDREN = f"self, *, experiment_id=None, namespace=None, {_LISTING}"
_ONE = "self, id, *, etag=None"
_TEXTS = "name=UNSET, description=UNSET, labels=UNSET"

_STORE = {
    "create": (
        "self, name, *, namespace='', description='', labels=None, id=None, if_exists='error'"
    ),
    "create_many": "self, experiments",
    "get": "self, id",
    "get_by_name": "self, name, *, namespace=''",
    "get_many": "self, ids",
    "list": f"self, *, namespace=None, {_LISTING}, {_PAGE}",
    "iterate": f"self, *, namespace=None, {_LISTING}, page_size=None",
    "update": f"self, id, *, {_TEXTS}, etag=None",
    "archive": _ONE,
    "unarchive": _ONE,
    "delete": "self, id, *, children='keep', etag=None",
    "key": "self, name",
    "bound": "self, connection",
    "backup": "self, path",
    "close": "self",
}
_EVERY_CHILD = {
    "get": "self, id",
    "get_many": "self, ids",
    "list": f"{_CHILDREN}, {_PAGE}",
    "iterate": f"{_CHILDREN}, page_size=None",
    "delete": _ONE,
}
_RUNS = {
    **_EVERY_CHILD,
    "create": (
        "self, experiment_id, name, *, description='', labels=None, state=PENDING,"
        " started_at=None, finished_at=None, job_id=None, params=None, artifacts=(), error='',"
        " heartbeat_at=None, id=None"
    ),
    "create_many": "self, runs",
    "update": (
        f"self, id, *, {_TEXTS}, state=UNSET, started_at=UNSET, finished_at=UNSET, params=UNSET,"
        " artifacts=UNSET, error=UNSET, etag=None"
    ),
    "start": (
        "self, experiment, name=None, *, namespace='', params=None, description='', labels=None,"
        " job_id=None, id=None, interval=1.0"
    ),
    "resume": "self, id, *, interval=1.0",
    "append": "self, id, points",
    "history": "self, id, metric, *, points=None",
    "link": "self, id, artifact",
    "beat": "self, id",
    "reap": f"self, *, age={LOST_AFTER!r}",
    "archive": _ONE,
    "unarchive": _ONE,
}
_JOBS = {
    **_EVERY_CHILD,
    "create": (
        "self, experiment_id, name, *, description='', labels=None, enabled=True, schedule='',"
        " id=None"
    ),
    "create_many": "self, jobs",
    "update": f"self, id, *, {_TEXTS}, schedule=UNSET, etag=None",
    "enable": _ONE,
    "disable": _ONE,
}
_RECORDS = {
    "Experiment": (
        "id namespace name description labels storage_state created_at updated_at"
        " last_run_created_at etag"
    ),
    "Run": (
        "id experiment_id namespace name description labels storage_state state created_at"
        " updated_at started_at finished_at job_id params metrics artifacts error heartbeat_at etag"
    ),
    "Job": (
        "id experiment_id namespace name description labels enabled schedule created_at"
        " updated_at etag"
    ),
    "Finding": "check verdict found advice",
    "Migration": "before after steps",
    "NewExperiment": "name namespace description labels id",
    "NewRun": (
        "experiment_id name description labels state started_at finished_at job_id params"
        " artifacts error heartbeat_at id"
    ),
    "NewJob": "experiment_id name description labels enabled schedule id",
    "Page": "items next_page_token total_size",
    "Digest": "count sha256",
    "PerKind": "experiments jobs runs chunks",
    "Artifact": "name uri digest size",
    "Metric": "latest min max step count",
    "Progress": "task kind done total",
    "Tally": "read inserted updated unchanged digest",
}
_MOVES = {
    "copy": "source, target, *, progress=None",
    "digest": "store, *, progress=None",
    "export_lines": "source, file, *, progress=None",
    "import_lines": "target, file, *, progress=None",
}
_METHODS = [
    (owner, name, signature)
    for owner, methods in ((ExperimentStore, _STORE), (Runs, _RUNS), (Jobs, _JOBS))
    for name, signature in methods.items()
]


def test_the_public_names_are_exactly_these() -> None:
    assert set(experiment_store.__all__) == _NAMES
    assert len(experiment_store.__all__) == len(_NAMES)


def test_nothing_else_can_be_imported_but_modules() -> None:
    others = {
        name
        for name, value in vars(experiment_store).items()
        if not name.startswith("__") and not isinstance(value, ModuleType)
    }

    assert others == _NAMES


def test_a_star_import_brings_the_public_names() -> None:
    names: dict[str, Any] = {}

    exec("from experiment_store import *", names)  # noqa: S102 (a star needs a module of its own)

    assert names.keys() - {"__builtins__"} == _NAMES


@pytest.mark.parametrize(
    ("owner", "methods"), [(ExperimentStore, _STORE), (Runs, _RUNS), (Jobs, _JOBS)]
)
def test_a_collection_has_exactly_these_calls(owner: type, methods: dict[str, str]) -> None:
    calls = {name for name, _ in inspect.getmembers(owner, callable) if not name.startswith("_")}

    assert calls == set(methods)


@pytest.mark.parametrize(("owner", "name", "signature"), _METHODS)
def test_a_call_has_exactly_these_arguments(owner: type, name: str, signature: str) -> None:
    assert _show(getattr(owner, name)) == signature


def test_a_store_is_made_of_a_backend_and_options() -> None:
    assert _show(ExperimentStore) == f"backend, {_OPTIONS}"


@pytest.mark.parametrize("connect", [experiment_store.connect, aio.connect])
def test_connecting_takes_a_url_and_the_options_of_a_store(connect: Callable[..., Any]) -> None:
    assert _show(connect) == f"url=None, {_OPTIONS}"


@pytest.mark.parametrize(("name", "signature"), _MOVES.items())
def test_a_move_has_exactly_these_arguments_and_is_documented(name: str, signature: str) -> None:
    move = getattr(experiment_store, name)

    assert _show(move) == signature
    assert "Raises:" in (inspect.getdoc(move) or "")


def test_migrating_takes_a_url_and_what_it_does_about_others() -> None:
    assert _show(experiment_store.migrate) == "url=None, *, wait=300.0, progress=None"


def test_examining_takes_a_store_or_a_url() -> None:
    assert _show(experiment_store.examine) == "store=None"


@pytest.mark.parametrize(("name", "names"), _RECORDS.items())
def test_a_record_has_exactly_these_fields(name: str, names: str) -> None:
    assert " ".join(field.name for field in fields(getattr(experiment_store, name))) == names


@pytest.mark.parametrize("name", sorted(_NAMES - {"UNSET"}))
def test_a_public_name_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(experiment_store, name))


@pytest.mark.parametrize(("owner", "name"), [method[:2] for method in _METHODS])
def test_a_call_is_documented_with_what_it_raises(owner: type, name: str) -> None:
    words = inspect.getdoc(getattr(owner, name)) or ""

    silent = name == "iterate"
    assert words
    assert ("Raises:" in words) != silent


def test_every_error_can_be_caught_by_a_public_name() -> None:
    classes = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, experiment_store.ExperimentStoreError)
    }

    assert {error.__name__ for error in classes} - _NAMES == {"InvalidTextError"}


def test_the_async_store_has_two_public_names_of_its_own() -> None:
    assert {"AsyncExperimentStore", "connect"} <= vars(aio).keys()


def _show(call: Callable[..., Any]) -> str:
    """Spell the parameters of *call* without their types."""
    shown: list[str] = []
    for name, parameter in inspect.signature(call).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        default = parameter.default
        shown.append(name if default is parameter.empty else f"{name}={_word(default)}")
    return ", ".join(shown)


def _word(default: Any) -> str:
    return str(getattr(default, "name", getattr(default, "__name__", repr(default))))
