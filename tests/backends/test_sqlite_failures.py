"""What can go wrong with a SQLite file: an error that says what to do, and nothing damaged."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiment_store import BackendError, UnavailableError
from experiment_store.registry import connect
from experiment_store.schema import EXPERIMENT
from experiment_store_sql import Work
from experiment_store_sqlite import SqliteBackend, places
from experiment_store_sqlite.failures import failure, system_failure

NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike those of pytest."""
    with TemporaryDirectory(prefix="es-") as name:
        Path(name).chmod(0o777)
        place = Path(name, "place")
        place.mkdir()
        place.chmod(0o777)
        yield place
        place.chmod(0o777)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user whom permissions bind, as root is not."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)


def digests(folder: Path) -> Mapping[str, str]:
    """What is in a folder, to the byte."""
    return {
        file.name: sha256(file.read_bytes()).hexdigest() if file.is_file() else "special"
        for file in folder.iterdir()
    }


def make_store(path: Path, names: str = "abc") -> None:
    """Make a store with some experiments, and close it."""
    with connect(f"sqlite:///{path}") as store:
        for name in names:
            store.create(name)


def refuse(path: Path, words: str) -> str:
    """Expect that opening *path* is refused and changes nothing beside it; return the error."""
    before = digests(path.parent) if path.parent.is_dir() else {}
    with pytest.raises(BackendError, match=words) as caught:
        connect(f"sqlite:///{path}")
    assert (digests(path.parent) if path.parent.is_dir() else {}) == before
    return str(caught.value)


def test_a_missing_folder_is_named(folder: Path) -> None:
    refuse(folder / "none" / "s.db", r"^open failed: the folder '.*/none' does not exist: make it")


def test_a_file_in_place_of_a_folder_is_named(folder: Path) -> None:
    (folder / "file").touch()

    refuse(folder / "file" / "s.db", "/file' is no folder: name another$")


def test_a_folder_is_no_store(folder: Path) -> None:
    (folder / "s.db").mkdir()

    refuse(folder / "s.db", "s.db' is a folder: name a file in it$")


def test_a_pipe_is_no_store_and_nobody_waits_for_its_other_end(folder: Path) -> None:
    os.mkfifo(folder / "s.db")

    refuse(folder / "s.db", "is no regular file: name another$")


def test_a_name_that_is_too_long_is_an_error_of_ours(folder: Path) -> None:
    refuse(folder / ("x" * 300), "is no name for a file .*: name another$")


def test_a_link_to_itself_is_an_error_of_ours(folder: Path) -> None:
    (folder / "s.db").symlink_to(folder / "s.db")

    with pytest.raises(BackendError, match=r"is no name for a file .*: name another$"):
        connect(f"sqlite:///{folder}/s.db")


def test_a_link_leads_to_the_store(folder: Path) -> None:
    make_store(folder / "s.db")
    (folder / "link.db").symlink_to(folder / "s.db")

    make_store(folder / "link.db", names="d")

    with connect(f"sqlite:///{folder}/s.db") as store:
        assert [found.name for found in store.iterate()] == [*"abcd"]


@pytest.mark.parametrize(
    ("name", "mode", "words"),
    [
        ("s.db", 0o000, "s.db' cannot be read by this user: change its permissions"),
        ("s.db", 0o444, "s.db' is read-only to this user: .* or open a copy of it where you may"),
        ("s.db-wal", 0o444, "s.db-wal' is read-only to this user"),
        ("", 0o555, "place' is read-only to this user, and SQLite keeps more files"),
        ("", 0o000, "the folder '.*place' is closed to this user"),
    ],
)
def test_what_permissions_forbid_is_named_and_works_when_they_are_changed(
    folder: Path, name: str, mode: int, words: str
) -> None:
    make_store(folder / "s.db")
    (folder / "s.db").chmod(0o666)
    closed = folder / name
    closed.touch()
    usual = closed.stat().st_mode
    before = digests(folder)
    closed.chmod(mode)

    with as_nobody(), pytest.raises(BackendError, match=words):
        connect(f"sqlite:///{folder}/s.db")

    closed.chmod(usual)
    assert digests(folder) == before
    make_store(folder / "s.db", names="d")


