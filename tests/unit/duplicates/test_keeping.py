"""Which of several copies is kept, and why."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from mobisearch.duplicates import ALL_RULES, CompanionFinder, choose_keeper, parse_rules
from mobisearch.duplicates.alterations import Alterations
from mobisearch.errors import UnknownKeepRuleError
from mobisearch.types import ImageRecord


def image(number: int, path: str | None = None, **values: Any) -> ImageRecord:
    known: dict[str, Any] = {
        "width": 100,
        "height": 100,
        "size_bytes": 1000,
        "mtime_ns": 10**18,
        "sha256": f"{number:064x}",
        "format": "JPEG",
        **values,
    }
    return ImageRecord(id=number, path=path or f"/photos/{number}.jpg", **known)


def kept(images: list[ImageRecord], *rules: str, protected: tuple[str, ...] = ()) -> int:
    """Return the id of what is kept; the same in whatever order the images come."""
    chosen = {
        order[choose_keeper(order, rules, protected).keeper].id
        for order in map(list, itertools.permutations(images))
    }
    assert len(chosen) == 1
    return chosen.pop()


@pytest.mark.parametrize(
    ("rule", "better", "worse"),
    [
        ("largest", {"width": 101}, {}),
        ("largest", {"width": 10, "height": 10}, {"is_truncated": True}),
        ("smallest", {"size_bytes": 999}, {}),
        ("lossless", {"format": "PNG"}, {}),
        ("format:heic", {"format": "HEIF"}, {}),
        ("format:jpg", {}, {"format": "PNG"}),
        ("richest", {"taken_at": "2020-01-01T00:00:00", "latitude": 1.0}, {"camera": "Leica"}),
        ("oldest", {"taken_at": "2019-01-01T00:00:00"}, {"taken_at": "2020-01-01T00:00:00"}),
        ("oldest", {"taken_at": "2019-01-01T00:00:00"}, {"mtime_ns": 0}),
        ("oldest", {"mtime_ns": 1}, {"mtime_ns": 2}),
        ("newest", {"taken_at": "2020-01-01T00:00:00"}, {"taken_at": "2019-12-31T00:00:00"}),
        ("newest", {"mtime_ns": 2}, {"mtime_ns": 1}),
        ("shortest-path", {"path": "/a/b.jpg"}, {"path": "/a/b/c.jpg"}),
        ("shortest-path", {"path": "/a/b.jpg"}, {"path": "/a/bb.jpg"}),
        ("path:/archive", {"path": "/archive/x/z.jpg"}, {"path": "/archive2/a.jpg"}),
    ],
)
def test_each_rule_prefers_what_it_says(
    rule: str, better: dict[str, Any], worse: dict[str, Any]
) -> None:
    images = [image(2, **better), image(1, **worse)]
    assert kept(images, rule) == 2
    choice = choose_keeper(images, (rule,))
    name = rule.partition(":")[0]
    assert choice.reason.startswith(name)
    assert choice.reasons[0] == choice.reason
    assert choice.reasons[1].startswith(name)


def test_an_image_with_a_raw_beside_it_is_kept(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "b.NEF"):
        (tmp_path / name).write_bytes(b"")
    images = [image(1, str(tmp_path / "a.jpg")), image(2, str(tmp_path / "b.jpg"))]
    assert kept(images, "raw") == 2
    assert "has no RAW beside it" in choose_keeper(images, ("raw",)).reasons[0]


def test_the_first_rule_that_tells_two_apart_decides() -> None:
    small_old = image(1, width=50, taken_at="2001-01-01T00:00:00")
    large_new = image(2, taken_at="2011-01-01T00:00:00")
    assert kept([small_old, large_new], "largest", "oldest") == 2
    assert kept([small_old, large_new], "oldest", "largest") == 1


def test_a_protected_image_is_kept_whatever_the_rules_say() -> None:
    images = [image(1, "/keep/a.jpg", width=1), image(2), image(3)]
    assert kept(images, "largest", protected=("/keep",)) == 1
    assert choose_keeper(images, ("largest",), ("/keep",)).reason == "protected: is protected"
    both = [image(1, "/keep/a.jpg", width=1), image(2, "/keep/b.jpg")]
    assert kept(both, "largest", protected=("/keep",)) == 2


def test_what_no_rule_tells_apart_is_told_apart_by_path() -> None:
    images = [image(1, "/photos/b.jpg"), image(2, "/photos/a.jpg"), image(3, "/photos/A.jpg")]
    assert kept(images, "largest") == 3
    assert kept(images) == 3
    assert "nothing tells it" in choose_keeper(images, ()).reasons[0]


@pytest.mark.parametrize("rule", ["biggest", "", "path:", "format:", "path", "largest:2"])
def test_a_rule_that_does_not_exist_is_refused(rule: str) -> None:
    with pytest.raises(UnknownKeepRuleError) as caught:
        parse_rules([rule])
    assert caught.value.known == ALL_RULES


def test_a_format_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(UnknownKeepRuleError, match="'xyz'; choose among: JPEG, PNG") as caught:
        parse_rules(["largest", "format:xyz"])
    assert "HEIF" in caught.value.known
    parse_rules(["format:heic", "format:JPG", "format:tif", "format:jp2", "format:webp"])


def test_choosing_among_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        choose_keeper([])


def test_a_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    real = tmp_path.resolve()
    images = [image(1, f"{real}/Archive/a.jpg", width=1), image(2)]
    assert kept(images, "path:~/Archive") == 1


def test_of_copies_without_a_raw_the_one_with_a_sidecar_is_kept(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.jpg", "2.xmp"):
        (tmp_path / name).touch()
    images = [image(1, f"{tmp_path}/1.jpg"), image(2, f"{tmp_path}/2.jpg")]
    assert kept(images, "raw") == 2
    assert "has a file of its own beside it" in choose_keeper(images, ("raw",)).reasons[0]


def test_a_finder_that_is_passed_is_the_one_that_is_asked() -> None:
    class Finder(CompanionFinder):
        def has_raw(self, path: str) -> bool:
            return path.endswith("2.jpg")

    images = [image(1), image(2)]
    assert choose_keeper(images, ("raw",), finder=Finder()).keeper == 1


def test_what_is_around_a_picture_does_not_make_it_larger() -> None:
    plain, bordered = image(1, width=100), image(2, width=120)
    assert kept([plain, bordered], "largest") == 2
    choice = choose_keeper([plain, bordered], ["largest"], done=Alterations(frozenset({2})))
    assert choice.keeper == 0
    assert "around the picture" in choice.reasons[1]


def test_what_was_made_from_another_is_not_kept_however_large_it_is() -> None:
    colours, grey = image(1, width=100), image(2, width=200)
    done = Alterations(made={2: "is grey, another is in colours"})
    choice = choose_keeper([colours, grey], done=done)
    assert choice.keeper == 0
    assert choice.reasons[1].startswith("original: is grey, another is in colours")
    assert choose_keeper([colours, grey], ["largest"], done=done).keeper == 1


def test_noise_does_not_make_a_file_finer() -> None:
    calm, noisy = image(1, size_bytes=1_000), image(2, size_bytes=5_000)
    assert (
        choose_keeper([calm, noisy], ["finest"], done=Alterations(noisy=frozenset({2}))).keeper == 0
    )


def test_files_without_loss_are_the_finest_and_none_finer_than_another() -> None:
    jpeg = image(1, size_bytes=9_000)
    png, tiff = image(2, format="PNG", size_bytes=8_000), image(3, format="TIFF", size_bytes=30_000)
    assert kept([jpeg, png], "finest") == 2
    assert kept([png, tiff], "finest", "smallest") == 2
