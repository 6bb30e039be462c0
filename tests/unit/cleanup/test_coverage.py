"""Which photos of a folder a library has: what counts as having it, and what does not."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobisearch import ImageIndex, ScanSettings
from mobisearch.cleanup import (
    CoverReport,
    CoverStatus,
    compare_versions,
    cover_folder,
)
from mobisearch.cleanup.identity import FileIdentity, identify
from mobisearch.cleanup.inventory import Inventory, take_inventory
from mobisearch.errors import FolderNotIndexedError, RootUnavailableError
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


def test_another_copy_counts_beside_a_hard_link(
    index: ImageIndex, library: Path, card: Path
) -> None:
    os.link(library / "b.png", card / "linked.png")
    shutil.copy(library / "b.png", library / "z.png")
    index.sync(library)
    report = cover_folder(index, card)
    assert report.ok
    assert report.photos[1].copy == str(library / "z.png")


def test_another_copy_counts_beside_one_that_is_not_there_any_more(
    index: ImageIndex, library: Path, card: Path
) -> None:
    shutil.copy(library / "a.png", library / "z.png")
    index.sync(library)
    (library / "a.png").write_bytes(b"new")
    report = cover_folder(index, card)
    assert (report.ok, report.photos[0].copy) == (True, str(library / "z.png"))


def test_a_subfolder_that_cannot_be_read_is_not_covered(
    index: ImageIndex, card: Path, closed_folders: None
) -> None:
    (card / "closed").mkdir()
    report = cover_folder(index, card)
    assert statuses(report) == {"IMG_1.png": "same file", "closed": "cannot be compared"}
    assert report.photos[1].reason == "the folder cannot be read: Permission denied"
    assert not report.ok


@pytest.mark.parametrize(
    "name", [".hidden.png", ".private/only.png", "no ending", "photo.bak", "film.mp4", "note.txt"]
)
def test_a_photo_is_judged_however_it_is_called(
    index: ImageIndex, library: Path, card: Path, make_photo: Callable[..., Path], name: str
) -> None:
    (card / name).parent.mkdir(exist_ok=True)
    shutil.copy(make_photo(library.parent / "new.png", seed=99), card / name)
    report = cover_folder(index, card)
    assert statuses(report) == {
        "IMG_1.png": "same file",
        os.path.basename(name): "not in library",
    }
    assert (report.ok, report.others) == (False, ())
    shutil.copy(library / "b.png", card / name)
    assert cover_folder(index, card).ok


def test_what_a_scan_of_the_folder_once_left_out_is_looked_at(
    index: ImageIndex, card: Path, make_photo: Callable[..., Path]
) -> None:
    make_photo(card / "drafts" / "new.png", seed=99)
    index.sync(card, scan=ScanSettings(exclude=("drafts",)))
    assert statuses(cover_folder(index, card))["new.png"] == "not in library"


def test_pictures_in_trash_and_thumbnails_of_the_folder_are_told_and_fail_nothing(
    index: ImageIndex, card: Path, make_photo: Callable[..., Path]
) -> None:
    for seed, name in enumerate(("@eaDir", ".Trash-1000", "$RECYCLE.BIN"), 50):
        make_photo(card / name / "old.png", seed=seed)
    report = cover_folder(index, card)
    assert statuses(report) == {"IMG_1.png": "same file"}
    assert report.ok
    assert (report.other_pictures, report.other_files) == (3, 0)
    assert [os.path.basename(other.path) for other in report.others] == [
        "$RECYCLE.BIN",
        ".Trash-1000",
        "@eaDir",
    ]


@pytest.mark.parametrize(
    "trash",
    [
        "Trash/files",
        ".Trash-1000/files",
        ".Trash/1000/files",
        ".Trashes/501",
        "$RECYCLE.BIN/S-1-5-21",
    ],
)
def test_a_copy_in_a_trash_does_not_count(
    index: ImageIndex, library: Path, card: Path, trash: str
) -> None:
    thrown_away = library / trash
    thrown_away.mkdir(parents=True)
    shutil.move(library / "a.png", thrown_away / "a.png")
    index.sync(library)
    index.add([thrown_away / "a.png"])  # as older versions did with --hidden
    (photo,) = cover_folder(index, card).photos
    assert photo.status is CoverStatus.NOWHERE
    assert photo.reason == f"the library's {thrown_away / 'a.png'}: is in a trash"
    shutil.copy(thrown_away / "a.png", library / "z.png")
    index.sync(library)
    (photo,) = cover_folder(index, card).photos
    assert (photo.status, photo.copy) == (CoverStatus.SAME_FILE, str(library / "z.png"))


def test_of_copies_of_another_size_one_in_a_trash_does_not_shadow_one_that_is_in_none(
    index: ImageIndex, library: Path, card: Path, make_photo: Callable[..., Path]
) -> None:
    thrown_away = make_photo(library / "Trash" / "files" / "x.png", seed=7, size=(180, 120))
    smooth = np.asarray(Image.open(thrown_away)) // 2
    detail = np.random.default_rng(7).integers(0, 32, smooth.shape, dtype=np.uint8)
    photo_with_detail = Image.fromarray(smooth + detail)  # more than its small copy can have
    photo_with_detail.save(thrown_away)
    photo_with_detail.resize((90, 60)).save(card / "IMG_1.png")
    index.sync(library)
    (photo,) = cover_folder(index, card).photos
    assert (photo.status, photo.copy) == (CoverStatus.NOWHERE, None)
    shutil.copy(thrown_away, library / "x.png")
    index.sync(library)
    (photo,) = cover_folder(index, card, [library]).photos
    assert (photo.status, photo.copy) == (CoverStatus.BETTER, str(library / "x.png"))


RAW = b"raw" * 1000


@pytest.fixture
def raw(card: Path) -> Path:
    """A RAW file on the card."""
    (card / "x.CR2").write_bytes(RAW)
    return card / "x.CR2"


@pytest.mark.parametrize("is_named", [True, False])
def test_a_raw_file_is_covered_by_one_of_the_same_bytes_in_the_library(
    index: ImageIndex, library: Path, card: Path, raw: Path, is_named: bool
) -> None:
    libraries = [library] if is_named else []
    (library / "y.bin").write_bytes(RAW[::-1])
    assert statuses(cover_folder(index, card, libraries))["x.CR2"] == "cannot be compared"
    (library / "deep").mkdir()
    (library / "deep" / "other name.bin").write_bytes(RAW)
    before = {path: path.stat() for path in (raw, library / "deep" / "other name.bin")}
    report = cover_folder(index, card, libraries)
    assert statuses(report)["x.CR2"] == "same file"
    assert report.ok
    [found] = [photo for photo in report.photos if photo.path == str(raw)]
    assert found.copy == str(library / "deep" / "other name.bin")
    assert {path: path.stat().st_mtime_ns for path in before} == {
        path: status.st_mtime_ns for path, status in before.items()
    }


def test_a_second_name_a_link_and_a_file_in_a_trash_cover_no_raw_file(
    index: ImageIndex, library: Path, card: Path, raw: Path
) -> None:
    os.link(raw, library / "linked.CR2")
    os.symlink(raw, library / "followed.CR2")
    (library / ".Trash-1000" / "files").mkdir(parents=True)
    (library / ".Trash-1000" / "files" / "x.CR2").write_bytes(RAW)
    (card / "again").mkdir()
    (card / "again" / "x.CR2").write_bytes(RAW)
    report = cover_folder(index, card, [library])
    assert [photo.status for photo in report.photos if photo.path.endswith("CR2")] == [
        CoverStatus.UNREADABLE,
        CoverStatus.UNREADABLE,
    ]


def test_a_folder_inside_the_library_does_not_cover_its_own_files(
    index: ImageIndex, library: Path
) -> None:
    (library / "card").mkdir()
    for name in ("x.CR2", "again.CR2"):
        (library / "card" / name).write_bytes(RAW)
    assert not cover_folder(index, library / "card", [library]).ok
    (library / "x.CR2").write_bytes(RAW)
    assert cover_folder(index, library / "card", [library]).ok


def test_a_library_inside_the_folder_covers_its_files_but_not_itself_there(
    index: ImageIndex, library: Path
) -> None:
    for folder in (library, library.parent):
        (folder / "x.CR2").write_bytes(RAW)
    report = cover_folder(index, library.parent, [library])
    found = {photo.path: str(photo.status) for photo in report.photos if "CR2" in photo.path}
    assert found == {
        str(library / "x.CR2"): "cannot be compared",
        str(library.parent / "x.CR2"): "same file",
    }


def test_films_are_looked_for_by_their_bytes(index: ImageIndex, library: Path, card: Path) -> None:
    for folder, data in ((card, b"film" * 9), (library, b"film" * 9)):
        (folder / "a.mov").write_bytes(data)
    (card / "b.mov").write_bytes(b"other film")
    report = cover_folder(index, card, [library])
    assert [other.copy for other in report.others] == [str(library / "a.mov"), None]
    assert (report.other_files, report.other_covered, len(report.films)) == (2, 1, 2)
    assert not report.ok
    shutil.copy(card / "b.mov", library / "named otherwise")
    assert cover_folder(index, card, [library]).ok


def test_a_second_name_of_a_film_does_not_cover_it(
    index: ImageIndex, library: Path, card: Path
) -> None:
    (card / "a.mov").write_bytes(b"film")
    os.link(card / "a.mov", library / "a.mov")
    assert not cover_folder(index, card, [library]).ok


def test_other_files_are_counted_and_fail_nothing(index: ImageIndex, card: Path) -> None:
    for name in ("note.txt", "MISC.IND", "a.xmp"):
        (card / name).write_text("neither photo nor film")
    report = cover_folder(index, card)
    assert (report.ok, report.other_files, report.films) == (True, 3, ())


def test_a_folder_with_nothing_to_compare_is_not_covered(index: ImageIndex, library: Path) -> None:
    (library.parent / "empty").mkdir()
    (library.parent / "empty" / "note.txt").write_text("no photo")
    for folders in ((), (library,)):
        report = cover_folder(index, library.parent / "empty", folders)
        assert (report.ok, report.is_empty, report.other_files) == (False, True, 1)


def test_a_library_that_is_not_indexed_is_an_error_whatever_the_folder_holds(
    index: ImageIndex, library: Path, card: Path
) -> None:
    elsewhere = library.parent / "elsewhere"
    elsewhere.mkdir()
    (library.parent / "empty").mkdir()
    for folder in (card, library.parent / "empty"):
        with pytest.raises(FolderNotIndexedError, match="elsewhere"):
            cover_folder(index, folder, [elsewhere])


def test_a_folder_of_which_all_files_are_the_librarys_own_says_so(
    index: ImageIndex, library: Path
) -> None:
    """As where the library is mounted in a second place."""
    again = library.parent / "again"
    again.mkdir()
    for path in library.iterdir():
        os.link(path, again / path.name)
    for folders in ((), (library,)):
        report = cover_folder(index, again, folders)
        assert set(statuses(report).values()) == {"the library's own file"}
        assert "by a link or a mount" in report.photos[0].reason


def test_a_folder_that_the_library_has_through_a_link_says_so(
    index: ImageIndex, library: Path, make_photo: Callable[..., Path]
) -> None:
    album = library.parent / "album"
    make_photo(album / "new.png", seed=99)
    shutil.copy(album / "new.png", album / "twice.png")
    try:
        (library / "linked").symlink_to(album)
    except OSError:
        pytest.skip("this system makes no symbolic links")
    index.sync(library, scan=ScanSettings(follow=True))
    report = cover_folder(index, album, [library])
    assert statuses(report) == {
        "new.png": "the library's own file",
        "twice.png": "the library's own file",
    }


def test_a_library_inside_the_folder_covers_the_rest_of_it_but_not_itself(
    index: ImageIndex, library: Path
) -> None:
    shutil.copy(library / "a.png", library.parent / "loose.png")
    shutil.copy(library / "a.png", library / "twice.png")
    index.sync(library)
    found = statuses(cover_folder(index, library.parent, [library]))
    assert found == {"loose.png": "same file"} | dict.fromkeys(
        ("a.png", "b.png", "c.png", "twice.png"), "the library's own file"
    )


def test_a_photo_that_vanishes_meanwhile_is_not_covered(
    index: ImageIndex, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(root: str, stop: object) -> Inventory:
        found = take_inventory(root)
        (card / "IMG_1.png").unlink()
        return found

    monkeypatch.setattr("mobisearch.cleanup.coverage.take_inventory", take)
    assert statuses(cover_folder(index, card)) == {"IMG_1.png": "cannot be compared"}


def test_stopped_it_says_nothing_of_what_was_not_looked_at(index: ImageIndex, card: Path) -> None:
    stop = threading.Event()
    stop.set()
    report = cover_folder(index, card, stop=stop)
    assert (report.interrupted, report.ok) == (True, False)


def test_stopped_while_copies_are_read_it_reads_no_more_of_them(
    index: ImageIndex, library: Path, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(library / "b.png", card / "IMG_2.png")
    stop = threading.Event()

    def identify_and_stop(path: str) -> FileIdentity:
        stop.set()
        return identify(path)

    monkeypatch.setattr("mobisearch.cleanup.checking.identify", identify_and_stop)
    report = cover_folder(index, card, stop=stop)
    assert set(statuses(report).values()) == {"cannot be compared"}
    assert (report.interrupted, report.ok) == (True, False)


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
        (Relation(Verdict.CROPPED, (Verdict.CROPPED,), first_share=0.5), CoverStatus.OTHER),
        (
            Relation(Verdict.RESIZED, (Verdict.RESIZED,), scale=0.5, detail="stretched"),
            CoverStatus.OTHER,
        ),
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