def test_a_new_store_in_a_read_only_folder_is_refused(folder: Path) -> None:
    make_store(folder / "s.db")
    folder.chmod(0o555)

    with as_nobody(), pytest.raises(BackendError, match=r"the folder '.*place' is read-only"):
        connect(f"sqlite:///{folder}/new.db")

    assert not (folder / "new.db").exists()


def test_a_file_that_becomes_unreadable_is_named_by_the_next_connection(folder: Path) -> None:
    backend = SqliteBackend(str(folder / "s.db"))
    with closing(backend):
        backend.setup()
        (folder / "s.db").chmod(0o000)

        def step(work: Work) -> None:
            assert work.execute("SELECT 1") == [(1,)]  # this connection has it open
            with pytest.raises(BackendError, match=r"s.db' cannot be read by this user: change"):
                backend.get(EXPERIMENT, "e")  # this needs another one

        with as_nobody():
            backend._steps.read("test", step)


def test_a_log_that_goes_while_it_is_asked_about_stands_in_nobodys_way(folder: Path) -> None:
    assert places._may(str(folder / "s.db-wal"), os.W_OK)


@pytest.mark.parametrize("content", [b"x", b"notes", b"# notes\n" * 100, b"\0" * 5000])
def test_what_is_no_database_is_refused_and_left_alone(folder: Path, content: bytes) -> None:
    (folder / "s.db").write_bytes(content)

    refuse(folder / "s.db", "s.db' is not a database: name another file$")


def test_an_empty_file_becomes_a_store(folder: Path) -> None:
    (folder / "s.db").touch()

    make_store(folder / "s.db")


def test_a_store_whose_name_has_the_signs_of_a_uri_is_found_again(folder: Path) -> None:
    path = folder / "100%25 #1 ä.db"
    make_store(path)

    with connect(f"sqlite:///{path}") as store:
        assert [found.name for found in store.iterate()] == [*"abc"]
    assert [file.name for file in folder.iterdir()] == [path.name]


