"""Measure how often altered copies find their original in an index.

    python scripts/measure_copies.py tests/photos [MORE...] --output scripts/results/copies.json

Indexes all the folders through ``ImageIndex.sync``, alters each photo of the first folder in twelve
ways, and searches for every altered copy through ``ImageIndex.search_many``. Prints and writes, for
each way, the share whose original is the first match, the share with it among the first ten, and
the lowest score that an original got.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
from importlib.metadata import version
from pathlib import Path

from PIL import Image, ImageOps

from mobisearch import ImageIndex
from mobisearch.evaluation import ALTERATIONS, Alteration, alter


def alter_file(path: str, alteration: Alteration) -> bytes:
    """Return an altered copy of a photo as JPEG bytes."""
    with Image.open(path) as opened:
        return alter(ImageOps.exif_transpose(opened).convert("RGB"), alteration)


def measure(index: ImageIndex, originals: list[str]) -> dict[str, dict[str, float]]:
    """Return the shares for each kind of alteration."""
    results: dict[str, dict[str, float]] = {}
    for name, alteration in ALTERATIONS.items():
        first = among_ten = 0
        lowest = 1.0
        found = index.search_many([alter_file(path, alteration) for path in originals], k=10)
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
