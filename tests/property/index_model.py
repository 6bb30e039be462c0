"""What an index should hold, told by dictionaries: the files on a disk, and rows that follow them.

No line here asks the code under test anything but what its catalog holds in the end.
"""

from __future__ import annotations

import io
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = [f"{letter}.png" for letter in "abcdef"] + [f"deep/{letter}.png" for letter in "ab"]
CONTENTS = 6
"""Few, so that copies, moves and swaps happen often."""

DAMAGED = range(CONTENTS, CONTENTS + 2)
"""Contents that cannot be decoded."""

BATCH = 2
"""Files in a commit: few, so that a sync of a few files has several."""

Stamp = tuple[int, int, int, int]
NO_STAMP: Stamp = (0, 0, 0, 0)
"""Size, times of the last change of bytes and of the file, and which file of the system it is."""


def picture(number: int) -> bytes:
    """Return the bytes of a content: a small picture, or half of one."""
    pixels = np.random.default_rng(number).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    whole = data.getvalue()
    return whole[: len(whole) // 2] if number in DAMAGED else whole


PICTURES = [picture(number) for number in range(DAMAGED.stop)]
NUMBERS = {sha256(data).digest(): number for number, data in enumerate(PICTURES)}


class Disk:
    """Pictures below a folder. Each write gets a time of its own, so no two states look alike."""

    def __init__(self, folder: Path) -> None:
        self.photos = folder / "photos"
        self.elsewhere = folder / "elsewhere"
        self.bin = folder / "bin"
        for made in (self.photos / "deep", self.bin / "deep"):
            made.mkdir(parents=True)
        self.files: dict[str, int] = {}  # name -> content
        self.away: dict[str, int] = {}  # the same, of the folder that was taken away
        self.deleted: dict[str, int] = {}  # the same, of files that can be put back
        self._clock = 10**18

    def write(self, name: str, what: int) -> None:
        """Add a file, or change one; under all of its names, if it has several."""
        path = self.photos / name
        twins = self.twins(name)
        path.write_bytes(PICTURES[what])
        self._clock += 1_000_000_000
        os.utime(path, ns=(self._clock, self._clock))
        self.files.update(dict.fromkeys([name, *twins], what))

    def delete(self, name: str) -> None:
        """Delete a file; it can be put back, unless it has other names."""
        if self.twins(name):
            (self.photos / name).unlink()
            del self.files[name]
        else:
            os.replace(self.photos / name, self.bin / name)
            self.deleted[name] = self.files.pop(name)

    def put_back(self, name: str) -> None:
        os.replace(self.bin / name, self.photos / name)
        self.files[name] = self.deleted.pop(name)

    def move(self, name: str, to: str) -> None:
        if to not in (name, *self.twins(name)):  # else the system does nothing
            os.replace(self.photos / name, self.photos / to)
            self.files[to] = self.files.pop(name)

    def link(self, name: str, to: str) -> None:
        os.link(self.photos / name, self.photos / to)
        self.files[to] = self.files[name]

    def take_away(self) -> None:
        """Leave an empty folder in place of one with files, as where a drive was mounted."""
        (self.photos / "deep").rename(self.elsewhere)
        (self.photos / "deep").mkdir()
        self.away = {name: self.files.pop(name) for name in deep(self.files)}

    def bring_back(self) -> None:
        (self.photos / "deep").rmdir()
        self.elsewhere.rename(self.photos / "deep")
        self.files.update(self.away)
        self.away = {}

    def in_order(self) -> list[str]:
        """Return the names in the order of a scan."""
        return sorted(self.files, key=lambda name: ("/" in name, name))

    def twins(self, name: str) -> list[str]:
        """Return the other names of a file, in the order of a scan."""
        if name not in self.files:
            return []
        path = self.photos / name
        others = (other for other in self.in_order() if other != name)
        return [other for other in others if os.path.samefile(path, self.photos / other)]

    def stamp(self, name: str) -> Stamp:
        status = os.stat(self.photos / name)
        return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def deep(names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith("deep/")]


@dataclass(frozen=True)
class Row:
    """What an index should know of one path.

    Attributes:
        image_id: None of a row that is new.
        content: None of a file that could not be decoded.
        state: ``ok``, ``missing`` or ``error``.
        stamp: the file's when it was last read.
    """

    image_id: int | None
    content: int | None
    state: str
    stamp: Stamp


Rows = Mapping[str, Row]


@dataclass(frozen=True)
class Moment:
    """The rows after a commit, and what a report would count so far."""

    rows: Rows
    counts: Counter[str]


class Run:
    """What one run does, commit by commit.

    Attributes:
        batch: files in a commit; 1 gives every moment at which a run may be stopped.
    """

    def __init__(self, rows: Rows, disk: Disk, *, batch: int = BATCH) -> None:
        self.rows = dict(rows)
        self.disk = disk
        self.batch = batch
        self.counts: Counter[str] = Counter()
        self.moments: list[Moment] = []

    def commit(self) -> None:
        self.moments.append(Moment(dict(self.rows), self.counts.copy()))

    def sync(self, *, prune: bool = False, rehash: bool = False) -> list[Moment]:
        order = self._drop_doubles()
        same = [name for name in order if not rehash and self._is_same(name)]
        for name in same:
            row = self.rows[name]
            words = {"ok": "unchanged", "missing": "returned", "error": "failed"}
            self.counts[words[row.state]] += 1
            if row.state == "missing":
                self.rows[name] = replace(row, state="ok")
        self.commit()
        to_read = [name for name in order if name not in same]
        for start in range(0, len(to_read), self.batch):
            self.read(to_read[start : start + self.batch])
        self._settle(prune=prune)
        return self.moments

    def read(self, names: Sequence[str]) -> Moment:
        """Read files, and store them in one commit."""
        for name in names:
            self._read_one(name)
        self.commit()
        return self.moments[-1]

    def _drop_doubles(self) -> list[str]:
        """Leave one name of each file; return these names.

        It is one that led to this very file before, else one that is known; of these the one that
        is known longest.
        """
        order: list[str] = []
        for name in self.disk.in_order():
            group = [name, *self.disk.twins(name)]
            known = [twin for twin in group if twin in self.rows]
            kept = min(
                known,
                key=lambda twin: (
                    self.rows[twin].stamp[3] != self.disk.stamp(twin)[3],
                    self.rows[twin].image_id or 0,
                ),
                default=min(group, key=self.disk.in_order().index),
            )
            if name == kept:
                order.append(name)
            else:
                self.counts["doubles"] += 1
        for name in self.disk.files:
            if name not in order:
                self.rows.pop(name, None)
        return order

    def _is_same(self, name: str) -> bool:
        return name in self.rows and self.rows[name].stamp == self.disk.stamp(name)

    def _read_one(self, name: str) -> None:
        what, row = self.disk.files.get(name), self.rows.get(name)
        if what is None:
            self.counts["failed"] += 1
            if row is not None and row.state == "error":
                self.rows[name] = replace(row, stamp=NO_STAMP)
            return
        stamp = self.disk.stamp(name)
        if what in DAMAGED:
            self.counts["failed"] += 1
            self.rows[name] = Row(row.image_id if row else None, None, "error", stamp)
            return
        source = self._find_vanished(what)
        if row is not None:
            is_same = row.content == what
            is_back = is_same and row.state == "missing"
            self.counts["returned" if is_back else "unchanged" if is_same else "updated"] += 1
        elif source is not None:
            self.counts["moved"] += 1
            row = self.rows.pop(source)
        else:
            self.counts["added"] += 1
        self.rows[name] = Row(row.image_id if row else None, what, "ok", stamp)

    def _find_vanished(self, what: int) -> str | None:
        """Return the path of the oldest image of this content whose file is gone."""
        gone = [n for n, row in self.rows.items() if row.content == what]
        gone = [name for name in gone if name not in self.disk.files]
        return min(gone, key=lambda name: self.rows[name].image_id or 0, default=None)

    def _settle(self, *, prune: bool) -> None:
        is_emptied = not deep(self.disk.files)  # as where a drive was mounted: nothing is pruned
        for name in [name for name in self.rows if name not in self.disk.files]:
            if self.rows[name].state == "error":
                del self.rows[name]
            elif prune and not (is_emptied and deep([name])):
                del self.rows[name]
                self.counts["pruned"] += 1
            else:
                self.rows[name] = replace(self.rows[name], state="missing")
        self.commit()


def read_rows(index: Path, photos: Path) -> dict[str, Row]:
    """Return what a catalog holds, without the code under test."""
    connection = sqlite3.connect(f"{(index / 'mobisearch.db').as_uri()}?mode=ro", uri=True)
    try:
        return {
            os.path.relpath(os.fsdecode(path), photos): Row(
                number,
                None if content is None else NUMBERS[content],
                state,
                (size, mtime, ctime, int(inode or 0)),
            )
            for path, number, state, content, size, mtime, ctime, inode in connection.execute(
                "SELECT path, file_id, state, sha256, size_bytes, mtime_ns, ctime_ns, inode"
                " FROM file LEFT JOIN content USING (content_id)"
            )
        }
    finally:
        connection.close()


def is_as_told(actual: Rows, told: Rows, *, used_ids: set[int]) -> bool:
    """Say whether the rows are these; where one is new its id must be one that never was."""
    if actual.keys() != told.keys():
        return False
    new = [actual[name].image_id for name, row in told.items() if row.image_id is None]
    if len(set(new)) != len(new) or used_ids.intersection(new):
        return False
    return all(
        row == actual[name] or replace(actual[name], image_id=None) == row
        for name, row in told.items()
    )
