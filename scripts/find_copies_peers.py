"""Let other tools find the copies in a folder; ``measure_duplicates.py`` runs it where they are.

    python scripts/find_copies_peers.py FOLDER OUTPUT [WEIGHTS]

imagededup's CNN fetches the weights of its own network, MobileNetV3-Small. Where it cannot,
WEIGHTS, torchvision's file of MobileNetV2, lets it use that.

Writes, for each tool that is installed, the pairs that it scores, with the score above which it
takes them for copies by default, and how long finding them took.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WEIGHTS = sys.argv[3] if len(sys.argv) > 3 else ""

_LOOSEST_PHASH = 24
"""Bits of 64 that may differ; more pairs than that are no use to anybody."""

_LOOSEST_COSINE = 0.5

_NEAREST = 40
"""Of each picture, for tools that score only the nearest: more than it has copies."""


def imagededup_phash(folder: Path) -> tuple[list[tuple[str, str, float]], float]:
    from imagededup.methods import PHash

    found = PHash(verbose=False).find_duplicates(
        image_dir=str(folder), max_distance_threshold=_LOOSEST_PHASH, scores=True
    )
    pairs = [(a, b, 64 - float(d)) for a, others in found.items() for b, d in others if a < b]
    return pairs, 64 - 10.0


def imagededup_cnn(folder: Path) -> tuple[list[tuple[str, str, float]], float]:
    """Compare embeddings of its own network, or of MobileNetV2 where ``WEIGHTS`` names a file."""
    from imagededup.methods import CNN

    network = {"model_config": mobilenet_v2(WEIGHTS)} if WEIGHTS else {}
    found = CNN(verbose=False, **network).find_duplicates(
        image_dir=str(folder), min_similarity_threshold=_LOOSEST_COSINE, scores=True
    )
    return [(a, b, float(s)) for a, others in found.items() for b, s in others if a < b], 0.9


def mobilenet_v2(weights: str) -> Any:
    """Return MobileNetV2 in the form in which imagededup takes other networks than its own."""
    import torch
    import torchvision
    from imagededup.utils import CustomModel

    network = torchvision.models.mobilenet_v2(weights=None)
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.classifier = torch.nn.Identity()
    transform = torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    return CustomModel(name="mobilenet_v2", model=network.eval(), transform=transform)


def image_dedup_ai(folder: Path) -> tuple[list[tuple[str, str, float]], float]:
    from image_dedup_ai import Index

    pairs: dict[tuple[str, str], float] = {}
    with Index() as index:
        index.add(str(folder))
        index.find_duplicates(threshold=0.9)
        for path in sorted(folder.iterdir()):
            for match in index.near(str(path), k=_NEAREST):
                if match.similarity >= _LOOSEST_COSINE:
                    first, second = sorted((path.name, Path(match.path).name))
                    pairs[first, second] = float(match.similarity)
    return [(a, b, score) for (a, b), score in pairs.items()], 0.9


def fastdup(folder: Path) -> tuple[list[tuple[str, str, float]], float]:
    import fastdup as tool

    with tempfile.TemporaryDirectory() as work:
        made = tool.create(input_dir=str(folder), work_dir=work)
        made.run(
            ccthreshold=0.9, threshold=_LOOSEST_COSINE, nearest_neighbors_k=_NEAREST, verbose=False
        )
        table = made.similarity()
    pairs: dict[tuple[str, str], float] = {}
    for row in table.to_dict("records"):
        first, second = (Path(row[name]).name for name in ("filename_from", "filename_to"))
        if first != second:
            key = (min(first, second), max(first, second))
            pairs[key] = max(pairs.get(key, 0.0), float(row["distance"]))
    return [(a, b, score) for (a, b), score in pairs.items()], 0.9


PEERS: dict[str, Callable[[Path], tuple[list[tuple[str, str, float]], float]]] = {
    "imagededup PHash": imagededup_phash,
    "imagededup CNN": imagededup_cnn,
    "image-dedup-ai": image_dedup_ai,
    "fastdup": fastdup,
}


def main() -> None:
    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    document = {}
    for name, find in PEERS.items():
        started = time.perf_counter()
        try:
            pairs, default = find(folder)
        except Exception as error:  # noqa: BLE001 - a tool that fails is a result, too
            document[name] = {"error": f"{type(error).__name__}: {error}"[:300]}
            continue
        document[name] = {
            "seconds": round(time.perf_counter() - started, 2),
            "default": default,
            "pairs": pairs,
        }
    output.write_text(json.dumps(document))


if __name__ == "__main__":
    main()
