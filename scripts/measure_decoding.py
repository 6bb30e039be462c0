"""Measure the ways from a JPEG to the network's input: their times, and what they do to embeddings.

    python scripts/measure_decoding.py tests/photos --output scripts/results/decoding.json

Takes the photos of a folder, resized to several sizes and saved as JPEG at quality 90; those of
several megapixels get grain (seeded). The network is torch's, in float32. The cosines are to the
embedding of the full size, resized as torchvision does. Times are of decoding, resizing and cutting
one picture: the best of a few rounds, all ways in turn, and of these the median over the pictures.

Ways that need a library that is not installed are left out, with a note in the output.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mobisearch import DecodeSettings, Embedder
from mobisearch.imaging import prepare
from mobisearch.imaging.geometry import cut_centre
from mobisearch.runtimes.torch_runtime import TorchRuntime
from mobisearch.types import Pixels

GRAIN = 6.0  # standard deviation, of 255: about what a small sensor shows at ISO 800
GRAIN_FROM_PIXELS = 1_000_000
SIZES = ((64, 64), (500, 400), (2048, 1536), (4000, 3000))
LARGE = tuple(size for size in SIZES if size[0] * size[1] >= GRAIN_FROM_PIXELS)
OVERSAMPLING = (1.0, 1.25, 1.5, 2.0, 4.0)
LEAST_COSINE, MEDIAN_COSINE = 0.99, 0.999
RULE = (
    f"the smallest oversampling whose cosine is at least {MEDIAN_COSINE} at the median and "
    f"{LEAST_COSINE} at the least, in all sizes"
)
ROUNDS = 3
WIN_SHARE = 0.8
"""A decoder that is a dependency more must take at most this much of Pillow's time somewhere."""

Way = Callable[[bytes], Pixels]


