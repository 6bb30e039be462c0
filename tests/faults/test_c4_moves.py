"""What becomes of images that are deleted, move and return."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch import Embedder, ImageIndex

# ---------------------------------------------------------------- images that move and return


def test_case_56_what_is_deleted_is_not_found_and_what_returns_is(
    index: ImageIndex,
    photos: Path,
    tmp_path: Path,
    fake_embedder: Embedder,
    check_sound: Callable[..., None],
) -> None:
    index.sync(photos)
    (photos / "a.png").rename(tmp_path / "away.png")
    index.sync(photos, prune=True)
    assert index.search(tmp_path / "away.png", k=1)[0].score < 1
    shutil.copy(tmp_path / "away.png", photos / "back.png")
    assert index.sync(photos).added == 1
    [match] = index.search(tmp_path / "away.png", k=1)
    assert (match.score, match.image.path) == (1, str(photos / "back.png"))
    check_sound(index, fake_embedder)


def test_case_56_one_content_at_three_paths_is_embedded_once_and_found_three_times(
    index: ImageIndex, photos: Path, ids_of: Callable[..., dict[str, int]]
) -> None:
    for name in ("copy.png", "deep/copy.png"):
        shutil.copy(photos / "a.png", photos / name)
    index.sync(photos)
    assert (len(index), index.status().contents) == (6, 4)
    matches = index.search(photos / "a.png", k=4)
    assert [match.score == 1 for match in matches] == [True, True, True, False]
    ids = [match.image.id for match in matches[:3]]
    assert ids == sorted(ids), "ties are ordered by id"
    index.remove([photos / "a.png"])
    assert [m.score == 1 for m in index.search(photos / "copy.png", k=3)] == [True, True, False]


def test_case_56_a_move_costs_no_embedding(
    index: ImageIndex,
    photos: Path,
    ids_of: Callable[..., dict[str, int]],
    counts: Callable[..., dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index.sync(photos)
    before = ids_of(index)
    (photos / "a.png").rename(photos / "deep" / "renamed.png")
    (photos / "deep").rename(photos / "moved")
    monkeypatch.setattr(Embedder, "pool_pixels", lambda *_: pytest.fail("embedded again"))
    assert counts(index.sync(photos)) == {"moved": 2, "unchanged": 2}
    assert sorted(ids_of(index).values()) == sorted(before.values())
    assert ids_of(index)[str(photos / "moved" / "renamed.png")] == before[str(photos / "a.png")]


def test_case_56_two_images_that_swap_names_are_found_under_their_new_names(
    index: ImageIndex,
    photos: Path,
    fake_embedder: Embedder,
    check_sound: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index.sync(photos)
    a, b = photos / "a.png", photos / "b.png"
    for old, new in ((a, photos / "spare"), (b, a), (photos / "spare", b)):
        old.rename(new)
    with monkeypatch.context() as patch:
        patch.setattr(Embedder, "pool_pixels", lambda *_: pytest.fail("embedded again"))
        index.sync(photos)
    for path in (a, b):
        assert index.search(path, k=1)[0].image.path == str(path)
    check_sound(index, fake_embedder)
