"""The acceptance test: programs of the official clients against a served store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

import experiment_store
from experiment_store import StorageState
from tests.kfp import clients
from tests.kfp.arranged import DEFAULT, IDLE, OURS, RAN, SEEDED, THEIR_ID, THEIRS
from tests.kfp.served import serving

PROGRAMS = ["client_v1", "client_v2"]
TOKEN = "token-for-the-members-of-ours"


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    """The client programs, one after the other."""
    name: str = request.param
    return name


@pytest.fixture
def python(request: pytest.FixtureRequest, program: str) -> Path:
    """The interpreter for the program."""
    interpreter: Path = request.getfixturevalue(program.replace("client", "kfp"))
    return interpreter


@pytest.fixture
def pythons(kfp_v1: Path, kfp_v2: Path) -> Mapping[str, Path]:
    """The interpreters for both programs, where a test needs them together."""
    return {"client_v1": kfp_v1, "client_v2": kfp_v2}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder that is empty, so that no client finds a configuration there."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def test_the_official_client_gets_what_it_was_promised(
    served_store_url: str, program: str, python: Path, home: Path
) -> None:
    with experiment_store.connect(served_store_url) as store:
        ran = store.create(RAN, namespace=SEEDED)
        store.create(IDLE, namespace=SEEDED)
        run = store.runs.create(ran.id, "a run")

    with serving(served_store_url) as url:
        clients.run(python, program, "everything", url, home=home)

    with experiment_store.connect(served_store_url) as store:
        assert store.runs.get(run.id).storage_state is StorageState.ARCHIVED


@pytest.mark.parametrize(("first", "second"), [PROGRAMS, PROGRAMS[::-1]])
def test_what_one_version_does_the_other_sees(
    served_store_url: str, pythons: Mapping[str, Path], home: Path, first: str, second: str
) -> None:
    notes = str(home / "notes.json")

    with serving(served_store_url) as url:
        for program, step in ((first, "leave"), (second, "find"), (first, "confirm")):
            clients.run(pythons[program], program, step, url, notes, home=home)


def test_a_namespace_can_be_required(
    served_store_url: str, program: str, python: Path, home: Path
) -> None:
    with serving(served_store_url, "--require-namespace") as url:
        clients.run(python, program, "namespace-required", url, home=home)


def test_the_default_experiment_is_made_once(
    served_store_url: str, program: str, python: Path, home: Path
) -> None:
    with serving(served_store_url, "--default-experiment") as url:
        clients.run(python, program, "with-default", url, home=home)
    made = _default(served_store_url)

    with serving(served_store_url, "--default-experiment") as url:
        clients.run(python, program, "with-default", url, home=home)

    assert _default(served_store_url) == made


def test_a_token_is_good_for_its_namespaces(
    served_store_url: str, program: str, python: Path, home: Path, tmp_path: Path
) -> None:
    with experiment_store.connect(served_store_url) as store:
        store.create("their own", namespace=THEIRS, id=THEIR_ID)
    tokens = tmp_path / "tokens.json"
    tokens.write_text(json.dumps([{"token": TOKEN, "namespaces": [OURS]}]), encoding="utf-8")

    with serving(served_store_url, "--token-file", str(tokens)) as url:
        clients.run(python, program, "stranger", url, home=home)
        clients.run(python, program, "stranger", url, TOKEN[:-1], home=home)
        clients.run(python, program, "member", url, TOKEN, home=home)


def _default(url: str) -> str:
    with experiment_store.connect(url) as store:
        return store.get_by_name(DEFAULT).id
