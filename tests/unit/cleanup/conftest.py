"""A folder of copies, its index and a trash of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mobisearch import ImageIndex
from mobisearch.cleanup import DraftSettings, Plan, draft_plan
from mobisearch.embedding import Embedder
from mobisearch.types import DuplicateGroup, GroupMember, ImageRecord, Relation, Verdict


@dataclass
class Library:
    """Photos with copies, an index of them, and where the trash is."""

    photos: Path
    trash: Path
    index: ImageIndex

    def record(self, name: str) -> ImageRecord:
        """Return an image as the index would give it."""
        path = self.photos / name
        data, status = path.read_bytes(), path.stat()
        return ImageRecord(
            id=abs(hash(name)),
            path=str(path),
            width=60,
            height=40,
            size_bytes=len(data),
            mtime_ns=status.st_mtime_ns,
            sha256=hashlib.sha256(data).hexdigest(),
            format="PNG",
        )

    def group(self, keep: str, *copies: str) -> DuplicateGroup:
        """Return a group of files by name."""
        kept = self.record(keep)

        def member(name: str) -> GroupMember:
            image = self.record(name)
            same = image.sha256 == kept.sha256
            verdict = Verdict.SAME_FILE if same else Verdict.RESIZED
            relation = Relation(verdict, (verdict,), 0.99, scale=1.0 if same else 0.5)
            return GroupMember(image, verdict, 0.99, relation)

        return DuplicateGroup(
            GroupMember(kept, Verdict.SAME_FILE, 1.0, reason="it is the largest"),
            tuple(member(name) for name in copies),
        )

    def plan(self, *groups: DuplicateGroup, **settings: object) -> Plan:
        """Return a plan for groups."""
        return draft_plan(groups, DraftSettings(**settings))  # type: ignore[arg-type]

    def trashed(self) -> dict[str, bytes]:
        """Return what is in the trash, by name."""
        files = self.trash / "files"
        return {path.name: path.read_bytes() for path in sorted(files.glob("*"))}

    def contents(self) -> dict[str, bytes]:
        """Return all photos by name."""
        return {
            str(path.relative_to(self.photos)): path.read_bytes()
            for path in sorted(self.photos.rglob("*"))
            if path.is_file()
        }

    def found(self) -> set[str]:
        """Return the names of the images that searches find."""
        matches = self.index.search_by_vector([1.0] * self.index.status().dim, k=1000)
        return {os.path.relpath(match.image.path, self.photos) for match in matches}


@pytest.fixture
def library(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_photo: Callable[..., Path],
    fake_embedder: Embedder,
) -> Iterator[Library]:
    """``a.png``, byte-identical ``b.png`` and ``c.png``, smaller ``s.png``, another ``x.png``."""
    base = Path(os.path.realpath(tmp_path))
    photos = base / "photos"
    make_photo(photos / "a.png", seed=1)
    for name in ("b.png", "c.png"):
        shutil.copy(photos / "a.png", photos / name)
    make_photo(photos / "s.png", seed=1, size=(30, 20))
    make_photo(photos / "x.png", seed=2)
    for number, path in enumerate(sorted(photos.iterdir())):
        os.utime(path, ns=(10**18 + number, 10**18 + number))
    monkeypatch.setenv("XDG_DATA_HOME", str(base / "data"))
    # Or tests would write to the top of the real drive.
    monkeypatch.setattr("mobisearch.cleanup.trash._top_of", lambda *_: str(base))
    with ImageIndex.create(base / "index", fake_embedder) as index:
        index.sync(photos)
        yield Library(photos, base / "data" / "Trash", index)
