"""Measure what 8-bit integers do to MobileNetV2's embeddings in torch, and how ReLU6 helps.

    python scripts/measure_quantisation.py FOLDER --output scripts/results/quantisation.json

The network is quantised by torch itself: as it is, with activations that end at 6, and with the cap
taken away; the ranges of values are those over the photos in tests/photos, each from the least to
the largest value or, as the package has it, what is best for most values. Each is compared with the
same network in float32 on the photos of FOLDER.
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from machine import describe_machine
from quantise_weights import batches, pictures

from mobisearch import DecodeSettings, Embedder
from mobisearch.models import ModelSpec, find_model
from mobisearch.models.quantisable import build_quantisable, calibrate, quantise
from mobisearch.types import Embeddings, Pixels, UnitRows

CAP = 6.0


def unit_rows(network: torch.nn.Module, spec: ModelSpec, pixels: Pixels) -> Embeddings:
    with torch.inference_mode():
        found = [network(batch).numpy() for batch in batches(spec, pixels)]
    return UnitRows.of(np.concatenate(found)).rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--about", default="", help="what the photos are, kept in the output")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    spec = find_model("mobilenet_v2")
    shown = np.stack(pictures())
    embedder = Embedder(settings=DecodeSettings(exact=True))
    paths = sorted(p for p in arguments.folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))
    photos = np.stack([embedder.prepare(path).pixels for path in paths])
    results = []
    for is_whole in (False, True):
        for cap in (CAP, None):
            reference = unit_rows(build_quantisable(spec, cap=cap), spec, photos)
            calibrated = calibrate(
                build_quantisable(spec, cap=cap), batches(spec, shown), whole=is_whole
            )
            # What an activation follows begins at zero.
            ends = [255 * scale for scale, zero_point in calibrated.values() if not zero_point]
            rows = unit_rows(quantise(build_quantisable(spec, cap=cap), calibrated), spec, photos)
            cosines = (rows * reference).sum(axis=1)
            results.append(
                {
                    "relu6": cap is not None,
                    "ranges": "least to largest" if is_whole else "best for most values",
                    "activations": len(ends),
                    "at_the_cap": sum(end > CAP - 0.01 for end in ends),
                    "largest": round(max(ends), 2),
                    "cosine_median": round(float(np.median(cosines)), 4),
                    "cosine_least": round(float(cosines.min()), 4),
                }
            )
            print(results[-1], flush=True)
    document = {
        "command": "python scripts/measure_quantisation.py FOLDER --output FILE",
        "machine": describe_machine(),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "torchvision", "pillow", "numpy")},
        },
        "model": spec.label,
        "photos": arguments.about or f"{len(photos)} photos",
        "calibration": f"{len(shown)} pictures of tests/photos",
        "bits": 8 if torch.cpu._is_vnni_supported() else 7,
        "results": results,
    }
    arguments.output.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
