"""A library of originals and altered copies, for measuring how well copies are found."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from mobisearch.evaluation.lookalikes import LOOKALIKES, make_lookalikes
from mobisearch.evaluation.variations import MAKERS, STRENGTHS, make_copy


@dataclass(frozen=True)
class Made:
    """A file of the library, and what it was made from.

    Attributes:
        original: number of the photo; negative for lookalikes, which belong to none.
        way: what was done; "" for the original.
        share: of the photo, what can still be seen.
    """

    name: str
    original: int
    way: str = ""
    strength: str = ""
    share: float = 1.0
    verdicts: tuple[str, ...] = ()


def load(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        return ImageOps.exif_transpose(opened).convert("RGB")


def make_library(photos: list[Path], folder: Path, *, copies: int, seed: int) -> list[Made]:
    """Write originals, some altered copies of each, and lookalikes."""
    generator = random.Random(seed)
    cases = list(itertools.product(MAKERS, range(len(STRENGTHS))))
    generator.shuffle(cases)
    remaining = itertools.cycle(cases)
    made: list[Made] = []
    for number, path in enumerate(photos):
        photo = load(path)
        name = f"{number:04}.jpg"
        photo.save(folder / name, quality=92)
        made.append(Made(name, number))
        for way, strength in itertools.islice(remaining, copies):
            copy = make_copy(photo, way, STRENGTHS[strength], seed=number)
            ending = {b"\x89P": "png", b"RI": "webp"}.get(copy.data[:2], "jpg")
            name = f"{generator.getrandbits(40):010x}.{ending}"
            (folder / name).write_bytes(copy.data)
            verdicts = tuple(verdict.value for verdict in copy.verdicts)
            made.append(Made(name, number, way, STRENGTHS[strength], copy.share, verdicts))
    return made


def make_strangers(photos: list[Path], folder: Path, *, seed: int) -> list[Made]:
    """Write pairs of lookalikes, each of two photos that are used for nothing else."""
    made: list[Made] = []
    kinds = itertools.cycle(LOOKALIKES)
    for first, second in zip(photos[::2], photos[1::2], strict=False):
        kind = next(kinds)
        for which, picture in enumerate(
            make_lookalikes(load(first), load(second), kind, seed=seed + len(made))
        ):
            name = f"{kind} {len(made)} {which}.png".replace(" ", "-")
            picture.save(folder / name)
            made.append(Made(name, -1 - len(made), kind))
    return made
