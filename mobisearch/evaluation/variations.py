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

from mobisearch.evaluation import overlays, reshaping
from mobisearch.evaluation.alterations import resize
from mobisearch.evaluation.reshaping import Variation
from mobisearch.types.duplicates import Verdict

STRENGTHS = ("mild", "medium", "strong")

_SEEN_LEVELS = 8
_V = Verdict


@dataclass(frozen=True, slots=True)
class AlteredCopy:
    """A file made from a photo, and what is true of it; see :class:`Variation`."""

    data: bytes
    verdicts: tuple[Verdict, ...]
    share: float


Maker: TypeAlias = Callable[[Image.Image, int, random.Random], Variation]
"""From an upright RGB photo and a strength, 0 to 2, to what it becomes."""


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


def _enhanced(
    photo: Image.Image, kind: Callable[[Image.Image], ImageEnhance._Enhance], factor: float
) -> Variation:
    return Variation(kind(photo).enhance(factor), (_V.RECOLOURED,))


def _saturated(photo: Image.Image, s: int, r: random.Random) -> Variation:
    """Make colours stronger or weaker. Where there are few, a little of it cannot be seen."""
    factor = r.choice(((1.4, 1.8, 2.5)[s], (0.7, 0.5, 0.3)[s]))
    verdicts = (_V.RECOLOURED, _V.RECOMPRESSED) if s == 0 else (_V.RECOLOURED,)
    return Variation(ImageEnhance.Color(photo).enhance(factor), verdicts)


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
        "stretched": reshaping.stretch,
        "cropped, middle": lambda p, s, r: reshaping.cut(p, (0.85, 0.6, 0.35)[s], 0.5, 0.5),
        "cropped, corner": lambda p, s, r: reshaping.cut(
            p, (0.85, 0.6, 0.35)[s], r.choice((0, 1)), r.choice((0, 1))
        ),
        "cropped, side": reshaping.cut_side,
        "cropped, anywhere": lambda p, s, r: reshaping.cut(
            p, (0.75, 0.5, 0.25)[s], r.random(), r.random()
        ),
        "turned": lambda p, s, r: reshaping.turn(
            p, (_T.ROTATE_90, _T.ROTATE_180, _T.ROTATE_270), _V.ROTATED, r
        ),
        "mirrored": lambda p, s, r: reshaping.turn(
            p, (_T.FLIP_LEFT_RIGHT, _T.FLIP_TOP_BOTTOM, _T.TRANSPOSE, _T.TRANSVERSE), _V.MIRRORED, r
        ),
        "tilted, filled": reshaping.tilt,
        "tilted, cut": reshaping.straighten,
        "perspective": reshaping.tip,
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
        "saturation": _saturated,
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
