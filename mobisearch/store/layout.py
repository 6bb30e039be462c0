"""The index directory: its files, its writer lock, and how a file gets into it whole or not at all.

With ``mobisearch.store.files``, the only part of the store that writes or removes files.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from mobisearch.errors import (
    IndexExistsError,
    IndexLockedError,
    IndexNotFoundError,
    IndexReadOnlyError,
)
from mobisearch.store.files import (
    make_durable_folder,
    mapped_os_errors,
    sync_directory,
    sync_file,
    write_durably,
    write_note,
)
from mobisearch.store.ownership import (
    CACHEDIR_TAG,
    CATALOG_NAME,
    README,
    TAG_NAME,
    entries,
    is_backup_name,
    is_leftover,
    is_own_name,
    read_holder,
)

_BACKUPS_KEPT = 2


@dataclass(frozen=True, slots=True)
class IndexLayout:
    """The paths inside an index directory.

    ::

        DIR/mobisearch.db        the catalog: the only source of truth
        DIR/segments/*.faiss     vectors for searches: derived, immutable, names never reused
        DIR/backups/*.db         the catalog before it was brought to a newer format; the last two
        DIR/tmp/                 files being written; whatever is left there is rubbish
        DIR/writer.lock          held by the one process that writes; the system frees it on death
        DIR/writer.json          who holds it, for messages only
    """

    directory: Path

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> Self:
        """Return the layout of an index directory, ``~`` expanded; nothing is looked at.

        Raises:
            ValueError: the path is empty, which would mean the current directory.
        """
        if not os.fspath(path):
            raise ValueError("the path of an index must not be empty")
        return cls(Path(os.path.abspath(os.path.expanduser(os.fspath(path)))))

    @property
    def catalog_path(self) -> Path:
        """The SQLite database."""
        return self.directory / CATALOG_NAME

    @property
    def segments_dir(self) -> Path:
        """Where the FAISS files are."""
        return self.directory / "segments"

    @property
    def tmp_dir(self) -> Path:
        """Where files are written before they get their names."""
        return self.directory / "tmp"

    @property
    def new_catalog_path(self) -> Path:
        """Where a catalog is made before it gets its place."""
        return self.tmp_dir / "new.db"

    @property
    def backups_dir(self) -> Path:
        """Where catalogs of older formats are kept."""
        return self.directory / "backups"

    def require(self) -> None:
        """Raise IndexNotFoundError unless there is a catalog."""
        try:
            os.stat(self.catalog_path)
        except (FileNotFoundError, NotADirectoryError):
            raise IndexNotFoundError(self.directory) from None
        except OSError as error:
            message = f"cannot be opened ({error.strerror})"
            raise IndexReadOnlyError(self.directory, message) from error

    def check_is_free(self) -> None:
        """Raise unless an index can be made here without touching anything that is there.

        Raises:
            IndexExistsError: an index is there, or files that are not ours.
            IndexReadOnlyError: nothing can be written here.
        """
        with mapped_os_errors(self.directory):
            if self.catalog_path.exists():
                raise IndexExistsError(self.directory)
            ancestors = (self.directory, *self.directory.parents)
            nearest = next(folder for folder in ancestors if os.path.lexists(folder))
            if nearest.is_dir() and not os.access(nearest, os.W_OK | os.X_OK):
                message = f"cannot be written ({nearest} is read-only); choose another directory"
                raise IndexReadOnlyError(self.directory, message)
            if nearest != self.directory:
                return
            if not self.directory.is_dir():
                raise IndexExistsError(self.directory, "a file of this name is in the way")
            if not all(is_leftover(entry) for entry in entries(self.directory)):
                raise IndexExistsError(
                    self.directory,
                    "this folder holds other files; choose an empty or a new one for the index",
                )

    def make_directories(self) -> None:
        """Create the directory and what belongs in it.

        Raises:
            IndexReadOnlyError, StorageError: the system refuses.
        """
        with mapped_os_errors(self.directory):
            for folder in (self.directory, self.segments_dir, self.tmp_dir):
                make_durable_folder(folder)
            write_note(self.directory / "README", README)
            write_note(self.segments_dir / TAG_NAME, CACHEDIR_TAG)

    def publish_catalog(self) -> None:
        """Give the new catalog its place, once it is safely on the disk.

        Only the holder of the writer lock may, and only where no catalog is.

        Raises:
            IndexExistsError: there is one.
            StorageError: the disk is full or failing.
        """
        with mapped_os_errors(self.directory):
            if self.catalog_path.exists():
                raise IndexExistsError(self.directory)
            self._move_durably(self.new_catalog_path, self.catalog_path)

    def publish_backup(self, name: str) -> Path:
        """Keep the new catalog as a backup of this name, and drop all but the last two."""
        with mapped_os_errors(self.directory):
            make_durable_folder(self.backups_dir)
            self._move_durably(self.new_catalog_path, self.backups_dir / name)
            ours = sorted(
                (entry.stat().st_mtime_ns, entry.path)
                for entry in entries(self.backups_dir)
                if is_backup_name(entry.name) and entry.is_file(follow_symlinks=False)
            )
            for _, path in ours[:-_BACKUPS_KEPT]:
                os.unlink(path)
        return self.backups_dir / name

    def _move_durably(self, source: Path, target: Path) -> None:
        os.chmod(source, 0o600)
        sync_file(source)
        os.rename(source, target)
        sync_directory(target.parent)
        sync_directory(source.parent)

    @contextlib.contextmanager
    def writer_lock(self) -> Iterator[None]:
        """Hold the right to write. Other processes keep reading meanwhile.

        Raises:
            IndexLockedError: another process, or another object in this one, holds it.
            IndexReadOnlyError: the directory cannot be written, or parts of it are links.
        """
        import filelock  # for writers only

        for folder in (self.segments_dir, self.tmp_dir, self.backups_dir):
            if folder.is_symlink():
                message = (
                    f"{folder.name} is a symbolic link; it must be a folder of the index's own"
                )
                raise IndexReadOnlyError(self.directory, message)
        lock = filelock.FileLock(self.directory / "writer.lock", mode=0o600, blocking=False)
        holder_path = self.directory / "writer.json"
        with mapped_os_errors(self.directory):
            try:
                lock.acquire()
            except filelock.Timeout:
                raise IndexLockedError(self.directory, read_holder(holder_path)) from None
        try:
            started = datetime.now(UTC).isoformat(timespec="seconds")
            holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": started}
            with contextlib.suppress(OSError):  # it serves messages only
                write_note(holder_path, json.dumps(holder))
            yield
        finally:
            lock.release()

    def publish_segment(self, data: bytes, generation: int, *, kind: str = "seg") -> str:
        """Write a new file into ``segments/`` and return its name, once it is safely on the disk.

        Written under another name, flushed, and renamed, so that the name never stands for part of
        the data. Names are never reused.

        Raises:
            StorageError: the disk is full or failing; nothing is left behind.
        """
        name = f"{kind}-{generation:016x}-{uuid.uuid4().hex}.faiss"
        temporary = self.tmp_dir / name
        with mapped_os_errors(self.directory, n_bytes=len(data)):
            make_durable_folder(self.tmp_dir)
            make_durable_folder(self.segments_dir)
            try:
                write_durably(temporary, data)
                os.rename(temporary, self.segments_dir / name)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
            sync_directory(self.segments_dir)
            sync_directory(self.tmp_dir)
        return name

    def read_segment(self, name: str, size_bytes: int) -> bytes | None:
        """Return the bytes of a segment file, or None unless it is a file of exactly this size."""
        if not is_own_name(name):
            return None
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            handle = os.open(self.segments_dir / name, flags | getattr(os, "O_CLOEXEC", 0))
        except OSError:
            return None
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size != size_bytes:
                return None
            with open(handle, "rb", closefd=False) as file:
                data = file.read(size_bytes)
        except OSError:
            return None
        finally:
            os.close(handle)
        return data if len(data) == size_bytes else None

    def has_segment(self, name: str, size_bytes: int) -> bool:
        """Say whether a segment file is there with this size; its content is not looked at."""
        if not is_own_name(name):
            return False
        try:
            status = os.lstat(self.segments_dir / name)
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == size_bytes

    def remove_strays(self, keep: Collection[str]) -> None:
        """Delete temporary files, and segment files that the catalog does not list.

        Only files with names that we give: whatever else somebody put there stays.

        Only the holder of the writer lock may call this. What cannot be deleted is left: it does
        no harm.
        """
        self.remove_strays_in(self.tmp_dir)
        self.remove_strays_in(self.segments_dir, keep)

    def remove_strays_in(self, folder: Path, keep: Collection[str] = ()) -> None:
        """Delete the files with our names in one folder, except some."""
        if folder.is_symlink():
            return
        with contextlib.suppress(OSError):
            for entry in entries(folder):
                if is_own_name(entry.name) and entry.name not in (TAG_NAME, *keep):
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)

    def catalog_bytes(self) -> int:
        """Return the size of the catalog, its write-ahead log included."""
        paths = (self.catalog_path, Path(f"{self.catalog_path}-wal"))
        return sum(path.stat().st_size for path in paths if path.exists())
