"""Measure what each runtime and precision does to embeddings, to what is found, and to speed.

    python scripts/measure_runtimes.py FOLDER [MORE...] --output scripts/results/runtimes.json

Embeds all photos, and copies of those in the first folder altered in twelve ways, with every
runtime and precision that this machine has. The reference is torch in float32 on pictures decoded
in full. For each: the cosine to the reference's embeddings, the micro-average precision of finding
the originals of the copies and what of it is lost, and pictures a second through the network alone,
in turns, the median of several rounds.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe_machine
from PIL import Image, ImageOps

from mobisearch import DecodeSettings, Embedder, RuntimeSettings
from mobisearch.errors import ModelError
from mobisearch.evaluation import ALTERATIONS, alter, micro_average_precision, recall_at
from mobisearch.types import Pixels

REFERENCE = "torch f32, exact"
WAYS = {
    REFERENCE: (RuntimeSettings("torch", "f32", device="cpu"), True),
    "openvino f32, exact": (RuntimeSettings("openvino", "f32"), True),
    "openvino f32": (RuntimeSettings("openvino", "f32"), False),
    "openvino bf16": (RuntimeSettings("openvino", "bf16"), False),
    "openvino int8": (RuntimeSettings("openvino", "int8"), False),
    "torch int8": (RuntimeSettings("torch", "int8", device="cpu"), False),
}
ROUNDS = 5
TIMED = 96


def read_photos(folder: Path) -> list[Image.Image]:
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    return [ImageOps.exif_transpose(Image.open(path)).convert("RGB") for path in paths]


def prepare(pictures: list[Any], *, is_exact: bool) -> Pixels:
    embedder = Embedder(settings=DecodeSettings(exact=is_exact))
    return np.stack([embedder.prepare(picture).pixels for picture in pictures])


def time_in_turns(embedders: dict[str, Embedder], pixels: Pixels) -> dict[str, float]:
    """Return pictures a second of each, the median of rounds taken in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in embedders}
    for turn in range(ROUNDS + 1):
        for name, embedder in embedders.items():
            started = time.perf_counter()
            embedder.embed_pixels(pixels)
            if turn:  # the first one warms up
                seconds[name].append(time.perf_counter() - started)
    return {name: len(pixels) / statistics.median(times) for name, times in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--about", default="", help="what the photos are, kept in the output")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    first = read_photos(arguments.folders[0])
    others = [photo for folder in arguments.folders[1:] for photo in read_photos(folder)]
    photos = [*first, *others]
    copies = [alter(photo, how) for how in ALTERATIONS.values() for photo in first]
    originals = np.tile(np.arange(len(first)), len(ALTERATIONS))
    is_match = originals[:, None] == np.arange(len(photos))[None]  # (copies, photos)
    pixels = {
        is_exact: (prepare(photos, is_exact=is_exact), prepare(copies, is_exact=is_exact))
        for is_exact in (True, False)
    }
    results: dict[str, dict[str, float]] = {}
    embedders: dict[str, Embedder] = {}
    unavailable: dict[str, str] = {}
    reference = np.empty((0, 0), np.float32)
    for name, (settings, is_exact) in WAYS.items():
        embedder = Embedder(runtime=settings, settings=DecodeSettings(exact=is_exact))
        try:
            embedder.load()
        except ModelError as error:
            unavailable[name] = str(error)
            continue
        embedders[name] = embedder
        shown, altered = (embedder.embed_pixels(batch) for batch in pixels[is_exact])
        rows = np.concatenate([shown, altered])
        if name == REFERENCE:
            reference = rows
        cosines = (rows * reference).sum(axis=1)
        scores = altered @ shown.T
        results[name] = {
            "cosine_median": round(float(np.median(cosines)), 6),
            "cosine_least": round(float(cosines.min()), 4),
            "micro_average_precision": round(micro_average_precision(scores, is_match), 4),
            "first": round(recall_at(scores, is_match, 1), 4),
        }
        lost = results[REFERENCE]["micro_average_precision"]
        results[name]["lost"] = round(lost - results[name]["micro_average_precision"], 4)
        print(f"{name:24} {results[name]}", flush=True)
    for name, rate in time_in_turns(embedders, pixels[False][0][:TIMED]).items():
        results[name]["images_per_second"] = round(rate, 1)
        print(f"{name:24} {rate:.0f} images/s", flush=True)
    document = {
        "command": "python scripts/measure_runtimes.py FOLDER... --output FILE",
        "machine": describe_machine(),
        "versions": {
            "python": platform.python_version(),
            **{n: version(n) for n in ("openvino", "torch", "torchvision", "pillow", "numpy")},
        },
        "model": Embedder().spec.label,
        "photos": arguments.about or f"{len(photos)} photos",
        "originals": len(first),
        "images": len(photos),
        "copies": len(copies),
        "default": Embedder().precision,
        "unavailable": unavailable,
        "results": results,
    }
    arguments.output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
