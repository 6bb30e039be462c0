"""The plot of what each model finds against how long it takes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageDraw

from mobisearch.reports.fonts import choose_font
from mobisearch.reports.saving import PictureKind, check_picture_path, save_picture
from mobisearch.text import printable

PLOT = PictureKind("trade-off plot", (".png",))

_SIZE_PX = (1280, 720)
_LEFT, _TOP, _RIGHT, _BOTTOM = 100, 84, 900, 620
"""Of the frame, in pixels; what it all means is to the right of it."""

_GROUND, _INK, _FAINT, _GRID, _ACCENT = "#ffffff", "#1c1c1c", "#6b6b6b", "#e4e4e4", "#0b57d0"
_COLOURS = (
    "#0b57d0", "#c5221f", "#188038", "#b06000", "#7627bb", "#007b83", "#a50e5c", "#5f6368",
)  # fmt: skip
_MARK_PX = 8
_N_TICKS = 6
_LINE_PX = 26
_TEXT_PX, _SMALL_PX, _TITLE_PX = 18, 15, 24
_LEGEND_LEFT = _RIGHT + 40

_Draw: TypeAlias = ImageDraw.ImageDraw
_Scale: TypeAlias = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class TradeOff:
    """A point of the plot.

    Attributes:
        model: points of one model have one colour.
        way: runtime and precision; points of one way have one shape.
        ms_alone: of a picture by itself.
        ms_in_batch: of each picture in the batch in which it is fastest.
        quality: what is found, 0 to 1.
        is_recommended: it gets a ring.
    """

    model: str
    way: str
    ms_alone: float
    ms_in_batch: float
    quality: float
    is_recommended: bool = False


def check_tradeoff_path(path: str | os.PathLike[str]) -> Path:
    """Return where a plot would be written.

    Raises:
        ReportError: it is another kind of file, a folder, or one that is no plot of ours.
    """
    return check_picture_path(path, PLOT)


def write_tradeoff(path: str | os.PathLike[str], points: Sequence[TradeOff]) -> None:
    """Write the plot as PNG: milliseconds to the right, quality upward.

    The file appears whole or not at all. An earlier plot is replaced; any other file of that name
    is left alone.

    Raises:
        ReportError: another kind of file, in the way, or not writable.
        ValueError: there are no points.
    """
    if not points:
        raise ValueError("a plot needs at least one point")
    target = check_tradeoff_path(path)
    save_picture(draw_tradeoff(points), target, PLOT)


def draw_tradeoff(points: Sequence[TradeOff]) -> Image.Image:
    """Draw the plot, 1280 x 720."""
    plot = Image.new("RGB", _SIZE_PX, _GROUND)
    draw = ImageDraw.Draw(plot)
    times = [ms for point in points for ms in (point.ms_alone, point.ms_in_batch)]
    across = _log_scale(min(times) / 1.25, max(times) * 1.25)
    ticks = choose_ticks([point.quality for point in points])
    upward = _linear_scale(ticks[0], ticks[-1])
    _write(draw, (_LEFT, 28), "What altered copies find, against time", _INK, _TITLE_PX)
    for ms in choose_log_ticks(min(times) / 1.25, max(times) * 1.25):
        x = across(ms)
        draw.line((x, _TOP, x, _BOTTOM), fill=_GRID)
        _write(draw, (x, _BOTTOM + 8), f"{ms:g}", _FAINT, _SMALL_PX, anchor="ma")
    n_digits = max(2, math.ceil(-math.log10(ticks[1] - ticks[0]) - 1e-9))
    for quality in ticks:
        y = upward(quality)
        draw.line((_LEFT, y, _RIGHT, y), fill=_GRID)
        shown = f"{quality:.{n_digits}f}"
        _write(draw, (_LEFT - 10, y), shown, _FAINT, _SMALL_PX, anchor="rm")
    draw.rectangle((_LEFT, _TOP, _RIGHT, _BOTTOM), outline=_FAINT)
    middle = ((_LEFT + _RIGHT) / 2, _BOTTOM + 38)
    _write(draw, middle, "milliseconds for a picture", _INK, _TEXT_PX, anchor="ma")
    _write(draw, (_LEFT, _TOP - 24), "micro-average precision", _INK, _SMALL_PX)
    models = list(dict.fromkeys(point.model for point in points))
    ways = list(dict.fromkeys(point.way for point in points))
    colours = {model: _COLOURS[n % len(_COLOURS)] for n, model in enumerate(models)}
    for point in points:
        y, colour = upward(point.quality), colours[point.model]
        shape = ways.index(point.way)
        places = (across(point.ms_in_batch), y), (across(point.ms_alone), y)
        draw.line((*places[0], *places[1]), fill=colour)
        _draw_mark(draw, places[1], shape, colour, is_filled=False)
        _draw_mark(draw, places[0], shape, colour, is_filled=True)
        if point.is_recommended:
            _draw_ring(draw, places[0])
    _draw_legend(draw, colours, ways, has_ring=any(point.is_recommended for point in points))
    return plot


def choose_ticks(values: Sequence[float]) -> list[float]:
    """Return evenly spaced round numbers around some values, at least two.

    >>> choose_ticks([0.9512, 0.9835])
    [0.95, 0.96, 0.97, 0.98, 0.99]
    """
    low, high = min(values), max(values)
    rough = max(high - low, 1e-3) / _N_TICKS
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * n for n in (1, 2, 5, 10) if unit * n >= rough)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [round(n * step, 10) for n in range(first, last + 1)]


def choose_log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2, 5, 10, 20, ... between two positive numbers.

    >>> choose_log_ticks(1.5, 12)
    [2.0, 5.0, 10.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    candidates = [n * 10.0**power for power in powers for n in (1, 2, 5)]
    return [round(value, 10) for value in candidates if low <= value <= high]


def _log_scale(low: float, high: float) -> _Scale:
    width = math.log(high / low)
    return lambda value: _LEFT + (_RIGHT - _LEFT) * math.log(value / low) / width


def _linear_scale(low: float, high: float) -> _Scale:
    """Leave a little space below and above, so that no mark lies on the frame."""
    space = 0.05 * (high - low)
    low, high = low - space, high + space
    return lambda value: _BOTTOM - (_BOTTOM - _TOP) * (value - low) / (high - low)


def _draw_legend(
    draw: _Draw, colours: dict[str, str], ways: Sequence[str], *, has_ring: bool
) -> None:
    x, y, text_left = _LEGEND_LEFT, _TOP + 10, _LEGEND_LEFT + 24
    width_px = _SIZE_PX[0] - text_left - 10
    for model, colour in colours.items():
        draw.rectangle((x - 8, y - 8, x + 8, y + 8), fill=colour)
        _write(draw, (text_left, y), model, _INK, _SMALL_PX, anchor="lm", width_px=width_px)
        y += _LINE_PX
    y += _LINE_PX // 2
    for shape, way in enumerate(ways):
        _draw_mark(draw, (x, y), shape, _INK, is_filled=True)
        _write(draw, (text_left, y), way, _INK, _SMALL_PX, anchor="lm", width_px=width_px)
        y += _LINE_PX
    y += _LINE_PX // 2
    for is_filled, text in ((True, "filled: in the best batch"), (False, "hollow: one alone")):
        _draw_mark(draw, (x, y), 0, _FAINT, is_filled=is_filled)
        _write(draw, (text_left, y), text, _FAINT, _SMALL_PX, anchor="lm")
        y += _LINE_PX
    if has_ring:
        _draw_ring(draw, (x, y))
        _write(draw, (text_left, y), "recommended", _FAINT, _SMALL_PX, anchor="lm")


def _draw_ring(draw: _Draw, place: tuple[float, float]) -> None:
    x, y = place
    radius = 2 * _MARK_PX - 2
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_INK, width=2)


def _draw_mark(
    draw: _Draw, place: tuple[float, float], shape: int, colour: str, *, is_filled: bool
) -> None:
    """Draw a circle, square, triangle or diamond."""
    x, y = place
    r = _MARK_PX - 1
    fill = colour if is_filled else _GROUND
    if shape % 4 == 0:
        draw.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=colour, width=2)
        return
    corners = {
        1: ((x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)),
        2: ((x, y - r - 1), (x + r + 1, y + r), (x - r - 1, y + r)),
        3: ((x, y - r - 2), (x + r + 2, y), (x, y + r + 2), (x - r - 2, y)),
    }[shape % 4]
    draw.polygon(corners, fill=fill, outline=colour, width=2)


def _write(
    draw: _Draw,
    place: tuple[float, float],
    text: str,
    ink: str,
    size_px: int,
    *,
    anchor: str | None = None,
    width_px: float = math.inf,
) -> None:
    text, font = choose_font(printable(text), size_px)
    while len(text) > 4 and draw.textlength(text, font) > width_px:
        text = f"{text[:-4]}..."
    draw.text(place, text, ink, font, anchor=anchor)
