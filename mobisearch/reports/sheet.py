"""The contact sheet: queries and their matches side by side, with scores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from mobisearch.errors import ImageError
from mobisearch.imaging import ImageSource, read_thumbnail
from mobisearch.reports.fonts import Font, choose_font
from mobisearch.reports.saving import PictureKind, check_picture_path, save_picture
from mobisearch.results import Matches
from mobisearch.text import printable

SHEET = PictureKind("contact sheet", (".jpg", ".jpeg", ".png", ".webp"))
_CELL_PX = 220
_CAPTION_PX = 46
_MARGIN_PX = 16
_PER_ROW = 5
_MIN_COLUMNS = 2
_MAX_HEIGHT_PX = 65_000  # what a JPEG can hold, less a little
_GROUND, _INK, _FAINT, _ACCENT, _LINE = "#ffffff", "#1c1c1c", "#6b6b6b", "#0b57d0", "#d0d0d0"
_QUERY = "query"


def write_sheet(
    path: str | os.PathLike[str], results: Sequence[tuple[ImageSource, Matches]]
) -> None:
    """Write a contact sheet: for each query a band with the query and its matches, best first.

    The file appears whole or not at all. An earlier contact sheet is replaced; any other file of
    that name is left alone, since it may be somebody's photo.

    Args:
        path: ``.jpg``, ``.png`` or ``.webp``.

    Raises:
        ReportError: another kind of file, in the way, or not writable.
    """
    target = check_sheet_path(path)
    save_picture(_draw(results), target, SHEET)


def check_sheet_path(path: str | os.PathLike[str]) -> Path:
    """Return where a contact sheet would be written.

    Raises:
        ReportError: it is another kind of file, a folder, or one that is no contact sheet.
    """
    return check_picture_path(path, SHEET)


def _draw(results: Sequence[tuple[ImageSource, Matches]]) -> Image.Image:
    """Draw all bands below one another; as many as fit into one picture."""
    n_columns = min(_PER_ROW, max((len(matches) for _, matches in results), default=0))
    n_columns = max(n_columns, _MIN_COLUMNS)
    bands = [_draw_band(query, matches, n_columns=n_columns) for query, matches in results]
    height, shown = 0, 0
    while shown < len(bands) and height + bands[shown].height <= _MAX_HEIGHT_PX:
        height += bands[shown].height
        shown += 1
    sheet = Image.new("RGB", (bands[0].width if bands else 1, max(height, 1)), _GROUND)
    top = 0
    for band in bands[:shown]:
        sheet.paste(band, (0, top))
        top += band.height
    return sheet


@dataclass(frozen=True, slots=True)
class _Cell:
    """A picture, or why there is none, with the two lines below it."""

    picture: Image.Image | None
    problem: str
    title: str
    name: str

    @property
    def height_px(self) -> int:
        return self.picture.height if self.picture is not None else _CELL_PX // 2


def _make_cell(source: ImageSource, *, title: str, name: str) -> _Cell:
    try:
        return _Cell(read_thumbnail(source, max_px=_CELL_PX), "", title, printable(name))
    except ImageError as error:
        return _Cell(None, printable(error.reason), title, printable(name))


def _draw_band(query: ImageSource, matches: Matches, *, n_columns: int) -> Image.Image:
    """Draw one query, at the left, and its matches in rows as high as their tallest picture."""
    name = os.path.basename(matches.query) or matches.query
    asked = _make_cell(query, title=_QUERY, name=name)
    cells = [
        _make_cell(m.image.path, title=f"{m.score:.3f}", name=os.path.basename(m.image.path))
        for m in matches
    ]
    rows = [cells[start : start + n_columns] for start in range(0, len(cells), n_columns)] or [[]]
    heights = [max((cell.height_px for cell in row), default=0) for row in rows]
    heights[0] = max(heights[0], asked.height_px)
    step_px = _CELL_PX + _MARGIN_PX
    height = _MARGIN_PX + sum(height + _CAPTION_PX + _MARGIN_PX for height in heights)
    band = Image.new("RGB", (2 * _MARGIN_PX + (n_columns + 1) * step_px, height), _GROUND)
    draw = ImageDraw.Draw(band)
    draw.line(
        (step_px + _MARGIN_PX, _MARGIN_PX, step_px + _MARGIN_PX, height - _MARGIN_PX),
        fill=_LINE,
        width=2,
    )
    _draw_cell(band, asked, left=_MARGIN_PX, bottom=_MARGIN_PX + heights[0])
    if not matches:
        reason = matches.error.reason if matches.error else "no matches"
        _draw_text(
            draw,
            (step_px + 2 * _MARGIN_PX, _MARGIN_PX),
            printable(reason),
            _FAINT,
            18,
            width_px=2 * _CELL_PX,
        )
    top = _MARGIN_PX
    for row, row_height in zip(rows, heights, strict=True):
        for place, cell in enumerate(row):
            left = 2 * _MARGIN_PX + (place + 1) * step_px
            _draw_cell(band, cell, left=left, bottom=top + row_height)
        top += row_height + _CAPTION_PX + _MARGIN_PX
    return band


def _draw_cell(band: Image.Image, cell: _Cell, *, left: int, bottom: int) -> None:
    """Draw a cell whose picture stands on ``bottom``, its lines below."""
    draw = ImageDraw.Draw(band)
    top = bottom - cell.height_px
    if cell.picture is not None:
        band.paste(cell.picture, (left + (_CELL_PX - cell.picture.width) // 2, top))
    else:
        draw.rectangle((left, top, left + _CELL_PX - 1, bottom - 1), outline=_LINE)
        _draw_text(draw, (left + 8, top + 8), cell.problem, _FAINT, 14, width_px=_CELL_PX - 16)
    ink = _ACCENT if cell.title == _QUERY else _INK
    _draw_text(draw, (left, bottom + 4), cell.title, ink, 18, width_px=_CELL_PX)
    _draw_text(draw, (left, bottom + 26), cell.name, _FAINT, 14, width_px=_CELL_PX)


def _draw_text(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: str,
    ink: str,
    size_px: int,
    *,
    width_px: int,
) -> None:
    text, font = choose_font(text, size_px)
    draw.text(corner, _fitted(draw, text, font, width_px), ink, font)


def _fitted(draw: ImageDraw.ImageDraw, text: str, font: Font, width_px: int) -> str:
    """Shorten text in its middle until it fits."""
    if draw.textlength(text, font) <= width_px:
        return text
    kept = len(text)
    while kept > 2:
        kept -= 1
        shortened = text[: (kept + 1) // 2] + "..." + text[len(text) - kept // 2 :]
        if draw.textlength(shortened, font) <= width_px:
            return shortened
    return text[:2]
