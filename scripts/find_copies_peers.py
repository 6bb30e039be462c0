"""Let other tools find the copies in a folder; ``measure_duplicates.py`` runs it where they are.

    python scripts/find_copies_peers.py FOLDER OUTPUT

Writes, for each tool that is installed, the pairs that it scores, with the score above which it
takes them for copies by default, and how long it took.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_LOOSEST_PHASH = 24
"""Bits of 64 that may differ; more pairs than that are no use to anybody."""

_LOOSEST_COSINE = 0.5


def imagededup_phash(folder: Path) -> tuple[list[tuple[str, str, float]], float]:
    from imagededup.methods import PHash

    found = PHash(verbose=False).find_duplicates(
        image_dir=str(folder), max_distance_threshold=_LOOSEST_PHASH, scores=True
    )
    pairs = [(a, b, 64 - float(d)) for a, others in found.items() for b, d in others if a < b]
    return pairs, 64 - 10.0


def imagededup_cnn(folder: Path) -> tuple[list[tuple[str, str, float]], float]:
    from imagededup.methods import CNN

    found = CNN(verbose=False).find_duplicates(
        image_dir=str(folder), min_similarity_threshold=_LOOSEST_COSINE, scores=True
    )
    return [(a, b, float(s)) for a, others in found.items() for b, s in others if a < b], 0.9


def fastdup(folder: Path) -> tuple[list[tuple[str, str, float]], float]:
    import fastdup as tool

    with tempfile.TemporaryDirectory() as work:
        made = tool.create(input_dir=str(folder), work_dir=work)
        made.run(ccthreshold=0.9, threshold=_LOOSEST_COSINE, nearest_neighbors_k=20, verbose=False)
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
