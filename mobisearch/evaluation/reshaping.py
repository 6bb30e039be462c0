"""Altered copies whose frame is another: crops, turns, stretches, perspective."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mobisearch.evaluation.alterations import crop
from mobisearch.types.duplicates import Verdict

_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Variation:
    """What a way of altering made of a photo.

    Attributes:
        picture: RGB.
        verdicts: the chief changes that may rightly be named; the first is what was meant.
        share: of the photo's area, what can still be seen.
        format, quality: to save it with; 0 for no loss.
        orientation: of EXIF, which the file is to carry; its pixels are then turned back.
    """

    picture: Image.Image
    verdicts: tuple[Verdict, ...]
    share: float = 1.0
    format: str = "JPEG"
    quality: int = _QUALITY
    orientation: int = 1


def turn(
    photo: Image.Image, turns: tuple[Image.Transpose, ...], verdict: Verdict, r: random.Random
) -> Variation:
    """Turn or mirror it, in one of some ways."""
    return Variation(photo.transpose(r.choice(turns)), (verdict,))


def cut(photo: Image.Image, share: float, x: float, y: float) -> Variation:
    """Cut a part out; x and y from 0 to 1 say where it lies."""
    return Variation(crop(photo, share, x, y), (Verdict.CROPPED,), share)


def cut_side(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Cut a strip off one side."""
    keep = (0.85, 0.7, 0.5)[s]
    if r.random() < 0.5:
        width = max(1, round(photo.width * keep))
        left = r.choice((0, photo.width - width))
        return Variation(
            photo.crop((left, 0, left + width, photo.height)), (Verdict.CROPPED,), keep
        )
    height = max(1, round(photo.height * keep))
    top = r.choice((0, photo.height - height))
    return Variation(photo.crop((0, top, photo.width, top + height)), (Verdict.CROPPED,), keep)


def stretch(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Make one side shorter."""
    factor = (0.9, 0.8, 0.65)[s]
    size = [photo.width, photo.height]
    side = r.randrange(2)
    size[side] = max(1, round(size[side] * factor))
    return Variation(photo.resize((size[0], size[1]), Image.Resampling.LANCZOS), (Verdict.RESIZED,))


def tilt(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Turn by a few degrees; what was outside becomes one colour."""
    angle = (2, 5, 12)[s] * r.choice((-1, 1))
    fill = r.choice(("black", "white"))
    changed = photo.rotate(angle, Image.Resampling.BICUBIC, expand=r.random() < 0.5, fillcolor=fill)
    return Variation(changed, (Verdict.ROTATED, Verdict.OVERLAID, Verdict.CROPPED), 0.9)


def straighten(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Turn by a few degrees and cut the empty corners off, keeping the shape."""
    degrees = (1.5, 4, 9)[s]
    turned = photo.rotate(degrees * r.choice((-1, 1)), Image.Resampling.BICUBIC)
    angle, longest = np.radians(degrees), max(photo.size) / max(1, min(photo.size))
    kept = 1 / (np.cos(angle) + np.sin(angle) * longest)
    share = float(kept * kept) * 0.98
    return Variation(crop(turned, share, 0.5, 0.5), (Verdict.CROPPED, Verdict.ROTATED), share)


def tip(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Pull the corners inwards by up to a share of the sides; the picture fills the frame."""
    most, (w, h) = (0.03, 0.06, 0.1)[s], photo.size
    rows, right = [], []
    for x, y in ((0, 0), (0, h), (w, h), (w, 0)):
        dx, dy = r.uniform(most / 3, most) * w, r.uniform(most / 3, most) * h
        u, v = x + dx if x == 0 else x - dx, y + dy if y == 0 else y - dy
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    numbers = np.linalg.solve(np.array(rows, float), np.array(right)).tolist()
    changed = photo.transform(
        photo.size, Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BICUBIC
    )
    return Variation(changed, (Verdict.CROPPED, Verdict.ROTATED, Verdict.RESIZED), (1 - most) ** 2)
