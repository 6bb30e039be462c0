"""What a scan finds, leaves, and says that it could not see."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobisearch.imaging import ScannedFile, ScanProblem, ScanSettings, scan_folder
from mobisearch.imaging.system_folders import SKIPPED_FOLDERS

PLAIN = ScanSettings()
EMOJI = "\N{SMILING CAT FACE WITH OPEN MOUTH}"


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(folder: Path, settings: ScanSettings = PLAIN, **options: object) -> list[str]:
    """Return the paths of the files below the folder, and assert that nothing else came up."""
    findings = list(scan_folder(str(folder), settings, **options))  # type: ignore[arg-type]
    assert all(isinstance(finding, ScannedFile) for finding in findings), findings
    return [os.path.relpath(finding.path, folder) for finding in findings]


def problems(folder: Path, settings: ScanSettings = PLAIN) -> list[ScanProblem]:
    findings = scan_folder(str(folder), settings)
    return [finding for finding in findings if isinstance(finding, ScanProblem)]


@pytest.fixture
def link(tmp_path: Path) -> Iterator[object]:
    """A function that makes a symbolic link, where the system lets one."""

    def make_link(path: Path, target: Path | str) -> None:
        try:
            path.symlink_to(target)
        except OSError:
            pytest.skip("this system makes no symbolic links")

    return make_link


def test_files_are_sorted_within_a_folder_and_come_before_the_folders_below(tmp_path: Path) -> None:
    make(tmp_path, "b/2.jpg", "b/1.jpg", "z.jpg", "a.jpg", "B.jpg", "a/9.jpg", "a/b/3.jpg")
    expected = ["B.jpg", "a.jpg", "z.jpg", "a/9.jpg", "a/b/3.jpg", "b/1.jpg", "b/2.jpg"]
    assert found(tmp_path) == [os.path.normpath(path) for path in expected]


def test_only_files_with_a_pictures_ending_are_found_in_any_case(tmp_path: Path) -> None:
    make(tmp_path, "a.JPG", "b.txt", "c", "d.jpg.part", "e.Heic", "jpg", "f.mp4", "g.jpeg~")
    assert found(tmp_path) == ["a.JPG", "e.Heic"]


def test_known_formats_that_are_not_read_are_found_as_unsupported(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "b.CR2", "c.psd", "d.svg")
    findings = [f for f in scan_folder(str(tmp_path)) if isinstance(f, ScannedFile)]
    assert [f.is_supported for f in findings] == [True, False, False, False]


def test_a_file_comes_with_its_stamp(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    os.utime(tmp_path / "a.jpg", ns=(5, 1_234_567_890_123))
    (finding,) = scan_folder(str(tmp_path))
    assert isinstance(finding, ScannedFile)
    assert finding.stamp.size_bytes == 1
    assert finding.stamp.mtime_ns == 1_234_567_890_123
    assert finding.stamp.inode == str((tmp_path / "a.jpg").stat().st_ino)


def test_an_empty_folder_has_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_a_folder_named_like_a_picture_is_entered(tmp_path: Path) -> None:
    make(tmp_path, "album.jpg/a.jpg")
    assert found(tmp_path) == [os.path.join("album.jpg", "a.jpg")]


def test_hidden_files_and_folders_are_left_unless_asked_for(tmp_path: Path) -> None:
    make(tmp_path, ".a.jpg", ".thumbnails/b.jpg", "c.jpg")
    assert found(tmp_path) == ["c.jpg"]
    hidden = found(tmp_path, ScanSettings(hidden=True))
    assert hidden == [".a.jpg", "c.jpg", os.path.join(".thumbnails", "b.jpg")]


def test_a_hidden_folder_that_is_scanned_itself_is_read(tmp_path: Path) -> None:
    make(tmp_path, ".secret/a.jpg")
    assert found(tmp_path / ".secret") == ["a.jpg"]


@pytest.mark.parametrize("name", sorted(SKIPPED_FOLDERS))
def test_folders_of_thumbnails_and_trash_are_left_even_with_hidden_files(
    name: str, tmp_path: Path
) -> None:
    make(tmp_path, f"{name}/a.jpg", f"x/{name.upper()}/b.jpg", "x/c.jpg")
    assert found(tmp_path, ScanSettings(hidden=True)) == [os.path.join("x", "c.jpg")]


@pytest.mark.parametrize("name", [".Trash", ".Trash-1000", ".Trashes", ".local/share/Trash"])
def test_trashes_are_left_even_with_hidden_files(name: str, tmp_path: Path) -> None:
    make(tmp_path, f"{name}/files/a.jpg", f"{name}/info/a.jpg.trashinfo", "x/c.jpg")
    make(tmp_path, ".trash-day.jpg", "Trash/d.jpg")  # a picture, and a folder of people's own
    assert found(tmp_path, ScanSettings(hidden=True)) == [
        ".trash-day.jpg",
        os.path.join("Trash", "d.jpg"),
        os.path.join("x", "c.jpg"),
    ]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.png", ["a.jpg", "private/b.jpg", "x/private/c.jpg", "x/y.jpg"]),
        ("private", ["a.jpg", "a.png", "x/y.jpg"]),
        ("private/", ["a.jpg", "a.png", "x/y.jpg"]),
        ("x/private", ["a.jpg", "a.png", "private/b.jpg", "x/y.jpg"]),
        ("x/private/", ["a.jpg", "a.png", "private/b.jpg", "x/y.jpg"]),
        ("x/*", ["a.jpg", "a.png", "private/b.jpg"]),
        ("?.jpg", ["a.png"]),
        ("[ab].*", ["x/private/c.jpg", "x/y.jpg"]),
        ("", ["a.jpg", "a.png", "private/b.jpg", "x/private/c.jpg", "x/y.jpg"]),
        ("nothing", ["a.jpg", "a.png", "private/b.jpg", "x/private/c.jpg", "x/y.jpg"]),
    ],
)
def test_a_pattern_leaves_out_what_it_matches_by_name_or_by_path(
    pattern: str, left: list[str], tmp_path: Path
) -> None:
    make(tmp_path, "a.jpg", "a.png", "private/b.jpg", "x/private/c.jpg", "x/y.jpg")
    paths = found(tmp_path, ScanSettings(exclude=(pattern,)))
    assert sorted(path.replace(os.sep, "/") for path in paths) == sorted(left)


def test_several_patterns_add_up(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "b.png", "c.gif")
    assert found(tmp_path, ScanSettings(exclude=("*.png", "c*"))) == ["a.jpg"]


def test_an_index_inside_the_folder_is_not_entered(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "index/b.jpg", "x/index/c.jpg", "x/d.jpg")
    paths = found(tmp_path, is_ours=lambda path: os.path.basename(path) == "index")
    assert paths == ["a.jpg", os.path.join("x", "d.jpg")]


# Links


def test_links_are_not_followed_and_are_told(tmp_path: Path, link: object) -> None:
    make(tmp_path, "root/a.jpg", "other/b.jpg", "note.txt")
    root = tmp_path / "root"
    link(root / "to_file.jpg", tmp_path / "other" / "b.jpg")  # type: ignore[operator]
    link(root / "to_folder", tmp_path / "other")  # type: ignore[operator]
    link(root / "to_nothing.jpg", "nowhere")  # type: ignore[operator]
    link(root / "to_text", tmp_path / "note.txt")  # type: ignore[operator]
    findings = problems(root)
    names = [os.path.basename(problem.path) for problem in findings]
    assert names == ["to_file.jpg", "to_folder", "to_nothing.jpg"]  # a link to a text is no loss
    assert {problem.reason for problem in findings} == {"a symbolic link, not followed"}
    assert not any(problem.is_gap for problem in findings)


def test_links_are_followed_when_asked_and_each_folder_is_entered_once(
    tmp_path: Path, link: object
) -> None:
    make(tmp_path, "root/a.jpg", "root/sub/b.jpg", "other/c.jpg")
    root = tmp_path / "root"
    link(root / "file.jpg", tmp_path / "other" / "c.jpg")  # type: ignore[operator]
    link(root / "again", root / "sub")  # type: ignore[operator]
    link(root / "other", tmp_path / "other")  # type: ignore[operator]
    link(root / "sub" / "loop", root)  # type: ignore[operator]
    link(root / "sub" / "self", ".")  # type: ignore[operator]
    paths = found(root, ScanSettings(follow=True))
    assert paths == ["a.jpg", "sub/b.jpg", "file.jpg", "other/c.jpg"]


def test_what_has_a_name_of_its_own_comes_before_all_links(tmp_path: Path, link: object) -> None:
    make(tmp_path, "z/b.jpg", "z.jpg")
    link(tmp_path / "a", "z")  # type: ignore[operator]
    link(tmp_path / "a.jpg", "z.jpg")  # type: ignore[operator]
    assert found(tmp_path, ScanSettings(follow=True)) == ["z.jpg", "z/b.jpg", "a.jpg"]


def test_behind_a_followed_link_to_nowhere_there_may_be_something_another_time(
    tmp_path: Path, link: object
) -> None:
    link(tmp_path / "a.jpg", "nowhere")  # type: ignore[operator]
    link(tmp_path / "drive", "nowhere")  # type: ignore[operator]
    reason = "a link that leads nowhere"
    assert problems(tmp_path, ScanSettings(follow=True)) == [
        ScanProblem(str(tmp_path / "a.jpg"), reason, is_gap=True),
        ScanProblem(str(tmp_path / "drive"), reason, is_gap=True),
    ]


def test_a_link_to_itself_ends_as_a_problem(tmp_path: Path, link: object) -> None:
    link(tmp_path / "a.jpg", "a.jpg")  # type: ignore[operator]
    (problem,) = problems(tmp_path, ScanSettings(follow=True))
    assert problem.path == str(tmp_path / "a.jpg")


# What cannot be seen


def test_a_missing_folder_is_a_gap(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "no")
    assert problem.is_gap
    assert "cannot be read" in problem.reason


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything")
def test_a_folder_without_permission_is_a_gap_and_the_scan_goes_on(tmp_path: Path) -> None:
    make(tmp_path, "a/1.jpg", "b/2.jpg")
    (tmp_path / "a").chmod(0)
    try:
        findings = list(scan_folder(str(tmp_path)))
    finally:
        (tmp_path / "a").chmod(0o700)
    assert [type(finding) for finding in findings] == [ScanProblem, ScannedFile]


def test_a_folder_that_the_system_refuses_is_a_gap_and_the_scan_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a/1.jpg", "b/2.jpg")
    original = os.scandir

    def refuse(path: str) -> object:
        if os.path.basename(path) == "a":
            raise PermissionError(13, "Permission denied")
        return original(path)

    monkeypatch.setattr(os, "scandir", refuse)
    gap, file = scan_folder(str(tmp_path))
    assert gap == ScanProblem(
        str(tmp_path / "a"),
        "the folder cannot be read: Permission denied",
        is_gap=True,
        is_refused=True,
    )
    assert file.path == str(tmp_path / "b" / "2.jpg")


def test_a_folder_that_fails_halfway_is_a_gap_without_findings_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "1.jpg", "2.jpg")
    original = os.scandir

    class Failing:
        def __init__(self, path: str) -> None:
            self.listing = original(path)

        def __enter__(self) -> Iterator[os.DirEntry[str]]:
            yield_one = next(self.listing)

            def entries() -> Iterator[os.DirEntry[str]]:
                yield yield_one
                raise OSError(5, "Input/output error")

            return entries()

        def __exit__(self, *_: object) -> None:
            self.listing.close()

    monkeypatch.setattr(os, "scandir", Failing)
    (problem,) = scan_folder(str(tmp_path))
    assert isinstance(problem, ScanProblem)
    assert problem.is_gap
    assert "Input/output error" in problem.reason


class Entry:
    """Stands for a directory entry whose status cannot be told."""

    def __init__(self, path: str, error: OSError, is_link: bool = False) -> None:
        self.path, self.name = path, os.path.basename(path)
        self.error, self.is_link = error, is_link

    def is_symlink(self) -> bool:
        return self.is_link

    def is_dir(self) -> bool:
        return False

    def stat(self) -> os.stat_result:
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason", "is_gap"),
    [
        (FileNotFoundError(2, "No such file"), "vanished during the scan: No such file", False),
        (PermissionError(13, "Permission denied"), "cannot be looked at: Permission denied", True),
        (OSError(5, "Input/output error"), "cannot be looked at: Input/output error", True),
    ],
)
def test_an_entry_that_cannot_be_looked_at_is_a_problem(
    error: OSError, reason: str, is_gap: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "a.jpg")

    class Listing:
        def __enter__(self) -> list[Entry]:
            return [Entry(path, error)]

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(os, "scandir", lambda _: Listing())
    assert list(scan_folder(str(tmp_path))) == [
        ScanProblem(path, reason, is_gap, is_refused=is_gap)
    ]


# Names


@pytest.mark.parametrize(
    "name",
    [
        "new\nline.jpg",
        "tab\tand\x1b[31mcolour.jpg",
        f"{EMOJI}.jpg",
        "e\u0301.jpg",
        "\u202egpj.jpg",
        " leading and trailing .jpg",
        "quote'\"`$(x).jpg",
        "-rf.jpg",
        "back\\slash.jpg",
        "[a]*?.jpg",
    ],
)
def test_a_strange_name_is_found_as_it_is(name: str, tmp_path: Path) -> None:
    try:
        make(tmp_path, name)
    except OSError:
        pytest.skip("this file system does not take the name")
    assert found(tmp_path) == [name]
    assert found(tmp_path, ScanSettings(exclude=("other*",))) == [name]


def test_a_name_that_is_not_utf8_is_found_and_opens_again(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/folder \xff"
    try:
        os.mkdir(raw)
        with open(raw + b"/caf\xe9.jpg", "wb") as file:
            file.write(b"abc")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    (finding,) = scan_folder(str(tmp_path), ScanSettings(exclude=("x",)))
    assert os.fsencode(finding.path) == raw + b"/caf\xe9.jpg"
    assert os.path.getsize(finding.path) == 3


def test_a_deep_tree_is_walked_without_recursion(tmp_path: Path) -> None:
    path = tmp_path
    for _ in range(150):
        path /= "d"
    make(path, "a.jpg")
    assert len(found(tmp_path)) == 1


def test_a_scan_is_lazy(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "sub/b.jpg")
    scan = scan_folder(str(tmp_path))
    next(scan)
    make(tmp_path, "sub/c.jpg")
    assert [os.path.basename(finding.path) for finding in scan] == ["b.jpg", "c.jpg"]
