"""Altered copies in three strengths, each with what is true of it: what the second look must say.

Beside the twelve of :mod:`mobisearch.evaluation.alterations`, whose pixels never change.
"""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from mobisearch.evaluation import overlays
from mobisearch.evaluation.alterations import crop, resize
from mobisearch.types.duplicates import Verdict

STRENGTHS = ("mild", "medium", "strong")

_QUALITY = 90
_SEEN_LEVELS = 8
_V = Verdict


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


@dataclass(frozen=True, slots=True)
class AlteredCopy:
    """A file made from a photo, and what is true of it; see :class:`Variation`."""

    data: bytes
    verdicts: tuple[Verdict, ...]
    share: float


Maker: TypeAlias = Callable[[Image.Image, int, random.Random], Variation]
"""From an upright RGB photo and a strength, 0 to 2, to what it becomes."""


def _turned(
    photo: Image.Image, turns: tuple[Image.Transpose, ...], verdict: Verdict, r: random.Random
) -> Variation:
    return Variation(photo.transpose(r.choice(turns)), (verdict,))


def _cropped(photo: Image.Image, share: float, x: float, y: float) -> Variation:
    return Variation(crop(photo, share, x, y), (_V.CROPPED,), share)


def _side(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Cut a strip off one side."""
    keep = (0.85, 0.7, 0.5)[s]
    if r.random() < 0.5:
        width = max(1, round(photo.width * keep))
        left = r.choice((0, photo.width - width))
        return Variation(photo.crop((left, 0, left + width, photo.height)), (_V.CROPPED,), keep)
    height = max(1, round(photo.height * keep))
    top = r.choice((0, photo.height - height))
    return Variation(photo.crop((0, top, photo.width, top + height)), (_V.CROPPED,), keep)


def _stretched(photo: Image.Image, s: int, r: random.Random) -> Variation:
    factor = (0.9, 0.8, 0.65)[s]
    size = [photo.width, photo.height]
    side = r.randrange(2)
    size[side] = max(1, round(size[side] * factor))
    return Variation(photo.resize((size[0], size[1]), Image.Resampling.LANCZOS), (_V.RESIZED,))


def _tilted(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Turn by a few degrees; what was outside becomes one colour."""
    angle = (2, 5, 12)[s] * r.choice((-1, 1))
    fill = r.choice(("black", "white"))
    changed = photo.rotate(angle, Image.Resampling.BICUBIC, expand=r.random() < 0.5, fillcolor=fill)
    return Variation(changed, (_V.ROTATED, _V.OVERLAID, _V.CROPPED), 0.9)


def _straightened(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Turn by a few degrees and cut the empty corners off, keeping the shape."""
    degrees = (1.5, 4, 9)[s]
    turned = photo.rotate(degrees * r.choice((-1, 1)), Image.Resampling.BICUBIC)
    angle, longest = np.radians(degrees), max(photo.size) / max(1, min(photo.size))
    kept = 1 / (np.cos(angle) + np.sin(angle) * longest)
    share = float(kept * kept) * 0.98
    return Variation(crop(turned, share, 0.5, 0.5), (_V.CROPPED, _V.ROTATED), share)


def _perspective(photo: Image.Image, s: int, r: random.Random) -> Variation:
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
    return Variation(changed, (_V.CROPPED, _V.ROTATED, _V.RESIZED), (1 - most) ** 2)


def _sepia(photo: Image.Image, s: int, r: random.Random) -> Variation:
    toned = ImageOps.colorize(ImageOps.grayscale(photo), "#1a0f05", "#fff2d8", "#a58a63")
    return Variation(Image.blend(photo, toned, (0.5, 0.8, 1.0)[s]), (_V.RECOLOURED,))


def _balanced(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Change the white balance: more of one colour, less of another."""
    by = (0.1, 0.2, 0.35)[s]
    factors = r.sample((1 + by, 1.0, 1 - by), 3)
    bands = [
        b.point(lambda v, f=f: min(255, v * f)) for b, f in zip(photo.split(), factors, strict=True)
    ]
    return Variation(Image.merge("RGB", bands), (_V.RECOLOURED,))


def _gamma(photo: Image.Image, s: int, r: random.Random) -> Variation:
    power = (1.25, 1.5, 2.0)[s] ** r.choice((-1, 1))
    return Variation(photo.point(lambda v: 255 * (v / 255) ** power), (_V.RECOLOURED,))


def _enhanced(photo: Image.Image, kind: type[ImageEnhance._Enhance], factor: float) -> Variation:
    return Variation(kind(photo).enhance(factor), (_V.RECOLOURED,))


def _noisy(photo: Image.Image, s: int, r: random.Random) -> Variation:
    generator = np.random.default_rng(r.getrandbits(32))
    noise = generator.normal(0, (6, 12, 24)[s], (photo.height, photo.width, 3))
    noisy = (np.asarray(photo) + noise).clip(0, 255).astype(np.uint8)
    return Variation(Image.fromarray(noisy), (_V.RETOUCHED, _V.RECOMPRESSED))


def _pixelated(photo: Image.Image, s: int, r: random.Random) -> Variation:
    block = max(2, round(max(photo.size) * (0.005, 0.01, 0.016)[s]))
    small = photo.resize((max(1, photo.width // block), max(1, photo.height // block)))
    verdicts = (_V.RETOUCHED, _V.RECOMPRESSED) if s == 0 else (_V.RETOUCHED,)
    return Variation(small.resize(photo.size, Image.Resampling.NEAREST), verdicts)


def _blurred(photo: Image.Image, s: int, r: random.Random) -> Variation:
    radius = max(photo.size) * (0.002, 0.004, 0.008)[s]
    verdicts = (_V.RETOUCHED, _V.RECOMPRESSED) if s == 0 else (_V.RETOUCHED,)
    return Variation(photo.filter(ImageFilter.GaussianBlur(radius)), verdicts)


def _sharpened(photo: Image.Image, s: int, r: random.Random) -> Variation:
    made = photo.filter(ImageFilter.UnsharpMask(2 + s, (80, 150, 300)[s], 2))
    return Variation(made, (_V.RETOUCHED, _V.RECOMPRESSED) if s == 0 else (_V.RETOUCHED,))


def _overlaid(made: overlays.Drawn) -> Variation:
    return Variation(made[0], (_V.OVERLAID,), made[1])


def _watermarked(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Write over it, half-transparent. A faint mark can be missed."""
    changed, share = overlays.draw_watermark(photo, r, (0.25, 0.45, 0.7)[s])
    return Variation(changed, (_V.OVERLAID, _V.RECOMPRESSED) if s == 0 else (_V.OVERLAID,), share)


def _exif_turned(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Store the pixels turned, and an orientation that says so: the picture is the same."""
    orientation = (6, 3, 8)[s]
    return Variation(photo, (_V.RECOMPRESSED,), orientation=orientation)


def _twice(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Do two different things, one after the other."""
    first, second = r.sample(_COMBINED, 2)
    made = MAKERS[first](photo, s, r)
    again = MAKERS[second](made.picture, s, r)
    order = list(Verdict)
    chief = max(made.verdicts[0], again.verdicts[0], key=order.index)
    others = (*made.verdicts, *again.verdicts)
    return Variation(
        again.picture,
        (chief, *(verdict for verdict in others if order.index(verdict) > order.index(chief))),
        made.share * again.share,
        quality=min(made.quality, again.quality),
    )


_T = Image.Transpose
MAKERS: Mapping[str, Maker] = MappingProxyType(
    {
        "recompressed": lambda p, s, r: Variation(p, (_V.RECOMPRESSED,), quality=(60, 30, 12)[s]),
        "PNG": lambda p, s, r: Variation(p, (_V.RECOMPRESSED,), format="PNG", quality=0),
        "WebP": lambda p, s, r: Variation(
            p, (_V.RECOMPRESSED,), format="WEBP", quality=(85, 50, 15)[s]
        ),
        "EXIF-rotated": _exif_turned,
        "smaller": lambda p, s, r: Variation(resize(p, (0.75, 0.5, 0.25)[s]), (_V.RESIZED,)),
        "larger": lambda p, s, r: Variation(resize(p, (1.25, 1.6, 2.5)[s]), (_V.RESIZED,)),
        "stretched": _stretched,
        "cropped, middle": lambda p, s, r: _cropped(p, (0.85, 0.6, 0.35)[s], 0.5, 0.5),
        "cropped, corner": lambda p, s, r: _cropped(
            p, (0.85, 0.6, 0.35)[s], r.choice((0, 1)), r.choice((0, 1))
        ),
        "cropped, side": _side,
        "cropped, anywhere": lambda p, s, r: _cropped(
            p, (0.75, 0.5, 0.25)[s], r.random(), r.random()
        ),
        "turned": lambda p, s, r: _turned(
            p, (_T.ROTATE_90, _T.ROTATE_180, _T.ROTATE_270), _V.ROTATED, r
        ),
        "mirrored": lambda p, s, r: _turned(
            p, (_T.FLIP_LEFT_RIGHT, _T.FLIP_TOP_BOTTOM, _T.TRANSPOSE, _T.TRANSVERSE), _V.MIRRORED, r
        ),
        "tilted, filled": _tilted,
        "tilted, cut": _straightened,
        "perspective": _perspective,
        "border": lambda p, s, r: _overlaid(overlays.add_border(p, r, (0.03, 0.08, 0.2)[s])),
        "letterbox": lambda p, s, r: _overlaid(overlays.add_bars(p, r, (0.1, 0.25, 0.5)[s])),
        "caption inside": lambda p, s, r: _overlaid(
            overlays.draw_caption(p, r, (0.08, 0.16, 0.3)[s])
        ),
        "caption outside": lambda p, s, r: _overlaid(
            overlays.add_caption(p, r, (0.12, 0.2, 0.35)[s])
        ),
        "watermark": _watermarked,
        "logo": lambda p, s, r: _overlaid(overlays.draw_logo(p, r, (0.12, 0.2, 0.35)[s])),
        "faces": lambda p, s, r: _overlaid(overlays.draw_faces(p, r, (0.12, 0.2, 0.3)[s])),
        "screenshot": lambda p, s, r: _overlaid(overlays.take_screenshot(p, r, (0.8, 0.6, 0.4)[s])),
        "grey": lambda p, s, r: _enhanced(p, ImageEnhance.Color, (0.2, 0.0, 0.0)[s]),
        "sepia": _sepia,
        "brightness": lambda p, s, r: _enhanced(
            p, ImageEnhance.Brightness, r.choice(((1.15, 1.35, 1.7)[s], (0.87, 0.7, 0.45)[s]))
        ),
        "contrast": lambda p, s, r: _enhanced(
            p, ImageEnhance.Contrast, r.choice(((1.2, 1.5, 1.9)[s], (0.85, 0.65, 0.4)[s]))
        ),
        "gamma": _gamma,
        "saturation": lambda p, s, r: _enhanced(
            p, ImageEnhance.Color, r.choice(((1.4, 1.8, 2.5)[s], (0.7, 0.5, 0.3)[s]))
        ),
        "white balance": _balanced,
        "negative": lambda p, s, r: Variation(ImageChops.invert(p), (_V.RECOLOURED,)),
        "posterised": lambda p, s, r: Variation(
            ImageOps.posterize(p, (5, 4, 3)[s]), (_V.RECOLOURED, _V.RETOUCHED, _V.RECOMPRESSED)
        ),
        "vignette": lambda p, s, r: Variation(
            overlays.vignette(p, (0.5, 0.8, 1.2)[s]), (_V.RECOLOURED, _V.RETOUCHED)
        ),
        "blurred": _blurred,
        "sharpened": _sharpened,
        "noisy": _noisy,
        "pixelated": _pixelated,
        "two at once": _twice,
    }
)
"""What is done to photos, by name; each in three strengths."""

_COMBINED = (
    "recompressed",
    "smaller",
    "stretched",
    "cropped, middle",
    "cropped, corner",
    "turned",
    "mirrored",
    "tilted, cut",
    "border",
    "caption inside",
    "watermark",
    "logo",
    "grey",
    "brightness",
    "contrast",
    "white balance",
    "blurred",
    "noisy",
)
"""What is done together with something else."""


def make_copy(photo: Image.Image, name: str, strength: str, *, seed: int = 0) -> AlteredCopy:
    """Return an altered copy of an upright RGB photo, the same for the same arguments.

    Args:
        name: of ``MAKERS``.
        strength: of ``STRENGTHS``.
        seed: another one gives another place, colour, text.
    """
    generator = random.Random(zlib.crc32(f"{name} {strength} {seed}".encode()))  # noqa: S311
    made = MAKERS[name](photo, STRENGTHS.index(strength), generator)
    verdicts = made.verdicts
    if verdicts[0] == _V.RECOLOURED and not _is_recoloured(photo, made.picture):
        verdicts = (*verdicts, _V.RECOMPRESSED)
    return AlteredCopy(save(made), verdicts, made.share)


def _is_recoloured(photo: Image.Image, changed: Image.Image) -> bool:
    """Return whether it can be seen: a grey photo made grey stays what it is."""
    if photo.size != changed.size:
        return True
    small = (32, 32)
    first, second = (np.asarray(p.resize(small)).astype(int) for p in (photo, changed))
    return float(np.quantile(abs(first - second).max(axis=2), 0.75)) > _SEEN_LEVELS


def save(made: Variation) -> bytes:
    """Return the bytes of a file with the picture."""
    buffer = io.BytesIO()
    picture = made.picture
    exif = Image.Exif()
    if made.orientation != 1:
        turn = {3: _T.ROTATE_180, 6: _T.ROTATE_90, 8: _T.ROTATE_270}[made.orientation]
        picture = picture.transpose(turn)
        exif[0x0112] = made.orientation
    if made.format == "PNG":
        picture.save(buffer, "PNG", exif=exif)
    else:
        picture.save(buffer, made.format, quality=made.quality, exif=exif)
    return buffer.getvalue()
