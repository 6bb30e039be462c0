"""Sets of pictures for measurements, made from photos or from nothing, the same each time."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


def make_sets(source: Path, folder: Path) -> dict[str, Path]:
    """Write the three sets; the one of 12 megapixels from every other photo, for its size."""
    photos = [ImageOps.exif_transpose(Image.open(path)).convert("RGB") for path in jpegs(source)]
    sets = {name: folder / name for name in ("photos", "12 megapixels", "thumbnails")}
    for path in sets.values():
        path.mkdir()
    for number, photo in enumerate(photos):
        for cut in range(10):
            part = photo.crop((cut, cut // 2, photo.width, photo.height))
            part.save(sets["photos"] / f"{cut}-{number:04}.jpg", quality=94)
            small = ImageOps.fit(part, (64, 64))
            small.save(sets["thumbnails"] / f"{cut}-{number:04}.jpg", quality=90)
    for number, photo in enumerate(photos[::2]):
        large = with_grain(ImageOps.fit(photo, (4000, 3000), Image.Resampling.BICUBIC), number)
        large.save(sets["12 megapixels"] / f"{number:04}.jpg", quality=92)
    return sets


def with_grain(photo: Image.Image, seed: int) -> Image.Image:
    """Return a photo with the noise of a sensor, or its JPEG would be too easily decoded."""
    pixels = np.asarray(photo).astype(np.int16)
    grain = np.random.default_rng(seed).normal(0, 4, pixels.shape[:2]).astype(np.int16)
    return Image.fromarray((pixels + grain[:, :, None]).clip(0, 255).astype(np.uint8))


def jpegs(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))


def part_of(folder: Path, n: int, into: Path) -> Path:
    """Return a folder with links to the first n photos."""
    part = into / f"{folder.name} {n}"
    if not part.exists():
        part.mkdir()
        for path in jpegs(folder)[:n]:
            os.link(path, part / path.name)
    return part


def make_thumbnails(folder: Path, n: int) -> None:
    """Write n different pictures of 64 x 64."""
    generator = np.random.default_rng(0)
    for number in range(n):
        small = generator.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize((64, 64), Image.Resampling.BICUBIC)
        place = folder / f"{number // 1000:03}"
        place.mkdir(exist_ok=True)
        picture.save(place / f"{number:06}.jpg", quality=85)
