"""Measure what decoding large JPEGs at reduced size does to embeddings, and what it saves.

    python scripts/measure_decoding.py FOLDER --output scripts/results/decoding.json

Takes the photos of a folder in two ways: those whose shorter side is 1024 pixels or more as they
are, and all of them enlarged to 12 megapixels with grain added (seeded), saved as JPEG at quality
90. Each is embedded from its full size and from its reduced size. Prints and writes the cosine
between the two, whether the reduced one finds the full one first among all, and the median of the
decoding times, taken in turn.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import statistics
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

from mobisearch import DecodeSettings, Embedder
from mobisearch.imaging import prepare

LARGE_SHORT_SIDE_PX = 1024
ENLARGED_PIXELS = 12_000_000
GRAIN = 6.0  # standard deviation, of 255: about what a small sensor shows at ISO 800
OVERSAMPLING = (1.0, 2.0, 4.0)


def enlarge(path: Path, generator: np.random.Generator) -> bytes:
    """Return the photo as a 12-megapixel JPEG with grain."""
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    factor = (ENLARGED_PIXELS / (photo.width * photo.height)) ** 0.5
    size = (round(photo.width * factor), round(photo.height * factor))
    values = np.asarray(photo.resize(size, Image.Resampling.LANCZOS), dtype=np.float32)
    values = values + generator.normal(0, GRAIN, values.shape).astype(np.float32)
    buffer = io.BytesIO()
    Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def measure(pictures: list[bytes], embedder: Embedder) -> dict[str, object]:
    """Return cosines, ranks and times of one set of pictures."""
    settings = {"exact": DecodeSettings(exact=True)}
    for factor in OVERSAMPLING:
        settings[str(factor)] = replace(DecodeSettings(), reduced_oversampling=factor)
    pixels: dict[str, list[np.ndarray]] = {name: [] for name in settings}
    seconds: dict[str, list[float]] = {name: [] for name in settings}
    for data in pictures:
        for name, choice in settings.items():
            started = time.perf_counter()
            prepared = prepare(
                data, name="", preprocessing=embedder.spec.preprocessing, settings=choice
            )
            seconds[name].append(time.perf_counter() - started)
            pixels[name].append(prepared.pixels)
    rows = {name: embedder.embed_pixels(np.stack(values)) for name, values in pixels.items()}
    result: dict[str, object] = {
        "n": len(pictures),
        "decode_ms_exact": round(statistics.median(seconds["exact"]) * 1000, 1),
    }
    for factor in OVERSAMPLING:
        reduced = rows[str(factor)]
        cosines = (reduced * rows["exact"]).sum(axis=1)
        first = (reduced @ rows["exact"].T).argmax(axis=1) == np.arange(len(pictures))
        result[f"oversampling_{factor:g}"] = {
            "cosine_min": round(float(cosines.min()), 5),
            "cosine_p05": round(float(np.quantile(cosines, 0.05)), 5),
            "cosine_median": round(float(np.median(cosines)), 5),
            "finds_itself_first": round(float(first.mean()), 4),
            "decode_ms": round(statistics.median(seconds[str(factor)]) * 1000, 1),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--about", default="", help="what the photos are, kept in the output")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=60, help="photos to enlarge")
    arguments = parser.parse_args()
    paths = sorted(p for p in arguments.folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    embedder = Embedder()
    generator = np.random.default_rng(0)
    large = [p.read_bytes() for p in paths if min(Image.open(p).size) >= LARGE_SHORT_SIDE_PX]
    step = max(1, len(paths) // arguments.limit)
    enlarged = [enlarge(path, generator) for path in paths[::step][: arguments.limit]]
    report = {
        "command": f"python scripts/measure_decoding.py FOLDER --limit {arguments.limit}",
        "machine": {"processors": platform.machine(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("torch", "torchvision", "pillow")},
        "photos": arguments.about,
        "model": embedder.spec.label,
        "enlarged_to_12_megapixels_with_grain": measure(enlarged, embedder),
    }
    if large:
        report["large_as_they_are"] = measure(large, embedder)
    arguments.output.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
