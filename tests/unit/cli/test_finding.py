"""``mobisearch duplicates`` and ``cover``; what counts as a copy is tested elsewhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mobisearch.cleanup import read_plan
from mobisearch.cli.output import format_bytes

Command = Callable[..., Any]

BY_PATH = ("--keep", "shortest-path")
"""Keeps the one without a file of its own beside it, where the default would not."""


@pytest.fixture
def copied(command: Command, photos: Path) -> Path:
    """The photos, with two byte-identical copies, indexed."""
    (photos / "broken.jpg").unlink()
    (photos / "old").mkdir()
    shutil.copy(photos / "a.png", photos / "old" / "a.png")
    shutil.copy(photos / "a.png", photos / "old" / "a2.png")
    assert command("index", photos).code == 0
    return photos


def test_groups_are_one_json_document(command: Command, copied: Path) -> None:
    done = command("duplicates", "--json")
    assert done.code == 0, done.stderr
    (group,) = done.document["groups"]
    assert group["keep"] == group["images"][0]["path"] == str(copied / "a.png")
    assert (group["images"][0]["verdict"], group["images"][0]["score"]) == ("keep", 1.0)
    assert {image["verdict"] for image in group["images"][1:]} == {"same file"}
    size = (copied / "a.png").stat().st_size
    assert group["reclaimable_bytes"] == done.document["reclaimable_bytes"] == 2 * size
    assert done.document["copies"] == 2


def test_text_has_a_verdict_and_a_reason_for_each_file(command: Command, copied: Path) -> None:
    done = command("duplicates")
    assert "group 1: 3 images" in done.stdout
    assert f"{copied / 'a.png'}\n" in done.stdout
    assert "oldest: was changed" in done.stdout
    assert "1 group with 2 copies among 5 images" in done.stdout


def test_what_a_plan_would_leave_is_marked_and_not_counted(
    command: Command, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copied / "old" / "a2.png.xmp").write_text("5 stars")
    size = (copied / "a.png").stat().st_size
    done = command("duplicates", *BY_PATH)
    lines = done.stdout.splitlines()
    [left] = [number for number, line in enumerate(lines) if "a2.png" in line and "  60x" in line]
    assert "same file, stays" in lines[left]
    assert "it has what the one kept has not" in lines[left + 1]
    assert done.stdout.count("stays") == 2
    assert f"a plan moves 1 of them, {format_bytes(size)} to be freed" in done.stdout
    assert f"group 1: 3 images, {format_bytes(size)} to be freed" in done.stdout
    document = command("duplicates", *BY_PATH, "--json").document
    assert (document["planned_copies"], document["planned_bytes"]) == (1, size)
    assert (document["copies"], document["reclaimable_bytes"]) == (2, 2 * size)
    (group,) = document["groups"]
    assert group["planned_bytes"] == size
    assert [image["planned_action"] for image in group["images"]] == ["none", "trash", "none"]
    assert "it stays" in group["images"][2]["planned_reason"]
    assert "a plan makes links of 2 of them" in command("duplicates", *BY_PATH, "--link").stdout
    done = command("duplicates", *BY_PATH, "--companions", "move", "--plan", "plan.json")
    assert "a plan moves 2 of them and 1 file beside them" in done.stdout
    monkeypatch.setattr("mobisearch.cleanup.trash._top_of", lambda *_: str(copied.parent))
    assert command("apply", "plan.json", "--json").document["done"] == 3


def test_groups_have_the_numbers_of_the_plan_and_no_score_for_people(
    command: Command, copied: Path
) -> None:
    for number in range(9):
        shutil.copy(copied / "b.png", copied / f"b{number}.png")
        (copied / f"b{number}.png.xmp").write_text(f"{number} stars")
    assert command("index", copied).code == 0
    document = command("duplicates", *BY_PATH, "--json").document
    assert len(document["groups"][0]["images"]) == 10, "the largest, of which all stay"
    for options in ([], ["--plan", "plan.json", "--report", "page.html"]):
        lines = command("duplicates", *BY_PATH, *options).stdout.splitlines()
        first, second = (n for n, line in enumerate(lines) if line.startswith("group "))
        assert lines[first].startswith("group 1: 3 images")
        assert lines[first + 1].split()[:2] == ["keep", "60x40"]
        assert lines[second] == "group 2: 10 images, 0 bytes to be freed"
    assert [len(group.files) for group in read_plan("plan.json").groups] == [2, 18]


def test_rules_and_protected_folders_choose_what_is_kept(command: Command, copied: Path) -> None:
    rule = f"path:{copied / 'old'}"
    done = command("duplicates", "--json", "--keep", f"{rule}, shortest-path")
    assert done.document["groups"][0]["keep"] == str(copied / "old" / "a.png")
    done = command("duplicates", "--json", "--protect", copied / "old")
    (group,) = done.document["groups"]
    assert group["keep"] == str(copied / "old" / "a.png")
    assert [image["protected"] for image in group["images"]].count(True) == 2
    assert group["reclaimable_bytes"] == (copied / "a.png").stat().st_size


def test_scopes(command: Command, copied: Path) -> None:
    old = copied / "old"
    (group,) = command("duplicates", old, "--within", "--json").document["groups"]
    assert len(group["images"]) == 2
    (group,) = command("duplicates", old, "--new", "--json").document["groups"]
    assert group["keep"] == str(copied / "a.png")
    assert command("duplicates", old, "--across", "--json").code == 2
    assert command("duplicates", "nowhere").code == 66


@pytest.mark.parametrize(
    "options",
    [
        ("--new", "--within"),
        ("--across", "--new"),
        ("--within", "--across"),
        ("--new", "--across", "--within"),
    ],
)
def test_scopes_that_contradict_one_another_are_refused(
    command: Command, copied: Path, options: tuple[str, ...]
) -> None:
    done = command("duplicates", copied, copied / "old", *options)
    assert done.code == 2
    assert all(option in done.stderr for option in options)
    assert "exclude one another" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--keep", "biggest"),
        ("--keep", ""),
        ("--keep", "largest,"),
        ("--keep", "largest,,oldest"),
        ("--keep", "format:xyz"),
        ("--wrong-groups", "0"),
        ("--wrong-groups", "1e308"),
        ("--wrong-groups", "1000001"),
        ("--explain=plot.jpg",),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_work(
    command: Command, copied: Path, words: tuple[str, ...]
) -> None:
    assert command("duplicates", *words).code == 2


def test_a_plan_and_a_page_are_written_and_no_other_file_is_replaced(
    command: Command, copied: Path
) -> None:
    done = command("duplicates", "--plan", "plan.json", "--report", "page.html")
    assert done.code == 0
    plan = read_plan("plan.json")
    assert [len(group.files) for group in plan.groups] == [2]
    assert "Copies to review" in Path("page.html").read_text(encoding="utf-8")
    shutil.copy(copied / "b.png", "b.png")
    for option in ("--plan", "--report"):
        assert command("duplicates", option, "b.png").code == 73
    assert Path("b.png").read_bytes() == (copied / "b.png").read_bytes()


@pytest.mark.parametrize("is_emptied", [False, True])
def test_of_a_folder_that_is_not_available_it_is_told_and_nothing_is_planned(
    command: Command, copied: Path, is_emptied: bool
) -> None:
    drive = copied.parent / "drive"
    drive.mkdir()
    shutil.copy(copied / "a.png", drive / "a.png")
    shutil.copy(copied / "b.png", drive / "b.png")
    assert command("index", drive).code == 0
    assert command("duplicates", "--json", "--keep", f"path:{drive}").document["unavailable"] == []
    drive.rename(copied.parent / "away")
    if is_emptied:
        drive.mkdir()
        (drive / ".marker").touch()
    done = command("duplicates", "--keep", f"path:{copied}", "--plan", "plan.json")
    assert done.code == 1
    [line] = [line for line in done.stderr.splitlines() if "not available: " in line]
    assert line.startswith(f"not available: {drive}: ")
    assert "taken as they were last seen" in line
    files = {file.path: file for group in read_plan("plan.json").groups for file in group.files}
    for name in ("a.png", "b.png"):
        file = files[str(drive / name)]
        assert (file.action, "its folder is not available" in file.reason) == ("none", True)
    assert files[str(copied / "old" / "a.png")].action == "trash"
    assert "a plan moves 2 of them" in done.stdout
    done = command("duplicates", "--keep", f"path:{drive}", "--json")
    assert (done.code, done.document["planned_copies"]) == (1, 0)
    assert [text.split(":")[0] for text in done.document["unavailable"]] == [str(drive)]
    assert command("duplicates", copied).code == 0, "the other folder was not asked about"


def test_what_was_decided_to_stay_is_hidden_until_a_copy_joins(
    command: Command, copied: Path
) -> None:
    command("decide", "keep", copied / "a.png")
    done = command("duplicates", "--json")
    assert (done.document["groups"], done.document["hidden"]) == ([], 1)
    (copied / "old" / "a2.png").rename(copied / "moved.png")
    assert command("index", copied).code == 0
    assert command("duplicates", "--json").document["hidden"] == 1
    shutil.copy(copied / "a.png", copied / "joined.png")
    assert command("index", copied).code == 0
    done = command("duplicates", "--json")
    assert (len(done.document["groups"]), done.document["hidden"]) == (1, 0)
    assert done.document["planned_copies"] == 0, "which of them joined, nobody can tell"
    reasons = {image["planned_reason"] for image in done.document["groups"][0]["images"][1:]}
    assert all("decisions --forget 1" in reason for reason in reasons), reasons


def test_what_a_score_means_is_told_and_drawn(command: Command, copied: Path) -> None:
    done = command("duplicates", "--explain")
    assert "copies are grouped from" in done.stdout
    assert command("duplicates", "--explain=curve.png").code == 0
    assert command("duplicates", "--explain=curve.png").code == 0
    with Image.open("curve.png") as picture:
        assert picture.size == (1200, 780)
    document = command("duplicates", "--explain", "--json").document
    assert "accepted_score" in document["curve"]
    json.dumps(document, allow_nan=False)


def test_where_no_two_images_are_alike_nothing_is_said_of_pairs_left_out(
    command: Command, photos: Path
) -> None:
    for name in ("b.png", "c.png"):
        (photos / name).unlink()
    command("index", photos)
    done = command("duplicates")
    assert (done.code, done.stderr) == (0, "")
    assert command("duplicates", "--json").document["completeness"] == 1


def test_cover_says_what_a_library_lacks(
    command: Command, copied: Path, make_photo: Callable[..., Path]
) -> None:
    card = copied.parent / "card"
    card.mkdir()
    shutil.copy(copied / "b.png", card / "IMG_1.png")
    done = command("cover", card)
    assert (done.code, done.stdout) == (0, "1 of 1 photo is covered: 1 same file\n")
    make_photo(card / "new.png", seed=77)
    done = command("cover", card, "--by", copied, "--json")
    assert done.code == 1
    assert done.document["counts"] == {"not in library": 1, "same file": 1}
    assert {image["status"]: image["covered"] for image in done.document["images"]} == {
        "same file": True,
        "not in library": False,
    }
    assert command("cover", card / "nowhere").code == 66


def test_cover_names_what_it_did_not_compare(command: Command, copied: Path) -> None:
    card = copied.parent / "card"
    (card / "@eaDir").mkdir(parents=True)
    shutil.copy(copied / "b.png", card / ".hidden")
    shutil.copy(copied / "a.png", card / "@eaDir" / "b.png")
    for n in range(12):
        (card / f"note{n:02}.txt").write_bytes(b"text")
    inside = "1 picture in folders of trash and thumbnails was not compared"
    done = command("cover", card)
    assert done.code == 0
    assert done.stdout == f"1 of 1 photo is covered: 1 same file\n{inside}: {card / '@eaDir'}\n"
    assert (
        "12 other files in the folder, no photos and no films, were not compared, and"
        in done.stderr
    )
    assert "--all names them" in done.stderr
    done = command("cover", card, "--all")
    assert f"not compared             {card / 'note11.txt'}  (not a picture)\n" in done.stdout
    assert f"{card / '@eaDir'}  (trash, thumbnails or a system's own, 1 picture)\n" in done.stdout
    assert f"same file                {card / '.hidden'}  <- {copied / 'b.png'}\n" in done.stdout
    document = command("cover", card, "--json").document
    assert (document["other_files"], document["other_pictures"]) == (12, 1)
    assert len(document["others"]) == 10
    others = command("cover", card, "--json", "--all").document["others"]
    assert len(others) == 13
    assert others[0] == {
        "path": str(card / "@eaDir"),
        "reason": "trash, thumbnails or a system's own",
        "is_folder": True,
        "is_film": False,
        "pictures": 1,
        "copy": None,
    }


def test_cover_knows_raw_files_and_films_by_their_bytes(command: Command, copied: Path) -> None:
    card = copied.parent / "card"
    card.mkdir()
    for folder in (card, copied):
        (folder / f"in {folder.name}.cr2").write_bytes(b"raw" * 1000)
        (folder / f"in {folder.name}.mov").write_bytes(b"film" * 1000)
    done = command("cover", card, "--by", copied, "--all")
    assert done.code == 0
    assert f"{card / 'in card.cr2'}  <- {copied / 'in photos.cr2'}\n" in done.stdout
    assert f"{card / 'in card.mov'}  <- {copied / 'in photos.mov'}\n" in done.stdout
    assert "1 of 1 photo is covered: 1 same file" in done.stdout
    assert "1 of 1 film or sound file is covered by a file of the same bytes" in done.stdout
    document = command("cover", card, "--by", copied, "--json").document
    assert (document["covered"], document["other_files"], document["other_covered"]) == (1, 1, 1)
    assert document["others"][0]["copy"] == str(copied / "in photos.mov")
    (copied / "in photos.cr2").write_bytes(b"row" * 1000)
    assert command("cover", card, "--by", copied).code == 1


@pytest.mark.parametrize("film", ["IMG_1.MOV", "deep/a.mp4", ".hidden.3gp", "note.wav"])
def test_cover_fails_by_name_for_a_film_that_the_library_lacks(
    command: Command, copied: Path, film: str
) -> None:
    card = copied.parent / "card"
    (card / film).parent.mkdir(parents=True)
    shutil.copy(copied / "b.png", card / "IMG_1.png")
    (card / film).write_bytes(b"what was filmed")
    (copied / "other.mov").write_bytes(b"another of 15 b")
    done = command("cover", card, "--by", copied)
    assert done.code == 1
    assert f"not in library           {card / film}  (a film or a sound file; " in done.stdout
    assert "1 of 1 photo is covered: 1 same file\n" in done.stdout
    assert "0 of 1 film or sound file is covered" in done.stdout
    done = command("cover", card, "--by", copied, "--json")
    assert (done.code, done.document["covered"], done.document["films"]) == (1, 1, 1)
    assert done.document["films_lacked"] == [{"path": str(card / film)}]
    assert (done.document["films_covered"], done.document["others"][0]["is_film"]) == (0, True)
    (copied / "other.mov").write_bytes(b"what was filmed")
    assert command("cover", card, "--by", copied).code == 0


def test_cover_of_nothing_but_films_is_about_those(command: Command, copied: Path) -> None:
    card = copied.parent / "card"
    card.mkdir()
    for folder in (card, copied):
        (folder / "a.mov").write_bytes(b"film")
    done = command("cover", card, "--by", copied)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout == "1 of 1 film or sound file is covered by a file of the same bytes\n"


@pytest.mark.parametrize("others", [[], ["note.txt", "DCIM/index.dat"], [".Trash-1000/a.png"]])
def test_cover_of_a_folder_without_photos_and_films_finds_its_input_missing(
    command: Command, copied: Path, others: list[str]
) -> None:
    card = copied.parent / "card"
    card.mkdir()
    for name in others:
        (card / name).parent.mkdir(exist_ok=True)
        shutil.copy(copied / "a.png", card / name) if "png" in name else (card / name).touch()
    done = command("cover", card, "--by", copied)
    assert done.code == 66
    assert done.stdout.startswith("no photos and no films: there was nothing to compare; is it")
    done = command("cover", card, "--json")
    assert done.code == 66
    assert "no photos and no films: there was nothing to compare" in done.stderr
    assert (done.document["photos"], done.document["films"], done.document["images"]) == (0, 0, [])


def test_cover_names_a_folder_that_cannot_be_read(
    command: Command, copied: Path, closed_folders: None
) -> None:
    card = copied.parent / "card"
    (card / "closed").mkdir(parents=True)
    shutil.copy(copied / "b.png", card / "IMG_1.png")
    done = command("cover", card)
    reason = "the folder cannot be read: Permission denied"
    assert done.code == 1
    assert f"cannot be compared       {card / 'closed'}  ({reason})\n" in done.stdout
    assert "1 of 2 photos are covered: 1 cannot be compared, 1 same file" in done.stdout
    done = command("cover", card, "--json")
    assert done.code == 1
    (closed,) = [image for image in done.document["images"] if not image["covered"]]
    assert (closed["path"], closed["status"]) == (str(card / "closed"), "cannot be compared")
    assert closed["reason"] == reason