def saved(path: Path, size: tuple[int, int], generator: np.random.Generator) -> bytes:
    """Return the photo as a JPEG of about this many pixels, turned as it is."""
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    if photo.height > photo.width:
        size = size[::-1]
    resized = photo.resize(size, Image.Resampling.LANCZOS)
    if size[0] * size[1] >= GRAIN_FROM_PIXELS:
        values = np.asarray(resized, dtype=np.float32)
        noise = generator.standard_normal(values.shape, dtype=np.float32)
        resized = Image.fromarray((values + GRAIN * noise).clip(0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    resized.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def pillow(embedder: Embedder, **settings: Any) -> Way:
    """Return the package's own way."""
    chosen = DecodeSettings(**settings)
    network = embedder.spec.preprocessing
    return lambda data: prepare(data, name="", preprocessing=network, settings=chosen).pixels


def simplejpeg(embedder: Embedder, **options: Any) -> Way:
    """Return libjpeg-turbo by its own interface, with the package's resizing.

    Pillow still reads the header, for the size limits, the orientation and what EXIF says.
    """
    import simplejpeg

    network = embedder.spec.preprocessing

    def way(data: bytes) -> Pixels:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as header:
            header.getexif()
        image = Image.fromarray(simplejpeg.decode_jpeg(data, "RGB", **options))
        return cut_centre(image, network, is_exact=False)

    return way


def vips(embedder: Embedder) -> Way:
    """Return libvips, which decodes at reduced size and resizes in one go."""
    import pyvips

    network = embedder.spec.preprocessing

    def way(data: bytes) -> Pixels:
        header = pyvips.Image.new_from_buffer(data, "")
        scale = network.resize_px / min(header.width, header.height)
        size = int(header.width * scale), int(header.height * scale)
        image = pyvips.Image.thumbnail_buffer(data, size[0], height=size[1], size="force")
        left, top = ((side - network.crop_px) // 2 for side in size)
        return np.asarray(image.crop(left, top, network.crop_px, network.crop_px).numpy())

    return way


def compare(pictures: list[bytes], ways: dict[str, Way], embedder: Embedder) -> dict[str, Any]:
    """Return what each way takes, and how close its embeddings are to those of "exact"."""
    pixels: dict[str, list[Pixels]] = {name: [] for name in ways}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for data in pictures:
        for name, way in ways.items():
            pixels[name].append(way(data))
        for _ in range(ROUNDS):
            for name, way in ways.items():
                started = time.perf_counter()
                way(data)
                rounds[name].append(time.perf_counter() - started)
        for name, times in rounds.items():
            seconds[name].append(min(times))
            times.clear()
    rows = {name: embedder.embed_pixels(np.stack(values)) for name, values in pixels.items()}
    result: dict[str, Any] = {"n": len(pictures)}
    for name, embeddings in rows.items():
        cosines = (embeddings * rows["exact"]).sum(axis=1)
        first = (embeddings @ rows["exact"].T).argmax(axis=1) == np.arange(len(pictures))
        levels = [
            int(np.abs(a.astype(int) - b).max())
            for a, b in zip(pixels[name], pixels["exact"], strict=True)
        ]
        result[name] = {
            "ms": round(statistics.median(seconds[name]) * 1000, 2),
            "cosine_min": round(float(cosines.min()), 5),
            "cosine_median": round(float(np.median(cosines)), 5),
            "finds_itself_first": round(float(first.mean()), 4),
            "largest_difference_of_a_level": max(levels),
        }
    return result


def choose(tables: Iterable[dict[str, Any]]) -> float | None:
    """Return the oversampling that the rule names."""
    tables = list(tables)
    for factor in OVERSAMPLING:
        rows = [table[f"oversampling_{factor:g}"] for table in tables]
        if all(
            row["cosine_min"] >= LEAST_COSINE and row["cosine_median"] >= MEDIAN_COSINE
            for row in rows
        ):
            return factor
    return None


def judge(tables: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return, for each other decoder, whether it earns being a dependency."""
    verdicts = {}
    for name in ("simplejpeg", "simplejpeg_scaled", "pyvips"):
        if all(name in table for table in tables.values()):
            shares = {size: row[name]["ms"] / row["pillow"]["ms"] for size, row in tables.items()}
            best = min(shares, key=lambda size: shares[size])
            word = "wins" if shares[best] <= WIN_SHARE else "is left out"
            verdicts[name] = f"{word}: at best {shares[best]:.2f} of Pillow's time, at {best}"
    return verdicts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--about", default="", help="what the photos are, kept in the output")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=22, help="photos to take")
    arguments = parser.parse_args()
    paths = sorted(p for p in arguments.folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    paths = paths[:: max(1, len(paths) // arguments.limit)][: arguments.limit]
    spec = Embedder().spec
    embedder = Embedder(spec, runtime=TorchRuntime(spec, device="cpu"))
    generator = np.random.default_rng(0)
    need_px = DecodeSettings().reduced_oversampling * spec.preprocessing.resize_px
    decoders = {"exact": pillow(embedder, exact=True), "pillow": pillow(embedder)}
    notes = []
    if importlib.util.find_spec("simplejpeg"):
        decoders["simplejpeg"] = simplejpeg(embedder)
        decoders["simplejpeg_scaled"] = simplejpeg(
            embedder, min_height=need_px, min_width=need_px, min_factor=2
        )
    else:
        notes.append("simplejpeg is not installed")
    if importlib.util.find_spec("pyvips"):
        decoders["pyvips"] = vips(embedder)
    else:
        notes.append("pyvips is not installed")
    reduced = {"exact": decoders["exact"]}
    for factor in OVERSAMPLING:
        reduced[f"oversampling_{factor:g}"] = pillow(embedder, reduced_oversampling=factor)
    by_decoder, by_oversampling = {}, {}
    for size in SIZES:
        name = "{} x {}".format(*size)
        pictures = [saved(path, size, generator) for path in paths]
        by_decoder[name] = compare(pictures, decoders, embedder)
        if size in LARGE:
            by_oversampling[name] = compare(pictures, reduced, embedder)
    libraries = ("torch", "pillow", *(n for n in ("simplejpeg", "pyvips") if n in decoders))
    report = {
        "command": f"python scripts/measure_decoding.py FOLDER --limit {arguments.limit}",
        "machine": {"processors": platform.machine(), "python": platform.python_version()},
        "versions": {name: version(name) for name in libraries},
        "photos": arguments.about,
        "model": spec.label,
        "oversampling": {
            "rule": RULE,
            "chosen": choose(by_oversampling.values()),
            "in_use": DecodeSettings().reduced_oversampling,
            "sizes": by_oversampling,
        },
        "decoders": {
            "rule": f"another than Pillow must take at most {WIN_SHARE} of its time in some size",
            "verdicts": judge(by_decoder),
            "notes": notes,
            "sizes": by_decoder,
        },
    }
    arguments.output.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
