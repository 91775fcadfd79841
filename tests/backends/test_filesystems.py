"""SQLite's log must not be where other machines can reach it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from experiment_store import BackendError, InvalidArgumentError
from experiment_store.registry import connect
from experiment_store_sqlite import filesystems
from experiment_store_sqlite.filesystems import Mount, find_mount, mount_of

TABLE = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
35 27 0:40 / /home rw,relatime shared:12 master:3 - nfs4 server:/home rw,vers=4.2
36 27 254:0 /var/data /home/with\\040blank\\040-\\040dash rw shared:1 - ext4 /dev/vda rw
37 27 0:41 / /mnt/c rw - 9p C:\\134 rw,dirsync
38 27 0:42 / /mnt/remote rw,nosuid - fuse.sshfs me@there:/ rw
"""


@pytest.mark.parametrize(
    ("number", "mount"),
    [
        ("27", Mount("ext4", "/")),
        ("35", Mount("nfs4", "/home")),
        ("36", Mount("ext4", "/home/with\\040blank\\040-\\040dash")),
        ("37", Mount("9p", "/mnt/c")),
        ("38", Mount("fuse.sshfs", "/mnt/remote")),
        ("3", None),
        ("", None),
    ],
)
def test_a_mount_is_found_by_its_number(number: str, mount: Mount | None) -> None:
    assert find_mount(TABLE, number) == mount


@pytest.mark.parametrize(
    ("type_", "point", "shared"),
    [
        ("ext4", "/", False),
        ("tmpfs", "/tmp", False),  # noqa: S108 (a name, no file)
        ("overlay", "/", False),
        ("fuseblk", "/media/disk", False),
        ("fuse.bindfs", "/data", False),
        ("9p", "/", False),
        ("9p", "/mnt/c", True),
        ("virtiofs", "/", False),
        ("virtiofs", "/workspace", True),
        ("nfs", "/", True),
        ("nfs4", "/home", True),
        ("cifs", "/mnt/share", True),
        ("smb3", "/mnt/share", True),
        ("fuse", "/mnt/bucket", True),
        ("fuse.sshfs", "/mnt/remote", True),
        ("fuse.of-tomorrow", "/mnt/new", True),
        ("lustre", "/scratch", True),
    ],
)
def test_what_other_machines_may_reach_is_known_by_its_type(
    type_: str, point: str, *, shared: bool
) -> None:
    assert Mount(type_, point).is_shared == shared


@pytest.mark.parametrize("name", ["there.db", "not-yet.db"])
def test_a_file_lies_where_the_system_says(tmp_path: Path, name: str) -> None:
    (tmp_path / "there.db").touch()

    found = mount_of(str(tmp_path / name))

    if sys.platform == "linux":
        told = subprocess.run(
            ["df", "--output=fstype,target", str(tmp_path)],  # noqa: S607 (wherever it is)
            capture_output=True,
            text=True,
            check=True,
        )
        assert found is not None
        assert told.stdout.splitlines()[1].split() == [found.type, found.point]
    else:
        assert found is None


def test_a_folder_that_cannot_be_asked_about_is_allowed(tmp_path: Path) -> None:
    assert mount_of(str(tmp_path / "none" / "s.db")) is None


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of which the mount table says that it is a server's."""
    here = mount_of(str(tmp_path))
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8") if here else ""
    changed = tmp_path / "mountinfo"
    changed.write_text(
        "\n".join(f"{line.partition(' - ')[0]} - nfs4 server:/ rw" for line in table.splitlines())
    )
    monkeypatch.setattr(filesystems, "_TABLE", str(changed))
    return tmp_path / "stores"


def test_a_store_on_a_network_file_system_is_refused_unless_the_url_allows_it(
    elsewhere: Path,
) -> None:
    elsewhere.mkdir()

    if sys.platform == "linux":
        with pytest.raises(BackendError, match=r"type 'nfs4', .* add \?network=allow to the URL"):
            connect(f"sqlite:///{elsewhere}/s.db")
    assert list(elsewhere.iterdir()) == []

    with connect(f"sqlite:///{elsewhere}/s.db?network=allow") as store:
        store.create("a")
        assert [found.name for found in store.iterate()] == ["a"]


def test_whether_the_network_is_allowed_is_one_of_two_words() -> None:
    with pytest.raises(InvalidArgumentError, match="network=refuse or allow"):
        connect("sqlite:///s.db?network=yes")
