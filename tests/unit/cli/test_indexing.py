"""``mobisearch index``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mobisearch import ImageIndex

Command = Callable[..., Any]

CONTRACT = {"added", "updated", "moved", "unchanged", "missing", "failed", "seconds"}
"""What other programs rely on."""


def test_the_document_has_the_fields_of_the_contract(command: Command, photos: Path) -> None:
    done = command("index", photos, "--json")
    document = done.document
    assert done.code == 1
    assert set(document) >= CONTRACT
    assert (document["added"], document["failed"], document["images"]) == (3, 1, 3)
    for name in CONTRACT - {"seconds"}:
        assert type(document[name]) is int
    assert isinstance(document["seconds"], float)
    assert document["failures"] == [
        {
            "path": str(photos / "broken.jpg"),
            "code": "truncated",
            "reason": document["failures"][0]["reason"],
        }
    ]
    assert document["warnings"] == []
    names = ("added", "updated", "moved", "returned", "unchanged", "failed")
    assert sum(document[name] for name in names) == 4


def test_one_of_a_kind_is_not_told_as_many(command: Command, photos: Path) -> None:
    for path in photos.iterdir():
        if path.name != "a.png":
            path.unlink()
    os.link(photos / "a.png", photos / "linked.png")
    done = command("index", photos)
    second = "1 second name of a file (such as a hard link)"
    assert done.stdout.startswith(f"1 added, 0 unchanged, {second}, 0 failed in ")
    assert done.stdout.endswith("; the index holds 1 image\n")


def test_a_summary_and_the_failures_are_shown_to_people(command: Command, photos: Path) -> None:
    done = command("index", photos)
    assert done.code == 1
    assert done.stdout.startswith("3 added, 0 unchanged, 1 failed in ")
    assert done.stdout.endswith("; the index holds 3 images\n")
    assert done.stdout.count("\n") == 1
    assert f"failed: {photos / 'broken.jpg'}: " in done.stderr
    again = command("index", photos)
    assert "0 added, 3 unchanged, 1 failed" in again.stdout
    assert again.code == 1


def test_without_failures_the_exit_code_is_zero_and_nothing_else_is_said(
    command: Command, photos: Path
) -> None:
    (photos / "broken.jpg").unlink()
    done = command("index", photos)
    assert (done.code, done.stderr) == (0, "")


def test_the_index_is_made_where_it_is_wanted(
    command: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("index", photos)
    assert (Path("indexes") / "default" / "mobisearch.db").is_file()
    command("index", photos, "--index", tmp_path / "chosen")
    assert (tmp_path / "chosen" / "mobisearch.db").is_file()
    monkeypatch.setenv("MOBISEARCH_INDEX", str(tmp_path / "from the environment"))
    command("index", photos)
    assert (tmp_path / "from the environment" / "mobisearch.db").is_file()
    assert command("status", "--json").document["path"] == str(tmp_path / "from the environment")


def test_a_folder_that_does_not_exist_makes_no_index(command: Command, photos: Path) -> None:
    done = command("index", "nowhere")
    assert done.code == 66
    assert done.stdout == ""
    assert "there is no such folder" in done.stderr
    assert not Path("indexes").exists()


def test_one_folder_of_several_that_does_not_exist_does_not_stop_the_others(
    command: Command, photos: Path
) -> None:
    done = command("index", photos, "nowhere", "--json")
    assert done.code == 66
    assert done.document["added"] == 3
    assert done.document["unavailable"] == [
        f"{Path('nowhere').absolute()}: there is no such folder"
    ]
    assert "not available, left as it is in the index: " in done.stderr


def test_without_a_folder_all_that_are_known_are_brought_up_to_date(
    command: Command, photos: Path
) -> None:
    missing = command("index")
    assert missing.code == 66
    assert "there is no index here" in missing.stderr
    assert not Path("indexes").exists()
    command("index", photos)
    (photos / "a.png").unlink()
    done = command("index", "--json")
    assert (done.code, done.document["missing"], done.document["unchanged"]) == (1, 1, 2)
    command("remove", photos)
    done = command("index")
    assert done.code == 2
    assert "the index has no folders yet: name one" in done.stderr


def test_what_is_left_out_is_remembered_until_it_is_given_again(
    command: Command, photos: Path
) -> None:
    (photos / ".hidden.png").write_bytes((photos / "a.png").read_bytes() + b"x")
    command("index", photos, "--hidden", "--exclude", "b*")
    assert command("status", "--json").document["images"] == 3
    assert command("index", photos, "--json").document["images"] == 3
    assert command("index", "--json").document["missing"] == 0
    assert command("index", photos, "--no-hidden", "--json").document["images"] == 3
    assert command("index", "--json").document["missing"] == 1


def test_a_folder_that_cannot_be_read_is_told_and_what_was_in_it_stays(
    command: Command,
    photos: Path,
    make_photo: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (photos / "broken.jpg").unlink()
    make_photo(photos / "closed" / "d.png", seed=4)
    assert command("index", photos).code == 0
    scan = os.scandir

    def refuse(path: str) -> object:
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    reason = "the folder cannot be read: Permission denied"
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        done = command("index", photos, "--prune", "--json")
        assert done.code == 1
        assert done.document["unreadable"] == [
            {"path": str(photos / "closed"), "code": "unreadable", "reason": reason}
        ]
        assert (done.document["failed"], done.document["images"]) == (0, 4)
        assert done.stderr.count(reason) == 1
    assert command("index", photos).code == 0


def test_an_emptied_folder_is_unavailable(command: Command, photos: Path) -> None:
    command("index", photos)
    for path in photos.iterdir():
        path.unlink()
    done = command("index", photos, "--prune")
    assert done.code == 66
    assert "mount it and try again" in done.stderr
    assert command("status", "--json").document["images"] == 3


def test_pruning_forgets_what_is_gone(command: Command, photos: Path) -> None:
    command("index", photos)
    (photos / "a.png").unlink()
    document = command("index", photos, "--json").document
    assert (document["missing"], document["pruned"]) == (1, 0)
    document = command("index", photos, "--json", "--prune").document
    assert (document["missing"], document["pruned"]) == (0, 1)


def test_what_is_excluded_or_hidden_is_left_out(
    command: Command, photos: Path, make_photo: Callable[..., Path]
) -> None:
    make_photo(photos / ".hidden.png", seed=9)
    done = command("index", photos, "--exclude", "*.jpg", "--exclude", "a.*", "--json")
    assert (done.code, done.document["added"]) == (0, 2)
    assert command("index", photos, "--hidden", "--json").document["added"] == 2


def test_links_are_followed_when_asked(
    command: Command, photos: Path, tmp_path: Path, make_photo: Callable[..., Path]
) -> None:
    make_photo(tmp_path / "elsewhere" / "x.png", seed=9)
    (photos / "link").symlink_to(tmp_path / "elsewhere")
    done = command("index", photos)
    assert f"note: {photos / 'link'}: a symbolic link, not followed" in done.stderr
    assert command("index", photos, "--follow", "--json").document["added"] == 1


def test_exact_decoding_reaches_the_decoder(
    command: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mobisearch import Embedder

    seen: set[bool] = set()
    probe = Embedder.probe

    def noted(embedder: Embedder) -> object:
        seen.add(embedder.settings.exact)
        return probe(embedder)

    monkeypatch.setattr(Embedder, "probe", noted)
    command("index", photos, "--exact")
    assert seen == {True}
    (photos / "a.png").write_bytes((photos / "b.png").read_bytes() + b"more")
    command("index", photos, "--exact")
    assert seen == {True}
    (photos / "a.png").write_bytes((photos / "b.png").read_bytes() + b"still more")
    command("index", photos)
    assert seen == {True, False}


def test_many_notes_and_failures_are_cut_short(
    command: Command, photos: Path, tmp_path: Path
) -> None:
    for number in range(15):
        (photos / f"{number}.jpg").write_bytes(b"ruined")
        (photos / f"link {number}.jpg").symlink_to(photos / "a.png")
    done = command("index", photos, "--index", tmp_path / "i n d e x")
    assert done.stderr.count("failed: ") == 10
    assert done.stderr.count("a symbolic link") == 10
    assert "note: and 5 more like these" in done.stderr
    assert (
        "16 files cannot be indexed (15 unsupported, 1 truncated); list them with: "
        "mobisearch errors" in done.stderr
    )


def test_names_cannot_act_on_the_terminal_and_json_keeps_their_bytes(
    command: Command, photos: Path
) -> None:
    name = b"\x1b[31mred \xff\n.jpg"
    with open(os.path.join(os.fsencode(photos), name), "wb") as file:
        file.write(b"ruined")
    (photos / "link \x1b[0m.jpg").symlink_to(photos / "a.png")
    done = command("index", photos)
    assert "\x1b" not in done.stdout + done.stderr
    assert r"\x1b[31mred \xff\n.jpg" in done.stderr
    done = command("errors", "--json")
    done.stdout.encode("ascii")
    [entry] = [entry for entry in done.document if "path_b64" in entry]
    import base64

    assert base64.b64decode(entry["path_b64"]) == os.path.join(os.fsencode(photos), name)
    done = command("index", photos, "--json")
    assert "\x1b" not in "".join(done.document["warnings"])


def test_an_index_that_is_being_written_is_locked(command: Command, photos: Path) -> None:
    command("index", photos)
    index = ImageIndex.open("indexes/default")
    with index._layout.writer_lock():
        done = command("index", photos)
    index.close()
    assert done.code == 75
    assert f"process {os.getpid()}" in done.stderr
    assert "try again" in done.stderr


def test_a_place_that_holds_other_files_is_left_alone(command: Command, photos: Path) -> None:
    done = command("index", photos, "--index", photos)
    assert done.code == 73
    assert "holds other files" in done.stderr
    assert sorted(os.listdir(photos)) == ["a.png", "b.png", "broken.jpg", "c.png"]


def test_a_folder_without_images_is_said_to_be_one(command: Command, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    done = command("index", tmp_path / "nothing")
    assert done.code == 0
    assert "no images were found" in done.stderr
