"""Measure what the resolution of the network's input does to speed and to what is found.

    python scripts/measure_resolutions.py FOLDER [MORE...] --output scripts/results/resolutions.json

For the bundled weights at 128 to 288 pixels: multiply-adds, pictures a second through the network
alone in OpenVINO in f32 and in the default precision, taken in turns, the median of several rounds;
and how well copies of the photos in the first folder, altered in twelve ways, find their originals
among all photos, in the default precision.
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from machine import describe_machine
from measure_runtimes import read_photos, time_in_turns

from mobisearch import Embedder, RuntimeSettings
from mobisearch.evaluation import ALTERATIONS, alter, micro_average_precision, recall_at
from mobisearch.models import DEFAULT_MODEL, find_model
from mobisearch.models.facts import find_costs

RESOLUTIONS_PX = (128, 160, 192, 224, 256, 288)
TIMED = 96


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    first = read_photos(arguments.folders[0])
    photos = [*first, *(p for folder in arguments.folders[1:] for p in read_photos(folder))]
    copies = [alter(photo, how) for how in ALTERATIONS.values() for photo in first]
    originals = np.tile(np.arange(len(first)), len(ALTERATIONS))
    is_match = originals[:, None] == np.arange(len(photos))[None]  # (copies, photos)
    default = RuntimeSettings("openvino")
    results: dict[str, dict[str, float | int | str]] = {}
    precision = ""
    for resolution in RESOLUTIONS_PX:
        spec = find_model(DEFAULT_MODEL).at_resolution(resolution)
        embedder = Embedder(spec, runtime=default)
        precision = embedder.precision
        pixels = np.stack([embedder.prepare(photo).pixels for photo in photos])
        shown = embedder.embed_pixels(pixels)
        scores = embedder.embed(copies) @ shown.T
        others = {
            name: Embedder(spec, runtime=RuntimeSettings("openvino", name))
            for name in dict.fromkeys(("f32", precision))
        }
        rates = time_in_turns(others, pixels[:TIMED])
        results[str(resolution)] = {
            "model": spec.name,
            "resize_px": spec.preprocessing.resize_px,
            "multiply_adds": find_costs(spec).embedding_multiply_adds,
            "images_per_second_f32": round(rates["f32"], 1),
            "images_per_second": round(rates[precision], 1),
            "micro_average_precision": round(micro_average_precision(scores, is_match), 4),
            "first": round(recall_at(scores, is_match, 1), 4),
        }
        print(resolution, results[str(resolution)], flush=True)
    document = {
        "command": "python scripts/measure_resolutions.py FOLDER... --output FILE",
        "machine": describe_machine(),
        "versions": {
            "python": platform.python_version(),
            **{n: version(n) for n in ("openvino", "torch", "torchvision", "pillow", "numpy")},
        },
        "weights": find_model(DEFAULT_MODEL).label,
        "precision": precision,
        "originals": len(first),
        "images": len(photos),
        "copies": len(copies),
        "results": results,
    }
    arguments.output.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
