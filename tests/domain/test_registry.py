"""From a URL to a backend, by what is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from experiment_store import (
    BackendError,
    ExperimentStore,
    InvalidArgumentError,
    MissingDriverError,
    connect,
)
from experiment_store.registry import GROUP, OWN, URL_VARIABLE, open_backend
from experiment_store_memory import MemoryBackend
from experiment_store_sqlite import SqliteBackend

_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_MODULE = """
from experiment_store.errors import BackendError
from experiment_store_memory import MemoryBackend

class Noted(MemoryBackend):
    closed = 0

    def __init__(self, url):
        super().__init__()
        self.url = url
        opened.append(self)

    def setup(self):
        if "broken" in self.url:
            raise BackendError("open")

    def close(self):
        self.closed += 1

opened = []
connect = Noted
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for packages, on the path as long as the test runs."""
    before = set(sys.modules)
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    yield folder

    for name in set(sys.modules) - before:
        if name.startswith("noted"):
            del sys.modules[name]


def test_a_scheme_finds_its_backend() -> None:
    with connect("memory://") as store:
        assert list(store.iterate()) == []
    assert isinstance(open_backend("memory://"), MemoryBackend)


@pytest.mark.parametrize("scheme", ["memory", "MEMORY", "Memory+anything"])
def test_case_and_driver_of_a_scheme_do_not_matter_here(scheme: str) -> None:
    assert isinstance(open_backend(f"{scheme}://"), MemoryBackend)


def test_the_driver_after_a_plus_is_the_backends_business() -> None:
    backend = open_backend("postgresql+psycopg://nobody@localhost/nothing")

    assert type(backend).__name__ == "PostgresBackend"
    backend.close()


def test_a_url_reaches_the_backend_as_it_is(site: Path) -> None:
    _install(site, "noted", scheme="noted")

    url = "NOTED+driver://user:word@host/path?a=b#c"
    backend: Any = open_backend(url)

    assert backend.url == url


def test_a_package_of_somebody_elses_is_found_by_its_entry_point(site: Path) -> None:
    _install(site, "noted", scheme="noted")

    with connect("noted://") as store:
        made = store.create("mnist")

        assert store.get(made.id) == made


@pytest.mark.parametrize("url", ["mnist", "", "sqlite:lab.db", "/lab.db", "user:word@host"])
def test_what_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        open_backend(url)

    assert str(caught.value) == "url must be scheme://…, with one of memory, postgresql, sqlite"


@pytest.mark.parametrize("url", [7, b"memory://", Path("memory://")])
def test_what_is_no_text_is_no_url(url: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^url must be scheme://"):
        connect(url)


def test_our_own_backends_are_entry_points_like_all_others() -> None:
    found = {point.name: point.value for point in entry_points(group=GROUP)}

    assert found.items() >= {(scheme, f"{name}:connect") for scheme, name in OWN.items()}


def test_an_unknown_scheme_is_refused_with_those_that_are_known(site: Path) -> None:
    _install(site, "noted", scheme="noted")

    with pytest.raises(InvalidArgumentError) as caught:
        connect("mysql://user:secret@host/lab")

    assert str(caught.value) == (
        "url has the scheme 'mysql', not one of memory, noted, postgresql, sqlite"
    )


def test_a_long_scheme_is_not_echoed_in_full() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        connect("x" * 10_000 + "://")

    assert len(str(caught.value)) < 300


def test_a_scheme_that_two_packages_claim_is_refused_with_both(site: Path) -> None:
    _install(site, "noted_one", scheme="noted")
    _install(site, "noted_two", scheme="noted")

    with pytest.raises(InvalidArgumentError) as caught:
        connect("noted://")

    assert str(caught.value) == (
        "url has the scheme 'noted', claimed by "
        "noted_one:connect (noted_one-package), noted_two:connect (noted_two-package)"
    )


def test_a_package_that_is_listed_twice_is_one_claim(site: Path) -> None:
    _install(site, "noted", scheme="noted")
    _install(site, "noted", scheme="noted", distribution="noted-again")

    connect("noted://").close()


def test_a_missing_driver_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("experiment_store_postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as if it were not there

    with pytest.raises(MissingDriverError) as caught:
        connect("postgresql://localhost/lab")

    assert str(caught.value) == (
        "postgresql needs a driver: pip install 'experiment-store[postgres]'"
    )
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_python_without_sqlite_speaks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("experiment_store_sqlite")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlite3", None)

    with pytest.raises(ModuleNotFoundError, match="sqlite3"):
        connect("sqlite://")


def test_a_package_of_somebody_elses_speaks_for_itself_when_a_module_is_missing(
    site: Path,
) -> None:
    _install(site, "noted", scheme="noted", module="import noted_driver")

    with pytest.raises(ModuleNotFoundError, match="noted_driver"):
        connect("noted://")


def test_a_backend_is_closed_where_the_store_cannot_be_opened(site: Path) -> None:
    _install(site, "noted", scheme="noted")

    with pytest.raises(BackendError):
        connect("noted://broken")
    with pytest.raises(InvalidArgumentError):
        connect("noted://", token_key=b"short")

    assert [backend.closed for backend in sys.modules["noted"].opened] == [1, 1]


def test_without_a_url_it_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "memory://")

    with connect() as store:
        assert isinstance(store._backend, MemoryBackend)


def test_a_url_comes_before_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "nothing://")

    connect("memory://").close()


@pytest.mark.parametrize("variable", [None, ""])
def test_without_any_url_it_is_a_sqlite_file_in_the_users_data_folder(
    variable: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable is None:
        monkeypatch.delenv(URL_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(URL_VARIABLE, variable)
    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "a folder"))

    with connect() as store:
        assert isinstance(store._backend, SqliteBackend)
        made = store.create("mnist")
    [file] = tmp_path.rglob("experiments.db")
    with connect() as store:
        found = store.get_by_name("mnist")

    assert file.parent.name == "experiment-store"
    assert found == made


def test_the_other_arguments_are_those_of_the_store() -> None:
    with connect(
        "memory://",
        clock=lambda: _TIME,
        new_id=lambda: "e-1",
        new_etag=lambda: "t-1",
        token_key=b"0123456789abcdef",
        max_page_size=1,
    ) as store:
        made = store.create("mnist")
        store.create("cifar", id="e-2")
        token = store.list(page_size=9).next_page_token

        same = ExperimentStore(MemoryBackend(), token_key=b"0123456789abcdef")

        assert (made.created_at, made.id, made.etag) == (_TIME, "e-1", "t-1")
        assert same.list(page_token=token).items == []


def _install(
    site: Path, name: str, *, scheme: str, module: str = _MODULE, distribution: str = ""
) -> None:
    """Put a package with one backend where Python looks for packages."""
    distribution = distribution or f"{name}-package"
    (site / f"{name}.py").write_text(module)
    info = site / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[experiment_store.backends]\n{scheme} = {name}:connect\n"
    )
