"""The plot of what a score means in one library."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from mobisearch.reports.fonts import choose_font
from mobisearch.reports.saving import PictureKind, check_picture_path, save_picture
from mobisearch.types import ScoreCurve

PLOT = PictureKind("score plot", (".png",))
_WIDTH_PX, _HEIGHT_PX = 1200, 780
_LEFT_PX, _RIGHT_PX, _TOP_PX, _BOTTOM_PX = 110, 110, 110, 90
_GROUND, _INK, _FAINT, _LINE = "#ffffff", "#1c1c1c", "#5f6368", "#dadce0"
_WRONG, _FOUND, _ACCEPTED = "#b3261e", "#0b57d0", "#146c2e"
_LEAST_WRONG = 1e-3
_N_TICKS = 6


def check_plot_path(path: str | os.PathLike[str]) -> Path:
    """Return where a plot would be written.

    Raises:
        ReportError: it is another kind of file, or one that is no such plot.
    """
    return check_picture_path(path, PLOT)


def write_plot(path: str | os.PathLike[str], curve: ScoreCurve) -> None:
    """Draw, over the score, how many wrong groups are to be expected and how many copies are found.

    An earlier plot is replaced, any other file of that name is left alone.

    Raises:
        ReportError: another kind of file, in the way, or not writable.
    """
    target = check_plot_path(path)
    save_picture(draw_curve(curve), target, PLOT)


def draw_curve(curve: ScoreCurve) -> Image.Image:
    """Return the plot."""
    picture = Image.new("RGB", (_WIDTH_PX, _HEIGHT_PX), _GROUND)
    canvas = _Canvas(picture, curve)
    canvas.draw_frame()
    if curve.points:
        canvas.draw_line([p.recall for p in curve.points], canvas.share_y, _FOUND)
        canvas.draw_line([p.wrong_groups for p in curve.points], canvas.wrong_y, _WRONG)
        canvas.draw_accepted()
    return picture


class _Canvas:
    """Axes: the score from left to right, wrong groups on the left, logarithmic, shares right."""

    def __init__(self, picture: Image.Image, curve: ScoreCurve) -> None:
        self._pen = ImageDraw.Draw(picture)
        self._curve = curve
        scores = [point.score for point in curve.points] or [0.0, 1.0]
        self._low, self._high = min(scores), max(max(scores), min(scores) + 1e-6)
        most = max([1.0, *(point.wrong_groups for point in curve.points)])
        self._decades = math.log10(_LEAST_WRONG), math.ceil(math.log10(most) + 1e-9)

    def score_x(self, score: float) -> float:
        share = (score - self._low) / (self._high - self._low)
        return _LEFT_PX + share * (_WIDTH_PX - _LEFT_PX - _RIGHT_PX)

    def share_y(self, share: float) -> float:
        return _HEIGHT_PX - _BOTTOM_PX - share * (_HEIGHT_PX - _TOP_PX - _BOTTOM_PX)

    def wrong_y(self, wrong: float) -> float:
        low, high = self._decades
        place = (math.log10(max(wrong, _LEAST_WRONG)) - low) / (high - low)
        return self.share_y(place)

    def _text(
        self, x: float, y: float, text: str, *, ink: str = _FAINT, size: int = 18, at: str = "mm"
    ) -> None:
        shown, font = choose_font(text, size)
        self._pen.text((x, y), shown, fill=ink, font=font, anchor=at)

    def draw_frame(self) -> None:
        right, bottom = _WIDTH_PX - _RIGHT_PX, _HEIGHT_PX - _BOTTOM_PX
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            y = self.share_y(share)
            self._pen.line((_LEFT_PX, y, right, y), fill=_LINE)
            self._text(right + 12, y, f"{share:.0%}", ink=_FOUND, at="lm")
        low, high = self._decades
        for exponent in range(round(low), round(high) + 1):
            label = f"{10.0**exponent:g}"
            self._text(_LEFT_PX - 12, self.wrong_y(10.0**exponent), label, ink=_WRONG, at="rm")
        for n in range(_N_TICKS):
            score = self._low + n / (_N_TICKS - 1) * (self._high - self._low)
            self._text(self.score_x(score), bottom + 24, f"{score:.2f}")
        self._text((_LEFT_PX + right) / 2, bottom + 58, "score of a pair: higher is more alike")
        title = "What a score means in this library"
        self._text(_LEFT_PX, 34, title, ink=_INK, size=28, at="lm")
        self._text(_LEFT_PX, 74, "wrong groups to be expected", ink=_WRONG, at="lm")
        self._text(right, 74, "altered copies that are found", ink=_FOUND, at="rm")

    def draw_line(self, values: Sequence[float], y: Callable[[float], float], ink: str) -> None:
        places = [
            (self.score_x(point.score), y(value))
            for point, value in zip(self._curve.points, values, strict=True)
        ]
        if len(places) > 1:
            self._pen.line(places, fill=ink, width=4, joint="curve")
        for x, height in places[:1]:
            self._pen.ellipse((x - 4, height - 4, x + 4, height + 4), fill=ink)

    def draw_accepted(self) -> None:
        score = min(max(self._curve.accepted_score, self._low), self._high)
        x = self.score_x(score)
        self._pen.line((x, _TOP_PX, x, _HEIGHT_PX - _BOTTOM_PX), fill=_ACCEPTED, width=3)
        is_left = x > _WIDTH_PX / 2
        label = f"copies from {self._curve.accepted_score:.3f} on"
        self._text(
            x + (-10 if is_left else 10),
            _TOP_PX + 16,
            label,
            ink=_ACCEPTED,
            at="rm" if is_left else "lm",
        )
