"""Small pictures that were made once: in memory, and in files of the user's cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections import OrderedDict
from pathlib import Path

from mobisearch.models.cache_folder import cache_folder, read_own_file, write_own_file

_MAX_MEMORY_BYTES = 64_000_000
_MAX_DISK_BYTES = 512_000_000
_MAX_FILE_BYTES = 4_000_000
_DIGEST_BYTES = hashlib.sha256().digest_size
_WRITES_PER_TIDY = 256


class ThumbnailCache:
    """JPEGs by content and size. What is damaged is not used; all of it may be deleted.

    Safe from several threads; several processes may share the folder.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        max_memory_bytes: int = _MAX_MEMORY_BYTES,
        max_disk_bytes: int = _MAX_DISK_BYTES,
    ) -> None:
        self._folder = folder or cache_folder("thumbnails")
        self._max_memory_bytes = max_memory_bytes
        self._max_disk_bytes = max_disk_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._held_bytes = 0
        self._writes = 0

    def find(self, sha256: str, max_px: int) -> bytes | None:
        """Return the thumbnail of a content, or None if it is not there."""
        key = (sha256, max_px)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        data = read_own_file(self._path(key), max_bytes=_MAX_FILE_BYTES)
        if data is None or hashlib.sha256(data[_DIGEST_BYTES:]).digest() != data[:_DIGEST_BYTES]:
            return None
        self._hold(key, data[_DIGEST_BYTES:])
        return data[_DIGEST_BYTES:]

    def put(self, sha256: str, max_px: int, jpeg: bytes) -> None:
        """Keep a thumbnail. Where no file can be written it is kept in memory only."""
        key = (sha256, max_px)
        self._hold(key, jpeg)
        path = self._path(key)
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_own_file(path, hashlib.sha256(jpeg).digest(), jpeg)
        with self._lock:
            self._writes += 1
            is_due = self._writes % _WRITES_PER_TIDY == 1
        if is_due:
            self.tidy()

    def tidy(self) -> None:
        """Delete the files that were written first, until the others are few enough."""
        found: list[tuple[float, int, str]] = []
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    status = os.lstat(path)
                    found.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._max_disk_bytes:
                return
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size

    def _hold(self, key: tuple[str, int], jpeg: bytes) -> None:
        with self._lock:
            self._held_bytes += len(jpeg) - len(self._held.pop(key, b""))
            self._held[key] = jpeg
            while self._held_bytes > self._max_memory_bytes and self._held:
                _, gone = self._held.popitem(last=False)
                self._held_bytes -= len(gone)

    def _path(self, key: tuple[str, int]) -> Path:
        sha256, max_px = key
        return self._folder / sha256[:2] / f"{sha256}-{max_px}.jpg"
