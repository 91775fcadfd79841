"""File systems that other machines can reach, where SQLite's log must not be.

Readers and writers of the log agree through memory that they share, which ends at
the machine, and through locks, which such file systems keep badly or not at all:
two machines that write would destroy the file. Known from Linux's mount table;
elsewhere nothing is detected.
"""

from __future__ import annotations

import os
import sys

from attrs import frozen

from experiment_store.errors import BackendError
from experiment_store_sqlite.places import real

_TABLE = "/proc/self/mountinfo"

# Servers and clusters: any machine may have them mounted.
_NETWORK = {
    "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "gfs", "gfs2", "glusterfs", "gpfs", "lustre",
    "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "wekafs",
}  # fmt: skip

# Folders of the host of a virtual machine. As the root of a system they are a
# sandbox's own disk, as with gVisor and Kata, and nobody else's.
_HOST = {"9p", "drvfs", "fakeowner", "prl_fs", "vboxsf", "virtiofs", "vmhgfs"}

# In user space there is mostly something remote, and its name may be any: only
# these are known to lie on local disks. `fuseblk` has a block device below it.
_LOCAL_FUSE = {
    "fuse.bindfs", "fuse.cryfs", "fuse.encfs", "fuse.ext2", "fuse.fuse-overlayfs", "fuse.fuse2fs",
    "fuse.gocryptfs", "fuse.mergerfs", "fuse.securefs", "fuse.unionfs", "fuse.unionfs-fuse",
}  # fmt: skip


@frozen
class Mount:
    """A file system at its place."""

    type: str
    point: str

    @property
    def is_shared(self) -> bool:
        """Whether other machines may write there."""
        if self.type in _HOST:
            return self.point != "/"
        is_fuse = self.type.partition(".")[0] == "fuse"
        return self.type in _NETWORK or (is_fuse and self.type not in _LOCAL_FUSE)


def refuse_network(path: str) -> None:
    """Refuse a place that other machines may reach.

    Raises:
        BackendError: It is one.
    """
    mount = mount_of(path)
    if mount is not None and mount.is_shared:
        raise BackendError(
            "open",
            f"failed: {path!r} lies on a file system of type {mount.type!r}, which other machines"
            " may reach: use a local disk or PostgreSQL; or add ?network=allow to the URL, if one"
            " machine alone uses the file, and locks and shared memory work there",
        )


def mount_of(path: str) -> Mount | None:
    """Return the file system of a file, or of the folder for it; ``None`` if unknown.

    The kernel says on which mount an open file is: neither bind mounts nor mounts
    over others can mislead. A handle with O_PATH reads nothing and, unlike others,
    drops none of the process's locks when it is closed.
    """
    if sys.platform != "linux":
        return None
    file = real(path)
    place = file if os.path.exists(file) else f"{os.path.dirname(file)}/."
    try:
        handle = os.open(place, os.O_PATH)
        try:
            known = _read(f"/proc/self/fdinfo/{handle}")
        finally:
            os.close(handle)
        table = _read(_TABLE)
    except OSError:
        return None
    [number] = [line.split()[1] for line in known.splitlines() if line.startswith("mnt_id:")] or [
        ""
    ]
    return find_mount(table, number)


def find_mount(table: str, number: str) -> Mount | None:
    """Look up a mount by its number in a table as of proc_pid_mountinfo(5).

    Blanks in names are written as octal numbers, so that a blank always separates.
    """
    for line in table.splitlines():
        place, _, kind = line.partition(" - ")
        fields = place.split(" ")
        if fields[0] == number:
            return Mount(kind.split(" ")[0], fields[4])
    return None


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
