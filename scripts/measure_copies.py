"""Measure how often altered copies find their original in an index.

    python scripts/measure_copies.py tests/photos [MORE...] --output scripts/results/copies.json

Indexes all the folders through ``ImageIndex.sync``, alters each photo of the first folder in twelve
ways, and searches for every altered copy through ``ImageIndex.search_many``. Prints and writes, for
each way, the share whose original is the first match, the share with it among the first ten, and
the lowest score that an original got.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import statistics
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from mobisearch import ImageIndex

Alteration = Callable[[Image.Image], tuple[Image.Image, int]]


def crop(photo: Image.Image, share: float, x: float, y: float) -> Image.Image:
    """Return a part with this share of the area; x and y from 0 to 1 say where it lies."""
    width, height = (round(side * share**0.5) for side in photo.size)
    left, top = round((photo.width - width) * x), round((photo.height - height) * y)
    return photo.crop((left, top, left + width, top + height))


def resize(photo: Image.Image, factor: float) -> Image.Image:
    """Return the photo with its sides multiplied by a factor."""
    size = (max(1, round(photo.width * factor)), max(1, round(photo.height * factor)))
    return photo.resize(size, Image.Resampling.LANCZOS)


def caption(photo: Image.Image) -> Image.Image:
    """Return the photo with a dark bar and white text over its lower sixth."""
    changed = photo.copy()
    draw = ImageDraw.Draw(changed)
    top = photo.height * 5 // 6
    draw.rectangle((0, top, photo.width, photo.height), fill="black")
    draw.text((photo.width // 20, top + 4), "A caption over the picture", fill="white")
    return changed


ALTERATIONS: dict[str, Alteration] = {
    "recompressed, JPEG quality 30": lambda photo: (photo, 30),
    "resized to half": lambda photo: (resize(photo, 0.5), 90),
    "resized to a quarter": lambda photo: (resize(photo, 0.25), 90),
    "cropped to half the area, middle": lambda photo: (crop(photo, 0.5, 0.5, 0.5), 90),
    "cropped to half the area, a corner": lambda photo: (crop(photo, 0.5, 0.0, 1.0), 90),
    "cropped to a quarter of the area, middle": lambda photo: (crop(photo, 0.25, 0.5, 0.5), 90),
    "white border of a tenth": lambda photo: (
        ImageOps.expand(photo, min(photo.size) // 10, "white"),
        90,
    ),
    "caption over the lower sixth": lambda photo: (caption(photo), 90),
    "grey": lambda photo: (ImageOps.grayscale(photo).convert("RGB"), 90),
    "mirrored": lambda photo: (ImageOps.mirror(photo), 90),
    "rotated by 90 degrees": lambda photo: (photo.transpose(Image.Transpose.ROTATE_90), 90),
    "upside down": lambda photo: (photo.transpose(Image.Transpose.ROTATE_180), 90),
}


def alter(path: str, alteration: Alteration) -> bytes:
    """Return an altered copy of a photo as JPEG bytes."""
    with Image.open(path) as opened:
        picture, quality = alteration(ImageOps.exif_transpose(opened).convert("RGB"))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def measure(index: ImageIndex, originals: list[str]) -> dict[str, dict[str, float]]:
    """Return the shares for each kind of alteration."""
    results: dict[str, dict[str, float]] = {}
    for name, alteration in ALTERATIONS.items():
        first = among_ten = 0
        lowest = 1.0
        found = index.search_many([alter(path, alteration) for path in originals], k=10)
        for path, matches in zip(originals, found, strict=True):
            ranks = [match.image.path for match in matches]
            first += ranks[0] == path
            among_ten += path in ranks
            if path in ranks:
                lowest = min(lowest, matches[ranks.index(path)].score)
        results[name] = {
            "first": round(first / len(originals), 4),
            "among_ten": round(among_ten / len(originals), 4),
            "lowest_score": round(lowest, 4),
        }
        print(f"{name:42} {results[name]}", flush=True)
    return results


def measure_unrelated(index: ImageIndex, originals: list[str]) -> dict[str, float]:
    """Return how alike the most alike other image in the index is, over all originals."""
    found = index.search_many(originals, k=2)
    best = [max(m.score for m in matches if m.image.path != matches.query) for matches in found]
    return {"median": round(statistics.median(best), 4), "highest": round(max(best), 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--about", default="", help="what the photos are, kept in the output")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        ImageIndex.create(Path(directory) / "index") as index,
    ):
        report = index.sync(*arguments.folders)
        first = str(arguments.folders[0].resolve())
        originals = sorted(
            str(path.resolve())
            for path in Path(first).rglob("*")
            if path.suffix.lower() in (".jpg", ".jpeg")
        )
        document = {
            "command": "python scripts/measure_copies.py FOLDER... --output FILE",
            "machine": {"processors": platform.machine(), "python": platform.python_version()},
            "versions": {name: version(name) for name in ("torch", "torchvision", "pillow")},
            "photos": arguments.about,
            "model": index.status().fingerprint,
            "images_in_the_index": len(index),
            "altered_photos": len(originals),
            "failed": report.failed,
            "score_of_the_most_similar_other_image": measure_unrelated(index, originals),
            "results": measure(index, originals),
        }
    arguments.output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
