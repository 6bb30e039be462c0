"""Measure the second look at pairs: copies it proves and names, and what it must never prove.

    python scripts/measure_verification.py FOLDER [--every 10] [--output FILE.json]

Alters photos of a folder in all ways and strengths of ``mobisearch.evaluation.variations``,
compares each copy with its original (from thumbnails, and from larger pixels where those cannot
settle it), all originals with each other, and lookalikes. Prints and writes, for each way, which
share was proved, and named rightly; how many of the pairs that are no copies were taken for copies;
and the milliseconds that a picture and a pair take on one core.
"""

from __future__ import annotations

import argparse
import collections
import io
import itertools
import json
import platform
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mobisearch.duplicates.verification import (
    CLOSE_PX,
    THUMBNAIL_PX,
    THUMBNAIL_QUALITY,
    Picture,
    Prepared,
    look,
    look_closer,
    needs_closer_look,
    prepare,
    verify,
)
from mobisearch.evaluation.lookalikes import LOOKALIKES, make_lookalikes
from mobisearch.evaluation.variations import MAKERS, STRENGTHS, make_copy
from mobisearch.types.duplicates import Relation

HALF = 0.5


def read(source: Path | io.BytesIO) -> Image.Image:
    with Image.open(source) as opened:
        return ImageOps.exif_transpose(opened).convert("RGB")


def look_at(image: Image.Image, px: int = THUMBNAIL_PX) -> Prepared:
    small = image.copy()
    small.thumbnail((px, px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=THUMBNAIL_QUALITY)
    return prepare(Picture(np.asarray(Image.open(buffer)), image.width, image.height))


def decide(first: Image.Image, second: Image.Image) -> tuple[Relation, bool]:
    """Return the relation, and whether thumbnails could not settle it."""
    a, b = look_at(first), look_at(second)
    outcome = look(a, b)
    if not needs_closer_look(a, b, outcome):
        return outcome.relation, False
    close = look_at(first, CLOSE_PX), look_at(second, CLOSE_PX)
    return look_closer(*close, outcome), True


def measure_way(task: tuple[str, str, list[Path]]) -> dict[str, object]:
    """Return what becomes of the copies made in one way."""
    name, strength, paths = task
    proved = named = closer = halves = halves_proved = 0
    for number, path in enumerate(paths):
        photo = read(path)
        copy = make_copy(photo, name, strength, seed=number)
        relation, is_closer = decide(photo, read(io.BytesIO(copy.data)))
        proved += relation.is_copy
        named += relation.verdict in copy.verdicts
        closer += is_closer
        halves += copy.share >= HALF
        halves_proved += copy.share >= HALF and relation.is_copy
    return {
        "way": f"{name}, {strength}",
        "copies": len(paths),
        "proved": round(proved / len(paths), 4),
        "named": round(named / len(paths), 4),
        "closer_looks": round(closer / len(paths), 4),
        "leave_half": halves,
        "leave_half_proved": halves_proved,
    }


def measure_lookalikes(task: tuple[str, list[Path]]) -> tuple[str, dict[str, int]]:
    name, paths = task
    found: collections.Counter[str] = collections.Counter()
    for number, (one, other) in enumerate(itertools.pairwise(paths)):
        pair = make_lookalikes(read(one), read(other), name, seed=number)
        found[decide(*pair)[0].verdict.value] += 1
    return name, dict(found)


def measure_unrelated(paths: list[Path]) -> dict[str, object]:
    """Compare all photos with each other, and take the time."""
    small = [look_at(read(path)).picture for path in paths]
    started = time.process_time()
    prepared = [prepare(picture) for picture in small]
    for picture in prepared:
        assert picture.points is not None  # found when first asked for
    per_picture = 1e3 * (time.process_time() - started) / len(small)
    found: collections.Counter[str] = collections.Counter()
    started = time.process_time()
    for first, second in itertools.combinations(prepared, 2):
        found[verify(first, second).verdict.value] += 1
    pairs = len(prepared) * (len(prepared) - 1) // 2
    per_pair = 1e3 * (time.process_time() - started) / max(1, pairs)
    return {
        "pairs": pairs,
        "verdicts": dict(found),
        "ms_per_picture": round(per_picture, 2),
        "ms_per_pair": round(per_pair, 3),
    }


def report(paths: list[Path], every: int) -> Iterator[tuple[str, object]]:
    some = paths[::every]
    with ProcessPoolExecutor() as pool:
        ways = []
        tasks = [(name, strength, some) for name in MAKERS for strength in STRENGTHS]
        for way in pool.map(measure_way, tasks):
            print(way, flush=True)
            ways.append(way)
        yield "ways", ways
        copies = sum(int(way["copies"]) for way in ways)
        for share in ("proved", "named", "closer_looks"):
            total = sum(float(way[share]) * int(way["copies"]) for way in ways)
            yield share, round(total / copies, 4)
        halves = sum(int(way["leave_half"]) for way in ways)
        proved = sum(int(way["leave_half_proved"]) for way in ways)
        yield "leave_half_proved", round(proved / halves, 4)
        yield "lookalikes", dict(pool.map(measure_lookalikes, ((n, some) for n in LOOKALIKES)))
    yield "unrelated", measure_unrelated(paths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=10, help="alter every n-th photo")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    paths = sorted(arguments.folder.glob("*.jpg"))
    results: dict[str, object] = {"machine": platform.machine(), "photos": len(paths)}
    for name, value in report(paths, arguments.every):
        results[name] = value
        if name != "ways":
            print(name, value, flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
