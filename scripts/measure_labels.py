"""Measure how often the first label of a photo is right, and what quicker ways cost of that.

    python scripts/measure_labels.py FOLDER --output scripts/results/labels.json

The photos in FOLDER are named after categories of ImageNet, such as ``African_grey.jpg``; others
are left out. The reference is torch in f32 with exact decoding.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from machine import describe_machine

from mobisearch import ClassifiedImage, ImageClassifier
from mobisearch.models.classifier_files import imagenet_categories
from mobisearch.types import DecodeSettings, RuntimeSettings

MODEL = "mobilenet_v2.imagenet1k_v1"
WAYS = {
    "torch, f32, exact decoding": (RuntimeSettings("torch", "f32"), DecodeSettings(exact=True)),
    "OpenVINO, f32": (RuntimeSettings("openvino", "f32"), DecodeSettings()),
    "OpenVINO, bf16": (RuntimeSettings("openvino", "bf16"), DecodeSettings()),
}


def key(name: str) -> str:
    return name.replace("_", " ").casefold()


def measure(results: list[ClassifiedImage], reference: list[ClassifiedImage]) -> dict[str, Any]:
    n = len(results)
    names = [key(Path(result.image).stem) for result in results]
    found = [[key(label.category) for label in result.labels] for result in results]
    pairs = list(zip(results, reference, strict=True))
    return {
        "top1": sum(f[0] == name for f, name in zip(found, names, strict=True)) / n,
        "top5": sum(name in f for f, name in zip(found, names, strict=True)) / n,
        "same_first": sum(a.labels[0].category == b.labels[0].category for a, b in pairs) / n,
        "largest_change": max(
            abs(a.labels[0].probability - b.labels[0].probability)
            for a, b in pairs
            if a.labels[0].category == b.labels[0].category
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    known = {key(name) for name in imagenet_categories()}
    paths = sorted(path for path in options.folder.iterdir() if key(path.stem) in known)
    classified = {
        way: ImageClassifier(MODEL, runtime=runtime, settings=settings).classify(paths, 5)
        for way, (runtime, settings) in WAYS.items()
    }
    reference = next(iter(classified.values()))
    document = {
        "machine": describe_machine(),
        "model": MODEL,
        "photos": len(paths),
        "ways": {way: measure(results, reference) for way, results in classified.items()},
    }
    options.output.write_text(json.dumps(document, indent=2) + "\n")
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
