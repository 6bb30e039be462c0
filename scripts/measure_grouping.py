"""Measure how long copies take to be found among very many images, once these were looked at.

    python scripts/measure_grouping.py make FOLDER DIR --images 100000
    python scripts/measure_grouping.py group DIR --output scripts/results/grouping.json

``make`` writes pictures of 192 pixels into DIR, each of four cuts of random photos of FOLDER, so
that no two show the same, and to one in twenty of them an altered copy; it indexes them and makes
their looks. ``group`` forgets every comparison that the index remembers, then calls
``ImageIndex.duplicates`` in a process of its own: matching, comparing and grouping, all that is
left to be done. Memory is the peak of that process, and for each processor the peak of the largest
process that it started to compare: more than they take together, since they share libraries.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from machine import describe_machine
from photo_sets import jpegs
from PIL import Image, ImageOps

from mobisearch import ImageIndex
from mobisearch.capacity import count_processors

_SIDE = 192
_COPIES = 20
"""One picture in so many has a copy."""


def make_picture(photos: list[Image.Image], generator: random.Random) -> Image.Image:
    """Return four cuts of photos side by side."""
    made = Image.new("RGB", (_SIDE, _SIDE))
    across, down = (generator.randrange(_SIDE // 4, 3 * _SIDE // 4) for _ in range(2))
    for box in (
        (0, 0, across, down),
        (across, 0, _SIDE, down),
        (0, down, across, _SIDE),
        (across, down, _SIDE, _SIDE),
    ):
        photo = generator.choice(photos)
        share = generator.uniform(0.3, 0.7)
        width, height = (int(side * share) for side in photo.size)
        left = generator.randrange(photo.width - width)
        top = generator.randrange(photo.height - height)
        cut = photo.crop((left, top, left + width, top + height))
        if generator.random() < 0.5:
            cut = ImageOps.mirror(cut)
        size = (box[2] - box[0], box[3] - box[1])
        made.paste(ImageOps.fit(cut, size), box[:2])
    return made


def make_copy(picture: Image.Image, generator: random.Random) -> Image.Image:
    """Return the picture smaller, cropped or turned."""
    kind = generator.randrange(3)
    if kind == 0:
        side = generator.randrange(100, 170)
        return picture.resize((side, side))
    if kind == 1:
        margin = generator.randrange(5, 20)
        return picture.crop((margin, margin, _SIDE, _SIDE))
    return picture.transpose(Image.Transpose.ROTATE_90)


def make(folder: Path, target: Path, n_images: int) -> None:
    photos = [ImageOps.exif_transpose(Image.open(path)).convert("RGB") for path in jpegs(folder)]
    generator = random.Random(0)
    pictures = target / "pictures"
    number = 0
    while number < n_images:
        picture = make_picture(photos, generator)
        made = [picture]
        if generator.randrange(_COPIES) == 0 and number + 1 < n_images:
            made.append(make_copy(picture, generator))
        for each in made:
            place = pictures / f"{number // 1000:03}"
            place.mkdir(parents=True, exist_ok=True)
            each.save(place / f"{number:06}.jpg", quality=generator.randrange(80, 95))
            number += 1
    # The index's own embeddings play no part here, so they are made of small inputs.
    with ImageIndex.create(target / "index", model="mobilenet_v2@96") as index:
        index.sync(pictures)
        index.duplicates()


def forget_comparisons(index: Path) -> None:
    with sqlite3.connect(index / "mobisearch.db") as connection:
        connection.execute("DELETE FROM relation")


def group(index_dir: Path) -> None:
    """Find the copies, and print how long that took and what it needed."""
    stages: dict[str, float] = {}
    started = time.perf_counter()

    def note(progress: object) -> None:
        stages[progress.stage] = round(time.perf_counter() - started, 2)

    with ImageIndex.open(index_dir) as index:
        groups = index.duplicates(on_progress=note)
    own, largest = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    document = {
        "seconds": round(time.perf_counter() - started, 2),
        "seconds_at_the_end_of": stages,
        "peak_memory_mb": round(own + count_processors() * largest),
        "images": groups.images,
        "groups": len(groups),
        "copies": sum(len(found.copies) for found in groups),
        "candidate_score": groups.curve.candidate_score,
        "completeness": groups.completeness,
    }
    print(json.dumps(document))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="what", required=True)
    making = commands.add_parser("make")
    making.add_argument("folder", type=Path)
    making.add_argument("target", type=Path)
    making.add_argument("--images", type=int, default=100_000)
    grouping = commands.add_parser("group")
    grouping.add_argument("target", type=Path)
    grouping.add_argument("--rounds", type=int, default=3)
    grouping.add_argument("--output", type=Path, required=True)
    commands.add_parser("child").add_argument("target", type=Path)
    arguments = parser.parse_args()
    if arguments.what == "make":
        make(arguments.folder, arguments.target, arguments.images)
        return
    index = arguments.target / "index"
    if arguments.what == "child":
        group(index)
        return
    rounds = []
    for _ in range(arguments.rounds):
        forget_comparisons(index)
        child = subprocess.run(
            [sys.executable, __file__, "child", str(arguments.target)],
            check=True,
            stdout=subprocess.PIPE,
        )
        rounds.append(json.loads(child.stdout))
        print(rounds[-1], file=sys.stderr)
    document = {
        "command": "python scripts/measure_grouping.py group DIR --output FILE",
        "machine": describe_machine(),
        "rounds": rounds,
    }
    arguments.output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
