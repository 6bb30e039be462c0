"""Which images are shown together, by the folders that were named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch import ImageIndex
from mobisearch.duplicates import pairwise
from mobisearch.duplicates.scope import Scope
from mobisearch.duplicates.verification import Outcome
from mobisearch.types import DuplicateSettings, ImageRecord, Relation, Verdict


def images(*paths: str) -> list[ImageRecord]:
    return [ImageRecord(hash(path), path, 1, 1, 1, 0, "a", "JPEG") for path in paths]


@pytest.mark.parametrize(
    ("kind", "first", "second", "expected"),
    [
        ("new", ["/in/a"], ["/out/b"], ("/in/a", "/out/b")),
        ("new", ["/out/a"], ["/too/b"], ("/out/a", "/too/b")),
        ("new", ["/out/a"], ["/else/b"], None),
        ("new", ["/in/a"], ["/too/b"], None),
        ("new", ["/out/a", "/in/a"], ["/out/b", "/out/c"], ("/in/a", "/out/b")),
        ("new", ["/in/a", "/out/a"], ["/in/b"], ("/out/a", "/in/b")),
        ("within", ["/in/a"], ["/too/b", "/in/b"], ("/in/a", "/in/b")),
        ("within", ["/in/a"], ["/too/b"], None),
        ("across", ["/in/a"], ["/in/b", "/too/b"], ("/in/a", "/too/b")),
        ("across", ["/in/a"], ["/in/b"], None),
        ("all", ["/in/a"], ["/in/b"], ("/in/a", "/in/b")),
        ("all", ["/in/a"], [], None),
    ],
)
def test_of_two_contents_those_images_are_a_pair_that_could_be_a_group(
    kind: str, first: list[str], second: list[str], expected: tuple[str, str] | None
) -> None:
    found = Scope(kind, ("/in", "/too")).pair(images(*first), images(*second))
    assert (found and tuple(image.path for image in found)) == expected


@pytest.mark.usefixtures("simple_verifier")
def test_of_a_new_folder_only_similar_shots_in_it_are_told(
    index: ImageIndex,
    tmp_path: Path,
    make_photo: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    similar = Relation(Verdict.SIMILAR_SHOT, agreement=0.5)
    monkeypatch.setattr(pairwise, "look", lambda *_: Outcome(similar))
    for seed in range(4):
        make_photo(tmp_path / ("new" if seed < 1 else "old") / f"{seed}.png", seed=seed)
    index.sync(tmp_path)
    assert len(index.duplicates().similar) == 6
    new = DuplicateSettings(folders=(str(tmp_path / "new"),), scope="new")
    names = [(p.first.path, p.second.path) for p in index.duplicates(new).similar]
    assert len(names) == 3
    assert all(sum(os.sep + "new" + os.sep in path for path in pair) == 1 for pair in names)
