"""Mounts for a test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


class Mounts:
    """Mounts of one test; whatever is left is unmounted at its end."""

    def __init__(self, skip: Callable[[str], NoReturn]) -> None:
        self._skip = skip
        self._mounted: list[Path] = []

    def tmpfs(self, path: Path, *, size: str = "64m") -> None:
        """Put an empty file system of a size in memory at a folder."""
        self._mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", path)
        self._mounted.append(path)

    def resize(self, path: Path, size: str) -> None:
        """Make a file system in memory larger."""
        self._mount("-o", f"remount,size={size}", path)

    def bind(self, source: Path, path: Path, *, read_only: bool = False) -> None:
        """Let a file or folder be seen at another path too."""
        self._mount("--bind", source, path)
        self._mounted.append(path)
        if read_only:
            self._mount("-o", "remount,ro,bind", path)

    def overlay(self, lower: Path, changes: Path, path: Path) -> None:
        """Show a folder at another path, where changes go into a folder of their own.

        Args:
            changes: an empty folder, which gets a file system in memory.
        """
        self.tmpfs(changes)
        for name in ("upper", "work"):
            (changes / name).mkdir()
        folders = f"lowerdir={lower},upperdir={changes}/upper,workdir={changes}/work"
        self._mount("-t", "overlay", "-o", folders, "overlay", path)
        self._mounted.append(path)

    def loop(self, image: Path, path: Path) -> None:
        """Mount the file system that is inside a file."""
        self._mount("-o", "loop", image, path)
        self._mounted.append(path)

    def unmount(self, path: Path) -> None:
        """Take away what was mounted at a path."""
        subprocess.run(["umount", path], check=True, capture_output=True)
        self._mounted.remove(path)

    def close(self) -> None:
        """Unmount everything, the newest first; a busy one is detached and goes when it can."""
        for path in reversed(self._mounted):
            if subprocess.run(["umount", path], capture_output=True).returncode:
                subprocess.run(["umount", "--lazy", path], capture_output=True)

    def _mount(self, *words: str | Path) -> None:
        try:
            done = subprocess.run(["mount", *words], capture_output=True, text=True)
        except FileNotFoundError:
            self._skip("this system has no mount command")
        if done.returncode:
            reason = done.stderr.strip().splitlines()[0].rpartition(": ")[2]
            self._skip(f"mount {' '.join(map(str, words[:2]))} is not possible here ({reason})")
