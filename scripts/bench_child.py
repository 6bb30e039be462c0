"""One way of turning a folder of photos into embeddings, in a process of its own; for bench.py.

    python scripts/bench_child.py WAY FOLDER

Prints a line of JSON: the number of images, the seconds that the work took without the imports
before it, and the processor seconds of the whole process and its children, imports included. The
ways of other tools import nothing of mobisearch, so that they run in environments of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path


def photos_in(folder: str) -> list[str]:
    return sorted(str(path) for path in Path(folder).glob("*.jpg"))


def seed_loop(folder: str, architecture: str) -> tuple[int, float]:
    """Run the few lines of torch that everybody starts with: one photo at a time.

    The weights are random: they do not change the time.
    """
    import torch
    import torchvision
    from PIL import Image
    from torch import nn

    transforms = torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    network = torchvision.models.get_model(architecture, weights=None).eval()
    pooled = nn.Sequential(network.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(1))
    started = time.perf_counter()
    paths = photos_in(folder)
    with torch.no_grad():
        for path in paths:
            pooled(transforms(Image.open(path).convert("RGB")).unsqueeze(0))
    return len(paths), time.perf_counter() - started


def imagededup(folder: str) -> tuple[int, float]:
    """Run imagededup's CNN, which is a MobileNetV3-Small; its weights are random here."""
    import torchvision

    make = torchvision.models.mobilenet_v3_small
    torchvision.models.mobilenet_v3_small = lambda **_: make(weights=None)
    from imagededup.methods import CNN

    started = time.perf_counter()
    embeddings = CNN(verbose=False).encode_images(image_dir=folder)
    return len(embeddings), time.perf_counter() - started


def fastdup(folder: str) -> tuple[int, float]:
    """Run fastdup's embedding and search with its defaults."""
    import fastdup as library

    with tempfile.TemporaryDirectory() as work:
        started = time.perf_counter()
        run = library.create(input_dir=folder, work_dir=work)
        run.run(overwrite=True)
        seconds = time.perf_counter() - started
        return len(run.annotations()), seconds


def mobisearch(folder: str, architecture: str, precision: str) -> tuple[int, float]:
    """Make an index: what ``mobisearch index`` does."""
    from mobisearch import Embedder, ImageIndex, RuntimeSettings

    spec = model_with_random_weights(architecture)
    with tempfile.TemporaryDirectory() as work:
        started = time.perf_counter()
        embedder = Embedder(spec, runtime=RuntimeSettings(precision=precision))
        with ImageIndex.create(os.path.join(work, "index"), embedder) as index:
            report = index.sync(folder)
        return report.added, time.perf_counter() - started


def model_with_random_weights(architecture: str):
    """Return the record of a model; the bundled one for ``mobilenet_v2``.

    For the others the weights are made here: only their sizes matter for the time. The file is kept
    for the next run, in the cache folder, so that its name and hash stay the same.
    """
    import dataclasses
    import hashlib

    from mobisearch.models import find_model
    from mobisearch.models.cache_folder import cache_folder

    base = find_model("mobilenet_v2")
    if architecture == "mobilenet_v2":
        return base
    path = cache_folder("bench") / f"{architecture}.random.safetensors"
    if not path.exists():
        import safetensors.torch
        import torch
        import torchvision

        torch.manual_seed(0)
        network = torchvision.models.get_model(architecture, weights=None)
        for module in network.modules():  # or the values of an untrained network vanish
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_var.fill_(0.1)
        state = network.features.state_dict()
        path.parent.mkdir(parents=True, exist_ok=True)
        safetensors.torch.save_file({f"features.{k}": v for k, v in state.items()}, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    dims = {"mobilenet_v3_small": 576, "mobilenet_v3_large": 960}
    weights = dataclasses.replace(base.weights, file_name=str(path), sha256=sha256, tag="random")
    return dataclasses.replace(
        base,
        name=architecture,
        architecture=architecture,
        dim=dims[architecture],
        weights=weights,
        quantised=None,
    )


def decoding(folder: str) -> tuple[int, float]:
    """Read, hash and decode, as mobisearch does, with no network behind it."""
    import numpy as np

    from mobisearch import Embedder
    from mobisearch.pipeline import embed_files

    class NoNetwork:
        def extract(self, pixels):
            return np.ones((len(pixels), 1280), np.float32)

    embedder = Embedder(runtime=NoNetwork())
    started = time.perf_counter()
    n = sum(1 for _ in embed_files(photos_in(folder), embedder))
    return n, time.perf_counter() - started


def network(folder: str) -> tuple[int, float]:
    """Run the network as mobisearch does, on as many pictures of noise as there are photos."""
    import numpy as np

    from mobisearch import Embedder

    embedder = Embedder()
    n_images = len(photos_in(folder))
    size = embedder.spec.preprocessing.crop_px
    batch = np.random.default_rng(0).integers(0, 256, (32, size, size, 3), dtype=np.uint8)
    embedder.embed_pixels(batch)
    started = time.perf_counter()
    for start in range(0, n_images, 32):
        embedder.embed_pixels(batch[: n_images - start])
    return n_images, time.perf_counter() - started


WAYS = {
    "mobisearch V2": lambda folder: mobisearch(folder, "mobilenet_v2", "auto"),
    "mobisearch V2 f32": lambda folder: mobisearch(folder, "mobilenet_v2", "f32"),
    "mobisearch V2 int8": lambda folder: mobisearch(folder, "mobilenet_v2", "int8"),
    "mobisearch V3-Small": lambda folder: mobisearch(folder, "mobilenet_v3_small", "auto"),
    "decoding alone": decoding,
    "network alone": network,
    "seed loop V2": lambda folder: seed_loop(folder, "mobilenet_v2"),
    "seed loop V3-Small": lambda folder: seed_loop(folder, "mobilenet_v3_small"),
    "imagededup": imagededup,
    "fastdup": fastdup,
}


def main() -> None:
    way, folder = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):
        n_images, seconds = WAYS[way](folder)
    if "mobisearch" in sys.modules:
        from mobisearch.imaging import shared_workers

        shared_workers().close()  # only what has ended is counted among the children
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = time.process_time() + children.ru_utime + children.ru_stime
    values = {"images": n_images, "seconds": round(seconds, 3), "processor_seconds": round(busy, 3)}
    print(json.dumps(values))


if __name__ == "__main__":
    main()
