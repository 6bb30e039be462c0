"""``ImageIndex.duplicates`` from end to end, with the fake network and a simple verifier."""

from __future__ import annotations

import dataclasses
import itertools
import os
import pickle
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from mobisearch import Embedder, ImageIndex
from mobisearch.duplicates import DuplicateGroups, comparing, looks, pairwise
from mobisearch.duplicates.verification import CLOSE_PX, THUMBNAIL_PX, Outcome, Prepared
from mobisearch.errors import (
    FolderNotIndexedError,
    InvalidScopeError,
    InvalidWrongGroupsError,
    UnknownKeepRuleError,
)
from mobisearch.types import DuplicateSettings, Progress, Relation, Verdict

PhotoMaker = Callable[..., Path]
N_PHOTOS = 12
ROUNDING = 2e-3
"""Resizing rounds to whole levels one axis after the other."""

pytestmark = pytest.mark.usefixtures("simple_verifier")


@pytest.fixture
def photos(tmp_path: Path, make_photo: PhotoMaker) -> Path:
    """Twelve pictures; of three there are copies: larger, mirrored, of the same bytes."""
    folder = tmp_path / "photos"
    for seed in range(N_PHOTOS):
        make_photo(folder / "a" / f"{seed:02}.png", seed=seed, size=(240, 160))
    (folder / "b").mkdir()
    with Image.open(folder / "a" / "00.png") as picture:
        picture.resize((300, 200)).save(folder / "b" / "larger.png")
    with Image.open(folder / "a" / "01.png") as picture:
        ImageOps.mirror(picture).resize((120, 80)).save(folder / "b" / "mirrored.jpg", quality=95)
    shutil.copy(folder / "a" / "02.png", folder / "b" / "same.png")
    return folder


EXPECTED = [["00.png", "larger.png"], ["01.png", "mirrored.jpg"], ["02.png", "same.png"]]


def names(groups: DuplicateGroups) -> list[list[str]]:
    return sorted(sorted(Path(m.image.path).name for m in group.members) for group in groups)


def keeps(groups: DuplicateGroups) -> list[str]:
    return sorted(Path(group.keep.image.path).name for group in groups)


