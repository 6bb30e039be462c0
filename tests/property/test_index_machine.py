"""An index against a dictionary: whatever is done in whatever order, both hold the same images."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from PIL import Image

from mobisearch import Embedder, ImageIndex
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.sync import recording

NAMES = [f"{letter}.png" for letter in "abcdef"] + [f"deep/{letter}.png" for letter in "ab"]
CONTENTS = 6
"""Few, so that copies, moves and swaps happen often."""

name = st.sampled_from(NAMES)
content = st.integers(0, CONTENTS - 1)


@dataclass
class Known:
    """What the index should hold of one path."""

    image_id: int
    content: int
    is_missing: bool = False


class IndexMachine(RuleBasedStateMachine):
    """Files on disk, an index, and what the index should hold.

    Each write gets a time of its own, so that no two states of a file look alike.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="mobisearch-")))
        self.photos = self.folder / "photos"
        (self.photos / "deep").mkdir(parents=True)
        self.files: dict[str, int] = {}  # on disk: name -> content
        self.known: dict[str, Known] = {}
        self.used_ids: set[int] = set()
        self.clock = 10**18
        self.embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime())
        self.index = ImageIndex.create(self.folder / "index", self.embedder)
        self.pictures = []
        for number in range(CONTENTS):
            pixels = np.random.default_rng(number).integers(0, 256, (6, 7, 3), dtype=np.uint8)
            path = self.folder / f"{number}.png"
            Image.fromarray(pixels).save(path)
            self.pictures.append(path.read_bytes())
        self.rows = self.embedder.embed(self.pictures)

    def teardown(self) -> None:
        self.index.close()
        shutil.rmtree(self.folder)

    # ---- the files

    @initialize(start=st.dictionaries(name, content, min_size=1))
    def begin(self, start: dict[str, int]) -> None:
        for where, what in start.items():
            self.write(where, what)

    @rule(where=name, what=content)
    def write(self, where: str, what: int) -> None:
        """Add a file, or change one."""
        path = self.photos / where
        path.write_bytes(self.pictures[what])
        self.clock += 1_000_000_000
        os.utime(path, ns=(self.clock, self.clock))
        self.files[where] = what

    @precondition(lambda self: self.files)
    @rule(data=st.data(), to=name)
    def move(self, data: st.DataObject, to: str) -> None:
        source = data.draw(st.sampled_from(sorted(self.files)))
        os.replace(self.photos / source, self.photos / to)
        self.files[to] = self.files.pop(source)

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        where = data.draw(st.sampled_from(sorted(self.files)))
        (self.photos / where).unlink()
        del self.files[where]

    # ---- the index

    def _give_id(self, where: str, image_id: int) -> None:
        assert image_id not in self.used_ids, "an id was given twice"
        self.used_ids.add(image_id)

    def _actual(self) -> dict[str, tuple[int, int]]:
        """Return name -> (id, content) of all that the index can find."""
        found: dict[str, tuple[int, int]] = {}
        for number, row in enumerate(self.rows):
            for match in self.index.search_by_vector(row, k=100):
                where = os.path.relpath(match.image.path, self.photos)
                if match.score == 1:
                    found[where] = (match.image.id, number)
        return found

    def _take_over(self, names: list[str], *, vanished: dict[int, list[str]]) -> dict[str, int]:
        """Bring ``known`` up to date with files that are read, as a sync or an add does it."""
        counts = dict.fromkeys(("added", "updated", "moved", "returned", "unchanged"), 0)
        actual = self._actual()
        for where in names:
            what = self.files[where]
            known = self.known.get(where)
            if known is not None:
                same = known.content == what
                counts[
                    "returned" if same and known.is_missing else "unchanged" if same else "updated"
                ] += 1
                self.known[where] = Known(known.image_id, what)
            elif vanished.get(what):
                source = vanished[what].pop(0)
                counts["moved"] += 1
                self.known[where] = Known(self.known.pop(source).image_id, what)
            else:
                counts["added"] += 1
                image_id = actual[where][0]
                self._give_id(where, image_id)
                self.known[where] = Known(image_id, what)
        return counts

    def _vanished(self) -> dict[int, list[str]]:
        """Return content -> names that moved images may come from, lowest id first."""
        gone: dict[int, list[str]] = {}
        for where, known in sorted(self.known.items(), key=lambda pair: pair[1].image_id):
            if where not in self.files:
                gone.setdefault(known.content, []).append(where)
        return gone

    @precondition(lambda self: self.files)
    @rule(prune=st.booleans())
    def sync(self, prune: bool) -> None:
        vanished = self._vanished()
        report = self.index.sync(self.photos, prune=prune)
        in_order = sorted(self.files, key=lambda where: ("/" in where, where))
        counts = self._take_over(in_order, vanished=vanished)
        for where in [where for where in self.known if where not in self.files]:
            if prune:
                del self.known[where]
            else:
                self.known[where].is_missing = True
        assert {key: getattr(report, key) for key in counts} == counts
        assert report.missing == sum(known.is_missing for known in self.known.values())
        assert report.failed == 0

    @rule(names=st.lists(name, min_size=1, max_size=3, unique=True))
    def add(self, names: list[str]) -> None:
        vanished = self._vanished()
        there = [where for where in names if where in self.files]
        report = self.index.add([self.photos / where for where in names])
        counts = self._take_over(there, vanished=vanished)
        assert {key: getattr(report, key) for key in counts} == counts
        assert report.failed == len(names) - len(there)

    @rule(names=st.lists(st.sampled_from([*NAMES, "deep"]), max_size=2, unique=True))
    def remove(self, names: list[str]) -> None:
        gone = {where for where in self.known if where in names or os.path.dirname(where) in names}
        assert self.index.remove([self.photos / where for where in names]) == len(gone)
        for where in gone:
            del self.known[where]

    @rule()
    def reopen(self) -> None:
        self.index.close()
        self.index = ImageIndex.open(self.folder / "index", self.embedder)

    @rule(keep=st.integers(0, 2))
    def lose_the_cache(self, keep: int) -> None:
        segments = self.folder / "index" / "segments"
        for number, path in enumerate(sorted(segments.glob("*"))):
            if number % 3 != keep:
                path.unlink()

    @rule()
    def restore_only_the_catalog(self) -> None:
        """As from a backup of the one file that matters."""
        self.index.close()
        shutil.copy(self.folder / "index" / "mobisearch.db", self.folder / "backup.db")
        shutil.rmtree(self.folder / "index")
        (self.folder / "index").mkdir()
        shutil.move(self.folder / "backup.db", self.folder / "index" / "mobisearch.db")
        self.index = ImageIndex.open(self.folder / "index", self.embedder)

    # ---- what holds at any time

    @invariant()
    def the_index_holds_what_it_should(self) -> None:
        visible = {where: known for where, known in self.known.items() if not known.is_missing}
        expected = {where: (known.image_id, known.content) for where, known in visible.items()}
        assert self._actual() == expected
        assert len(self.index) == len(expected)

    @invariant()
    def the_catalog_is_sound(self) -> None:
        report = self.index.verify()
        assert report.damage == ()
        contents = {known.content for known in self.known.values()}
        assert report.checked == len(contents)
        status = self.index.status()
        assert status.missing == sum(known.is_missing for known in self.known.values())
        assert status.errors == 0


@pytest.fixture(autouse=True)
def _trusted_stamps(trusted_stamps: None) -> None:
    """Stamps vouch for files here, since each write has a time of its own."""


@pytest.mark.timeout(900)  # making a failing example small takes up to five minutes
@pytest.mark.parametrize("n_new", [1, 64])
def test_an_index_behaves_like_a_dictionary_of_its_files(
    monkeypatch: pytest.MonkeyPatch, n_new: int
) -> None:
    """With segment files for every new vector, and with most vectors read from the catalog."""
    from mobisearch.store import cache

    monkeypatch.setattr(cache, "_MIN_SEGMENT", n_new)
    assert recording._RACY_NS < 0
    machine = IndexMachine.TestCase
    machine.settings = settings(deadline=None, max_examples=20, stateful_step_count=25)
    machine().runTest()
