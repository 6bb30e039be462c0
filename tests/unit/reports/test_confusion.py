"""The picture of what is taken for what."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobisearch.errors import ReportError
from mobisearch.reports import check_confusion_path, write_confusion
from mobisearch.reports.confusion import draw_confusion


@pytest.mark.parametrize("n", [2, 5, 30, 120])
def test_the_picture_has_room_for_every_class(n: int) -> None:
    matrix = [[9 if row == column else 0 for column in range(n)] for row in range(n)]
    picture = draw_confusion([f"class {number}" for number in range(n)], matrix, title="a title")
    greens = [colour for count, colour in picture.getcolors(1 << 24) if colour[1] > colour[0] + 50]
    assert greens, "right answers are green"
    assert picture.width >= 720
    assert picture.height > 14 * n


def test_wrong_answers_are_of_another_colour_than_right_ones() -> None:
    right = draw_confusion(["a", "b"], [[4, 0], [0, 4]], title="t")
    wrong = draw_confusion(["a", "b"], [[0, 4], [4, 0]], title="t")
    reds = [
        [colour for _, colour in picture.getcolors(1 << 24) if colour[0] > colour[1] + 100]
        for picture in (right, wrong)
    ]
    assert not reds[0]
    assert reds[1]


def test_names_of_any_length_and_script_are_shown() -> None:
    names = ["x" * 300, "Größe 東京 \x1b[31m", ""]
    picture = draw_confusion(names, [[1, 0, 0], [0, 0, 0], [0, 2, 1]], title="y" * 500)
    assert picture.width == 720


def test_an_earlier_picture_is_replaced_and_any_other_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    for title in ("first", "second"):
        write_confusion(path, ["a", "b"], [[1, 0], [0, 1]], title=title)
    assert path.read_bytes().startswith(b"\x89PNG")
    (tmp_path / "mine.png").write_bytes(b"my own")
    for other in (tmp_path / "mine.png", tmp_path / "a.jpg"):
        with pytest.raises(ReportError):
            check_confusion_path(other)
