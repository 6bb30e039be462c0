"""Pairs that are no copies and look as if they were: what must not deceive the second look."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from mobisearch.evaluation import overlays
from mobisearch.types.duplicates import Verdict

Pair: TypeAlias = tuple[Image.Image, Image.Image]

PairMaker: TypeAlias = Callable[[Image.Image, Image.Image, random.Random], Pair]
"""From two different upright RGB photos to two pictures that are no copies of one another."""


def _same_way(draw: Callable[[Image.Image, random.Random], overlays.Drawn]) -> PairMaker:
    """Lay the very same over two different photos."""

    def make(first: Image.Image, second: Image.Image, generator: random.Random) -> Pair:
        state = generator.getstate()
        size = (480, 360)
        made = []
        for photo in (first, second):
            generator.setstate(state)
            made.append(draw(ImageOps.fit(photo, size), generator)[0])
        return made[0], made[1]

    return make


def _collage(first: Image.Image, second: Image.Image, generator: random.Random) -> Pair:
    """One photo beside another, against the first."""
    left, right = (ImageOps.fit(photo, (400, 400)) for photo in (first, second))
    both = Image.new("RGB", (800 + 8, 400), "white")
    both.paste(left, (0, 0))
    both.paste(right, (408, 0))
    return both, left


def _two_collages(first: Image.Image, second: Image.Image, generator: random.Random) -> Pair:
    """Two collages that share one photo, and have another part that they do not."""
    both, _ = _collage(first, second, generator)
    changed = both.copy()
    width, height = first.size
    other = first.crop((width // 2, height // 3, width, height)).transpose(
        Image.Transpose.ROTATE_90
    )
    changed.paste(ImageOps.fit(other, (400, 400)), (408, 0))
    return both, changed


def take_again(photo: Image.Image, generator: random.Random, strength: float = 1.0) -> Image.Image:
    """Return a photo as the next shot of a burst would be.

    What is near moves against what is far, something has moved by itself, the noise is another, and
    the exposure a little.
    """
    width, height = photo.size
    side = max(photo.size)
    random_numbers = np.random.default_rng(generator.getrandbits(32))
    field = random_numbers.normal(size=(2, 5, 5)).astype(np.float32)
    maps = [
        np.asarray(Image.fromarray(plane).resize(photo.size, Image.Resampling.BICUBIC))
        for plane in field
    ]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    by = 0.008 * side * strength
    x = x + by * maps[0] + generator.uniform(-0.02, 0.02) * width
    y = y + by * maps[1] + generator.uniform(-0.02, 0.02) * height
    pixels = np.asarray(photo)
    rows, columns = y.clip(0, height - 1), x.clip(0, width - 1)
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    fy, fx = (rows - top)[..., None], (columns - left)[..., None]
    moved = (pixels[top, left] * (1 - fx) + pixels[top, right] * fx) * (1 - fy) + (
        pixels[down, left] * (1 - fx) + pixels[down, right] * fx
    ) * fy
    moved = moved + random_numbers.normal(0, 3, moved.shape)
    shot = Image.fromarray(moved.clip(0, 255).astype(np.uint8))
    w, h = round(width * 0.2), round(height * 0.25)
    left_px, top_px = generator.randrange(width - w), generator.randrange(height - h)
    part = shot.crop((left_px, top_px, left_px + w, top_px + h))
    shift = (round(generator.choice((-1, 1)) * 0.05 * width), round(0.03 * height))
    mask = Image.new("L", (w, h), 0)
    ImageDraw.Draw(mask).ellipse((w // 8, h // 8, w - w // 8, h - h // 8), fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(max(w, h) / 16))
    shot.paste(part, (left_px + shift[0], top_px + shift[1]), mask)
    return ImageEnhance.Brightness(shot).enhance(generator.uniform(0.92, 1.08))


def _next_shot(first: Image.Image, second: Image.Image, generator: random.Random) -> Pair:
    return first, take_again(first, generator)


def _nearly_blank(first: Image.Image, second: Image.Image, generator: random.Random) -> Pair:
    """Two skies: a change from one colour to another, and grain."""
    made = []
    for _ in range(2):
        top, bottom = (
            np.array([generator.randint(90, 150), generator.randint(140, 190), 225.0])
            for _ in range(2)
        )
        ramp = np.linspace(0, 1, 360)[:, None, None]
        sky = np.broadcast_to(top * (1 - ramp) + bottom * ramp, (360, 480, 3))
        numbers = np.random.default_rng(generator.getrandbits(32))
        noisy = (sky + numbers.normal(0, 2, sky.shape)).clip(0, 255).astype(np.uint8)
        made.append(Image.fromarray(noisy))
    return made[0], made[1]


def _pages(first: Image.Image, second: Image.Image, generator: random.Random) -> Pair:
    """Two pages of the same letter paper, with other words."""
    pages = []
    head = overlays.make_sentence(generator, 3)
    mark = generator.getrandbits(32)
    for _ in range(2):
        page = Image.new("RGB", (600, 840), "white")
        draw = ImageDraw.Draw(page)
        draw.text((60, 40), head, fill="black", font=ImageFont.load_default(26))
        overlays.draw_mark(page, (480, 30), 60, random.Random(mark))  # noqa: S311 - no secret
        for line in range(28):
            words = generator.randint(6, 8) if line % 7 != 6 else 2
            text = overlays.make_sentence(generator, words)
            draw.text((60, 120 + line * 25), text, fill="#222222", font=ImageFont.load_default(15))
        pages.append(page)
    return pages[0], pages[1]


LOOKALIKES: Mapping[str, tuple[PairMaker, tuple[Verdict, ...]]] = MappingProxyType(
    {
        name: (maker, (Verdict.UNRELATED, Verdict.SIMILAR_SHOT))
        for name, maker in {
            "same caption": _same_way(lambda p, r: overlays.draw_caption(p, r, 0.3)),
            "same caption outside": _same_way(lambda p, r: overlays.add_caption(p, r, 0.35)),
            "same border": _same_way(lambda p, r: overlays.add_border(p, r, 0.2)),
            "same watermark": _same_way(lambda p, r: overlays.draw_watermark(p, r, 0.7)),
            "same logo": _same_way(lambda p, r: overlays.draw_logo(p, r, 0.35)),
            "same screen": _same_way(lambda p, r: overlays.take_screenshot(p, r, 0.4)),
            "same faces": _same_way(lambda p, r: overlays.draw_faces(p, r, 0.3)),
            "collage and a part of it": _collage,
            "collages that share a part": _two_collages,
            "next shot": _next_shot,
            "nearly blank": _nearly_blank,
            "pages of text": _pages,
        }.items()
    }
)
"""How two pictures that are no copies are made, and what may be said of them."""


def make_lookalikes(first: Image.Image, second: Image.Image, name: str, *, seed: int = 0) -> Pair:
    """Return two pictures that are no copies, the same for the same arguments.

    Args:
        first, second: two different upright RGB photos.
        name: of ``LOOKALIKES``.
    """
    generator = random.Random(zlib.crc32(f"{name} {seed}".encode()))  # noqa: S311 - no secret
    return LOOKALIKES[name][0](first, second, generator)
