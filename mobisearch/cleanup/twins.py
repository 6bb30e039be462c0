"""Files that cannot be compared, looked for byte by byte: RAW, films and whatever else there is.

The index knows no such files, so folders are listed and files are read here. Nothing is changed.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Sequence

from mobisearch.cleanup.identity import FileIdentity, FileTrace, identify, trace_of
from mobisearch.duplicates import is_inside
from mobisearch.errors import StepRefusedError
from mobisearch.imaging import holds_no_originals, trash_of


class TwinFinder:
    """Finds, outside of a folder, files of the same bytes as files in it.

    The library is listed when the first file is looked for; of it, only files that have the size of
    that one are read, each once. No link is followed. A second name of a file in the folder is none
    of the library, and neither is what is in a trash.
    """

    def __init__(
        self,
        folder: str,
        library: Sequence[str],
        own: Iterable[str],
        stop: threading.Event | None = None,
    ) -> None:
        """Prepare to look; nothing is read yet.

        Args:
            folder: real absolute path.
            library: folders, real absolute paths; they may be in the folder, or it in them.
            own: paths of all files in the folder.
            stop: once it is set, nothing more is found.
        """
        self._folder = folder
        self._library = [path for path in library if trash_of(path) is None]
        self._own = [path for path in own if not self._is_in_library(path)]
        self._stop = stop
        self._by_size: dict[int, list[str]] | None = None
        self._marks: set[tuple[int, int] | FileTrace] = set()
        self._identities: dict[str, FileIdentity | None] = {}

    def find(self, path: str) -> str | None:
        """Return a file of the library with the same bytes as one of the folder; None without."""
        if not self._library or self._is_in_library(path):
            return None
        found = self._identify(path)
        if found is None:
            return None
        if self._by_size is None:
            self._by_size = self._list()
        for candidate in self._by_size.get(found.size_bytes, ()):
            if self._is_stopped():
                return None
            other = self._identify(candidate)
            if other is None or other.sha256 != found.sha256:
                continue
            if not {(other.device, other.inode), other.trace} & self._marks:
                return candidate
        return None

    def _list(self) -> dict[int, list[str]]:
        for path in self._own:
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                self._marks |= {(status.st_dev, status.st_ino), trace_of(status)}
        by_size: dict[int, list[str]] = {}
        for path, size_bytes in sorted(self._iter_files()):
            by_size.setdefault(size_bytes, []).append(path)
        return by_size

    def _iter_files(self) -> Iterator[tuple[str, int]]:
        """Give the files of the library with their sizes, those that can be looked at."""
        pending = list(self._library)
        while pending and not self._is_stopped():
            # What cannot be looked at covers nothing.
            with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if self._may_hold_copies(entry.path):
                            pending.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        yield entry.path, entry.stat(follow_symlinks=False).st_size

    def _may_hold_copies(self, folder: str) -> bool:
        is_left = trash_of(folder) is not None or holds_no_originals(folder)
        return folder != self._folder and not is_left

    def _is_in_library(self, path: str) -> bool:
        within = [library for library in self._library if is_inside(library, (self._folder,))]
        return is_inside(path, within)

    def _identify(self, path: str) -> FileIdentity | None:
        if path not in self._identities:
            try:
                self._identities[path] = identify(path)
            except StepRefusedError:
                self._identities[path] = None
        return self._identities[path]

    def _is_stopped(self) -> bool:
        return self._stop is not None and self._stop.is_set()