def test_copies_are_grouped_and_the_best_is_kept(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    groups = index.duplicates()
    assert names(groups) == EXPECTED
    assert keeps(groups) == ["01.png", "02.png", "larger.png"]
    assert groups.images == N_PHOTOS + 3
    assert groups.failures == groups.warnings == ()
    assert not groups.interrupted
    assert groups.completeness == 1
    by_keep = {Path(group.keep.image.path).name: group for group in groups}
    same = by_keep["02.png"].copies[0]
    assert (same.verdict, same.score) == (Verdict.SAME_FILE, 1.0)
    mirrored = by_keep["01.png"].copies[0]
    assert mirrored.relation is not None
    assert mirrored.verdict is Verdict.RECOMPRESSED
    assert mirrored.reason


def test_a_second_run_looks_at_nothing_and_compares_nothing_again(
    index: ImageIndex, photos: Path, simple_verifier: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    index.sync(photos)
    first = index.duplicates()
    n_compared = len(simple_verifier)
    monkeypatch.setattr(looks.LookEmbedder, "prepare_file", None)
    second = index.duplicates()
    assert second == first
    assert second.curve == first.curve
    assert len(simple_verifier) == n_compared


def test_after_new_images_only_new_pairs_are_compared(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker, simple_verifier: list[int]
) -> None:
    index.sync(photos)
    index.duplicates()
    n_compared = len(simple_verifier)
    make_photo(photos / "new.png", seed=100)
    index.sync(photos)
    index.duplicates()
    assert 0 < len(simple_verifier) - n_compared <= N_PHOTOS + 3


def test_names_places_and_the_order_of_indexing_change_no_group(
    photos: Path, tmp_path: Path, fake_embedder: Embedder
) -> None:
    files = sorted(p for p in photos.rglob("*") if p.is_file())
    orders = [files, files[::-1], files[5:] + files[:5]]
    found = []
    for number, order in enumerate(orders):
        with ImageIndex.create(tmp_path / f"index {number}", fake_embedder) as index:
            index.add(order)
            groups = index.duplicates()
            found.append([[m.image.path for m in group.members] for group in groups])
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == len(EXPECTED)


def test_an_empty_index_has_no_groups(index: ImageIndex) -> None:
    groups = index.duplicates()
    assert groups == []
    assert groups.images == 0


def test_a_single_image_is_no_group(
    index: ImageIndex, make_photo: PhotoMaker, tmp_path: Path
) -> None:
    index.add([make_photo(tmp_path / "one.png", seed=1)])
    assert index.duplicates() == []


def test_missing_images_take_no_part(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    (photos / "b" / "same.png").unlink()
    (photos / "b" / "larger.png").unlink()
    index.sync(photos)
    assert names(index.duplicates()) == [["01.png", "mirrored.jpg"]]


def test_files_that_cannot_be_read_any_more_are_reported_and_take_no_part(
    index: ImageIndex, photos: Path, make_photo: PhotoMaker
) -> None:
    index.sync(photos)
    (photos / "b" / "larger.png").unlink()
    make_photo(photos / "b" / "mirrored.jpg", seed=200)
    groups = index.duplicates()
    assert names(groups) == [["02.png", "same.png"]]
    codes = {Path(failure.path).name: failure.code for failure in groups.failures}
    assert codes == {"larger.png": "not_found", "mirrored.jpg": "changed"}


def test_a_content_is_looked_at_through_another_file_if_the_first_is_gone(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    (photos / "a" / "02.png").unlink()
    groups = index.duplicates()
    assert groups.failures == ()
    assert names(groups) == EXPECTED


def test_a_locked_index_answers_and_says_that_nothing_is_kept(
    index: ImageIndex, photos: Path, fake_embedder: Embedder, simple_verifier: list[int]
) -> None:
    index.sync(photos)
    with ImageIndex.open(index.status().path, fake_embedder) as other, other.journal():
        groups = index.duplicates()
    assert names(groups) == EXPECTED
    assert len(groups.warnings) == 1
    assert "not kept" in groups.warnings[0]
    n_compared = len(simple_verifier)
    again = index.duplicates()
    assert again == groups
    assert again.warnings == ()
    assert len(simple_verifier) == 2 * n_compared


def test_a_stopped_search_keeps_what_was_done(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_LOOKS_PER_COMMIT", 4)
    index.sync(photos)
    stop = threading.Event()
    told: list[Progress] = []

    def tell(progress: Progress) -> None:
        told.append(progress)
        stop.set()

    groups = index.duplicates(on_progress=tell, stop=stop)
    assert groups.interrupted
    assert groups == []
    assert told[-1].stored >= 4
    assert names(index.duplicates()) == EXPECTED


@pytest.mark.parametrize("stage", ["matching", "comparing"])
def test_it_can_be_stopped_at_every_stage(index: ImageIndex, photos: Path, stage: str) -> None:
    index.sync(photos)
    stop = threading.Event()

    def tell(progress: Progress) -> None:
        if progress.stage == stage:
            stop.set()

    groups = index.duplicates(on_progress=tell, stop=stop)
    assert groups.interrupted or stage == "comparing"  # the last stage may be over by then
    assert names(index.duplicates()) == EXPECTED


def test_progress_tells_of_each_stage_in_turn(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    told: list[Progress] = []
    index.duplicates(on_progress=told.append)
    stages = [stage for stage, _ in itertools.groupby(progress.stage for progress in told)]
    assert stages == ["looking", "matching", "comparing"]
    for progress in told:
        assert 0 <= progress.done <= progress.total


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), 1e308, True, "1", None])
def test_a_senseless_number_of_wrong_groups_is_refused(index: ImageIndex, wrong: object) -> None:
    with pytest.raises(InvalidWrongGroupsError, match="above 0"):
        index.duplicates(DuplicateSettings(wrong_groups=wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        (DuplicateSettings(scope="everywhere"), InvalidScopeError),
        (DuplicateSettings(scope="new"), InvalidScopeError),
        (DuplicateSettings(scope="within"), InvalidScopeError),
        (DuplicateSettings(scope="across", folders=("/one",)), InvalidScopeError),
        (DuplicateSettings(keep=("best",)), UnknownKeepRuleError),
        (DuplicateSettings(folders=("/no/such/folder",)), FolderNotIndexedError),
        (DuplicateSettings(protect=("/no/such/folder",)), FolderNotIndexedError),
        (DuplicateSettings(keep=("path:/no/such/folder",)), FolderNotIndexedError),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    index: ImageIndex, settings: DuplicateSettings, error: type[Exception]
) -> None:
    with pytest.raises(error):
        index.duplicates(settings)


def test_only_images_of_the_folders_take_part(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    inside = DuplicateSettings(folders=(str(photos / "b"),))
    assert index.duplicates(inside) == []
    both = DuplicateSettings(folders=(str(photos / "a"), str(photos / "b")))
    assert names(index.duplicates(both)) == EXPECTED


def test_within_and_across_folders(index: ImageIndex, photos: Path) -> None:
    shutil.copy(photos / "a" / "05.png", photos / "a" / "05 again.png")
    index.sync(photos)
    folders = (str(photos / "a"), str(photos / "b"))
    within = index.duplicates(DuplicateSettings(folders=folders, scope="within"))
    assert names(within) == [["05 again.png", "05.png"]]
    across = index.duplicates(DuplicateSettings(folders=folders, scope="across"))
    assert names(across) == EXPECTED


def test_of_a_new_folder_the_new_images_are_the_copies(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    new = DuplicateSettings(folders=(str(photos / "b"),), scope="new")
    groups = index.duplicates(new)
    assert names(groups) == EXPECTED
    assert keeps(groups) == ["00.png", "01.png", "02.png"]


def test_protected_images_are_kept_before_all_rules(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    groups = index.duplicates(DuplicateSettings(protect=(str(photos / "b"),)))
    assert keeps(groups) == ["larger.png", "mirrored.jpg", "same.png"]
    assert all(group.keep.is_protected for group in groups)


def test_images_that_are_different_are_not_shown_together_again(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    index.decide("different", [photos / "a" / "00.png", photos / "b" / "larger.png"])
    assert names(index.duplicates()) == EXPECTED[1:]


def test_a_group_that_stays_is_hidden_until_another_copy_joins(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    index.decide("keep", [photos / "a" / "01.png", photos / "b" / "mirrored.jpg"])
    groups = index.duplicates()
    assert names(groups) == [EXPECTED[0], EXPECTED[2]]
    assert groups.hidden == 1
    os.rename(photos / "b" / "mirrored.jpg", photos / "moved.jpg")
    index.sync(photos)
    assert index.duplicates().hidden == 1
    with Image.open(photos / "a" / "01.png") as picture:
        picture.rotate(180).save(photos / "a" / "turned.png")
    index.sync(photos)
    shown = names(index.duplicates())
    assert ["01.png", "moved.jpg", "turned.png"] in shown


def test_a_file_that_came_later_is_shown_though_as_many_of_its_likes_are_in_scope_as_stay(
    index: ImageIndex, photos: Path
) -> None:
    index.sync(photos)
    index.decide("keep", [photos / "a" / "02.png", photos / "b" / "same.png"])
    new = DuplicateSettings(folders=(str(photos / "c"),), scope="new")
    os.makedirs(photos / "c")
    shutil.copy(photos / "a" / "02.png", photos / "c" / "later.png")
    index.sync(photos)
    groups = index.duplicates(new)
    assert (names(groups), groups.hidden) == ([["02.png", "later.png"]], 0)
    assert index.duplicates().hidden == 0


def test_the_curve_falls_and_names_the_score_that_is_taken(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    curve = index.duplicates().curve
    scores = [point.score for point in curve.points]
    assert scores == sorted(scores)
    for before, after in itertools.pairwise(curve.points):
        assert before.unrelated >= after.unrelated
        assert before.copies >= after.copies
        assert before.recall >= after.recall
    assert curve.accepted_score in scores
    taken = curve.points[scores.index(curve.accepted_score)]
    assert taken.wrong_groups <= DuplicateSettings().wrong_groups
    assert curve.trials > 0
    assert dict(curve.recall_by_alteration)["recompressed"] == 1


def test_the_result_pickles_and_shows_itself(index: ImageIndex, photos: Path) -> None:
    index.sync(photos)
    groups = index.duplicates()
    again = pickle.loads(pickle.dumps(groups))
    assert again == groups
    assert dataclasses.asdict(again.curve) == dataclasses.asdict(groups.curve)
    assert again.images == groups.images
    shown = groups._repr_html_()
    assert "3 groups" in shown
    assert "larger.png" in shown
    assert groups.reclaimable_bytes == sum(g.reclaimable_bytes for g in groups) > 0


def test_looks_do_not_change_with_turning(
    fake_embedder: Embedder, make_photo: PhotoMaker, tmp_path: Path
) -> None:
    path = make_photo(tmp_path / "one.png", seed=3, size=(64, 64))
    pixels = np.asarray(Image.open(path))
    embedder = looks.LookEmbedder(fake_embedder)
    rows = embedder.embed_thumbnails([np.ascontiguousarray(np.rot90(pixels, n)) for n in range(4)])
    assert np.allclose(rows, rows[0], atol=ROUNDING)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)


def test_pictures_of_the_same_pixels_are_told_by_looking_at_all_of_them(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairwise, "may_have_same_pixels", lambda *_: True)
    with Image.open(photos / "a" / "03.png") as picture:
        picture.save(photos / "b" / "same pixels.tif")
    index.sync(photos)
    verdicts = {
        Path(member.image.path).name: member.verdict
        for group in index.duplicates()
        for member in group.members
        if member != group.keep
    }
    assert verdicts["same pixels.tif"] is Verdict.SAME_PIXELS
    assert verdicts["mirrored.jpg"] is Verdict.RECOMPRESSED


def test_pairs_that_thumbnails_cannot_settle_are_compared_from_their_files(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch, make_photo: PhotoMaker
) -> None:
    sides: list[int] = []

    def look(first: Prepared, second: Prepared) -> Outcome:
        sides.append(max(first.picture.pixels.shape))
        return Outcome(Relation(Verdict.UNRELATED))

    def look_closer(first: Prepared, second: Prepared, outcome: Outcome) -> Relation:
        return look(first, second).relation

    make_photo(photos / "a" / "large.png", seed=50, size=(900, 600))
    monkeypatch.setattr(pairwise, "look", look)
    monkeypatch.setattr(comparing, "look_closer", look_closer)
    monkeypatch.setattr(pairwise, "needs_closer_look", lambda *_: True)
    index.sync(photos)
    assert names(index.duplicates()) == [EXPECTED[2]]  # of the same bytes
    assert {THUMBNAIL_PX, CLOSE_PX} <= set(sides)


def test_a_file_is_read_once_for_all_its_closer_looks(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    prepared = comparing.CloserLook.prepared

    def note(closer: comparing.CloserLook, place: int) -> Prepared | None:
        read.append(place)
        return prepared(closer, place)

    monkeypatch.setattr(comparing.CloserLook, "prepared", note)
    monkeypatch.setattr(comparing, "look_closer", lambda *_: Relation(Verdict.UNRELATED))
    monkeypatch.setattr(pairwise, "needs_closer_look", lambda *_: True)
    monkeypatch.setattr(comparing, "_PAIRS_PER_COMMIT", 2)
    index.sync(photos)
    index.duplicates()
    assert len(read) > 2
    assert len(read) == len(set(read))


def test_a_damaged_thumbnail_is_like_nothing(
    index: ImageIndex, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.sync(photos)
    monkeypatch.setattr(pairwise, "open_picture", lambda row: None)
    assert names(index.duplicates()) == [EXPECTED[2]]
