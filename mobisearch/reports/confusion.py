"""The picture of what a classifier takes for what."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from mobisearch.reports.fonts import choose_font
from mobisearch.reports.saving import PictureKind, check_picture_path, save_picture
from mobisearch.text import printable

PLOT = PictureKind("confusion matrix", (".png",))

_GROUND, _INK, _FAINT, _GRID = "#ffffff", "#1c1c1c", "#5f6368", "#dadce0"
_RIGHT, _WRONG = (20, 108, 46), (179, 38, 30)
"""What cells darken to: on the diagonal, and elsewhere."""

_MARGIN_PX, _HEAD_PX, _FOOT_PX = 40, 110, 40
_NAME_PX = 220
"""Room for the names of classes, at most."""

_CELLS_PX, _MIN_CELL_PX, _MAX_CELL_PX = 720, 14, 72
_MIN_WIDTH_PX = 720
_MIN_NUMBER_PX = 22
"""Cells that are smaller say nothing in figures."""


def check_confusion_path(path: str | os.PathLike[str]) -> Path:
    """Return where a picture would be written.

    Raises:
        ReportError: it is another kind of file, or one that is no such picture.
    """
    return check_picture_path(path, PLOT)


def write_confusion(
    path: str | os.PathLike[str],
    classes: Sequence[str],
    confusion: Sequence[Sequence[int]],
    *,
    title: str,
) -> None:
    """Draw how many images of each class (rows) were taken for each (columns), as PNG.

    The file appears whole or not at all. An earlier one is replaced; any other file of that name is
    left alone.

    Raises:
        ReportError: another kind of file, in the way, or not writable.
    """
    target = check_confusion_path(path)
    save_picture(draw_confusion(classes, confusion, title=title), target, PLOT)


def draw_confusion(
    classes: Sequence[str], confusion: Sequence[Sequence[int]], *, title: str
) -> Image.Image:
    """Return the picture; its size depends on the number of classes."""
    return _Drawing(classes, confusion, title).picture


class _Drawing:
    """A square of cells, names at its left and, turned, above it."""

    def __init__(
        self, classes: Sequence[str], confusion: Sequence[Sequence[int]], title: str
    ) -> None:
        n = len(classes)
        self._classes, self._confusion = classes, confusion
        self._cell = min(_MAX_CELL_PX, max(_MIN_CELL_PX, _CELLS_PX // n))
        self._name_size = min(18, max(10, self._cell - 3))
        self._name_px = min(_NAME_PX, max(map(self._measure, classes)) + 2)
        self._left = _MARGIN_PX + 12 + self._name_px
        self._top = _HEAD_PX + 12 + self._name_px
        side = n * self._cell
        width = max(_MIN_WIDTH_PX, self._left + side + _MARGIN_PX)
        self._side = side
        self.picture = Image.new("RGB", (width, self._top + side + _FOOT_PX), _GROUND)
        self._pen = ImageDraw.Draw(self.picture)
        self._write((_MARGIN_PX, 38), title, _INK, 26, width_px=width - 2 * _MARGIN_PX)
        explained = "rows: what it is; columns: what it was taken for; figures: images held back"
        self._write((_MARGIN_PX, 74), explained, _FAINT, 17, width_px=width - 2 * _MARGIN_PX)
        self._draw_names()
        self._draw_cells()

    def _measure(self, name: str) -> int:
        shown, font = choose_font(printable(name), self._name_size)
        return math.ceil(font.getlength(shown))

    def _draw_names(self) -> None:
        size = self._name_size
        for number, name in enumerate(self._classes):
            middle = (number + 0.5) * self._cell
            place = (self._left - 12, self._top + middle)
            self._write(place, name, _INK, size, anchor="rm", width_px=self._name_px)
            self._write_upward((self._left + middle, self._top - 12), name, size)

    def _draw_cells(self) -> None:
        size = max(10, round(self._cell * 0.36))
        for row, counts in enumerate(self._confusion):
            total = sum(counts)
            for column, count in enumerate(counts):
                share = count / total if total else 0.0
                x, y = self._left + column * self._cell, self._top + row * self._cell
                deep = _RIGHT if row == column else _WRONG
                fill = _mixed(deep, 0.0 if not count else 0.12 + 0.88 * share)
                self._pen.rectangle((x, y, x + self._cell, y + self._cell), fill=fill)
                if count and self._cell >= _MIN_NUMBER_PX:
                    ink = _GROUND if share > 0.45 else _INK
                    middle = (x + self._cell / 2, y + self._cell / 2)
                    self._write(middle, f"{count:,}", ink, size, anchor="mm")
        for n in range(len(self._classes) + 1):
            x, y = self._left + n * self._cell, self._top + n * self._cell
            self._pen.line((x, self._top, x, self._top + self._side), fill=_GRID)
            self._pen.line((self._left, y, self._left + self._side, y), fill=_GRID)

    def _write_upward(self, place: tuple[float, float], text: str, size_px: int) -> None:
        """Write a text from below to above, its beginning at a place."""
        height = 2 * size_px
        strip = Image.new("RGB", (self._name_px, height), _GROUND)
        pen, self._pen = self._pen, ImageDraw.Draw(strip)
        self._write((0, height / 2), text, _INK, size_px, width_px=self._name_px)
        self._pen = pen
        turned = strip.transpose(Image.Transpose.ROTATE_90)
        cut = turned.crop((height // 2 - self._cell // 2, 0, height // 2 + self._cell // 2, 10**4))
        turned = turned if self._cell >= height else cut.crop((0, 0, cut.width, turned.height))
        x, y = place
        self.picture.paste(turned, (round(x - turned.width / 2), round(y - turned.height)))

    def _write(
        self,
        place: tuple[float, float],
        text: str,
        ink: str,
        size_px: int,
        *,
        anchor: str = "lm",
        width_px: float = math.inf,
    ) -> None:
        shown, font = choose_font(printable(text), size_px)
        while len(shown) > 4 and self._pen.textlength(shown, font) > width_px:
            shown = f"{shown[:-4]}..."
        self._pen.text(place, shown, ink, font, anchor=anchor)


def _mixed(deep: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    """Return a colour between white and a deep one."""
    red, green, blue = (round(255 + (part - 255) * share) for part in deep)
    return red, green, blue
