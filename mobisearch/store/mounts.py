"""What kind of file system a folder is on, as far as that matters to a database."""

from __future__ import annotations

import os
from pathlib import Path

NETWORK_FILE_SYSTEMS = frozenset(
    (
        *("9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.glusterfs", "fuse.rclone"),
        *("fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs3", "nfs4"),
        *("smb2", "smb3", "smbfs", "webdav"),
    )
)
"""Names as systems give them. SQLite's write-ahead log needs memory that all processes share, which
machines do not. Source: https://www.sqlite.org/wal.html, section 1."""


def file_system_of(path: Path) -> str:
    """Return the kind of file system that a folder is on, such as ``ext4``; empty if unknown."""
    import psutil  # not for readers on a disk of this machine

    real = os.path.realpath(path)
    try:
        mounts = psutil.disk_partitions(all=True)
    except (OSError, RuntimeError):
        return ""
    around = [
        (len(mount.mountpoint), place, mount)
        for place, mount in enumerate(mounts)
        if (real + os.sep).startswith(mount.mountpoint.rstrip(os.sep) + os.sep)
    ]
    if not around:
        return ""
    _, _, nearest = max(around, key=lambda entry: entry[:2])  # of two mounts on one place the later
    return "smbfs" if "remote" in nearest.opts.split(",") else nearest.fstype.lower()


def is_network(path: Path) -> bool:
    """Say whether a folder is on a file system that several machines share."""
    return file_system_of(path) in NETWORK_FILE_SYSTEMS


def journal_mode(path: Path) -> str:
    """Return SQLite's journal mode for a catalog in this folder."""
    return "DELETE" if is_network(path) else "WAL"
