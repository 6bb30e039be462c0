"""What may be on a disk after the power went: a model of what the system promises, and no more.

Of a file: all up to its last flush for sure; of each later write nothing, all, or the first sectors
of it, in any combination. Of names: creations, renames and deletions up to the last flush of their
directory for sure; each later one done or not. A rename is done as a whole, as on any file system
with a journal, and flushing either directory makes it last.

SQLite's -shm is left out: it is shared memory, and made again after a restart.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .client import CREATE, LINK, MKDIR, RENAME, SYNC, TRUNCATE, UNLINK, WRITE
from .oplog import MARK, Operation

_SECTOR = 512
N_RANDOM = 5 if os.environ.get("MOBISEARCH_CRASH_ALL") == "1" else 1
"""Random states at each point."""


@dataclass(eq=False)
class Node:
    """A file, or a directory."""

    is_dir: bool = False
    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def image(self, chosen: Sequence[tuple[int, bytes | None]]) -> bytes:
        data = bytearray(self.durable)
        for place, written in chosen:
            end = place if written is None else place + len(written)
            if written is None:
                del data[end:]
            if len(data) < end:
                data.extend(bytes(end - len(data)))
            if written is not None:
                data[place:end] = written
        return bytes(data)


@dataclass(frozen=True)
class Change:
    """A name that appears (no source), disappears (no target), or moves."""

    node: Node
    source: str = ""
    target: str = ""

    def apply(self, names: dict[str, Node]) -> None:
        if self.source and names.get(self.source) is self.node:
            del names[self.source]
        if self.target:
            names[self.target] = self.node

    def touches(self, folder: str) -> bool:
        return folder in (os.path.dirname(self.source), os.path.dirname(self.target))


Tree = dict[str, bytes | None]
"""Path to content; None for a directory."""


@dataclass(frozen=True)
class PowerLoss:
    """A state that may be found after a restart.

    Attributes:
        n_commits: how many commits had been acknowledged.
        label: where the power went and what became of what was pending.
    """

    n_commits: int
    label: str
    tree: Tree


class Disk:
    """A disk during a run: what lasts, and what may be lost."""

    def __init__(self, root: Path) -> None:
        """Begin with all that is below ``root`` lasting."""
        self.root = str(root)
        self.now: dict[str, Node] = {}
        self.nodes: dict[int, Node] = {}
        for path in sorted(root.rglob("*")):
            node = Node(path.is_dir(), b"" if path.is_dir() else path.read_bytes())
            self.nodes[path.stat().st_ino] = self.now[str(path)] = node
        self.durable = dict(self.now)
        self.pending: list[Change] = []

    def apply(self, operation: Operation) -> None:
        """Follow one operation."""
        kind, path = operation.kind, operation.path
        if kind in (CREATE, MKDIR, LINK):
            known = self.nodes.get(operation.inode) if kind == LINK else None
            node = known or Node(kind == MKDIR)
            self.nodes[operation.inode] = node
            self._change(Change(node, target=path))
        elif kind == RENAME:
            self._change(Change(self.now[path], path, operation.other))
        elif kind == UNLINK:
            self._change(Change(self.now[path], path))
        elif kind == WRITE:
            self.nodes[operation.inode].pending.append((operation.place, operation.data))
        elif kind == TRUNCATE:
            self.nodes[operation.inode].pending.append((operation.place, None))
        elif kind == SYNC:
            self._flush(path, self.nodes.get(operation.inode))

    def _change(self, change: Change) -> None:
        change.apply(self.now)
        self.pending.append(change)

    def _flush(self, path: str, node: Node | None) -> None:
        if node is not None and not node.is_dir:
            node.durable, node.pending = node.image(node.pending), []
            return
        lasting = [change for change in self.pending if change.touches(path)]
        for change in lasting:
            change.apply(self.durable)
            self.pending.remove(change)

    def tree(
        self,
        keeps_name: Callable[[Change], bool],
        keep_data: Callable[[Node], list[tuple[int, bytes | None]]],
    ) -> Tree:
        """Return a state in which some of what is pending has happened."""
        names = dict(self.durable)
        for change in self.pending:
            if keeps_name(change):
                change.apply(names)
        tree: Tree = {}
        for path, node in sorted(names.items()):
            folder = os.path.dirname(path)
            has_folder = folder == self.root or (folder in tree and tree[folder] is None)
            if has_folder and not path.endswith("-shm"):
                tree[path] = None if node.is_dir else node.image(keep_data(node))
        return tree


def _some(chance: random.Random, node: Node) -> list[tuple[int, bytes | None]]:
    kept: list[tuple[int, bytes | None]] = []
    for place, written in node.pending:
        fate = chance.randrange(5)
        if fate == 0 and written is not None and len(written) > _SECTOR:
            sectors = chance.randrange(1, len(written) // _SECTOR + 1)
            kept.append((place, written[: sectors * _SECTOR]))
        elif fate > 2:
            kept.append((place, written))
    return kept


def iter_power_losses(
    disk: Disk, operations: Sequence[Operation], legal: Sequence[str], *, seed: int
) -> Iterator[PowerLoss]:
    """Give states of a disk that the power may leave, each different one once.

    At the points just before a flush, after an acknowledged commit, and at the end: between those,
    ever more is pending and nothing becomes lasting, so that what may be left at an earlier point
    may also be left at the later one. That all of what was pending has happened is left out: it is
    the state after a kill.

    Args:
        legal: what the index may hold after each number of commits, as a text; where that is the
            same, the same state of the disk is not tried again.
    """
    chance = random.Random(seed)
    n_commits, seen = 0, set()
    for number, operation in enumerate([*operations, None]):
        if operation is None or operation.kind in (SYNC, MARK):
            if operation is not None and operation.kind == MARK:
                n_commits = int(operation.path)
            for name, tree in _trees(disk, chance):
                found = repr((legal[n_commits], sorted(tree.items()))).encode()
                key = hashlib.sha256(found).digest()
                if key not in seen:
                    seen.add(key)
                    yield PowerLoss(n_commits, f"before operation {number + 1}: {name}", tree)
        if operation is not None and operation.kind != MARK:
            disk.apply(operation)


def _trees(disk: Disk, chance: random.Random) -> Iterator[tuple[str, Tree]]:
    yield "nothing that was pending", disk.tree(lambda _: False, lambda _: [])
    yield "names but no data", disk.tree(lambda _: True, lambda _: [])
    yield "data but no names", disk.tree(lambda _: False, lambda node: node.pending)
    for number in range(N_RANDOM):
        tree = disk.tree(lambda _: chance.random() < 0.5, lambda node: _some(chance, node))
        yield f"random {number + 1}", tree


def restore(tree: Tree, root: str, folder: Path) -> None:
    """Write a state of what was below ``root`` into a folder."""
    for path, data in tree.items():
        place = folder / os.path.relpath(path, root)
        if data is None:
            place.mkdir(mode=0o700)
        else:
            place.write_bytes(data)