@pytest.mark.parametrize("identity", [0, 12345])
def test_the_log_of_another_program_is_left_alone(folder: Path, identity: int) -> None:
    elsewhere = folder / "elsewhere.db"
    with closing(sqlite3.connect(elsewhere, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {identity}")
        connection.execute("CREATE TABLE theirs (id TEXT)")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO theirs VALUES ('in the log')")
        copy_as_after_a_crash(elsewhere, folder / "s.db")

    refuse(folder / "s.db", "s.db' is a database of another program: name another file$")


def test_a_database_that_is_in_its_log_alone_is_left_alone(folder: Path) -> None:
    elsewhere = folder / "elsewhere.db"
    with closing(sqlite3.connect(elsewhere, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE theirs (id TEXT)")
        copy_as_after_a_crash(elsewhere, folder / "s.db")

    refuse(folder / "s.db", "s.db' is a database of another program: name another file$")


def test_what_another_program_has_half_written_is_left_alone(folder: Path) -> None:
    elsewhere = folder / "elsewhere.db"
    with closing(sqlite3.connect(elsewhere, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE theirs (id TEXT)")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO theirs VALUES (?)", [("x" * 1000,)] * 100)
        copy_as_after_a_crash(elsewhere, folder / "s.db")
        connection.execute("ROLLBACK")

    assert (folder / "s.db-journal").stat().st_size > 0
    refuse(folder / "s.db", "s.db' is a database of another program: name another file$")


def test_a_log_without_its_database_is_not_thrown_away(folder: Path) -> None:
    with connect(f"sqlite:///{folder}/first.db") as store:
        store.create("a")
        copy_as_after_a_crash(folder / "first.db", folder / "s.db")
    (folder / "s.db").rename(folder / "moved.db")

    refuse(folder / "s.db", "s.db-wal' is the log of a database that is not there: put the")

    (folder / "moved.db").rename(folder / "s.db")
    with connect(f"sqlite:///{folder}/s.db") as store:
        assert [found.name for found in store.iterate()] == ["a"]


def test_a_store_that_crashed_is_as_it_was(folder: Path) -> None:
    with connect(f"sqlite:///{folder}/first.db") as store:
        for name in "abc":
            store.create(name)
        copy_as_after_a_crash(folder / "first.db", folder / "s.db")

    with connect(f"sqlite:///{folder}/s.db") as store:
        assert [found.name for found in store.iterate()] == [*"abc"]


def copy_as_after_a_crash(source: Path, target: Path) -> None:
    """Copy a database that is open, with the files beside it, as they lie there."""
    for end in ("", "-wal", "-journal"):
        if (file := Path(f"{source}{end}")).exists():
            Path(f"{target}{end}").write_bytes(file.read_bytes())


def test_looking_at_a_store_that_is_open_drops_none_of_its_locks(folder: Path) -> None:
    with connect(f"sqlite:///{folder}/s.db") as first:
        first.create("a")
        before = locks(folder / "s.db")

        make_store(folder / "s.db", names="b")

        assert locks(folder / "s.db") == before
        assert (folder / "s.db-wal").exists()


def locks(file: Path) -> list[str]:
    """The locks on a file, as the kernel lists them; without their numbers."""
    table = Path("/proc/locks").read_text(encoding="ascii") if Path("/proc/locks").exists() else ""
    number = f":{file.stat().st_ino} "
    return [line.partition(" ")[2] for line in table.splitlines() if number in line]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a store."""
    path = tmp_path_factory.mktemp("whole") / "s.db"
    make_store(path, names="abcdefgh")
    return path.read_bytes()


@given(st.integers(1, 2**20))
@example(1)
@example(70)  # in the middle of what says whose database it is
@example(100)
@example(4096)
@example(-1)  # all but an end of the last page, which SQLite would not miss
def test_a_file_that_was_cut_short_is_refused_and_left_alone(whole: bytes, length: int) -> None:
    cut = length % (len(whole) - 1) or 1
    with TemporaryDirectory() as name:
        path = Path(name, "s.db")
        path.write_bytes(whole[:cut])

        refuse(path, "damaged or cut short: restore|is cut short: restore|is not a database")


@pytest.mark.parametrize("page", [0, 1, 5])
def test_a_damaged_file_is_called_so_when_the_damage_is_met(
    folder: Path, whole: bytes, page: int
) -> None:
    start = page * 4096 + (100 if page == 0 else 0)
    (folder / "s.db").write_bytes(whole[:start] + b"\xff" * 3000 + whole[start + 3000 :])

    with pytest.raises(BackendError, match=r"s.db' is damaged or cut short: restore a backup"):
        read_all(folder / "s.db")


def read_all(path: Path) -> None:
    """Open a store and use each of its tables and indexes."""
    with connect(f"sqlite:///{path}") as store:
        for order in ("name", "created_at", "last_run_created_at"):
            list(store.iterate(order_by=order))
        store.create("a new one", labels={"a": "b"})
        made = store.get_by_name("a")
        store.runs.create(made.id, "run")
        store.jobs.create(made.id, "job")


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """The bytes of a store and of its log, with a write for every letter."""
    path = tmp_path_factory.mktemp("logged") / "s.db"
    with connect(f"sqlite:///{path}") as store:
        for name in "abcdefgh":
            store.create(name)
        return path.read_bytes(), Path(f"{path}-wal").read_bytes()


@given(st.integers(0, 2**20))
@example(0)
@example(31)
@example(-1)
def test_a_log_that_was_cut_short_lacks_the_last_writes_and_nothing_else(
    logged: tuple[bytes, bytes], length: int
) -> None:
    file, log = logged
    cut = length % (len(log) + 1)
    with TemporaryDirectory() as name:
        path = Path(name, "s.db")
        path.write_bytes(file)
        Path(name, "s.db-wal").write_bytes(log[:cut])

        with connect(f"sqlite:///{path}") as store:
            found = "".join(experiment.name for experiment in store.iterate())
            store.create("new")

        assert "abcdefgh".startswith(found)
        assert (found == "abcdefgh") == (cut == len(log))
        assert integrity(path) == "ok"


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("7", "has schema 7, this version of experiment_store knows up to .: install a newer"),
        ("garbage", "has 'garbage' for its schema: it is damaged, restore a backup"),
        ("1.0", "has '1.0' for its schema: it is damaged"),
        ("-1", "has '-1' for its schema: it is damaged"),
        ("", "has '' for its schema: it is damaged"),
    ],
)
def test_a_store_of_a_version_we_do_not_know_is_refused_and_left_alone(
    folder: Path, version: str, words: str
) -> None:
    make_store(folder / "s.db")
    with closing(sqlite3.connect(folder / "s.db", isolation_level=None)) as connection:
        connection.execute("UPDATE settings SET value = ? WHERE id = 'schema_version'", [version])

    refuse(folder / "s.db", words)


def test_a_store_that_has_lost_its_version_is_refused(folder: Path) -> None:
    make_store(folder / "s.db")
    with closing(sqlite3.connect(folder / "s.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM settings")

    refuse(folder / "s.db", "has '' for its schema: it is damaged, restore a backup")


def sqlite_error(code: int) -> sqlite3.Error:
    """An error with a code, as the driver makes them."""
    error = sqlite3.OperationalError("as SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, UnavailableError, "waited too long for others at"),
        (sqlite3.SQLITE_LOCKED, UnavailableError, "waited too long for others at"),
        (sqlite3.SQLITE_FULL, UnavailableError, "the disk of '.*' is full: make room"),
        (sqlite3.SQLITE_IOERR_WRITE, UnavailableError, "a quota or a limit on the size of files"),
        (sqlite3.SQLITE_IOERR_READ, BackendError, "has errors: see the system's log"),
        (sqlite3.SQLITE_IOERR_SHMMAP, BackendError, "no shared memory for .*: use a local disk"),
        (sqlite3.SQLITE_READONLY_DBMOVED, BackendError, "was moved or deleted while it was open"),
        (sqlite3.SQLITE_READONLY, BackendError, r"cannot be used \(as SQLite says\)"),
        (sqlite3.SQLITE_CANTOPEN, BackendError, r"cannot be used \(as SQLite says\)"),
        (sqlite3.SQLITE_NOTADB, BackendError, "is not a database: name another file"),
        (sqlite3.SQLITE_CORRUPT_INDEX, BackendError, "is damaged or cut short: restore a backup"),
        (sqlite3.SQLITE_ERROR, BackendError, "failed on '.*': as SQLite says"),
    ],
)
def test_a_code_has_words_that_say_what_to_do(
    folder: Path, code: int, kind: type[BackendError], words: str
) -> None:
    error = failure("get", sqlite_error(code), str(folder / "s.db"))

    with pytest.raises(kind, match=f"^get .*{words}") as caught:
        raise error
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        ("ENOSPC", UnavailableError, "is full: make room"),
        ("EDQUOT", UnavailableError, "a quota or a limit"),
        ("EIO", BackendError, "cannot be written .*: name another file"),
    ],
)
def test_an_error_of_the_system_has_words_that_say_what_to_do(
    folder: Path, number: str, kind: type[BackendError], words: str
) -> None:
    import errno  # noqa: PLC0415 (its names are the parameters)

    error = OSError(getattr(errno, number), "as the system says")

    with pytest.raises(kind, match=words):
        raise system_failure("backup", error, str(folder / "s.db"))


def integrity(path: Path) -> object:
    """Let SQLite check a file."""
    with closing(sqlite3.connect(path)) as connection:
        [verdict] = connection.execute("PRAGMA integrity_check").fetchone()
    return verdict
