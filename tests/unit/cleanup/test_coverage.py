"""Which photos of a folder a library has: what counts as having it, and what does not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mobisearch import ImageIndex
from mobisearch.cleanup import (
    CoverReport,
    CoverStatus,
    compare_versions,
    cover_folder,
)
from mobisearch.errors import RootUnavailableError
from mobisearch.types import ImageRecord, Relation, Verdict


@pytest.fixture
def library(tmp_path: Path, index: ImageIndex, make_photo: Callable[..., Path]) -> Path:
    folder = Path(os.path.realpath(tmp_path)) / "library"
    for seed, name in enumerate(("a", "b", "c")):
        make_photo(folder / f"{name}.png", seed=seed)
    index.sync(folder)
    return folder


@pytest.fixture
def card(library: Path) -> Path:
    folder = library.parent / "card"
    folder.mkdir()
    shutil.copy(library / "a.png", folder / "IMG_1.png")
    return folder


def statuses(report: CoverReport) -> dict[str, str]:
    return {os.path.basename(photo.path): str(photo.status) for photo in report.photos}


def test_a_folder_of_byte_identical_copies_is_covered_and_left_as_it_is(
    index: ImageIndex, library: Path, card: Path
) -> None:
    shutil.copy(library / "a.png", card / "again.png")
    before = {path: path.stat() for path in card.iterdir()}
    n_images = len(index)
    report = cover_folder(index, card)
    assert statuses(report) == {"IMG_1.png": "same file", "again.png": "same file"}
    assert report.ok
    assert report.photos[0].copy == str(library / "a.png")
    assert {path: path.stat().st_mtime_ns for path in card.iterdir()} == {
        path: status.st_mtime_ns for path, status in before.items()
    }
    assert len(index) == n_images
    assert index.status().roots == (str(library),)


def test_a_photo_that_the_library_lacks_is_not_covered(
    index: ImageIndex, card: Path, make_photo: Callable[..., Path]
) -> None:
    make_photo(card / "new.png", seed=99)
    (card / "film.mov").write_bytes(b"film")
    (card / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (card / "raw.CR2").write_bytes(b"raw")
    report = cover_folder(index, card)
    assert statuses(report) == {
        "IMG_1.png": "same file",
        "broken.jpg": "cannot be compared",
        "new.png": "not in library",
        "raw.CR2": "cannot be compared",
    }
    assert not report.ok
    assert report.other_files == 1


def test_a_hard_link_is_no_copy(index: ImageIndex, library: Path, card: Path) -> None:
    os.link(library / "b.png", card / "linked.png")
    report = cover_folder(index, card)
    assert statuses(report)["linked.png"] == "the library's own file"
    assert not report.ok


def test_two_names_of_one_file_in_the_folder_have_the_same_status(
    index: ImageIndex, card: Path
) -> None:
    os.link(card / "IMG_1.png", card / "second.png")
    report = cover_folder(index, card)
    assert statuses(report) == {"IMG_1.png": "same file", "second.png": "same file"}


@pytest.mark.parametrize("spoil", [lambda p: p.write_bytes(b"new"), lambda p: p.unlink()])
def test_a_copy_that_is_not_there_any_more_covers_nothing(
    index: ImageIndex, library: Path, card: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(library / "a.png")
    assert statuses(cover_folder(index, card)) == {"IMG_1.png": "not in library"}


def test_copies_inside_the_folder_itself_do_not_count(
    index: ImageIndex, library: Path, card: Path, make_photo: Callable[..., Path]
) -> None:
    make_photo(card / "x.png", seed=50)
    shutil.copy(card / "x.png", card / "y.png")
    index.sync(card)
    found = statuses(cover_folder(index, card))
    assert (found["x.png"], found["y.png"]) == ("not in library", "not in library")


def test_only_the_named_part_of_the_library_counts(
    index: ImageIndex, library: Path, card: Path
) -> None:
    other = library / "other"
    other.mkdir()
    shutil.copy(library / "b.png", other / "b.png")
    index.sync(library)
    assert statuses(cover_folder(index, card, [other])) == {"IMG_1.png": "not in library"}
    shutil.copy(library / "b.png", card / "IMG_2.png")
    found = cover_folder(index, card, [other])
    assert statuses(found)["IMG_2.png"] == "same file"
    assert found.photos[1].copy == str(other / "b.png")


def test_a_folder_that_is_not_there_is_an_error(index: ImageIndex, library: Path) -> None:
    with pytest.raises(RootUnavailableError):
        cover_folder(index, library / "nowhere")


def record(**values: object) -> ImageRecord:
    known = {"size_bytes": 100, "sha256": "a", **values}
    return ImageRecord(1, "/x.jpg", 10, 10, mtime_ns=0, format="JPEG", **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        (Relation(Verdict.SAME_PIXELS, (Verdict.SAME_PIXELS,)), CoverStatus.SAME_PIXELS),
        (Relation(Verdict.RESIZED, (Verdict.RESIZED,), scale=0.5), CoverStatus.BETTER),
        (Relation(Verdict.RESIZED, (Verdict.RESIZED,), scale=2.0), CoverStatus.WORSE),
        (Relation(Verdict.CROPPED, (Verdict.CROPPED,), first_share=0.5), CoverStatus.BETTER),
        (Relation(Verdict.CROPPED, (Verdict.CROPPED,), second_share=0.5), CoverStatus.WORSE),
        (Relation(Verdict.ROTATED, (Verdict.ROTATED,), turn_degrees=90), CoverStatus.BETTER),
        (Relation(Verdict.RECOLOURED, (Verdict.RECOLOURED,)), CoverStatus.OTHER),
        (
            Relation(Verdict.ROTATED, (Verdict.RETOUCHED, Verdict.ROTATED)),
            CoverStatus.OTHER,
        ),
        (None, CoverStatus.OTHER),
    ],
)
def test_what_covers_shows_as_much_with_as_many_pixels(
    relation: Relation | None, expected: CoverStatus
) -> None:
    verdict = relation.verdict if relation else Verdict.RESIZED
    status, reason = compare_versions(record(sha256="b"), record(), relation, verdict)
    assert status is expected
    assert status.is_covered == (not reason)


def test_the_larger_of_two_recompressed_files_of_one_size_is_the_better() -> None:
    relation = Relation(Verdict.RECOMPRESSED, (Verdict.RECOMPRESSED,))
    for size_bytes, expected in ((99, CoverStatus.BETTER), (101, CoverStatus.WORSE)):
        photo = record(sha256="b", size_bytes=size_bytes)
        assert compare_versions(photo, record(), relation, relation.verdict)[0] is expected
